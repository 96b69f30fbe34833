-- The customer that an identifier stands for. Facts keep the identifier they came with and look
-- the customer up here. Whom no record knows is no customer: no row.
with identifiers as (
    select * from {{ ref('int_identifiers_grouped') }}
),

customers as (
    select * from {{ ref('int_customer_keys_ranked') }}
    where key_rank = 1
),

final as (
    select
        identifiers.store,
        identifiers.identifier_type,
        identifiers.identifier,
        customers.own_key as customer_key,
        customers.origin,
        identifiers.linked_at,
        identifiers.is_shared
    from identifiers
    inner join customers on identifiers.person = customers.person
)

select * from final
