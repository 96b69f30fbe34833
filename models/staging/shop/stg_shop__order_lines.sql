with order_lines as (
    select * from {{ ref('base_shop__order_lines') }}
),

final as (
    select
        -- ids
        store,
        order_line_id,
        order_id,
        product_id,
        variant_id,
        sku,

        -- what was sold
        quantity,

        -- money
        unit_price,
        discount_amount,
        tax_amount,
        line_amount
    from order_lines
    where row_status = 'accepted'
)

select * from final
