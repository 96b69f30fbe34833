-- Grain: raw row that could not be used. Keys that identify a person are hashed.
with verdicts as (
    {%- for source_name, table_name, model in staged_tables() %}
    select
        '{{ table_name }}' as landing_table,
        row_key,
        reject_reason,
        loaded_at
    from {{ ref(model) }}
    where row_status = 'rejected'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        landing_table,
        row_key,
        reject_reason,
        loaded_at
    from verdicts
)

select * from final
