-- Grain: limit that this build crosses. Two tests look here: a row with severity error fails the
-- build, one with warn shows as a warning.
with freshness as (
    select
        *,
        case when severity = 'error' then error_after_hours else warn_after_hours end
            as allowed_hours
    from {{ ref('source_freshness') }}
),

history as (
    select * from {{ ref('landing_history') }}
),

reconciliation as (
    select * from {{ ref('source_reconciliation') }}
),

exports as (
    select * from {{ ref('stg_consent__contact_exports') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

newest_build as (
    select max_by(run_id, built_at) as run_id from history
),

stale as (
    select
        'freshness_' || time_kind as check_name,
        landing_table,
        column_name,
        severity,
        'The newest ' || case when time_kind = 'event' then 'event' else 'load' end || ' is '
        || cast(age_hours as varchar) || ' hours older than the clock; allowed are '
        || cast(allowed_hours as varchar) || '.' as message
    from freshness
    where severity is not null
),

changed as (
    select
        history.measure as check_name,
        history.landing_table,
        history.column_name,
        history.severity,
        case history.measure
            when 'rows_fall' then 'Rows went'
            when 'rows_rise' then 'Rows came'
            when 'nulls_rise' then 'Values went missing'
            else 'Values are missing in the rows that came'
        end
        || ': ' || cast(history.row_count as varchar) || ' rows, '
        || cast(history.null_count as varchar) || ' without a value; on '
        || cast(history.previous_date as varchar) || ' there were '
        || cast(history.previous_row_count as varchar) || ' and '
        || cast(history.previous_null_count as varchar) || '.' as message
    from history
    inner join newest_build on history.run_id = newest_build.run_id
    where history.severity is not null
),

unexplained as (
    select
        'reconciliation' as check_name,
        landing_table,
        '*' as column_name,
        severity,
        cast(unexplained_count as varchar) || ' rows'
        || coalesce(' and an amount of ' || cast(unexplained_amount as varchar), '')
        || ' are lost or doubled on the way to ' || core_table || '.' as message
    from reconciliation
    where severity is not null
),

partial as (
    select
        'partial_export' as check_name,
        'esp_contacts' as landing_table,
        store as column_name,
        'warn' as severity,
        'The newest export of store ' || store || ' has ' || cast(contact_count as varchar)
        || ' contacts, the last complete one had ' || cast(previous_count as varchar)
        || ': it confirms no erasure and no deletion. If so few are right, build once with'
        || ' accept_landing_changes: true.' as message
    from exports
    where export_kind = 'partial'
),

-- What was given back beyond what the order cost. Net revenue falls by all of it.
overpaid as (
    select
        count(*) as order_count,
        sum(refund_amount - greatest(coalesce(total_amount, 0), owed_amount)) as amount
    from orders
    where refund_amount > greatest(coalesce(total_amount, 0), owed_amount) + 0.01
),

refunded as (
    select
        'refunds_above_order' as check_name,
        'shop_refunds' as landing_table,
        'refund_amount' as column_name,
        'warn' as severity,
        cast(order_count as varchar) || ' orders were refunded more than they cost, by '
        || cast({{ money('amount') }} as varchar) || ' over all currencies: core.fct_orders where'
        || ' refund_amount is above total_amount and owed_amount.' as message
    from overpaid
    where order_count > 0
),

final as (
    select * from stale
    union all
    select * from partial
    union all
    select * from refunded
    union all
    select * from changed
    union all
    select * from unexplained
)

select * from final
