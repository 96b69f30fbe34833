-- Asked of the seed again, not of dim_products.is_sensitive.
with named as (
    select
        'customer_preferences' as model_name,
        customer_key,
        preferred_value as category
    from {{ ref('customer_preferences') }}
    where preference_type = 'category'
    union all
    select
        'category_purchases' as model_name,
        customer_key,
        category
    from {{ ref('category_purchases') }}
    union all
    select
        'customer_profiles' as model_name,
        customer_key,
        favourite_category as category
    from {{ ref('customer_profiles') }}
    union all
    select
        'customer_profiles' as model_name,
        customer_key,
        preferred_category as category
    from {{ ref('customer_profiles') }}
    union all
    select
        'unbought_products' as model_name,
        unbought.customer_key,
        products.category
    from {{ ref('unbought_products') }} as unbought
    inner join {{ ref('dim_products') }} as products on unbought.product_key = products.product_key
    union all
    select
        'unbought_products' as model_name,
        unbought.customer_key,
        products.subcategory as category
    from {{ ref('unbought_products') }} as unbought
    inner join {{ ref('dim_products') }} as products on unbought.product_key = products.product_key
)

select
    named.model_name,
    named.customer_key,
    named.category
from named
inner join {{ ref('sensitive_categories') }} as sensitive
    on lower(named.category) = sensitive.category
