-- Grain: identifier of a person who asked to be erased. The identifier itself stands here only
-- until the erasure is confirmed; then its keyed hash alone.
with erased as (
    select * from {{ ref('stg_consent__erasure_requests') }}
),

final as (
    select
        store,
        identifier_type,
        identifier,
        identifier_hash,
        erasure_hash,
        key_hash,
        requested_at,
        confirmed_at,
        suppression_reason,
        suppressed_at
    from erased
)

select * from final
