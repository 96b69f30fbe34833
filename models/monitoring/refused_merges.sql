{{ config(materialized='view') }}

-- Grain: link that would have joined people and was refused, with the reason. Identifiers are
-- hashed.
with links as (
    select * from {{ ref('int_records_linked') }}
    where not is_merged
),

joined as (
    select * from {{ ref('int_addresses_joined') }}
    where is_refused
),

shared as (
    select * from {{ ref('int_identifiers_held') }}
    where is_shared
),

final as (
    select
        'customer_id' as refused_type,
        md5(left_customer_id) as refused_identifier,
        evidence,
        reason
    from links
    union all
    select
        'address' as refused_type,
        md5(node) as refused_identifier,
        'address' as evidence,
        'Would have joined ' || person_count || ' people' as reason
    from joined
    union all
    select
        identifier_type as refused_type,
        md5(identifier) as refused_identifier,
        identifier_type as evidence,
        case
            when person is null then 'Device of several people: nobody''s'
            else 'Of several people: the oldest holds it, and it links nothing'
        end as reason
    from shared
)

select * from final
