{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='delete+insert',
    unique_key=['customer_key', 'segment_id', 'entered_date'],
    on_schema_change='append_new_columns',
    pre_hook="{{ reopen_spells(this) }}"
) }}

-- Grain: customer, segment and day of entering. State (docs/decisions/0004): the history of
-- memberships cannot be recomputed from today's data. A build closes the spells that ended and
-- opens the new ones; left_date is the first day out, null while it lasts. People who object or
-- are erased lose their history too (the pre-hook).
-- depends_on: {{ ref('dim_identifiers') }}, {{ ref('fct_orders') }}
-- depends_on: {{ ref('dim_customers') }}, {{ ref('profiled_customers') }}
with memberships as (
    select * from {{ ref('segment_memberships') }}
),

{% if is_incremental() -%}
open_spells as (
    select * from {{ this }}
    where left_date is null
),

closed as (
    select
        open_spells.customer_key,
        open_spells.segment_id,
        open_spells.entered_date,
        {{ as_of_date() }} as left_date
    from open_spells
    left join memberships
        on
            open_spells.customer_key = memberships.customer_key
            and open_spells.segment_id = memberships.segment_id
    where memberships.customer_key is null
),

opened as (
    select
        memberships.customer_key,
        memberships.segment_id,
        {{ as_of_date() }} as entered_date,
        cast(null as date) as left_date
    from memberships
    left join open_spells
        on
            memberships.customer_key = open_spells.customer_key
            and memberships.segment_id = open_spells.segment_id
    where open_spells.customer_key is null
),

final as (
    select * from closed
    union all
    select * from opened
)
{%- else -%}
final as (
    select
        customer_key,
        segment_id,
        {{ as_of_date() }} as entered_date,
        cast(null as date) as left_date
    from memberships
)
{%- endif %}

select * from final
where {{ has_rows() }}
