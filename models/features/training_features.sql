{{ config(materialized='view') }}

-- Grain: customer who was there at a cutoff of training, and cutoff.
-- Not additive. A view: nobody pays for it
-- but a trainer.
with rows_of_all_days as (
    select * from {{ ref('feature_rows') }}
    where is_of_run = false
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
