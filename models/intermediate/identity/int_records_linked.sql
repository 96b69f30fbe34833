-- Pairs of CRM ids that may be one person, each with the verdict. The CRM's own merges hold; a
-- shared identifier merges two records only where first name, last name and birth date are the
-- same. Equality does not depend on the order in which pairs are looked at, so that no chain of
-- merges can join two people whom one look would keep apart.
with crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

links as (
    select * from {{ ref('int_identifiers_linked') }}
    where left_type = 'customer_id'
),

rules as (
    select * from {{ ref('identity_rules') }}
),

-- A merge into a record that never landed leads nowhere.
crm_merges as (
    select
        records.store,
        records.customer_id as left_customer_id,
        targets.customer_id as right_customer_id,
        'merged_into_customer_id' as evidence,
        true as is_merged,
        'The CRM merged the records' as reason,
        timestamp '1900-01-01 00:00:00' as linked_at
    from crm_records as records
    inner join crm_records as targets
        on
            records.store = targets.store
            and records.merged_into_customer_id = targets.customer_id
),

crm_chains as (
    select
        {{ identifier_node('store', "'customer_id'", 'left_customer_id') }} as left_node,
        {{ identifier_node('store', "'customer_id'", 'right_customer_id') }} as right_node
    from crm_merges
),

{{ connected_components('crm_chains') }}

holders as (
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        links.left_identifier as customer_id,
        links.linked_at,
        coalesce(
            crm_chains_components.component,
            {{ identifier_node('links.store', 'links.left_type', 'links.left_identifier') }}
        ) as component,
        case
            when records.first_name is not null and records.last_name is not null
                then
                    lower(records.first_name) || chr(31) || lower(records.last_name)
                    || chr(31) || coalesce(cast(records.birth_date as varchar), '')
        end as name_and_birth,
        records.signed_up_at
    from links
    left join crm_records as records
        on links.store = records.store and links.left_identifier = records.customer_id
    left join crm_chains_components
        on
            crm_chains_components.node
            = {{ identifier_node('links.store', 'links.left_type', 'links.left_identifier') }}
),

shared as (
    select
        holders.*,
        count(*) over (
            partition by holders.store, holders.identifier_type, holders.identifier
        ) as record_count,
        min(holders.component) over (
            partition by holders.store, holders.identifier_type, holders.identifier
        ) <> max(holders.component) over (
            partition by holders.store, holders.identifier_type, holders.identifier
        ) as is_shared
    from holders
),

-- Every record beside the first of its own name, or, where it is the first of that name, beside
-- the first of all: enough to connect whoever belongs together, and to say who does not.
paired as (
    select
        *,
        first_value(customer_id) over (
            partition by store, identifier_type, identifier, coalesce(name_and_birth, customer_id)
            order by signed_up_at nulls last, customer_id
        ) as first_of_name,
        first_value(customer_id) over (
            partition by store, identifier_type, identifier
            order by signed_up_at nulls last, customer_id
        ) as first_of_all
    from shared
    where is_shared
),

shared_identifiers as (
    select
        paired.store,
        paired.customer_id as left_customer_id,
        case
            when paired.customer_id <> paired.first_of_name then paired.first_of_name
            else paired.first_of_all
        end as right_customer_id,
        paired.identifier_type as evidence,
        paired.customer_id <> paired.first_of_name
        and rules.merges_records
        and paired.record_count <= rules.max_records as is_merged,
        case
            when paired.record_count > rules.max_records
                then 'Shared by ' || paired.record_count || ' records'
            when not rules.merges_records then 'The rule merges no records'
            when paired.customer_id <> paired.first_of_name
                then 'Same first name, last name and birth date'
            when paired.name_and_birth is null then 'A name is missing'
            else 'Different names or birth dates'
        end as reason,
        paired.linked_at
    from paired
    inner join rules on paired.identifier_type = rules.identifier_type
    where paired.customer_id <> paired.first_of_all
),

final as (
    select * from crm_merges
    union all
    select
        store,
        left_customer_id,
        right_customer_id,
        evidence,
        is_merged,
        min(reason) as reason,
        min(linked_at) as linked_at
    from shared_identifiers
    group by store, left_customer_id, right_customer_id, evidence, is_merged
)

select * from final
