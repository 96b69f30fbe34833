{{ config(materialized='view') }}
{%- set has_external_ids = 'true' if var('esp') in ['klaviyo', 'braze'] else 'false' %}
{%- set deletes_contacts = 'true' if var('esp') == 'braze' else 'false' %}

-- Grain: id or address under which the ESP may hold somebody whose erasure it has not confirmed,
-- also where we never sent them: what it takes as an id is not asked, since one that it does not
-- know deletes nothing. One under which it has somebody else, of another store or by another kind
-- of id, is none; nor is a contact's own id where profiles are named by external ids alone: Braze
-- deletes by its own ids too. Without esp_contacts nothing is known of people we did not send.
with erasures as (
    select * from {{ ref('fct_erasures') }}
    where identifier is not null and {{ var('using_esp_contacts') }}
),

-- Whoever is to be erased is not among them.
contacts as (
    select * from {{ ref('dim_esp_contacts') }}
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = '{{ var("esp") }}'
),

held_ids as (
    select external_id as esp_id from contacts
    where external_id is not null
    union
    select contacts.esp_contact_id as esp_id
    from contacts
    cross join identities
    where
        {{ deletes_contacts }}
        or (identities.identity = 'esp_contact_id' and not {{ has_external_ids }})
),

named as (
    select
        identifier as esp_id,
        identifier as email
    from erasures
    where identifier_type = 'email'
    union all
    select
        erasures.identifier as esp_id,
        null as email
    from erasures
    cross join identities
    where
        erasures.identifier_type = 'customer_id'
        or (
            erasures.identifier_type = 'esp_contact_id'
            and (
                not {{ has_external_ids }}
                or {{ deletes_contacts }}
                or identities.identity = 'esp_contact_id'
            )
        )
    union all
    select
        {{ customer_key_from("'crm'", 'store', 'identifier', 'cast(null as timestamp)') }}
            as esp_id,
        null as email
    from erasures
    where identifier_type = 'customer_id'
),

final as (
    select
        named.esp_id,
        max(named.email) as email
    from named
    left join held_ids on named.esp_id = held_ids.esp_id
    where held_ids.esp_id is null
    group by named.esp_id
)

select * from final
