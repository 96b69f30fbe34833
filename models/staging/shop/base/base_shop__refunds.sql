with source as (
    select * from {{ landing('shop', 'shop_refunds') }}
),

-- A refund needs an order, and shares its fate.
orders as (
    select
        store,
        order_id,
        min(
            case row_status
                when 'accepted' then 1 when 'not_yet' then 2 when 'superseded' then 3 else 4
            end
        ) as fate,
        max(case when is_anonymised then 1 else 0 end) = 1 as is_anonymised
    from {{ ref('base_shop__orders') }}
    group by store, order_id
),

order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

judged as (
    select
        source.*,
        orders.fate,
        coalesce(orders.is_anonymised, false) as is_anonymised,
        order_lines.order_line_id as known_order_line_id,
        {{ standardise('source.refund_type', 'refund_type') }} as clean_refund_type,
        {{ reject_reason([
            ('source.refund_id is null', 'refund_id is missing'),
            ('source.order_id is null', 'order_id is missing'),
            ('orders.order_id is null', 'order is not in shop_orders'),
            ('orders.fate = 4', 'order is rejected'),
            ('source.refunded_at is null', 'refunded_at is missing or no time'),
            (is_absurd_time('source.refunded_at'), 'refunded_at is before 1990'),
            ('source.refund_amount is null', 'refund_amount is missing or no number'),
            ('source.refund_amount < 0 or source.tax_amount < 0', 'an amount is negative'),
            (is_absurd_amount('source.refund_amount'), 'refund_amount is absurd'),
            ('source.tax_amount > source.refund_amount', 'more tax than refund'),
        ], deleted_at='source.deleted_at') }} as reject_reason,
        coalesce(source.refunded_at >= {{ as_of_at() }} or orders.fate = 2, false) as is_not_yet,
        false as is_withheld
    from source
    left join orders
        on source.store = orders.store and source.order_id = orders.order_id
    left join order_lines
        on
            source.store = order_lines.store
            and source.order_line_id = order_lines.order_line_id
            and source.order_id = order_lines.order_id
),

ranked as (
    select
        *,
        {{ row_status(['store', 'refund_id']) }} as row_status
    from judged
),

final as (
    select
        store,
        refund_id,
        coalesce(refund_group_id, refund_id) as refund_group_id,
        order_id,
        known_order_line_id as order_line_id,
        -- Without a word from the shop: a refund of a line is `line`, any other an adjustment.
        coalesce(
            clean_refund_type,
            case when order_line_id is not null then 'line' else 'adjustment' end
        ) as refund_type,
        quantity,
        refunded_at,
        refund_amount,
        coalesce(tax_amount, 0) as tax_amount,
        -- What somebody wrote about an erased person.
        case when not is_anonymised then reason end as reason,
        loaded_at,
        refund_id as row_key,
        case when row_status = 'accepted' and fate = 3 then 'superseded' else row_status end
            as row_status,
        reject_reason,
        {{ unusable_columns([
            ('refund_type is not null and clean_refund_type is null', 'refund_type'),
            ('order_line_id is not null and known_order_line_id is null', 'order_line_id'),
        ]) }} as unusable_columns
    from ranked
)

select * from final
