{{ config(materialized='view') }}

-- Grain: customer, campaign that was sent to them, and day of the send.
-- Not additive. A view: nobody pays for it
-- but a trainer.
with rows_of_all_days as (
    select * from {{ ref('send_rows') }}
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
