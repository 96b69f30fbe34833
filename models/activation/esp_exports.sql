{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns'
) }}

-- Grain: complete export of the ESP's contacts. State (docs/decisions/0045): how many contacts it
-- had, against which the next is held before it may prove that somebody is gone.
with contacts as (
    select * from {{ ref('dim_esp_contacts') }}
    where export_kind = 'complete'
),

exports as (
    select
        store,
        exported_at,
        count(*) as contact_count
    from contacts
    group by store, exported_at
),

final as (
    select exports.*
    from exports
    left join {{ this }} as seen
        on exports.store = seen.store and exports.exported_at = seen.exported_at
    where seen.store is null
)

select * from final
where {{ has_rows() }}
