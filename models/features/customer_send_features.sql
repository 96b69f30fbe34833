{{ config(materialized='table') }}

-- Grain: customer who was sent an e-mail, and the next campaign, on the day of the run.
-- Not additive. The columns are those of its training
-- counterpart, made by the same lines.
with rows_of_all_days as (
    select * from {{ ref('send_rows') }}
    where is_of_run = true
),

final as (
    select
        {%- for column in model.columns if column != 'as_of_date' %}
        {{ column }},
        {%- endfor %}
        as_of_date
    from rows_of_all_days
)

select * from final
