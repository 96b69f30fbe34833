-- Every identifier of a person who asked to be erased, found by walking the links between
-- identifiers in the raw rows. Every other staging model obeys this one.
with recursive requests as (
    select * from {{ ref('base_consent__erasure_requests') }}
    where row_status = 'accepted'
),

links as (
    select * from {{ ref('base_consent__identifier_links') }}
),

walked as (
    select
        store,
        requested_at,
        'customer_id' as identifier_type,
        customer_id as identifier
    from requests
    where customer_id is not null
    union
    select
        store,
        requested_at,
        'email' as identifier_type,
        email as identifier
    from requests
    where email is not null
    -- `union` drops what was found before, so that the walk ends on any graph.
    union
    select
        walked.store,
        walked.requested_at,
        links.right_type as identifier_type,
        links.right_id as identifier
    from walked
    inner join links
        on
            walked.store = links.store
            and walked.identifier_type = links.left_type
            and walked.identifier = links.left_id
            and coalesce(walked.requested_at < links.shared_since, true)
),

final as (
    select
        store,
        identifier_type,
        identifier,
        max(requested_at) as requested_at
    from walked
    group by store, identifier_type, identifier
)

select * from final
