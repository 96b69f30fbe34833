-- Grain: landing table and combination of columns. Rows that were used although some value in them
-- could not be: it did not fit its type, or no rule made sense of it, and is null from staging on.
with accepted as (
    {%- for source_name, table_name, model in staged_tables() %}
    select
        '{{ table_name }}' as landing_table,
        rtrim(unusable_columns, ',') as column_names
    from {{ ref(model) }}
    where row_status = 'accepted' and unusable_columns is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        landing_table,
        column_names,
        count(*) as row_count
    from accepted
    group by landing_table, column_names
)

select * from final
