{{ config(materialized='view') }}

-- Grain: profile that the ESP was told of, with its newest change; and event that is still to be
-- sent. What the views of each ESP show: a change that was overtaken is never sent, so that no
-- upsert can follow an erasure, and events only go to profiles that are there.
with outbox as (
    select * from {{ ref('esp_outbox') }}
),

latest as (
    {{ latest_ops('outbox') }}
),

events as (
    select outbox.*
    from outbox
    inner join latest on outbox.esp_id = latest.esp_id
    where
        outbox.op = 'event'
        and latest.op = 'upsert'
        and {{ time_of_iso_text(json_at('outbox.payload', 'expires_at', 'varchar')) }}
        > {{ as_of_at() }}
),

shown as (
    select * from latest
    union all
    select * from events
),

final as (
    select
        change_seq,
        op,
        customer_key,
        esp_id,
        new_esp_id,
        email,
        payload,
        payload_hash,
        reason,
        {{ time_of_iso_text('changed_at') }} as changed_at
    from shown
)

select * from final
