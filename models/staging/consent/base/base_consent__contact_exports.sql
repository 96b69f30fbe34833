{{ config(materialized='view') }}

-- How many contacts the ESP's newest export has, and whether that can be all of them. Half an
-- export looks as if half of the people were forgotten: one that has less than four fifths of the
-- last complete one proves nothing until somebody says that so few are right.
with contacts as (
    select * from {{ landing('esp', 'esp_contacts', is_hashed=false) }}
),

seen as (
    select * from {{ source('state', 'esp_exports') }}
),

newest as (
    select
        store,
        loaded_at as exported_at,
        sum(case when deleted_at is null and merged_into_contact_id is null then 1 else 0 end)
            as contact_count
    from contacts
    group by store, loaded_at
    qualify row_number() over (partition by store order by loaded_at desc nulls last) = 1
),

before as (
    select
        newest.store,
        seen.contact_count,
        seen.exported_at = newest.exported_at as is_same
    from newest
    inner join seen
        on newest.store = seen.store and seen.exported_at <= newest.exported_at
    qualify
        row_number() over (partition by newest.store order by seen.exported_at desc nulls last) = 1
),

final as (
    select
        newest.store,
        newest.exported_at,
        newest.contact_count,
        before.contact_count as previous_count,
        case
            when newest.exported_at is null then 'undated'
            when
                coalesce(before.is_same, true)
                or newest.contact_count * 5 >= before.contact_count * 4
                or {{ var('accept_landing_changes') }}
                then 'complete'
            else 'partial'
        end as export_kind
    from newest
    left join before on newest.store = before.store
)

select * from final
