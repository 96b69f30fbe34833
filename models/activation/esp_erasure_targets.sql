{{ config(materialized='view') }}

-- Grain: id or address under which the ESP may hold somebody whose erasure it has not confirmed,
-- also where we never sent them: what it takes as an id is not asked, since one that it does not
-- know deletes nothing. Without esp_contacts nothing is known of people we did not send.
with erasures as (
    select * from {{ ref('fct_erasures') }}
    where identifier is not null and {{ var('using_esp_contacts') }}
),

named as (
    select
        identifier as esp_id,
        identifier as email
    from erasures
    where identifier_type = 'email'
    union all
    select
        identifier as esp_id,
        null as email
    from erasures
    where identifier_type in ('customer_id', 'esp_contact_id')
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
        esp_id,
        max(email) as email
    from named
    group by esp_id
)

select * from final
