{%- set identifiers = {
    'esp_contact_id': 'source.esp_contact_id',
    'customer_id': 'source.external_id',
    'email': 'lower(source.email)',
    'phone': clean_phone('source.phone'),
} %}
with source as (
    select * from {{ landing('esp', 'esp_contacts') }}
),

countries as (
    select * from {{ ref('country_names') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('source.email') }} as clean_email,
        {{ clean_phone('source.phone') }} as clean_phone,
        countries.country_code,
        {{ is_erased(identifiers, 'source.created_at') }} as is_withheld
    from source
    {{ erased_joins('source', identifiers) }}
    left join countries on lower(source.country) = countries.country_name
),

judged as (
    select
        *,
        {{ reject_reason([
            ('esp_contact_id is null', 'esp_contact_id is missing'),
        ]) }} as reject_reason,
        -- A contact is an entity: who is not there yet is decided by dim_customers.
        false as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'esp_contact_id'], updated_at=true) }} as row_status
    from judged
),

final as (
    select
        store,
        esp_contact_id,
        clean_email as email,
        clean_phone as phone,
        first_name,
        country_code,
        lower(language) as language,
        external_id,
        is_subscribed,
        coalesce(is_suppressed, false) as is_suppressed,
        suppression_reason,
        suppressed_at,
        -- A property that anybody may write there: no number of ours is near a trillion.
        case when synced_change_seq between 0 and 1000000000000 then synced_change_seq end
            as synced_change_seq,
        merged_into_contact_id,
        created_at,
        updated_at,
        loaded_at,
        md5(esp_contact_id) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('phone is not null and clean_phone is null', 'phone'),
            ('country is not null and country_code is null', 'country'),
            (
                'synced_change_seq is not null and not synced_change_seq between 0 and 1000000000000',
                'synced_change_seq',
            ),
        ]) }} as unusable_columns
    from ranked
    where row_status <> 'withheld'
    {{ and_withheld('ranked') }}
)

select * from final
