-- Grain: customer who may be written to: what the ESP of the var `esp` should hold, as it is sent.
-- Names, purposes and regions are those of the seed esp_field_map. A field that may not be sent of
-- somebody carries its fallback, since leaving it out would clear nothing. Equal content has equal
-- bytes. Values of what esp_weekly_changes names are not in daily_hash: alone they are told on the
-- customer's day of the week (docs/decisions/0044).
{% set columns = payload_columns() -%}
with profiles as (
    select * from {{ ref('esp_profiles') }}
),

fields as (
    select * from {{ ref('esp_field_map') }}
    where esp = '{{ var("esp") }}'
),

weekly as (
    select * from {{ ref('esp_weekly_changes') }}
),

daily_segments as (
    select
        members.customer_key,
        {{ dbt.listagg('members.segment_id', "','", 'order by members.segment_id') }} as segment_ids
    from {{ ref('esp_segment_memberships') }} as members
    left join weekly
        on weekly.kind <> 'field' and weekly.name in (members.segment_id, members.family)
    where weekly.name is null
    group by members.customer_key
),

-- What is sensitive is never sent, whatever the map says.
attributes as (
    select
        customer_key,
        'custom_attributes.' || attribute_name as column_name,
        substr(attribute_value, 1, 255) as attribute_value
    from {{ ref('dim_customer_attributes') }}
    where not is_sensitive
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = '{{ var("esp") }}'
),

customers as (
    select * from {{ ref('dim_customers') }}
),

contacts as (
    select * from {{ ref('dim_esp_contacts') }}
),

filled as (
    select
        profiles.customer_key,
        fields.placement,
        fields.property_name,
        fields.column_name,
        coalesce(fields.fallback, '') as fallback,
        {{ field_member(columns) }} as member
    from profiles
    cross join fields
    left join attributes
        on
            profiles.customer_key = attributes.customer_key
            and fields.column_name = attributes.column_name
),

told as (
    select
        filled.*,
        case
            when weekly.name is not null then filled.property_name || ' ' || filled.fallback
            when filled.column_name = 'segments'
                then filled.property_name || ' ' || coalesce(daily_segments.segment_ids, '')
            else filled.member
        end as daily_member
    from filled
    left join weekly on filled.column_name = weekly.name and weekly.kind = 'field'
    left join daily_segments on filled.customer_key = daily_segments.customer_key
),

listed as (
    select
        customer_key,
        placement,
        {{ dbt.listagg('member', "', '", 'order by property_name') }} as members,
        {{ dbt.listagg('daily_member', "', '", 'order by property_name') }} as daily_members
    from told
    group by customer_key, placement
),

placed as (
    select
        customer_key,
        coalesce(max(case when placement = 'field' then members end), '') as field_members,
        '"properties": {' || max(case when placement = 'property' then members end) || '}'
            as properties,
        md5(
            coalesce(max(case when placement = 'field' then daily_members end), '')
            || coalesce(max(case when placement = 'property' then daily_members end), '')
        ) as daily_hash
    from listed
    group by customer_key
),

rendered as (
    select
        customer_key,
        daily_hash,
        '{'
        || field_members
        || case when field_members <> '' and properties is not null then ', ' else '' end
        || coalesce(properties, '')
        || '}' as payload
    from placed
),

-- The contact of a customer: the one at the address, else one that is theirs.
found as (
    select
        profiles.customer_key,
        contacts.store,
        contacts.esp_contact_id,
        contacts.external_id,
        contacts.is_our_key,
        1 as preference
    from profiles
    inner join contacts on profiles.email = contacts.email
    union all
    select
        profiles.customer_key,
        contacts.store,
        contacts.esp_contact_id,
        contacts.external_id,
        contacts.is_our_key,
        2 as preference
    from profiles
    inner join contacts on profiles.customer_key = contacts.customer_key
),

known as (
    select * from found
    qualify
        row_number() over (
            partition by customer_key
            order by preference, external_id nulls last, esp_contact_id, store
        ) = 1
),

identified as (
    select
        profiles.customer_key,
        profiles.email,
        rendered.payload,
        rendered.daily_hash,
        known.esp_contact_id is not null or '{{ var("sync_scope") }}' = 'all' as is_in_scope,
        coalesce(
            case
                when identities.identity = 'email' then profiles.email
                -- These get the id as their external id, and one that they hold stays.
                when
                    identities.identity = 'esp_contact_id'
                    and (
                        '{{ var("esp") }}' not in ('klaviyo', 'braze')
                        or known.external_id is null
                    )
                    then known.esp_contact_id
                when not known.is_our_key then known.external_id
            end,
            case when identities.identity = 'customer_id' then customers.customer_id end,
            profiles.customer_key
        ) as esp_id
    from profiles
    inner join rendered on profiles.customer_key = rendered.customer_key
    inner join customers on profiles.customer_key = customers.customer_key
    cross join identities
    left join known on profiles.customer_key = known.customer_key
),

final as (
    select
        customer_key,
        -- Of two with one id the second is known by the key.
        case
            when row_number() over (partition by esp_id order by customer_key) = 1 then esp_id
            else customer_key
        end as esp_id,
        email,
        payload,
        md5(payload) as payload_hash,
        daily_hash,
        {{ week_began_date('customer_key') }} as week_began_date,
        is_in_scope
    from identified
)

select * from final
