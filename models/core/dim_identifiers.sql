-- Grain: identifier of a customer. Facts of the web and of messages are attached to their customer
-- here, when they are read: a link that appears late moves all that came before it.
with identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

final as (
    select
        store,
        identifier_type,
        identifier,
        customer_key,
        is_shared,
        nullif(linked_at, timestamp '1900-01-01 00:00:00') as linked_at
    from identifiers
)

select * from final
