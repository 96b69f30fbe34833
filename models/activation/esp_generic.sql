{{ config(materialized='view') }}

-- Grain: change for any ESP, as one JSON object. Empty unless the var `esp` is generic.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'generic'
),

final as (
    select
        change_seq,
        op,
        '{"op": "' || op || '", "id": ' || {{ json_string('esp_id') }}
        || case
            when op = 'merge' then ', "new_id": ' || {{ json_string('new_esp_id') }} else ''
        end
        || case when email is not null then ', "email": ' || {{ json_string('email') }} else '' end
        || case when op = 'event' then ', "event": ' || {{ json_string('reason') }} else '' end
        || ', "properties": ' || coalesce(payload, '{}')
        || ', "change_seq": ' || cast(change_seq as varchar) || '}' as payload
    from ops
)

select * from final
