{%- set identifiers = {'customer_id': 'source.customer_id', 'email': 'lower(source.email)'} %}
with source as (
    select * from {{ landing('crm', 'customer_attributes') }}
),

catalogue as (
    select * from {{ ref('attribute_catalog') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('email') }} as clean_email,
        lower(trim(source.attribute_name)) as clean_attribute_name,
        case
            when catalogue.attribute_name is null then source.attribute_value
            else {{ attribute_text('source.attribute_value', 'lower(catalogue.attribute_type)') }}
        end as clean_attribute_value,
        lower(catalogue.attribute_type) as catalogue_type,
        -- Whenever it was updated: a nightly reload is no activity of an erased person.
        {{ is_erased(identifiers, 'null') }} as is_withheld
    from source
    left join catalogue on lower(trim(source.attribute_name)) = catalogue.attribute_name
    {{ erased_joins('source', identifiers) }}
),

judged as (
    select
        *,
        {{ reject_reason([
            ('customer_id is null and email is null', 'no person is given'),
            (
                'customer_id is null and clean_email is null',
                'the only identifier is no e-mail address',
            ),
            (
                "clean_attribute_name is null or clean_attribute_name = ''",
                'attribute_name is missing',
            ),
            ('updated_at is null', 'updated_at is missing or no time'),
            (is_absurd_time('updated_at'), 'updated_at is before 1990'),
            (
                'attribute_value is not null and clean_attribute_value is null',
                'attribute_value is not of the type that attribute_catalog says',
                "clean_attribute_name || ': ' || catalogue_type",
            ),
        ], key_rules=3) }} as reject_reason,
        -- What a person is like, not something that happened: the newest version counts.
        false as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(
            ['store', 'customer_id', 'clean_email', 'clean_attribute_name'], updated_at=true
        ) }} as row_status
    from judged
),

final as (
    select
        store,
        customer_id,
        clean_email as email,
        clean_attribute_name as attribute_name,
        clean_attribute_value as attribute_value,
        updated_at,
        loaded_at,
        md5(coalesce(customer_id, clean_email) || '|' || clean_attribute_name) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
        ]) }} as unusable_columns
    from ranked
    where row_status <> 'withheld'
    {{ and_withheld('ranked') }}
)

select * from final
