select
    memberships.customer_key,
    memberships.segment_id,
    segments.parent_segment_id
from {{ ref('segment_memberships') }} as memberships
inner join {{ ref('segment_catalog') }} as segments
    on memberships.segment_id = segments.segment_id
left join {{ ref('segment_memberships') }} as parents
    on
        memberships.customer_key = parents.customer_key
        and segments.parent_segment_id = parents.segment_id
where segments.parent_segment_id is not null and parents.customer_key is null
