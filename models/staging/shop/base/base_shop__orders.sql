{%- set identifiers = {
    'customer_id': 'source.customer_id',
    'email': 'lower(source.email)',
    'phone': clean_phone('source.phone'),
} %}
with source as (
    select * from {{ landing('shop', 'shop_orders') }}
),

rates as (
    select * from {{ ref('stg_reference__fx_rates') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('source.email') }} as clean_email,
        {{ clean_phone('source.phone') }} as clean_phone,
        {{ standardise('source.order_status', 'order_status') }} as clean_order_status,
        {{ standardise('source.sales_channel', 'sales_channel') }} as clean_sales_channel,
        upper(source.currency) as clean_currency,
        case
            when upper(source.currency) = '{{ var("base_currency") }}' then 1
            else rates.rate_to_base
        end as rate_to_base,
        -- An erased person's order stays, without the person: revenue does not move.
        {{ is_erased(identifiers, 'source.ordered_at') }} as is_anonymised,
        false as is_withheld
    from source
    {{ erased_joins('source', identifiers) }}
    left join rates
        on
            source.store = rates.store
            and upper(source.currency) = rates.currency
            and {{ local_date('source.ordered_at') }} >= rates.rate_date
            and {{ local_date('source.ordered_at') }} < rates.valid_until_date
),

judged as (
    select
        *,
        {{ reject_reason([
            ('order_id is null', 'order_id is missing'),
            ('ordered_at is null', 'ordered_at is missing or no time'),
            (is_absurd_time('ordered_at'), 'ordered_at is before 1990'),
            ('clean_order_status is null', 'order_status is missing or unknown'),
            ('currency is null', 'currency is missing'),
            ('not ' ~ matches('clean_currency', '^[A-Z]{3}$'), 'currency is no ISO 4217 code'),
            ('total_amount is null', 'total_amount is missing or no number'),
            ('total_amount < 0', 'total_amount is negative'),
            ('shipping_amount < 0 or tax_amount < 0 or gift_card_amount < 0', 'an amount is negative'),
            (is_absurd_amount('total_amount'), 'total_amount is absurd'),
            (is_absurd_amount('shipping_amount'), 'shipping_amount is absurd'),
            (is_absurd_amount('tax_amount'), 'tax_amount is absurd'),
            ('cancelled_at < ordered_at', 'order is cancelled before it is placed'),
            ('rate_to_base is null', 'no exchange rate for the currency on that day'),
        ]) }} as reject_reason,
        coalesce(ordered_at >= {{ as_of_at() }}, false) as is_not_yet,
        -- When a cancellation has no time, it holds from the order's.
        case
            when clean_order_status = 'cancelled' then coalesce(cancelled_at, ordered_at)
            else cancelled_at
        end as effectively_cancelled_at
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'order_id'], updated_at=true) }} as row_status
    from judged
),

final as (
    select
        store,
        order_id,
        case when not is_anonymised then customer_id end as customer_id,
        case when not is_anonymised then clean_email end as email,
        case when not is_anonymised then clean_phone end as phone,
        is_anonymised,
        -- What was cancelled at or after the clock was still an open order before it.
        case
            when effectively_cancelled_at < {{ as_of_at() }} then 'cancelled'
            when clean_order_status = 'cancelled' then 'placed'
            else clean_order_status
        end as order_status,
        coalesce(is_test, false) as is_test,
        ordered_at,
        case
            when effectively_cancelled_at < {{ as_of_at() }} then effectively_cancelled_at
        end as cancelled_at,
        clean_currency as currency,
        rate_to_base,
        coalesce(is_tax_included, false) as is_tax_included,
        subtotal_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        gift_card_amount,
        total_amount,
        -- A code may be made for one person, and so may what a link was tagged with.
        case when not is_anonymised then coupon_code end as coupon_code,
        clean_sales_channel as sales_channel,
        case when not is_anonymised then cart_id end as cart_id,
        utm_source,
        utm_medium,
        utm_campaign,
        case when not is_anonymised then utm_content end as utm_content,
        updated_at,
        loaded_at,
        order_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('phone is not null and clean_phone is null', 'phone'),
            ('sales_channel is not null and clean_sales_channel is null', 'sales_channel'),
        ]) }} as unusable_columns
    from ranked
)

select * from final
