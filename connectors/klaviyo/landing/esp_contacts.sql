-- One row per profile. Fivetran stamps each row when it changed; the landing takes the rows of one
-- `loaded_at` as a complete export, so every row gets the newest stamp of the table.
with people as (
    select * from {{ raw('person') }}
),

exclusions as (
    select
        person_id,
        min(reason) as reason,
        min(timestamp) as suppressed_at
    from {{ raw('global_exclusion') }}
    where not coalesce(_fivetran_deleted, false)
    group by person_id
)

select
    people.id as esp_contact_id,
    people.email,
    people.phone_number as phone,
    people.first_name,
    people.country,
    people.external_id,
    case lower(people.subscriptions_email_marketing_consent)
        when 'subscribed' then true
        when 'unsubscribed' then false
        when 'never_subscribed' then false
    end as is_subscribed,
    exclusions.person_id is not null as is_suppressed,
    exclusions.reason as suppression_reason,
    exclusions.suppressed_at,
    people.created as created_at,
    people.updated as updated_at,
    max(people._fivetran_synced) over () as loaded_at,
    case when people._fivetran_deleted then people._fivetran_synced end as deleted_at
from people
left join exclusions on people.id = exclusions.person_id
