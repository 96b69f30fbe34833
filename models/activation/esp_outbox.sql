{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ scrub_outbox(this) }}", "{{ guard_outbox(this) }}"],
    post_hook="{{ scrub_outbox(this) }}"
) }}

-- Grain: change that the ESP is to be told of. State (docs/decisions/0041): append only, and a row
-- only where something changed since the newest row of the profile. While profiling_basis is not
-- declared nothing is written. Of erased people the numbers of their rows are left (the hooks).
with payloads as (
    select * from {{ ref('esp_payloads') }}
),

contacts as (
    select * from {{ ref('dim_esp_contacts') }}
),

erasures as (
    select * from {{ ref('fct_erasures') }}
),

targets as (
    select * from {{ ref('esp_erasure_targets') }}
),

suppressions as (
    select * from {{ ref('fct_suppressions') }}
),

contactability as (
    select * from {{ ref('customer_contactability') }}
),

records as (
    select * from {{ ref('dim_customer_records') }}
),

refused_contacts as (
    select * from {{ ref('esp_refused_contacts') }}
),

written as (
    select * from {{ this }}
),

{{ decided_changes() }}

unheard as (
    {{ unheard_profiles('latest', 'written', 'contacts', 'exports') }}
),

heard as (
    select latest.*
    from latest
    left join unheard on latest.esp_id = unheard.esp_id
    where unheard.esp_id is null
),

removed as (
    {{ removed_profiles('latest', 'decided', 'holders') }}
    union all
    {{ refused_profiles('heard', 'refused_contacts', 'barred') }}
),

sent_events as (
    select payload_hash as trigger_key from written
    where op = 'event'
),

events as (
    select
        fired.*,
        decided.esp_id,
        decided.email
    from {{ ref('esp_trigger_events') }} as fired
    inner join decided on fired.customer_key = decided.customer_key
    left join sent_events on fired.trigger_key = sent_events.trigger_key
    where decided.decision in ('keep', 'upsert') and sent_events.trigger_key is null
),

changes as (
    {{ outbox_changes() }}
),

-- Also after what the ESP was told by an outbox that was lost.
last as (
    select max(last_seq) as last_seq
    from (
        select coalesce(max(change_seq), 0) as last_seq from written
        union all
        select coalesce(max(synced_change_seq), 0) as last_seq from contacts
    ) as numbers
),

numbered as (
    select
        changes.*,
        last.last_seq
    from changes
    cross join last
),

final as (
    select
        last_seq
        + row_number() over (
            order by
                case op
                    when 'erase' then 1
                    when 'delete' then 2
                    when 'suppress' then 3
                    when 'merge' then 4
                    when 'upsert' then 5
                    else 6
                end,
                is_echo desc nulls last,
                esp_id asc,
                payload_hash asc
        ) as change_seq,
        op,
        customer_key,
        esp_id,
        new_esp_id,
        email,
        payload,
        payload_hash,
        daily_hash,
        reason,
        {{ iso_text(as_of_at()) }} as changed_at,
        '{{ invocation_id }}' as run_id
    from numbered
    {%- if flags.EMPTY or var('profiling_basis') is none %}
    where 1 = 0
    {%- endif %}
)

select * from final
