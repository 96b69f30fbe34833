-- Grain: profile that differs between the outbox and the newest export of the ESP. What was written
-- after the export is not asked for yet.
-- missing: should be there and is not. stale: carries an older change number than the outbox's.
-- surplus: was to be taken away and is there. forbidden: subscribed there, and may not be written
-- to, neither the person nor the address.
with latest as (
    select * from {{ ref('esp_latest_ops') }}
    where op <> 'event'
),

contacts as (
    select * from {{ ref('dim_esp_contacts') }}
),

allowed as (
    select
        customer_key,
        email
    from {{ ref('esp_profiles') }}
),

exports as (
    select
        max(exported_at) as exported_at,
        coalesce(max(case when synced_change_seq is not null then 1 else 0 end), 0) = 1
            as has_numbers
    from contacts
),

due as (
    select
        latest.*,
        exports.has_numbers
    from latest
    inner join exports on latest.changed_at < exports.exported_at
),

-- Who is about to be suppressed, deleted or moved.
pending as (
    select
        latest.esp_id,
        latest.email
    from latest
    inner join exports on latest.changed_at >= exports.exported_at
),

-- By the id, else by the address.
matched as (
    select
        due.*,
        coalesce(by_id.esp_contact_id, by_email.esp_contact_id) as esp_contact_id,
        case
            when by_id.esp_contact_id is not null then by_id.synced_change_seq
            else by_email.synced_change_seq
        end as synced_change_seq,
        case
            when by_id.esp_contact_id is not null then by_id.created_at else by_email.created_at
        end as created_at
    from due
    left join contacts as by_id on due.esp_id = coalesce(by_id.external_id, by_id.esp_contact_id)
    left join contacts as by_email on due.email = by_email.email
    qualify
        row_number() over (
            partition by due.esp_id
            order by
                by_id.esp_contact_id nulls last, by_email.esp_contact_id nulls last
        ) = 1
),

differing as (
    select
        case
            when op = 'upsert' and esp_contact_id is null then 'missing'
            when op = 'upsert' and has_numbers and coalesce(synced_change_seq, 0) < change_seq
                then 'stale'
            when
                op in ('delete', 'erase')
                and esp_contact_id is not null
                and coalesce(created_at < changed_at, true)
                then 'surplus'
        end as status,
        customer_key,
        esp_id,
        esp_contact_id,
        change_seq,
        synced_change_seq
    from matched
),

forbidden as (
    select
        'forbidden' as status,
        contacts.customer_key,
        cast(null as varchar) as esp_id,
        contacts.esp_contact_id,
        cast(null as bigint) as change_seq,
        contacts.synced_change_seq
    from contacts
    left join allowed on contacts.email = allowed.email
    left join allowed as elsewhere on contacts.customer_key = elsewhere.customer_key
    where
        contacts.is_subscribed
        and not contacts.is_suppressed
        and contacts.email is not null
        and allowed.email is null
        and elsewhere.customer_key is null
        and not exists (
            select 1 from pending
            where
                pending.email = contacts.email
                or pending.esp_id in (contacts.external_id, contacts.esp_contact_id)
        )
),

final as (
    select
        status,
        customer_key,
        esp_id,
        esp_contact_id,
        change_seq,
        synced_change_seq,
        count(*) over (partition by status) as status_count
    from (
        select * from differing
        where status is not null
        union all
        select * from forbidden
    ) as found
)

select * from final
