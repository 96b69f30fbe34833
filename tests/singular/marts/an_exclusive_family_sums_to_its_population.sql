-- Everyone in the population of an exclusive family (the members of its segments' parents; without
-- a parent, everyone who may be profiled) is in exactly one of its segments.
with catalog as (
    select * from {{ ref('segment_catalog') }}
    where is_exclusive
),

populations as (
    select distinct
        catalog.family,
        memberships.customer_key
    from catalog
    inner join {{ ref('segment_memberships') }} as memberships
        on catalog.parent_segment_id = memberships.segment_id
    union
    select distinct
        catalog.family,
        customers.customer_key
    from catalog
    cross join {{ ref('profiled_customers') }} as customers
    where catalog.parent_segment_id is null
),

members as (
    select
        catalog.family,
        memberships.customer_key,
        count(*) as segment_count
    from catalog
    inner join {{ ref('segment_memberships') }} as memberships
        on catalog.segment_id = memberships.segment_id
    group by catalog.family, memberships.customer_key
)

select
    coalesce(populations.family, members.family) as family,
    coalesce(populations.customer_key, members.customer_key) as customer_key,
    coalesce(members.segment_count, 0) as segment_count
from populations
full outer join members
    on populations.family = members.family and populations.customer_key = members.customer_key
where coalesce(members.segment_count, 0) <> 1 or populations.customer_key is null
