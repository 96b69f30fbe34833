-- Everything that was recorded of a customer, each record by the source it came from, the newest
-- first; a CRM record that was merged away after those that stand, since merging touched it last.
with identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

recorded as (
    select
        'crm' as origin,
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        customer_id as record_id,
        customer_id,
        email,
        is_email_verified,
        phone,
        first_name,
        last_name,
        birth_date,
        gender,
        language,
        city,
        region,
        country_code,
        postal_code,
        timezone,
        signup_source,
        preferred_categories,
        preferred_brand,
        signed_up_at,
        coalesce(updated_at, signed_up_at) as recorded_at,
        merged_into_customer_id is not null as is_merged_away
    from crm_records
    union all by name
    select
        'order' as origin,
        store,
        {{ identifier_type(['customer_id', 'email', 'phone']) }} as identifier_type,
        coalesce(customer_id, email, phone) as identifier,
        order_id as record_id,
        customer_id,
        email,
        phone,
        ordered_at as recorded_at
    from orders
    where coalesce(customer_id, email, phone) is not null
    union all by name
    select
        'contact' as origin,
        store,
        'esp_contact_id' as identifier_type,
        esp_contact_id as identifier,
        esp_contact_id as record_id,
        email,
        phone,
        first_name,
        language,
        country_code,
        'esp' as signup_source,
        created_at as signed_up_at,
        coalesce(updated_at, created_at) as recorded_at
    from contacts
),

final as (
    select
        recorded.*,
        identifiers.customer_key,
        row_number() over (
            partition by identifiers.customer_key
            order by
                coalesce(recorded.is_merged_away, false) asc,
                recorded.recorded_at desc nulls last,
                recorded.origin asc,
                recorded.record_id asc
        ) as age_rank
    from recorded
    inner join identifiers
        on
            recorded.store = identifiers.store
            and recorded.identifier_type = identifiers.identifier_type
            and recorded.identifier = identifiers.identifier
)

select * from final
