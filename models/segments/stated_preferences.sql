-- Grain: customer who may be profiled, type of preference and value, as the person stated it: the
-- categories and the brand of the CRM that the shop knows (in the shop's spelling), and the
-- channels they said yes to. Sensitive categories are left out though somebody states them.
with customers as (
    select
        customers.customer_key,
        ',' || lower(
            replace(replace(customers.preferred_categories, ', ', ','), ' ,', ',')
        ) || ',' as categories,
        lower(customers.preferred_brand) as brand
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('profiled_customers') }} as profiled
        on customers.customer_key = profiled.customer_key
),

products as (
    select * from {{ ref('dim_products') }}
    where not is_sensitive
),

permissions as (
    select * from {{ ref('fct_permissions') }}
    where
        purpose in ('email_marketing', 'sms_marketing', 'push_marketing')
        and reason = 'granted'
),

known_categories as (
    select
        min(category) as category,
        ',' || lower(category) || ',' as listed_category
    from products
    where category is not null
    group by lower(category)
),

placed_categories as (
    select
        customers.customer_key,
        known_categories.category,
        {{ dbt.position('known_categories.listed_category', 'customers.categories') }} as place
    from customers
    cross join known_categories
    where customers.categories is not null
),

known_brands as (
    select min(brand) as brand from products
    where brand is not null
    group by lower(brand)
),

final as (
    select
        customer_key,
        'category' as preference_type,
        category as preferred_value,
        row_number() over (partition by customer_key order by place asc, category asc)
            as stated_rank
    from placed_categories
    where place > 0
    union all
    select
        customers.customer_key,
        'brand' as preference_type,
        known_brands.brand as preferred_value,
        1 as stated_rank
    from customers
    inner join known_brands on customers.brand = lower(known_brands.brand)
    union all
    select
        customers.customer_key,
        'channel' as preference_type,
        replace(permissions.purpose, '_marketing', '') as preferred_value,
        row_number() over (
            partition by customers.customer_key
            order by permissions.decided_at desc nulls last, permissions.purpose asc
        ) as stated_rank
    from customers
    inner join permissions on customers.customer_key = permissions.customer_key
)

select * from final
