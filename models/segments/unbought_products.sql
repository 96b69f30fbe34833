-- Grain: customer whom we may follow on the site and product that was looked at within the days of
-- the seed segment_thresholds, and not bought within its hours, nor since. Views before the last
-- purchase of the product do not count. Sensitive products are left out, and what nobody can buy.
with views as (
    select
        customer_key,
        product_key,
        occurred_at as viewed_at,
        event_date as viewed_date,
        {{ local_time('occurred_at') }} as local_viewed_at
    from {{ ref('fct_product_events') }}
    where event_type = 'product_view' and event_date < {{ as_of_date() }}
),

customers as (
    select * from {{ ref('trackable_customers') }}
),

products as (
    select * from {{ ref('dim_products') }}
    where is_active and not is_sensitive and product_type in ('goods', 'service')
),

purchases as (
    select
        customer_key,
        product_key,
        max(ordered_at) as last_ordered_at
    from {{ ref('fct_order_lines') }}
    where is_valid and order_date < {{ as_of_date() }}
    group by customer_key, product_key
),

thresholds as (
    select
        cast({{ threshold('viewed_not_bought', 'hours') }} as integer) as buying_hours,
        cast({{ threshold('viewed_not_bought', 'days') }} as integer) as within_days
    from {{ ref('segment_thresholds') }}
),

looked_at as (
    select
        views.customer_key,
        views.product_key,
        min(views.viewed_at) as first_viewed_at,
        min(views.local_viewed_at) as first_local_viewed_at,
        max(views.viewed_at) as last_viewed_at,
        max(views.viewed_date) as last_viewed_date,
        count(*) as view_count
    from views
    inner join customers on views.customer_key = customers.customer_key
    cross join thresholds
    left join purchases
        on
            views.customer_key = purchases.customer_key
            and views.product_key = purchases.product_key
    where
        views.viewed_date >= {{ as_of_date() }} - thresholds.within_days
        and (purchases.last_ordered_at is null or views.viewed_at > purchases.last_ordered_at)
    group by views.customer_key, views.product_key
),

final as (
    select
        looked_at.customer_key,
        looked_at.product_key,
        products.store,
        products.product_id,
        products.product_name,
        looked_at.first_viewed_at,
        looked_at.last_viewed_at,
        looked_at.last_viewed_date,
        looked_at.view_count,
        row_number() over (
            partition by looked_at.customer_key
            order by
                looked_at.view_count desc nulls last,
                looked_at.last_viewed_at desc nulls last,
                looked_at.product_key asc
        ) as product_rank
    from looked_at
    inner join products on looked_at.product_key = products.product_key
    cross join thresholds
    where
        {{ dbt.dateadd('hour', 'thresholds.buying_hours', 'looked_at.first_local_viewed_at') }}
        <= cast({{ as_of_date() }} as timestamp)
)

select * from final
