-- Grain: cart into which anything was ever put, as known at the clock. What a cart is, and when it
-- is open, is said in the macro carts_as_of, which the segments ask for the beginning of the day.
with carts as (
    select * from {{ carts_as_of() }}
),

final as (
    select
        cart_key,
        store,
        cart_id,
        customer_key,
        first_added_at,
        last_added_at,
        last_activity_at,
        checkout_started_at,
        product_count,
        quantity,
        cart_base_amount,
        ordered_at,
        order_id,
        customer_ordered_at,
        is_emptied,
        is_open
    from carts
)

select * from final
