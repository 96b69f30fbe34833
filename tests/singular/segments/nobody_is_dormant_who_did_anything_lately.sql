-- Asked of the ledger again: not one open, click, visit or contact in the days of the threshold.
select
    lifecycle.customer_key,
    days.activity_date
from {{ ref('lifecycle_stages') }} as lifecycle
inner join {{ ref('lifecycle_days') }} as thresholds on thresholds.threshold_id = 'dormant'
inner join {{ ref('fct_customer_days') }} as days on lifecycle.customer_key = days.customer_key
left join {{ ref('trackable_customers') }} as trackable
    on lifecycle.customer_key = trackable.customer_key
where
    lifecycle.segment_id = 'dormant'
    and days.activity_date < {{ as_of_date() }}
    and days.activity_date >= {{ as_of_date() }} - thresholds.days
    and (
        days.email_open_count + days.email_click_count + days.social_interaction_count
        + days.service_interaction_count > 0
        or (days.session_count > 0 and trackable.customer_key is not null)
    )
