-- Grain: landing table that the shop has and column of its contract; the column '*' stands for the
-- table as a whole. A value counts if staging can use it: an empty text is none, nor is what does
-- not fit its type. A column that did not land has no values. Each table is read once.
with
{%- for source_name, table_name, model in staged_tables() %}
{%- set rows = landing_rows(source_name, table_name) %}
{%- set contract = landing_contract(source_name, table_name) %}
{%- set columns = contract.columns.values() | list if contract is not none else [] %}
{%- set event_time = contract.config.meta.event_time if contract is not none else none %}
{{ table_name }} as (
    select
        {%- for column in columns %}
        {%- if column.data_type == 'varchar' %}
        count(case when cast({{ column.name }} as varchar) <> '' then 1 end)
            as {{ column.name }}_count,
        {%- else %}
        count({{ try_cast(column.name, column.data_type) }}) as {{ column.name }}_count,
        {%- endif %}
        {%- if column.name in ['loaded_at', event_time] %}
        {%- set moment = try_cast(column.name, 'timestamp') %}
        max(
            {%- if column.name == event_time %}
            case when {{ moment }} < {{ as_of_at() }} then {{ moment }} end
            {%- else %}
            {{ moment }}
            {%- endif %}
        ) as newest_{{ column.name }},
        {%- endif %}
        {%- endfor %}
        count(*) as row_count
    from {{ rows }} as landed
),
{% endfor %}
counted as (
    {%- for source_name, table_name, model in staged_tables() %}
    {%- set contract = landing_contract(source_name, table_name) %}
    {%- set columns = contract.columns.values() | list if contract is not none else [] %}
    {%- set event_time = contract.config.meta.event_time if contract is not none else none %}
    {%- set is_on = landing_is_on(source_name, table_name) %}
    select
        '{{ table_name }}' as landing_table,
        listed.column_name,
        counts.row_count,
        case listed.column_name
            when '*' then counts.row_count
            {%- for column in columns %}
            when '{{ column.name }}' then counts.{{ column.name }}_count
            {%- endfor %}
        end as value_count,
        case listed.column_name
            when 'loaded_at' then counts.newest_loaded_at
            {%- if event_time %}
            when '{{ event_time }}' then counts.newest_{{ event_time }}
            {%- endif %}
        end as newest_at,
        case listed.column_name
            when 'loaded_at' then 'loading'
            {%- if event_time %}
            when '{{ event_time }}' then 'event'
            {%- endif %}
        end as time_kind
    from {{ table_name }} as counts
    cross join (
        values
        {%- for column in columns %}
        ('{{ column.name }}'),
        {%- endfor %}
        ('*')
    ) as listed (column_name)
    where {{ 'true' if is_on else 'false' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        landing_table,
        column_name,
        row_count,
        row_count - value_count as null_count,
        time_kind,
        newest_at
    from counted
)

select * from final
