{%- set identifiers = {
    'customer_id': 'source.customer_id',
    'email': 'lower(source.email)',
    'phone': clean_phone('source.phone'),
} %}
with source as (
    select * from {{ landing('crm', 'crm_customers') }}
),

countries as (
    select * from {{ ref('country_names') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('source.email') }} as clean_email,
        {{ clean_phone('source.phone') }} as clean_phone,
        {{ standardise('source.gender', 'gender') }} as clean_gender,
        countries.country_code,
        coalesce(
            source.birth_date >= date '1900-01-01' and source.birth_date < {{ as_of_date() }},
            false
        ) as is_birth_date_possible,
        coalesce(
            source.signed_up_at >= timestamp '1990-01-01 00:00:00'
            and source.signed_up_at < timestamp '2100-01-01 00:00:00',
            false
        ) as is_sign_up_possible,
        {{ is_known_timezone('source.timezone') }} as is_timezone_known,
        {{ is_erased(identifiers, 'source.signed_up_at') }} as is_withheld
    from source
    {{ erased_joins('source', identifiers) }}
    left join countries on lower(source.country) = countries.country_name
),

judged as (
    select
        *,
        {{ reject_reason([
            ('customer_id is null', 'customer_id is missing'),
            ('merged_into_customer_id = customer_id', 'customer is merged into itself'),
        ]) }} as reject_reason,
        -- A person has no event time: who is not there yet is decided by dim_customers.
        false as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'customer_id'], updated_at=true) }} as row_status
    from judged
),

final as (
    select
        store,
        customer_id,
        clean_email as email,
        is_email_verified,
        clean_phone as phone,
        first_name,
        last_name,
        case when is_birth_date_possible then birth_date end as birth_date,
        clean_gender as gender,
        city,
        region,
        country_code,
        postal_code,
        lower(language) as language,
        case when is_timezone_known then timezone end as timezone,
        case when is_sign_up_possible then signed_up_at end as signed_up_at,
        signup_source,
        preferred_categories,
        preferred_brand,
        merged_into_customer_id,
        updated_at,
        loaded_at,
        md5(customer_id) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('phone is not null and clean_phone is null', 'phone'),
            ('gender is not null and clean_gender is null', 'gender'),
            ('birth_date is not null and not is_birth_date_possible', 'birth_date'),
            ('country is not null and country_code is null', 'country'),
            ('not is_timezone_known', 'timezone'),
            ('signed_up_at is not null and not is_sign_up_possible', 'signed_up_at'),
        ]) }} as unusable_columns
    from ranked
    where row_status <> 'withheld'
    {{ and_withheld('ranked') }}
)

select * from final
