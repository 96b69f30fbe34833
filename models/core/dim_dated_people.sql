{{ config(materialized='table') }}

-- Grain: person whose past training reads: all of them, or as many as the largest maximum_rows of
-- model_policies, those with the smallest hash of their key. The hash says nothing of anybody, and
-- picks the same people tomorrow.
with people as (
    select distinct dated_key from {{ ref('int_records_dated') }}
),

limits as (
    select max(maximum_rows) as person_count from {{ ref('model_policies') }}
),

ranked as (
    select
        dated_key,
        row_number() over (order by md5(dated_key), dated_key) as person_number,
        count(*) over () as person_count
    from people
),

final as (
    select
        ranked.dated_key,
        cast(ranked.person_count as double) / least(ranked.person_count, limits.person_count)
            as person_weight
    from ranked
    cross join limits
    where ranked.person_number <= limits.person_count
)

select * from final
