-- Asked of the permissions again, not of trackable_customers.
with refusals as (
    select * from {{ ref('fct_permissions') }}
    where purpose = 'tracking' and reason in ('withdrawn', 'objected', 'restricted')
),

followed as (
    select customer_key from {{ ref('browsing_members') }}
    union all
    select customer_key from {{ ref('abandoned_carts') }}
    union all
    select customer_key from {{ ref('unbought_products') }}
    union all
    select customer_key from {{ ref('engagement_points') }}
    where channel = 'web'
    union all
    select customer_key from {{ ref('engagement_scores') }}
    where web_score is not null
    union all
    select customer_key from {{ ref('product_interests') }}
    where evidence in ('product_view', 'cart_add')
    union all
    select customer_key from {{ ref('activity_hours') }}
    where evidence = 'visit'
)

select followed.customer_key
from followed
inner join refusals on followed.customer_key = refusals.customer_key
