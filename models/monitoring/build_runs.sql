{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns'
) }}

-- Grain: build. State (docs/decisions/0004): what was built when, and how much of everything there
-- was, for the next build to compare with. The only table with run metadata.
with customers as (
    select
        count(*) as customer_count,
        sum(case when is_contactable then 1 else 0 end) as contactable_count,
        sum(case when is_profiled then 1 else 0 end) as profiled_count
    from {{ ref('customer_profiles') }}
),

orders as (
    select
        count(*) as order_count,
        sum(case when is_valid then 1 else 0 end) as valid_order_count,
        sum(net_revenue_base_amount) as net_revenue_base_amount
    from {{ ref('fct_orders') }}
),

order_lines as (
    select count(*) as order_line_count from {{ ref('fct_order_lines') }}
),

memberships as (
    select count(*) as membership_count from {{ ref('segment_memberships') }}
),

esp_profiles as (
    select count(*) as esp_profile_count from {{ ref('esp_profiles') }}
),

landing as (
    select
        sum(raw_count) as raw_row_count,
        sum(rejected_count) as rejected_row_count
    from {{ ref('landing_accounting') }}
),

final as (
    select
        '{{ invocation_id }}' as run_id,
        timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as built_at,
        {{ as_of_at() }} as as_of_at,
        {{ as_of_date() }} as as_of_date,
        cast(coalesce(landing.raw_row_count, 0) as bigint) as raw_row_count,
        cast(coalesce(landing.rejected_row_count, 0) as bigint) as rejected_row_count,
        customers.customer_count,
        cast(coalesce(customers.profiled_count, 0) as bigint) as profiled_count,
        cast(coalesce(customers.contactable_count, 0) as bigint) as contactable_count,
        orders.order_count,
        cast(coalesce(orders.valid_order_count, 0) as bigint) as valid_order_count,
        order_lines.order_line_count,
        {{ money('coalesce(orders.net_revenue_base_amount, 0)') }} as net_revenue_base_amount,
        memberships.membership_count,
        esp_profiles.esp_profile_count
    from customers
    cross join orders
    cross join order_lines
    cross join memberships
    cross join esp_profiles
    cross join landing
)

select * from final
where {{ has_rows() }}
