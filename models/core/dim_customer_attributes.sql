-- Grain: customer and attribute of the shop's own that seeds/own/attribute_catalog.csv admits. The
-- newest row about a customer counts, whichever record or address it came with; an attribute whose
-- newest row is empty is not there. Sensitive ones are, and say so.
with attributes as (
    select * from {{ ref('stg_crm__customer_attributes') }}
),

catalogue as (
    select * from {{ ref('attribute_catalog') }}
),

customers as (
    select customer_key from {{ ref('dim_customers') }}
),

attached as (
    select
        attributes.store,
        attributes.customer_id,
        attributes.email,
        attributes.attribute_name,
        attributes.attribute_value,
        attributes.updated_at,
        {{ resolved_customer_key(['customer_id', 'email']) }} as customer_key
    from attributes
    {{ resolved_customer_joins('attributes', ['customer_id', 'email']) }}
),

newest as (
    select * from attached
    where customer_key is not null
    qualify
        row_number() over (
            partition by customer_key, attribute_name
            order by
                updated_at desc nulls last,
                store asc,
                customer_id asc nulls last,
                email asc nulls last
        ) = 1
),

final as (
    select
        newest.customer_key,
        newest.attribute_name,
        lower(catalogue.attribute_type) as attribute_type,
        newest.attribute_value,
        newest.updated_at,
        catalogue.is_in_rules and not catalogue.is_sensitive as is_in_rules,
        catalogue.is_sensitive
    from newest
    inner join customers on newest.customer_key = customers.customer_key
    inner join catalogue on newest.attribute_name = catalogue.attribute_name
    where newest.attribute_value is not null
)

select * from final
