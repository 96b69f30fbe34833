{{ config(materialized='view') }}

-- Which raw identifiers belong to one person, both ways round, and in which time. What several
-- people have says nothing about who they are: the walk from one does not pass through it to the
-- others. A view, so that nothing of it is stored.
{%- set never = "timestamp '9999-12-31 00:00:00'" %}
with pairs as (
    select * from {{ ref('base_consent__identifier_pairs') }}
),

{{ identifier_holders('pairs') }}

rules as (
    select * from {{ ref('identity_rules') }}
    where max_addresses is not null
),

-- Too many strangers' addresses at a phone number, or on a device, that nobody is known to have.
crowded as (
    select
        pairs.store,
        pairs.right_type,
        pairs.right_identifier,
        pairs.linked_at as crowded_since
    from pairs
    inner join rules on pairs.right_type = rules.identifier_type
    left join holders
        on
            pairs.store = holders.store
            and pairs.left_type = holders.identifier_type
            and pairs.left_identifier = holders.identifier
            and holders.is_named
    where pairs.left_type = 'email' and holders.person is null
    qualify
        row_number() over (
            partition by pairs.store, pairs.right_type, pairs.right_identifier
            order by pairs.linked_at, pairs.left_identifier
        ) = rules.max_addresses + 1
),

-- Addresses that nobody is known to have, on a device. Distinct, so that an engine finds them
-- before it compares any letters.
strangers as (
    select distinct
        pairs.store,
        pairs.left_identifier,
        pairs.right_identifier
    from pairs
    left join holders
        on
            pairs.store = holders.store
            and pairs.left_type = holders.identifier_type
            and pairs.left_identifier = holders.identifier
            and holders.is_named
    where
        pairs.left_type = 'email'
        and pairs.right_type = 'anonymous_id'
        and holders.person is null
),

-- One that is one or two letters off one of the device's owner is the owner's: see
-- int_addresses_joined.
misspelt as (
    select distinct
        strangers.store,
        strangers.left_identifier,
        strangers.right_identifier
    from strangers
    inner join holders as devices
        on
            strangers.store = devices.store
            and devices.identifier_type = 'anonymous_id'
            and strangers.right_identifier = devices.identifier
            and devices.is_named
    inner join holders as addresses
        on
            devices.store = addresses.store
            and devices.person = addresses.person
            and addresses.identifier_type = 'email'
            and addresses.is_named
    where {{ edit_distance('strangers.left_identifier', 'addresses.identifier') }} <= 2
),

bounded as (
    select
        pairs.*,
        least(
            -- Whose device it is is known; any other stranger's address on it is a guest's.
            case
                when
                    pairs.right_type = 'anonymous_id'
                    and pairs.left_type <> 'customer_id'
                    and coalesce(right_holders.is_named, false)
                    and not coalesce(left_holders.is_named, false)
                    and misspelt.left_identifier is null
                    then timestamp '1900-01-01 00:00:00'
                else {{ never }}
            end,
            coalesce(left_holders.shared_since, {{ never }}),
            coalesce(right_holders.shared_since, {{ never }}),
            case
                when left_holders.person <> right_holders.person
                    then greatest(left_holders.held_since, right_holders.held_since)
                else {{ never }}
            end,
            case
                when
                    not coalesce(left_holders.is_named, false)
                    and not coalesce(right_holders.is_named, false)
                    then coalesce(crowded.crowded_since, {{ never }})
                else {{ never }}
            end
        ) as shared_since
    from pairs
    left join holders as left_holders
        on
            pairs.store = left_holders.store
            and pairs.left_type = left_holders.identifier_type
            and pairs.left_identifier = left_holders.identifier
    left join holders as right_holders
        on
            pairs.store = right_holders.store
            and pairs.right_type = right_holders.identifier_type
            and pairs.right_identifier = right_holders.identifier
    left join crowded
        on
            pairs.store = crowded.store
            and pairs.right_type = crowded.right_type
            and pairs.right_identifier = crowded.right_identifier
    left join misspelt
        on
            pairs.store = misspelt.store
            and pairs.left_type = 'email'
            and pairs.left_identifier = misspelt.left_identifier
            and pairs.right_type = 'anonymous_id'
            and pairs.right_identifier = misspelt.right_identifier
),

final as (
    select
        store,
        left_type,
        left_identifier,
        right_type,
        right_identifier,
        linked_at,
        shared_since
    from bounded
    union all
    select
        store,
        right_type as left_type,
        right_identifier as left_identifier,
        left_type as right_type,
        left_identifier as right_identifier,
        linked_at,
        shared_since
    from bounded
)

select * from final
