-- One set of attributes per customer, out of everything that was recorded of the person. Which
-- source wins is in seeds/identity/survivorship_rules.csv; within a source, the newest value.
{%- set attributes = [
    'email', 'phone', 'first_name', 'last_name', 'birth_date', 'gender', 'language', 'city',
    'region', 'country_code', 'postal_code', 'timezone', 'signup_source', 'preferred_categories',
    'preferred_brand',
] %}
with keys as (
    select * from {{ ref('int_customer_keys_ranked') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

attached as (
    select * from {{ ref('int_customer_records_described') }}
),

rules as (
    select
        {%- for attribute in attributes %}
        max(case when attribute = '{{ attribute }}' then origin_rank end) as {{ attribute }}_rank,
        {%- endfor %}
        origin
    from {{ ref('survivorship_rules') }}
    group by origin
),

-- The lowest number wins: first by source, then by age.
survivors as (
    select
        attached.customer_key,
        {%- for attribute in attributes %}
        min_by(
            attached.{{ attribute }},
            case
                when attached.{{ attribute }} is not null
                    then cast(rules.{{ attribute }}_rank as bigint) * 1000000000 + attached.age_rank
            end
        ) as {{ attribute }},
        {%- endfor %}
        min_by(
            attached.is_email_verified,
            case
                when attached.origin = 'crm' and attached.email is not null then attached.age_rank
            end
        ) as is_email_verified,
        min(case when attached.origin = 'crm' then attached.signed_up_at end) as crm_signed_up_at,
        min(case when attached.origin = 'contact' then attached.signed_up_at end)
            as contact_signed_up_at
    from attached
    left join rules on attached.origin = rules.origin
    group by attached.customer_key
),

-- The id that the shop uses for the person: of a record that stands, not of one merged away.
standing as (
    select
        identifiers.customer_key,
        coalesce(
            min_by(
                keys.record_id,
                case
                    when keys.origin = 'crm' and crm_records.merged_into_customer_id is null
                        then keys.key_rank
                end
            ),
            min_by(
                keys.record_id, case when keys.origin = 'crm' then keys.key_rank end
            ),
            min_by(
                keys.identifier,
                case when keys.identifier_type = 'customer_id' then keys.key_rank end
            )
        ) as customer_id
    from keys
    inner join identifiers
        on
            keys.store = identifiers.store
            and keys.identifier_type = identifiers.identifier_type
            and keys.identifier = identifiers.identifier
    left join crm_records
        on
            keys.origin = 'crm'
            and keys.store = crm_records.store
            and keys.record_id = crm_records.customer_id
    group by identifiers.customer_key
),

final as (
    select
        survivors.customer_key,
        keys.origin,
        keys.store,
        standing.customer_id,
        {%- for attribute in attributes %}
        survivors.{{ attribute }},
        {%- endfor %}
        survivors.is_email_verified,
        -- A lead became a customer of the shop when the shop recorded it.
        case
            when keys.origin = 'crm' then survivors.crm_signed_up_at
            else survivors.contact_signed_up_at
        end as signed_up_at
    from survivors
    inner join keys on survivors.customer_key = keys.own_key and keys.key_rank = 1
    inner join standing on survivors.customer_key = standing.customer_key
)

select * from final
