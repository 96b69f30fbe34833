-- Grain: customer and segment of the family browsing, with reason, figures and what ends it. Only
-- customers whom we may follow on the site; days and events before today. Thresholds are in
-- seeds/segments/segment_thresholds.csv.
with thresholds as (
    select
        cast({{ threshold('browser', 'days') }} as integer) as browser_days,
        cast({{ threshold('cart_abandoner', 'days') }} as integer) as cart_days,
        cast({{ threshold('viewed_not_bought', 'days') }} as integer) as viewed_days,
        cast({{ threshold('back_again', 'days') }} as integer) as back_again_days,
        cast({{ threshold('back_again', 'visit_days') }} as integer) as back_again_visit_days
    from {{ ref('segment_thresholds') }}
),

customers as (
    select * from {{ ref('trackable_customers') }}
),

purchases as (
    select * from {{ ref('customer_purchase_summaries') }}
),

visit_days as (
    select
        days.customer_key,
        days.activity_date,
        days.product_view_count,
        purchases.last_order_date,
        thresholds.*,
        row_number() over (
            partition by days.customer_key order by days.activity_date desc nulls last
        ) as visit_number
    from {{ ref('fct_customer_days') }} as days
    inner join customers on days.customer_key = customers.customer_key
    cross join thresholds
    left join purchases on days.customer_key = purchases.customer_key
    where days.session_count > 0 and days.activity_date < {{ as_of_date() }}
),

browsers as (
    select
        customer_key,
        max(activity_date) as last_viewed_date,
        sum(product_view_count) as product_view_count,
        max(activity_date) + max(browser_days) + 1 as ends_on
    from visit_days
    where product_view_count > 0 and activity_date >= {{ as_of_date() }} - browser_days
    group by customer_key
    having coalesce(max(last_order_date) < max(activity_date), true)
),

returns as (
    select
        customer_key,
        count(*) as visit_day_count,
        max(back_again_days) as back_again_days,
        max(case when visit_number = back_again_visit_days then activity_date end)
        + max(back_again_days) + 1 as ends_on
    from visit_days
    where activity_date >= {{ as_of_date() }} - back_again_days
    group by customer_key
    having
        count(*) >= max(back_again_visit_days)
        and coalesce(max(last_order_date) < min(activity_date), true)
),

carts as (
    select
        carts.*,
        cast(carts.quantity as bigint) as item_count,
        count(*) over (partition by carts.customer_key) as cart_count,
        carts.last_activity_date + thresholds.cart_days + 1 as ends_on
    from {{ ref('abandoned_carts') }} as carts
    cross join thresholds
    qualify carts.cart_rank = 1
),

products as (
    select
        products.*,
        count(*) over (partition by products.customer_key) as product_count,
        max(products.last_viewed_date) over (partition by products.customer_key)
        + thresholds.viewed_days + 1 as ends_on
    from {{ ref('unbought_products') }} as products
    cross join thresholds
    qualify products.product_rank = 1
),

members as (
    select
        customer_key,
        'browser' as segment_id,
        'Product views: ' || product_view_count || ', the last on ' || last_viewed_date
        || ', no order since' as reason,
        {{ json_text([
            ['last_viewed_date', 'cast(last_viewed_date as varchar)', true],
            ['product_view_count', 'product_view_count', false],
        ]) }} as figures,
        ends_on
    from browsers
    union all
    select
        customer_key,
        'back_again' as segment_id,
        'Visits on ' || visit_day_count || ' of the last ' || back_again_days
        || ' days without an order' as reason,
        {{ json_text([['visit_day_count', 'visit_day_count', false]]) }} as figures,
        ends_on
    from returns
    union all
    select
        customer_key,
        'cart_abandoner' as segment_id,
        'Left a cart on ' || last_activity_date || ', products in it: ' || product_count as reason,
        {{ json_text([
            ['cart_count', 'cart_count', false], ['product_count', 'product_count', false],
            ['item_count', 'item_count', false],
            ['cart_base_amount', 'cart_base_amount', false],
            ['last_activity_date', 'cast(last_activity_date as varchar)', true],
        ]) }} as figures,
        ends_on
    from carts
    union all
    select
        customer_key,
        'viewed_not_bought' as segment_id,
        'Looked at ' || coalesce(product_name, product_id) || ' and has not bought it, views: '
        || view_count as reason,
        {{ json_text([
            ['product_key', 'product_key', true], ['product_id', 'product_id', true],
            ['view_count', 'view_count', false], ['product_count', 'product_count', false],
        ]) }} as figures,
        ends_on
    from products
),

final as (
    select
        customer_key,
        segment_id,
        reason,
        figures,
        case
            when segment_id = 'viewed_not_bought' then 'Leaves when what was looked at is bought'
            else 'Leaves with an order'
        end || ', or on ' || ends_on || ' unless the customer comes back' as exit_rule,
        ends_on
    from members
)

select * from final
