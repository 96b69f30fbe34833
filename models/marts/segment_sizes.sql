-- Grain: segment of the catalogue, empty ones included. Not additive over segments.
with catalog as (
    select * from {{ ref('segment_directory') }}
),

memberships as (
    select * from {{ ref('segment_memberships') }}
),

population as (
    select count(*) as customer_count from {{ ref('profiled_customers') }}
),

sizes as (
    select
        segment_id,
        count(*) as customer_count
    from memberships
    group by segment_id
),

sibling_overlaps as (
    select
        memberships.segment_id,
        siblings.segment_id as sibling_segment_id,
        count(*) as shared_count
    from memberships
    inner join memberships as siblings
        on
            memberships.customer_key = siblings.customer_key
            and memberships.family = siblings.family
            and memberships.segment_id <> siblings.segment_id
    group by memberships.segment_id, siblings.segment_id
),

largest_overlaps as (
    select *
    from sibling_overlaps
    qualify
        row_number() over (
            partition by segment_id order by shared_count desc nulls last, sibling_segment_id asc
        ) = 1
),

final as (
    select
        catalog.segment_id,
        catalog.segment_name,
        catalog.family,
        catalog.parent_segment_id,
        coalesce(sizes.customer_count, 0) as customer_count,
        cast(
            coalesce(
                cast(coalesce(sizes.customer_count, 0) as double)
                / nullif(population.customer_count, 0),
                0
            ) as decimal(9, 6)
        ) as customer_rate,
        largest_overlaps.sibling_segment_id as largest_overlap_segment_id,
        cast(
            coalesce(cast(largest_overlaps.shared_count as double) / sizes.customer_count, 0)
            as decimal(9, 6)
        ) as largest_overlap_rate,
        coalesce(sizes.customer_count, 0) < catalog.minimum_size as is_too_small
    from catalog
    cross join population
    left join sizes on catalog.segment_id = sizes.segment_id
    left join largest_overlaps on catalog.segment_id = largest_overlaps.segment_id
)

select * from final
