{{ config(materialized='view') }}

-- Grain: customer who may be written to, and segment, today. The list `segments` of esp_profiles,
-- as rows.
with profiles as (
    select * from {{ ref('esp_profiles') }}
),

memberships as (
    select * from {{ ref('segment_memberships') }}
),

final as (
    select
        memberships.customer_key,
        memberships.segment_id,
        memberships.family,
        memberships.ends_on
    from memberships
    inner join profiles on memberships.customer_key = profiles.customer_key
    where profiles.may_be_profiled
)

select * from final
