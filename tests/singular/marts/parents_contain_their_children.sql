select
    memberships.customer_key,
    memberships.segment_id,
    catalog.parent_segment_id
from {{ ref('segment_memberships') }} as memberships
inner join {{ ref('segment_catalog') }} as catalog
    on memberships.segment_id = catalog.segment_id
left join {{ ref('segment_memberships') }} as parents
    on
        memberships.customer_key = parents.customer_key
        and catalog.parent_segment_id = parents.segment_id
where catalog.parent_segment_id is not null and parents.customer_key is null
