{{ config(pre_hook="{{ guard_custom_segments() }}") }}

-- Grain: customer and own segment that a model of the var custom_segment_models names. The pre-hook
-- stops at what is no such model (docs/decisions/0073). Who may not be profiled is left out.
-- depends_on: {{ ref('dim_customers') }}, {{ ref('own_segments') }}, {{ ref('segment_rules') }}
with named as (
    {%- for name, relation in custom_segment_relations().items() %}
    select
        customer_key,
        segment_id,
        cast(reason as varchar) as reason,
        '{{ name }}' as model_name
    from {{ relation }}
    union all
    {%- endfor %}
    select
        cast(null as varchar) as customer_key,
        cast(null as varchar) as segment_id,
        cast(null as varchar) as reason,
        cast(null as varchar) as model_name
    where 1 = 0
),

profiled as (
    select customer_key from {{ ref('profiled_customers') }}
),

final as (
    select
        named.customer_key,
        named.segment_id,
        named.reason,
        {{ json_text([['model', 'named.model_name', true]]) }} as figures,
        'Leaves when ' || named.model_name || ' no longer names the customer' as exit_rule,
        cast(null as date) as ends_on
    from named
    inner join profiled on named.customer_key = profiled.customer_key
)

select * from final
