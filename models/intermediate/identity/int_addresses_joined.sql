-- Identifiers that no row names together with a customer id: ESP leads, guests, slips of the pen.
-- They are joined to each other and to people as far as no two people meet; where they would, each
-- stands alone.
with links as (
    select * from {{ ref('int_identifiers_linked') }}
    where left_type <> 'customer_id'
),

held as (
    select * from {{ ref('int_identifiers_held') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

rules as (
    select * from {{ ref('identity_rules') }}
),

pairs as (
    select
        links.*,
        left_held.person as left_person,
        right_held.person as right_person,
        {{ identifier_node('links.store', 'links.left_type', 'links.left_identifier') }}
            as left_own_node,
        {{ identifier_node('links.store', 'links.right_type', 'links.right_identifier') }}
            as right_own_node,
        -- An address that several people have says whose contact it is, and no more.
        coalesce(left_held.is_shared, false)
        or (coalesce(right_held.is_shared, false) and links.left_type <> 'esp_contact_id')
            as is_through_shared
    from links
    left join held as left_held
        on
            links.store = left_held.store
            and links.left_type = left_held.identifier_type
            and links.left_identifier = left_held.identifier
    left join held as right_held
        on
            links.store = right_held.store
            and links.right_type = right_held.identifier_type
            and links.right_identifier = right_held.identifier
),

-- Phone numbers at which too many strangers can be reached.
crowded as (
    select
        pairs.store,
        pairs.right_identifier as phone
    from pairs
    inner join rules on rules.identifier_type = 'phone'
    where pairs.left_type = 'email' and pairs.right_type = 'phone' and pairs.left_person is null
    group by pairs.store, pairs.right_identifier
    having count(*) > max(rules.max_addresses)
),

-- An address that is one or two letters off one of the device's owner is the owner's.
misspelt as (
    select
        devices.store,
        pairs.left_own_node as left_node,
        devices.person as right_node,
        max(pairs.linked_at) as linked_at
    from pairs
    inner join held as devices
        on
            pairs.right_type = 'anonymous_id'
            and devices.identifier_type = 'anonymous_id'
            and pairs.store = devices.store
            and pairs.right_identifier = devices.identifier
    inner join held as addresses
        on
            devices.store = addresses.store
            and devices.person = addresses.person
            and addresses.identifier_type = 'email'
    where
        pairs.left_type = 'email'
        and pairs.left_person is null
        and {{ edit_distance('pairs.left_identifier', 'addresses.identifier') }} <= 2
    group by devices.store, pairs.left_own_node, devices.person
),

joints as (
    select
        coalesce(pairs.left_person, pairs.left_own_node) as left_node,
        coalesce(pairs.right_person, pairs.right_own_node) as right_node,
        pairs.linked_at
    from pairs
    left join crowded
        on
            pairs.store = crowded.store
            and pairs.right_type = 'phone'
            and pairs.right_identifier = crowded.phone
    where
        pairs.right_type <> 'anonymous_id'
        and not pairs.is_through_shared
        and crowded.phone is null
        and (pairs.left_person is null or pairs.right_person is null)
    union all
    select
        left_node,
        right_node,
        linked_at
    from misspelt
    union all
    select
        {{ identifier_node('contacts.store', "'esp_contact_id'", 'contacts.esp_contact_id') }}
            as left_node,
        coalesce(
            held.person,
            {{ identifier_node(
                'contacts.store', "'esp_contact_id'", 'contacts.merged_into_contact_id'
            ) }}
        ) as right_node,
        coalesce(contacts.updated_at, timestamp '1900-01-01 00:00:00') as linked_at
    from contacts
    left join held
        on
            contacts.store = held.store
            and held.identifier_type = 'esp_contact_id'
            and contacts.merged_into_contact_id = held.identifier
    where contacts.merged_into_contact_id is not null
),

{{ connected_components('joints') }}

people as (
    select distinct person from held
),

weighed as (
    select
        joints_components.component,
        count(distinct people.person) as person_count,
        max(people.person) as person
    from joints_components
    left join people on joints_components.node = people.person
    group by joints_components.component
),

joined_since as (
    select
        joints_components.component,
        max(joints.linked_at) as linked_at
    from joints
    inner join joints_components on joints.left_node = joints_components.node
    group by joints_components.component
),

final as (
    select
        joints_components.node,
        case
            when weighed.person_count > 1 then joints_components.node
            when weighed.person_count = 1 then weighed.person
            else joints_components.component
        end as person,
        weighed.person_count > 1 as is_refused,
        weighed.person_count,
        joined_since.linked_at,
        joints_unfinished.label is not null as is_unfinished
    from joints_components
    inner join weighed on joints_components.component = weighed.component
    inner join joined_since on joints_components.component = joined_since.component
    left join people on joints_components.node = people.person
    left join joints_unfinished on joints_components.component = joints_unfinished.label
    where people.person is null
)

select * from final
