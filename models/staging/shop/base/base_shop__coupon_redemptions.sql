{%- set identifiers = {'customer_id': 'source.customer_id'} %}
with source as (
    select * from {{ landing('shop', 'coupon_redemptions') }}
),

orders as (
    select
        store,
        order_id,
        max(case when is_anonymised then 1 else 0 end) = 1 as is_anonymised
    from {{ ref('base_shop__orders') }}
    group by store, order_id
),

judged as (
    select
        source.*,
        {{ reject_reason([
            ('source.redemption_id is null', 'redemption_id is missing'),
            (
                'source.customer_id is null and source.order_id is null',
                'neither customer_id nor order_id is given',
            ),
            ('source.coupon_code is null', 'coupon_code is missing'),
            ('source.redeemed_at is null', 'redeemed_at is missing or no time'),
            (is_absurd_time('source.redeemed_at'), 'redeemed_at is before 1990'),
        ], deleted_at='source.deleted_at') }} as reject_reason,
        coalesce(source.redeemed_at >= {{ as_of_at() }}, false) as is_not_yet,
        {{ is_erased(identifiers, 'source.redeemed_at') }}
        or coalesce(orders.is_anonymised, false) as is_withheld,
        {{ is_expired('coupon_redemptions', 'source.redeemed_at') }} as is_expired
    from source
    {{ erased_joins('source', identifiers) }}
    left join orders
        on source.store = orders.store and source.order_id = orders.order_id
),

ranked as (
    select
        *,
        {{ row_status(['store', 'redemption_id'], expires=true) }} as row_status
    from judged
),

final as (
    select
        store,
        redemption_id,
        customer_id,
        order_id,
        coupon_code,
        campaign_id,
        redeemed_at,
        loaded_at,
        redemption_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns() }} as unusable_columns
    from ranked
    where row_status not in ('withheld', 'expired')
    {{ and_withheld('ranked') }}
)

select * from final
