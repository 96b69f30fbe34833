-- Grain: model, attribute and group. Whether a model selects (band high, today) or errs (what
-- happened against what past scores expected) differently in a group than among all others whose
-- attribute is known. The only place where gender, age and region meet a model. Groups under the
-- smallest size of the seed have counts only.
with people as (
    select
        customer_key,
        coalesce(gender, 'unknown') as gender,
        coalesce(region, 'unknown') as region,
        case
            when birth_date is null then 'unknown'
            {%- for age in [25, 35, 45, 55, 65] %}
            when {{ dbt.dateadd('year', age, 'birth_date') }} > {{ as_of_date() }}
                then '{{ 'under 25' if age == 25 else (age - 10) ~ ' to ' ~ (age - 1) }}'
            {%- endfor %}
            else '65 and over'
        end as age_band
    from {{ ref('dim_customers') }}
),

smallest as (
    select min(at_least_rows) as row_count
    from {{ ref('model_limits') }}
    where measure = 'selection_ratio'
),

-- Several rows of a customer are not several people: what is squared is summed per customer.
selected as (
    select
        model_name,
        customer_key,
        count(*) as row_count,
        sum(case when band = 'high' then 1 else 0 end) as selected_count,
        sum(cast(score as decimal(18, 9))) as score_sum
    from {{ ref('propensity_logits') }}
    where score is not null
    group by model_name, customer_key
),

happened as (
    select
        model_name,
        customer_key,
        count(*) as outcome_count,
        sum(case when label > 0 then 1 else 0 end) as happened_count,
        sum(cast(score as decimal(18, 9))) as expected_count,
        sum(cast(power(label - score, 2) as decimal(18, 9))) as error_sum
    from {{ ref('scored_outcomes') }}
    group by model_name, customer_key
),

{%- set measures = [
    'row_count', 'selected_count', 'score_sum', 'selection_squares', 'selection_rows',
    'row_squares', 'outcome_count', 'happened_count', 'expected_count', 'error_sum',
    'happened_squares', 'happened_expected', 'expected_squares',
] %}

facts as (
    select
        *,
        selected_count * selected_count as selection_squares,
        selected_count * row_count as selection_rows,
        row_count * row_count as row_squares
    from selected
    union all by name
    select
        *,
        happened_count * happened_count as happened_squares,
        cast(happened_count * expected_count as decimal(18, 9)) as happened_expected,
        cast(power(cast(expected_count as double), 2) as decimal(18, 9)) as expected_squares
    from happened
),

grouped as (
    {%- for attribute in ['gender', 'age_band', 'region'] %}
    select
        facts.model_name,
        '{{ attribute }}' as attribute_name,
        {%- for measure in measures %}
        coalesce(sum(facts.{{ measure }}), 0) as {{ measure }},
        {%- endfor %}
        coalesce(people.{{ attribute }}, 'unknown') as group_name
    from facts
    left join people on facts.customer_key = people.customer_key
    group by facts.model_name, coalesce(people.{{ attribute }}, 'unknown')
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

compared as (
    select
        grouped.*,
        {%- for measure in measures %}
        sum(
            case when grouped.group_name <> 'unknown' then grouped.{{ measure }} else 0 end
        ) over (partition by grouped.model_name, grouped.attribute_name)
        - case when grouped.group_name <> 'unknown' then grouped.{{ measure }} else 0 end
            as other_{{ measure }},
        {%- endfor %}
        smallest.row_count as smallest_count
    from grouped
    cross join smallest
),

judged as (
    select
        *,
        row_count >= smallest_count and other_row_count >= smallest_count as is_large,
        outcome_count >= smallest_count and other_outcome_count >= smallest_count
            as is_large_outcome,
        {{ ratio_of('selected_count', 'row_count') }} as selection_ratio,
        sqrt(
            {%- for other in ['', 'other_'] %}
            {{ log_ratio_variance(
                other ~ 'selected_count', other ~ 'row_count', other ~ 'selection_squares',
                other ~ 'selection_rows', other ~ 'row_squares'
            ) }}{{ ' +' if loop.first }}
            {%- endfor %}
        ) as selection_error,
        {{ ratio_of('happened_count', 'expected_count') }} as error_ratio,
        sqrt(
            {%- for other in ['', 'other_'] %}
            {{ log_ratio_variance(
                other ~ 'happened_count', other ~ 'expected_count', other ~ 'happened_squares',
                other ~ 'happened_expected', other ~ 'expected_squares'
            ) }}{{ ' +' if loop.first }}
            {%- endfor %}
        ) as error_error
    from compared
),

final as (
    select
        model_name,
        attribute_name,
        group_name,
        {{ as_of_date() }} as as_of_date,
        cast(row_count as bigint) as row_count,
        cast(other_row_count as bigint) as other_row_count,
        cast(outcome_count as bigint) as outcome_count,
        cast(other_outcome_count as bigint) as other_outcome_count,
        cast(happened_count as bigint) as happened_count,
        cast(other_happened_count as bigint) as other_happened_count,
        case
            when is_large then cast(cast(selected_count as double) / row_count as decimal(9, 6))
        end as selection_rate,
        case
            when is_large then cast(cast(score_sum as double) / row_count as decimal(9, 6))
        end as mean_score,
        case when is_large then cast(selection_ratio as decimal(18, 6)) end as selection_ratio,
        case when is_large then {{ ratio_bound('selection_ratio', 'selection_error', '-') }} end
            as selection_ratio_low,
        case when is_large then {{ ratio_bound('selection_ratio', 'selection_error', '+') }} end
            as selection_ratio_high,
        case
            when is_large_outcome
                then cast(cast(error_sum as double) / outcome_count as decimal(9, 6))
        end as mean_squared_error,
        case when is_large_outcome then cast(error_ratio as decimal(18, 6)) end as error_ratio,
        case when is_large_outcome then {{ ratio_bound('error_ratio', 'error_error', '-') }} end
            as error_ratio_low,
        case when is_large_outcome then {{ ratio_bound('error_ratio', 'error_error', '+') }} end
            as error_ratio_high
    from judged
)

select * from final
