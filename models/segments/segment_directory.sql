{{ config(materialized='view') }}

-- Grain: segment, the project's and the shop's own. Own segments are of the family own, stand below
-- no other, and exclude each other in nothing.
with project_segments as (
    select * from {{ ref('segment_catalog') }}
),

own_segments as (
    select * from {{ ref('own_segments') }}
),

final as (
    select
        segment_id,
        segment_name,
        family,
        parent_segment_id,
        is_exclusive,
        meaning,
        suggested_message,
        owner,
        minimum_size
    from project_segments
    union all
    select
        segment_id,
        segment_name,
        'own' as family,
        cast(null as varchar) as parent_segment_id,
        false as is_exclusive,
        meaning,
        suggested_message,
        owner,
        minimum_size
    from own_segments
)

select * from final
