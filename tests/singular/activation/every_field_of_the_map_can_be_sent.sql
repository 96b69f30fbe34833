-- Every field of the map is a column of esp_profiles and has a name that every ESP takes; no ESP gets
-- more than 30; and the views with a column per property have those of the map, lists left out.
{%- set columns = [] %}
{%- set views = {
    'klaviyo': 'esp_klaviyo_import', 'customerio': 'esp_customerio', 'generic': 'esp_customers',
} %}
{%- set own = [
    'id', 'external_id', 'email', 'customer_key', 'esp_id', 'synced_change_seq', 'modified_at',
    'changed_at',
] %}
with map as (
    select * from {{ ref('esp_field_map') }}
),

columns (esp, column_name) as (
    values
    {%- if execute %}
    {%- for name in graph.nodes['model.lettershop.esp_profiles'].columns %}
    ('*', '{{ name }}'),
    {%- endfor %}
    {%- for esp, view in views.items() %}
    {%- for name in graph.nodes['model.lettershop.' ~ view].columns if name not in own %}
    ('{{ esp }}', '{{ name }}'),
    {%- endfor %}
    {%- endfor %}
    {%- endif %}
    ('', '')
),

counts as (
    select
        esp,
        count(*) as field_count
    from map
    group by esp
)

select
    'is no column, or has no name for every ESP' as problem,
    map.esp,
    map.property_name as found
from map
left join columns on columns.esp = '*' and map.column_name = columns.column_name
where
    columns.column_name is null
    or map.column_name in ('customer_key', 'email')
    or not {{ matches('map.property_name', '^[a-z][a-z0-9_]{0,49}$') }}
    or map.property_name in ('id', 'email', 'external_id', 'properties', 'synced_change_seq')
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
    coalesce(columns.esp, map.esp) as esp,
    coalesce(columns.column_name, map.property_name) as found
from columns
full outer join (
    select * from map
    where property_type <> 'array' and esp <> 'braze'
) as map on columns.esp = map.esp and columns.column_name = map.property_name
where columns.esp is null or (columns.esp not in ('', '*') and map.esp is null)
