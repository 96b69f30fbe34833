{#
    Who has an identifier, since when, and since when a second person has it too, as a chain of CTEs
    to stand in a `with` list; the last of them is `holders`: store, identifier_type, identifier
    (esp_contact_id, email, phone or anonymous_id), person, held_since, shared_since (null while
    nobody else has it) and is_named (whether a row names a customer id with it). Records are one
    person's where the CRM merged them, or where name and birth date are the same. Not a model, so
    that an engine makes the pairs once for both that ask for them; nothing of it is stored.

    Args:
        pairs (str): a CTE, see base_consent__identifier_pairs.
    Returns: str, CTEs with a comma after each.
#}
{% macro identifier_holders(pairs) -%}
customer_records as (
    select * from {{ lettershop.landing('crm', 'crm_customers', is_hashed=false) }}
    where customer_id is not null
),

chains as (
    select
        {{ lettershop.identifier_node('store', 'left_type', 'left_identifier') }} as left_node,
        {{ lettershop.identifier_node('store', 'right_type', 'right_identifier') }} as right_node
    from {{ pairs }}
    where left_type = 'customer_id' and right_type = 'customer_id'
),

{{ lettershop.connected_components('chains', passes=4) }}

names as (
    select
        store,
        customer_id,
        min(
            lower(first_name) || chr(31) || lower(last_name) || chr(31)
            || coalesce(cast(birth_date as varchar), '')
        ) as name_and_birth
    from customer_records
    group by store, customer_id
),

customer_ids as (
    select distinct
        store,
        left_identifier as customer_id,
        {{ lettershop.identifier_node('store', 'left_type', 'left_identifier') }} as node
    from {{ pairs }}
    where left_type = 'customer_id'
),

-- Records are one person's where the CRM merged them, and where name and birth date are the same.
people as (
    select
        customer_ids.store,
        customer_ids.customer_id,
        coalesce(
            min(names.name_and_birth) over (
                partition by coalesce(chains_components.component, customer_ids.node)
            ),
            chains_components.component,
            customer_ids.node
        ) as person
    from customer_ids
    left join chains_components on customer_ids.node = chains_components.node
    left join names
        on customer_ids.store = names.store and customer_ids.customer_id = names.customer_id
),

both_ways as (
    select
        store,
        left_type,
        left_identifier,
        right_type,
        right_identifier,
        linked_at
    from {{ pairs }}
    union all
    select
        store,
        right_type as left_type,
        right_identifier as left_identifier,
        left_type as right_type,
        left_identifier as right_identifier,
        linked_at
    from {{ pairs }}
),

-- Whom a row names beside the identifier.
named as (
    select
        both_ways.store,
        both_ways.right_type as identifier_type,
        both_ways.right_identifier as identifier,
        people.person,
        min(both_ways.linked_at) as held_since
    from both_ways
    inner join people
        on both_ways.store = people.store and both_ways.left_identifier = people.customer_id
    where both_ways.left_type = 'customer_id' and both_ways.right_type <> 'customer_id'
    group by both_ways.store, both_ways.right_type, both_ways.right_identifier, people.person
),

named_holders as (
    {{ lettershop.holders_of('named') }}
),

-- Where no row names anybody, whoever holds the identifiers beside it.
inferred as (
    select
        both_ways.store,
        both_ways.right_type as identifier_type,
        both_ways.right_identifier as identifier,
        named_holders.person,
        min(greatest(both_ways.linked_at, named_holders.held_since)) as held_since
    from both_ways
    inner join named_holders
        on
            both_ways.store = named_holders.store
            and both_ways.left_type = named_holders.identifier_type
            and both_ways.left_identifier = named_holders.identifier
            and named_holders.shared_since is null
    left join named_holders as own_holders
        on
            both_ways.store = own_holders.store
            and both_ways.right_type = own_holders.identifier_type
            and both_ways.right_identifier = own_holders.identifier
    where both_ways.right_type <> 'customer_id' and own_holders.identifier is null
    group by both_ways.store, both_ways.right_type, both_ways.right_identifier, named_holders.person
),

inferred_holders as (
    {{ lettershop.holders_of('inferred') }}
),

holders as (
    select
        *,
        true as is_named
    from named_holders
    union all
    select
        *,
        false as is_named
    from inferred_holders
),
{%- endmacro %}

{#
    Who holds each identifier: the first person seen with it, since when, and since when there is a
    second. Part of identifier_holders.

    Args:
        sightings (str): a CTE of store, identifier_type, identifier, person and held_since, one row
            per identifier and person.
    Returns: str, a query.
#}
{% macro holders_of(sightings) -%}
    select
        store,
        identifier_type,
        identifier,
        max(case when place = 1 then person end) as person,
        min(held_since) as held_since,
        max(case when place = 2 then held_since end) as shared_since
    from (
        select
            *,
            row_number() over (
                partition by store, identifier_type, identifier order by held_since, person
            ) as place
        from {{ sightings }}
    ) as placed
    group by store, identifier_type, identifier
{%- endmacro %}
