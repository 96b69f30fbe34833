-- A path of 20,000 nodes, numbered along it and so as bad as can be for whoever follows numbers; a
-- ring; a star; two nodes; and a pair that stands twice, both ways round.
with numbers as (
    {{ dbt.generate_series(20000) }}
),

links as (
    select
        'path ' || generated_number as left_node,
        'path ' || generated_number + 1 as right_node
    from numbers
    union all
    select
        'ring ' || generated_number as left_node,
        'ring ' || mod(generated_number, 100) + 1 as right_node
    from numbers
    where generated_number <= 100
    union all
    select
        'star 0' as left_node,
        'star ' || generated_number as right_node
    from numbers
    where generated_number <= 100
    union all
    select
        'pair 1' as left_node,
        'pair 2' as right_node
    union all
    select
        'pair 2' as left_node,
        'pair 1' as right_node
    union all
    select
        'alone' as left_node,
        'alone' as right_node
),

{{ connected_components('links') }}

components as (
    select
        split_part(node, ' ', 1) as shape,
        count(*) as node_count,
        count(distinct component) as component_count,
        min(case when split_part(component, ' ', 1) = split_part(node, ' ', 1) then 1 else 0 end)
            as is_own
    from links_components
    group by split_part(node, ' ', 1)
),

expected as (
    select
        'path' as shape,
        20001 as node_count
    union all
    select
        'ring' as shape,
        100 as node_count
    union all
    select
        'star' as shape,
        101 as node_count
    union all
    select
        'pair' as shape,
        2 as node_count
)

select
    expected.shape,
    components.node_count,
    components.component_count
from expected
full outer join components on expected.shape = components.shape
where
    components.node_count is distinct from expected.node_count
    or components.component_count is distinct from 1
    or components.is_own is distinct from 1
union all
select
    'unfinished' as shape,
    count(*) as node_count,
    0 as component_count
from links_unfinished
having count(*) > 0
