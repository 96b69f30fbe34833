with source as (
    select * from {{ landing('shop', 'shop_order_lines') }}
),

-- A line happens when its order does, and shares its fate.
orders as (
    select
        store,
        order_id,
        min(
            case row_status
                when 'accepted' then 1 when 'not_yet' then 2 when 'superseded' then 3 else 4
            end
        ) as fate
    from {{ ref('base_shop__orders') }}
    group by store, order_id
),

judged as (
    select
        source.*,
        orders.fate,
        {{ reject_reason([
            ('source.order_line_id is null', 'order_line_id is missing'),
            ('source.order_id is null', 'order_id is missing'),
            ('orders.order_id is null', 'order is not in shop_orders'),
            ('orders.fate = 4', 'order is rejected'),
            ('source.quantity is null', 'quantity is missing or no number'),
            ('source.quantity < 0', 'quantity is negative'),
            (is_absurd_quantity('source.quantity'), 'quantity is absurd'),
            ('source.line_amount is null', 'line_amount is missing or no number'),
            (
                'source.line_amount < 0 or source.unit_price < 0 or source.discount_amount < 0'
                ~ ' or source.tax_amount < 0',
                'an amount is negative',
            ),
            (is_absurd_amount('source.line_amount'), 'line_amount is absurd'),
            (
                is_absurd_amount(product_of('source.unit_price', 'source.quantity')),
                'unit_price is absurd',
            ),
            (is_absurd_amount('source.discount_amount'), 'discount_amount is absurd'),
            (is_absurd_amount('source.tax_amount'), 'tax_amount is absurd'),
        ], deleted_at='source.deleted_at') }} as reject_reason,
        coalesce(orders.fate = 2, false) as is_not_yet,
        false as is_withheld
    from source
    left join orders
        on source.store = orders.store and source.order_id = orders.order_id
),

ranked as (
    select
        *,
        {{ row_status(['store', 'order_line_id']) }} as row_status
    from judged
),

final as (
    select
        store,
        order_line_id,
        order_id,
        product_id,
        variant_id,
        sku,
        quantity,
        unit_price,
        discount_amount,
        tax_amount,
        line_amount,
        loaded_at,
        order_line_id as row_key,
        -- The lines of a deleted order go with it.
        case when row_status = 'accepted' and fate = 3 then 'superseded' else row_status end
            as row_status,
        reject_reason,
        {{ unusable_columns() }} as unusable_columns
    from ranked
)

select * from final
