{{ config(materialized='view') }}

-- Grain: two customer ids that were taken as one person, and the evidence. Ids are hashed: this is
-- for counting and for finding a pair again, not for reading.
with links as (
    select * from {{ ref('int_records_linked') }}
    where is_merged
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'customer_id'
),

final as (
    select
        links.store,
        identifiers.customer_key,
        md5(links.left_customer_id) as left_record,
        md5(links.right_customer_id) as right_record,
        links.evidence,
        links.reason,
        nullif(links.linked_at, timestamp '1900-01-01 00:00:00') as linked_at
    from links
    left join identifiers
        on links.store = identifiers.store and links.left_customer_id = identifiers.identifier
)

select * from final
