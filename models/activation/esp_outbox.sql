{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ guard_outbox(this) }}", "{{ scrub_outbox(this) }}"],
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

refused_contacts as (
    select * from {{ ref('esp_refused_contacts') }}
),

written as (
    select * from {{ this }}
),

latest as (
    {{ latest_ops('written') }}
),

-- Why somebody may not be written to, under every key that they ever had.
refused as (
    select
        records.own_key as customer_key,
        min(contactability.block_reason) as block_reason
    from {{ ref('dim_customer_records') }} as records
    inner join {{ ref('customer_contactability') }} as contactability
        on records.customer_key = contactability.customer_key
    where contactability.block_reason not in ('no_email', 'address_shared')
    group by records.own_key
),

{{ profiles_to_erase('latest', 'payloads', 'written') }}

{{ going_profiles('latest', 'contacts') }}

barred as (
    select
        esp_id,
        email
    from going
    union all
    select
        esp_id,
        email
    from to_erase
    union all
    select
        esp_id,
        email
    from others_to_erase
),

-- An id that a profile has is never replaced, except where the address is the id.
own as (
    select
        customer_key,
        esp_id
    from latest
    where op in ('upsert', 'suppress', 'delete')
    qualify
        row_number() over (
            partition by customer_key order by op desc nulls last, change_seq desc nulls last
        ) = 1
),

wanted as (
    select
        payloads.customer_key,
        payloads.email,
        payloads.payload,
        payloads.payload_hash,
        payloads.daily_hash,
        payloads.week_began_date,
        case
            when payloads.esp_id = payloads.email then payloads.esp_id
            when own.esp_id is not null then own.esp_id
            when rivals.customer_key is not null then payloads.customer_key
            else payloads.esp_id
        end as esp_id
    from payloads
    left join own on payloads.customer_key = own.customer_key
    left join latest as taken
        on
            payloads.esp_id = taken.esp_id
            and payloads.customer_key <> taken.customer_key
            and taken.op in ('upsert', 'suppress', 'delete')
    left join payloads as rivals on taken.customer_key = rivals.customer_key
    where payloads.is_in_scope or own.esp_id is not null
),

{{ decided_profiles('wanted', 'latest', 'written', 'contacts', 'barred') }}

removed as (
    {{ removed_profiles('latest', 'decided', 'holders') }}
    union all
    {{ refused_profiles('latest', 'refused_contacts', 'barred') }}
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

last as (
    select coalesce(max(change_seq), 0) as last_seq from written
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
