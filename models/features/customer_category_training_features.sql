{{ config(materialized='view') }}

-- Grain: customer, category bought in the 365 days before a cutoff of training, and cutoff.
-- Not additive. A view: nobody pays for it
-- but a trainer.
with rows_of_all_days as (
    select * from {{ ref('category_rows') }}
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
