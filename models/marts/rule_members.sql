-- Grain: customer and own segment with rules: who meets all conditions of one group at least. The
-- conditions are rows of seeds/own/segment_rules.csv; what the operators mean stands in
-- macros/business/segment_rules.sql. Reason and figures are those of the first group that holds.
with customers as (
    select * from {{ ref('customer_descriptions') }}
    where is_profiled
),

attributes as (
    select * from {{ ref('dim_customer_attributes') }}
    where is_in_rules
),

rules as (
    select
        *,
        replace(column_name, 'custom_attributes.', '') as asked_for,
        replace(replace(trim(lower(compared_with)), ' |', '|'), '| ', '|') as sought,
        {{ try_cast('compared_with', 'decimal(28, 8)') }} as sought_number,
        {{ try_cast('compared_with', 'integer') }} as sought_days,
        {{ condition_words('operator', 'compared_with') }} as words,
        count(*) over (partition by segment_id, rule_group) as condition_count,
        row_number() over (
            partition by segment_id, rule_group, column_name order by operator, compared_with
        ) = 1 as is_first_of_column
    from {{ ref('segment_rules') }}
),

asked as (
    select
        rules.*,
        customers.customer_key,
        coalesce({{ described_kind('rules.column_name') }}, attributes.attribute_type) as kind,
        coalesce(
            {{ described_text('rules.column_name', 'customers') }}, attributes.attribute_value
        ) as written
    from customers
    cross join rules
    left join attributes
        on
            customers.customer_key = attributes.customer_key
            and rules.column_name = 'custom_attributes.' || attributes.attribute_name
),

compared as (
    select
        *,
        lower(written) as found,
        case when kind = 'number' then {{ try_cast('written', 'decimal(28, 8)') }} end
            as found_number,
        {{ as_of_date() }} - case when kind = 'date' then {{ try_cast('written', 'date') }} end
            as days_ago,
        case
            when kind = 'number' then cast(sign(found_number - sought_number) as integer)
            when found < sought then -1
            when found = sought then 0
            when found > sought then 1
        end as difference
    from asked
),

held as (
    select
        *,
        {{ condition_days_to_go() }} as days_to_go
    from compared
    where
        {{ condition_holds() }}
),

groups as (
    select
        customer_key,
        segment_id,
        rule_group,
        {{ as_of_date() }} + cast(min(days_to_go) as integer) as ends_on,
        {{ conditions_listed("asked_for || coalesce(' ' || substr(written, 1, 100), '')"
            ~ " || case when operator = 'equals' then '' else ' (' || words || ')' end", ', ') }}
            as reason,
        {{ conditions_listed(
            "case when is_first_of_column then '\"' || asked_for || '\": ' || coalesce("
            ~ "case when kind in ('number', 'boolean') then written else "
            ~ json_string('substr(written, 1, 100)') ~ " end, 'null') end", ', ') }} as figures,
        {{ conditions_listed("asked_for || ' is no longer ' || words", ' or ') }} as exit_rule
    from held
    group by customer_key, segment_id, rule_group
    having count(*) = max(condition_count)
),

final as (
    select
        customer_key,
        segment_id,
        reason,
        '{' || figures || '}' as figures,
        case
            when count(*) over (partition by customer_key, segment_id) > 1
                then 'Leaves when no group of its rules holds any longer'
            else 'Leaves when ' || exit_rule
        end as exit_rule,
        -- Never, where one of the groups that hold never ends by itself.
        case
            when
                count(*) over (partition by customer_key, segment_id)
                = count(ends_on) over (partition by customer_key, segment_id)
                then max(ends_on) over (partition by customer_key, segment_id)
        end as ends_on
    from groups
    qualify row_number() over (partition by customer_key, segment_id order by rule_group) = 1
)

select * from final
