{{ config(materialized='view') }}

-- Grain: customer, day on which something other than an order happened, and span of days on which
-- it is known; once as the run knows the customer (is_of_run), once as past days did. Additive
-- within one cutoff. What people do on the site is null where they said no to tracking.
{%- set counts = [
    'email_sent_count', 'email_delivered_count', 'email_open_count', 'email_click_count',
    'social_interaction_count', 'service_interaction_count', 'coupon_redemption_count',
] %}
{%- set of_site = [
    'product_view_count', 'search_count', 'cart_add_count', 'checkout_count', 'engaged_seconds',
] %}
with days as (
    select * from {{ ref('fct_customer_days') }}
),

dated_days as (
    select * from {{ ref('fct_dated_days') }}
),

customers as (
    select
        profiled.customer_key,
        trackable.customer_key is not null as is_trackable
    from {{ ref('profiled_customers') }} as profiled
    left join {{ ref('trackable_customers') }} as trackable
        on profiled.customer_key = trackable.customer_key
),

known as (
    select
        true as is_of_run,
        customer_key,
        customer_key as current_key,
        activity_date,
        activity_date as known_date,
        date '9999-12-31' as gone_date,
        {%- for column in counts + of_site %}
        {{ column }},
        {%- endfor %}
        case when session_count > 0 then 1 else 0 end as visit_count
    from days
    union all
    select
        false as is_of_run,
        dated_key as customer_key,
        customer_key as current_key,
        activity_date,
        known_date,
        coalesce(shared_date, date '9999-12-31') as gone_date,
        {%- for column in counts + of_site %}
        {{ column }},
        {%- endfor %}
        visit_count
    from dated_days
),

final as (
    select
        known.is_of_run,
        known.customer_key,
        known.activity_date,
        known.known_date,
        known.gone_date,
        {%- for column in counts %}
        known.{{ column }},
        {%- endfor %}
        {%- for column in of_site %}
        case when customers.is_trackable then known.{{ column }} end as {{ column }},
        {%- endfor %}
        case when customers.is_trackable then known.visit_count end as visit_count
    from known
    inner join customers on known.current_key = customers.customer_key
)

select * from final
