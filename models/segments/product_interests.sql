-- Grain: customer who may be profiled, product and kind of evidence (bought, put in the cart,
-- looked at), within the days of the seed preference_evidence. Sensitive products are left out, and
-- what people do on the site who said no to tracking.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

trackable as (
    select * from {{ ref('trackable_customers') }}
),

products as (
    select * from {{ ref('dim_products') }}
    where not is_sensitive and product_type in ('goods', 'service')
),

rules as (
    select * from {{ ref('preference_evidence') }}
),

web_events as (
    select
        web_events.customer_key,
        web_events.product_key,
        case
            when web_events.event_type = 'add_to_cart' then 'cart_add' else web_events.event_type
        end as evidence,
        web_events.event_date as evidence_date
    from {{ ref('fct_product_events') }} as web_events
    inner join trackable on web_events.customer_key = trackable.customer_key
),

order_lines as (
    select
        order_lines.customer_key,
        order_lines.product_key,
        'order_line' as evidence,
        order_lines.order_date as evidence_date
    from {{ ref('fct_order_lines') }} as order_lines
    inner join customers on order_lines.customer_key = customers.customer_key
    where order_lines.is_valid
),

pieces as (
    select * from web_events
    union all
    select * from order_lines
),

final as (
    select
        pieces.customer_key,
        pieces.product_key,
        pieces.evidence,
        count(*) as evidence_count
    from pieces
    inner join products on pieces.product_key = products.product_key
    inner join rules on pieces.evidence = rules.evidence
    where
        pieces.evidence_date < {{ as_of_date() }}
        and pieces.evidence_date >= {{ as_of_date() }} - rules.days
    group by pieces.customer_key, pieces.product_key, pieces.evidence
)

select * from final
