with refunds as (
    select * from {{ ref('base_shop__refunds') }}
),

final as (
    select
        -- ids
        store,
        refund_id,
        refund_group_id,
        order_id,
        order_line_id,

        -- what was refunded
        refund_type,
        quantity,
        reason,

        -- money
        refund_amount,
        tax_amount,

        -- times
        refunded_at
    from refunds
    where row_status = 'accepted'
)

select * from final
