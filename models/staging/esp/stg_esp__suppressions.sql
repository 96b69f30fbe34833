-- Contacts that the ESP suppresses, and whose doing that is. Klaviyo shows what we told it to
-- suppress, and who unsubscribed, as it shows complaints and bounces; but the first two end when
-- the person opts in again, and the others do not. What we told is read as the build before left
-- it.
with contacts as (
    select * from {{ ref('stg_esp__contacts') }}
    where is_suppressed
),

outbox as (
    select * from {{ source('state', 'esp_outbox') }}
    where op in ('suppress', 'upsert') and email is not null
),

-- From being told to suppress an address until being told something else. Where the ESP was first,
-- or somebody complained or bounced, it is not our doing.
told as (
    select
        email,
        op,
        reason,
        {{ time_of_iso_text('changed_at') }} as began_at,
        lead({{ time_of_iso_text('changed_at') }}) over (partition by email order by change_seq)
            as ended_at
    from outbox
),

ours as (
    select distinct
        contacts.store,
        contacts.esp_contact_id
    from contacts
    inner join told on contacts.email = told.email
    where
        told.op = 'suppress'
        and told.reason
        not in ('complained', 'hard_bounced', 'soft_bounced', 'suppressed_by_esp')
        and (
            contacts.suppressed_at is null
            or (
                contacts.suppressed_at >= told.began_at
                and (told.ended_at is null or contacts.suppressed_at < told.ended_at)
            )
        )
),

worded as (
    select
        contacts.*,
        ours.esp_contact_id is not null as is_ours,
        lower(coalesce(contacts.suppression_reason, '')) as reason
    from contacts
    left join ours
        on contacts.store = ours.store and contacts.esp_contact_id = ours.esp_contact_id
),

final as (
    select
        store,
        esp_contact_id,
        email,
        suppression_reason,
        suppressed_at,
        loaded_at,
        case
            when {{ matches('reason', 'bounc|spam|complain|abuse|invalid') }} then 'platform'
            when {{ matches('reason', 'unsubscri') }} then 'person'
            when is_ours then 'us'
            else 'platform'
        end as suppressed_by
    from worded
)

select * from final
