-- Every field of the map is a column of esp_profiles, or an attribute of the shop's own that is not
-- sensitive, and has a name that every ESP takes; no ESP gets more than 30; views with a column per
-- property have those of the map, lists and own attributes left out.
{%- set views = {
    'klaviyo': 'esp_klaviyo_import', 'customerio': 'esp_customerio', 'generic': 'esp_customers',
} %}
{%- set ids = [
    'id', 'external_id', 'email', 'customer_key', 'esp_id', 'synced_change_seq', 'modified_at',
    'changed_at',
] %}
with fields as (
    select * from {{ ref('esp_field_map') }}
),

shown as (
    select * from fields
    where
        property_type <> 'array'
        and esp <> 'braze'
        and column_name not like 'custom_attributes.%'
),

documented as (
    select given.* from (
        values
        {%- if execute %}
        {%- for name in graph.nodes['model.lettershop.esp_profiles'].columns %}
        ('*', '{{ name }}'),
        {%- endfor %}
        {%- for esp, view in views.items() %}
        {%- for name in graph.nodes['model.lettershop.' ~ view].columns if name not in ids %}
        ('{{ esp }}', '{{ name }}'),
        {%- endfor %}
        {%- endfor %}
        {%- endif %}
        ('', '')
    ) as given (esp, column_name)
),

own as (
    select 'custom_attributes.' || attribute_name as column_name
    from {{ ref('attribute_catalog') }}
    where not is_sensitive
),

counts as (
    select
        esp,
        count(*) as field_count
    from fields
    group by esp
)

select
    'is no column, or has no name for every ESP' as problem,
    fields.esp,
    fields.property_name as found
from fields
left join documented
    on documented.esp = '*' and fields.column_name = documented.column_name
left join own on fields.column_name = own.column_name
where
    (documented.column_name is null and own.column_name is null)
    or fields.column_name in ('customer_key', 'email')
    or not {{ matches('fields.property_name', '^[a-z][a-z0-9_]{0,49}$') }}
    or fields.property_name in ('id', 'email', 'external_id', 'properties', 'synced_change_seq')
union all
select
    'has more than 30 fields' as problem,
    esp,
    cast(field_count as varchar) as found
from counts
where field_count > 30
union all
select
    'the view and the map differ' as problem,
    coalesce(documented.esp, shown.esp) as esp,
    coalesce(documented.column_name, shown.property_name) as found
from documented
full outer join shown
    on documented.esp = shown.esp and documented.column_name = shown.property_name
where
    {{ has_rows() }}
    and (documented.esp is null or (documented.esp not in ('', '*') and shown.esp is null))
