-- Whether the ESP's newest export can be all of its contacts. Half an export looks as if half of
-- the people were forgotten: one that has less than four fifths of the last complete one, and ten
-- less, proves nothing until somebody says that so few are right.
with newest as (
    select * from {{ ref('base_consent__contact_exports') }}
),

seen as (
    select * from {{ source('state', 'esp_exports') }}
),

before as (
    select
        newest.store,
        seen.contact_count,
        seen.exported_at = newest.exported_at as is_same
    from newest
    inner join seen
        on newest.store = seen.store and newest.exported_at >= seen.exported_at
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
                or newest.contact_count + 10 > before.contact_count
                or {{ var('accept_landing_changes') }}
                then 'complete'
            else 'partial'
        end as export_kind
    from newest
    left join before on newest.store = before.store
)

select * from final
