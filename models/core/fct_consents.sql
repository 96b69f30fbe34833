-- Grain: customer and statement about consent, as it was made, by whoever made it. One statement
-- that comes with an address alone counts for everyone who has the address. What follows from the
-- statements is in fct_permissions.
with statements as (
    select * from {{ ref('int_consent_statements') }}
),

customers as (
    select * from {{ ref('dim_customers') }}
),

final as (
    select
        statements.customer_key,
        statements.event_id,
        statements.purpose,
        statements.action,
        statements.list_id,
        statements.collected_via,
        statements.is_imported,
        statements.occurred_at,
        {{ local_date('statements.occurred_at') }} as stated_date
    from statements
    inner join customers on statements.customer_key = customers.customer_key
)

select * from final
