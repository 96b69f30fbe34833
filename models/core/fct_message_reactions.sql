{{ config(materialized='view') }}

-- Grain: open or click, with who did it: why a message counts as opened, or does not. A view over
-- the query that messages are made with; nothing of it is written down, and it is not published.
with events as {{ not_materialized() }} (
    select * from {{ ref('stg_esp__events') }}
    where occurred_at < {{ as_of_at() }}
),

final as (
    {{ judged_reactions('events') }}
)

select * from final
