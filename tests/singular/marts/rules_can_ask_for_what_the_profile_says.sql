-- The columns that rules know are those of the contract of customer_profiles, but names, addresses,
-- ids and lists.
{%- set others = [
    'customer_key', 'customer_id', 'email', 'first_name', 'last_name', 'segment_ids',
    'custom_attributes',
] %}
{%- set kinds = {'varchar': 'text', 'boolean': 'boolean', 'date': 'date', 'timestamp': 'time'} %}
with known as (
    select
        given.column_name,
        given.kind
    from (
        values
        {%- for column, kind in rule_columns().items() %}
        ('{{ column }}', '{{ kind }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as given (column_name, kind)
),

documented as (
    select
        given.column_name,
        given.kind
    from (
        values
        {%- if execute %}
        {%- set profile = graph.nodes['model.lettershop.customer_profiles'].columns %}
        {%- for column in profile.values() if column.name not in others %}
        ('{{ column.name }}', '{{ kinds.get(column.data_type, 'number') }}'),
        {%- endfor %}
        {%- endif %}
        ('', '')
    ) as given (column_name, kind)
)

select
    coalesce(known.column_name, documented.column_name) as column_name,
    known.kind,
    documented.kind as documented_kind
from known
full outer join documented on known.column_name = documented.column_name
where documented.column_name is distinct from '' and known.kind is distinct from documented.kind
