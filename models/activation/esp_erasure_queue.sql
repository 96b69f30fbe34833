{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='delete+insert',
    unique_key=['store', 'identifier_type', 'identifier_hash'],
    on_schema_change='append_new_columns'
) }}

-- Grain: identifier of an erasure. State (docs/decisions/0023): what the ESP must still forget,
-- and by which keyed hash somebody who was forgotten is recognised. The identifier stands here
-- until the erasure is confirmed, so that the ESP can be told. Staging reads the table as the last
-- build left it. Written after whatever has to act on an erasure that is new, so that a build that
-- fails before leaves it new.
-- depends_on: {{ ref('esp_profiles') }}, {{ ref('fct_messages') }}, {{ ref('fct_web_events') }}
with erasures as (
    select * from {{ ref('fct_erasures') }}
),

final as (
    select
        store,
        identifier_type,
        identifier,
        identifier_hash,
        erasure_hash,
        key_hash,
        requested_at,
        confirmed_at,
        suppression_reason,
        suppressed_at,
        {{ erasure_key_check() }} as key_check
    from erasures
)

select * from final
where {{ has_rows() }}
