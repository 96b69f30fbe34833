{{ config(materialized='table') }}

-- Grain: identifier of somebody whose past training reads: whom it was known to stand for on a past
-- day (docs/decisions/0031). A table, so that what reads the past of few people of many need not
-- find out who all the others were.
with identifiers as (
    select * from {{ ref('int_identifiers_dated') }}
),

people as (
    select * from {{ ref('dim_dated_people') }}
),

final as (
    select
        identifiers.store,
        identifiers.identifier_type,
        identifiers.identifier,
        identifiers.dated_key,
        identifiers.customer_key,
        identifiers.linked_at,
        identifiers.shared_at,
        identifiers.signed_up_at
    from identifiers
    inner join people on identifiers.dated_key = people.dated_key
)

select * from final
