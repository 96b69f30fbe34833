-- Asked of the permissions and suppressions again, not of trigger_recipients. What has fired stays
-- in the log when a permission ends later; what is about to fire does not.
with permissions as (
    select * from {{ ref('fct_permissions') }}
)

select events.trigger_key
from {{ ref('trigger_events') }} as events
inner join {{ ref('dim_customers') }} as customers
    on events.customer_key = customers.customer_key
left join permissions as mails
    on
        events.customer_key = mails.customer_key
        and mails.purpose = 'email_marketing'
        and mails.is_permitted
left join permissions as profiling
    on
        events.customer_key = profiling.customer_key
        and profiling.purpose = 'profiling'
        and profiling.is_permitted
left join permissions as refusals
    on
        events.customer_key = refusals.customer_key
        and refusals.purpose = 'tracking'
        and refusals.reason in ('withdrawn', 'objected', 'restricted')
left join {{ ref('fct_suppressions') }} as suppressions
    on customers.email = suppressions.email
where
    mails.customer_key is null
    or suppressions.email is not null
    or (
        events.trigger_type not in ('signed_up', 'first_purchase', 'birthday')
        and (profiling.customer_key is null or refusals.customer_key is not null)
    )
