-- Who holds an identifier that a row names together with a customer id. An address or a phone
-- number of several people is held by the oldest of them, and links nothing else; a device of
-- several people is nobody's.
with links as (
    select * from {{ ref('int_identifiers_linked') }}
    where left_type = 'customer_id'
),

people as (
    select * from {{ ref('int_records_merged') }}
),

crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

held as (
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        people.person,
        greatest(links.linked_at, coalesce(people.linked_at, links.linked_at)) as linked_at,
        row_number() over (
            partition by links.store, links.right_type, links.right_identifier
            order by
                case when crm_records.customer_id is not null then 0 else 1 end,
                coalesce(crm_records.signed_up_at, links.linked_at),
                links.left_identifier
        ) as seniority,
        min(people.person) over (
            partition by links.store, links.right_type, links.right_identifier
        ) <> max(people.person) over (
            partition by links.store, links.right_type, links.right_identifier
        ) as is_shared
    from links
    inner join people
        on links.store = people.store and links.left_identifier = people.customer_id
    left join crm_records
        on links.store = crm_records.store and links.left_identifier = crm_records.customer_id
),

final as (
    select
        store,
        identifier_type,
        identifier,
        case when not (identifier_type = 'anonymous_id' and is_shared) then person end as person,
        is_shared,
        linked_at
    from held
    where seniority = 1
)

select * from final
