{{ config(materialized='view') }}

-- Grain: profile that the ESP was told of, with its newest change; and event that is still to be
-- sent. What the views of each ESP show: a change that was overtaken is never sent, so that no
-- upsert can follow an erasure, and events only go to profiles that are there, at the address that
-- the person has now: the older one may be somebody else's. Save for a deletion or a merge
-- whose id goes on at another address, since somebody else may have taken the old one: where
-- no export says that it was carried out, it is shown for thirty days (is_overtaken). While
-- profiling_basis is not declared nothing may be sent, and nothing is shown.
with outbox as (
    select * from {{ ref('esp_outbox') }}
),

contacts as (
    select * from {{ ref('dim_esp_contacts') }}
),

latest as (
    {{ latest_ops('outbox') }}
),

exports as (
    select
        count(*) as contact_count,
        max(exported_at) as exported_at
    from contacts
    where export_kind <> 'undated'
),

events as (
    select outbox.*
    from outbox
    inner join latest on outbox.esp_id = latest.esp_id
    where
        outbox.op = 'event'
        and latest.op = 'upsert'
        and outbox.customer_key = latest.customer_key
        and {{ time_of_iso_text(json_at('outbox.payload', 'expires_at', 'varchar')) }}
        > {{ as_of_at() }}
),

overtaken as (
    select outbox.*
    from outbox
    inner join latest on outbox.esp_id = latest.esp_id
    cross join exports
    where
        outbox.op = 'delete'
        and outbox.change_seq < latest.change_seq
        and outbox.email <> latest.email
        and exports.contact_count = 0
        and {{ dbt.dateadd('day', 30, time_of_iso_text('outbox.changed_at')) }} > {{ as_of_at() }}
),

-- The heir cannot have the address before the profile that has it is theirs.
overtaken_merges as (
    select outbox.*
    from outbox
    inner join latest on outbox.esp_id = latest.esp_id
    inner join latest as heirs
        on outbox.new_esp_id = heirs.esp_id and outbox.email = heirs.email
    cross join exports
    where
        outbox.op = 'merge'
        and latest.op = 'upsert'
        and heirs.op = 'upsert'
        and outbox.change_seq < latest.change_seq
        and outbox.email <> latest.email
        and coalesce(exports.exported_at <= {{ time_of_iso_text('outbox.changed_at') }}, true)
        and {{ dbt.dateadd('day', 30, time_of_iso_text('outbox.changed_at')) }} > {{ as_of_at() }}
),

shown as (
    {%- for source in ['latest', 'events', 'overtaken', 'overtaken_merges'] %}
    select
        {{ source }}.*,
        {{ 'true' if source.startswith('overtaken') else 'false' }} as is_overtaken
    from {{ source }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        shown.change_seq,
        shown.op,
        shown.customer_key,
        shown.esp_id,
        shown.new_esp_id,
        case when shown.op = 'event' then latest.email else shown.email end as email,
        shown.payload,
        shown.payload_hash,
        shown.reason,
        {{ time_of_iso_text('shown.changed_at') }} as changed_at,
        shown.is_overtaken
    from shown
    inner join latest on shown.esp_id = latest.esp_id
    {%- if var('profiling_basis') is none %}
    where 1 = 0
    {%- endif %}
)

select * from final
