{{ config(live_table()) }}

-- Grain: cause of a message in the life of a customer, while it is not too late to write: signing
-- up, a birthday, a first purchase. Born on 29 February, a person has a birthday on the 28th in
-- other years.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
),

customers as (
    select
        customers.*,
        recipients.time_zone
    from {{ ref('dim_customers') }} as customers
    inner join recipients on customers.customer_key = recipients.customer_key
),

orders as (
    select * from {{ ref('fct_orders') }}
    where is_valid and customer_key is not null
),

first_orders as (
    select * from orders
    qualify
        row_number() over (
            partition by customer_key order by ordered_at, store, order_id
        ) = 1
),

year_offsets as (
    select -1 as year_offset
    union all
    select 0 as year_offset
    union all
    select 1 as year_offset
),

birthdays as (
    select
        rules.trigger_type,
        rules.since_at,
        customers.customer_key,
        customers.time_zone,
        cast({{ dbt.dateadd(
            'year',
            'extract(year from ' ~ as_of_date() ~ ') + year_offset'
            ~ ' - extract(year from customers.birth_date)',
            'customers.birth_date'
        ) }} as date) as birthday_date
    from customers
    cross join year_offsets
    inner join rules on rules.trigger_type = 'birthday'
    where customers.birth_date is not null
),

causes as (
    select
        rules.trigger_type,
        customers.customer_key,
        'signed_up' as cause,
        customers.signed_up_at as occurred_at,
        {{ json_text([['signup_source', 'customers.signup_source', true]]) }} as context
    from customers
    inner join rules
        on rules.trigger_type = 'signed_up' and customers.signed_up_at > rules.since_at
    union all
    select
        rules.trigger_type,
        first_orders.customer_key,
        first_orders.store || '/' || first_orders.order_id as cause,
        first_orders.ordered_at as occurred_at,
        {{ json_text([['order_id', 'first_orders.order_id', true]]) }} as context
    from first_orders
    inner join rules
        on rules.trigger_type = 'first_purchase' and first_orders.ordered_at > rules.since_at
    union all
    select
        trigger_type,
        customer_key,
        cast(extract(year from birthday_date) as varchar) as cause,
        {{ utc_time_from('cast(birthday_date as timestamp)', 'time_zone') }} as occurred_at,
        {{ json_text([['birthday', 'cast(birthday_date as varchar)', true]]) }} as context
    from birthdays
    -- Before time zones are asked: only days that can be near enough.
    where
        birthday_date >= cast(since_at as date) - 1
        and birthday_date <= {{ as_of_date() }} + 1
),

final as (
    select
        causes.trigger_type,
        cast(null as varchar) as segment_id,
        causes.customer_key,
        causes.cause,
        causes.occurred_at,
        causes.context
    from causes
    inner join recipients on causes.customer_key = recipients.customer_key
    inner join rules on causes.trigger_type = rules.trigger_type
    where
        causes.occurred_at > rules.since_at
        and causes.occurred_at < {{ as_of_at() }}
        and (recipients.may_be_profiled or not rules.is_behavioural)
)

select * from final
