-- Grain: landing table whose rows become rows of one core table. From the raw rows and amounts to
-- those in core, every step with its name. Amounts are control totals over all currencies, null
-- for tables without money. What is unexplained between landing and staging and what is between
-- staging and core are added as absolute values, so that two errors cannot cancel out.
{%- set tables = reconciled_tables() %}
{%- set statuses = ['superseded', 'rejected', 'not_yet', 'withheld'] %}
with accounting as (
    select * from {{ ref('landing_accounting') }}
),

landed as (
    {%- for source_name, table_name, model in staged_tables() if table_name in tables %}
    {%- set amount = tables[table_name].amount %}
    select
        '{{ table_name }}' as landing_table,
        {{ 'coalesce(sum(' ~ amount ~ '), 0)' if amount else 'null' }} as raw_amount
    from {{ landing(source_name, table_name) if amount else '(select 1)' }} as landing
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

judged as (
    {%- for source_name, table_name, model in staged_tables() if table_name in tables %}
    {%- set table = tables[table_name] %}
    select
        '{{ table_name }}' as landing_table,
        row_status,
        {{ 'sum(' ~ table.amount ~ ')' if table.amount else 'null' }} as amount,
        {{ table.get('combined', 0) }} as combined_count,
        {{ table.get('after_clock', 0) }} as after_clock_count
    from {{ ref(model) }}
    group by row_status
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

staged as (
    select
        landing_table,
        max(case when row_status = 'accepted' then combined_count end) as combined_count,
        max(case when row_status = 'accepted' then after_clock_count end) as after_clock_count,
        {%- for status in statuses %}
        sum(case when row_status = '{{ status }}' then amount else 0 end) as {{ status }}_amount,
        {%- endfor %}
        sum(case when row_status = 'accepted' then amount else 0 end) as accepted_amount
    from judged
    group by landing_table
),

core as (
    {%- for source_name, table_name, model in staged_tables() if table_name in tables %}
    {%- set table = tables[table_name] %}
    select
        '{{ table_name }}' as landing_table,
        '{{ table.core }}' as core_table,
        count(*) as core_count,
        {{ 'coalesce(sum(' ~ table.amount ~ '), 0)' if table.amount else 'null' }} as core_amount
    from {{ ref(table.core) }}
    where {{ table.get('of_core', 'true') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

joined as (
    select
        accounting.*,
        core.core_table,
        core.core_count,
        core.core_amount,
        landed.raw_amount,
        coalesce(staged.combined_count, 0) as combined_count,
        coalesce(staged.after_clock_count, 0) as after_clock_count,
        {%- for status in statuses + ['accepted'] %}
        case when landed.raw_amount is not null then coalesce(staged.{{ status }}_amount, 0) end
            as {{ status }}_amount,
        {%- endfor %}
        accounting.raw_count - accounting.accepted_count - accounting.superseded_count
        - accounting.rejected_count - accounting.not_yet_count - accounting.withheld_count
        - accounting.expired_count
            as unjudged_count
    from core
    inner join accounting on core.landing_table = accounting.landing_table
    inner join landed on core.landing_table = landed.landing_table
    left join staged on core.landing_table = staged.landing_table
),

compared as (
    select
        *,
        abs(unjudged_count)
        + abs(accepted_count - combined_count - after_clock_count - core_count)
            as unexplained_count,
        abs(
            raw_amount - accepted_amount
            {%- for status in statuses %}
            - {{ status }}_amount
            {%- endfor %}
        ) + abs(accepted_amount - core_amount) as unexplained_amount
    from joined
),

rated as (
    select
        *,
        -- Of a table without rows, or without amounts, one that is unexplained is all of it.
        greatest(
            least(cast(unexplained_count as double) / greatest(raw_count, 1), 1),
            case
                when unexplained_amount > 0
                    then
                        least(
                            coalesce(
                                cast(unexplained_amount as double) / nullif(abs(raw_amount), 0), 1
                            ),
                            1
                        )
                else 0
            end
        ) as unexplained_rate
    from compared
),

final as (
    select
        landing_table,
        core_table,
        raw_count,
        superseded_count,
        rejected_count,
        not_yet_count,
        withheld_count,
        expired_count,
        accepted_count,
        cast(combined_count as bigint) as combined_count,
        cast(after_clock_count as bigint) as after_clock_count,
        core_count,
        cast(unexplained_count as bigint) as unexplained_count,
        {%- for amount in [
            'raw', 'superseded', 'rejected', 'not_yet', 'withheld', 'accepted', 'core', 'unexplained'
        ] %}
        cast({{ amount }}_amount as decimal(38, 4)) as {{ amount }}_amount,
        {%- endfor %}
        cast(unexplained_rate as decimal(18, 9)) as unexplained_rate,
        case
            when unexplained_rate > {{ var('max_unexplained_rate') }} then 'error'
            when unexplained_rate > 0 then 'warn'
        end as severity
    from rated
)

select * from final
