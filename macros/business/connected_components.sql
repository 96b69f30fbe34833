{#
    Connected components of a graph, as a chain of CTEs to stand in a `with` list; the last of them
    is `<edges>_components` (node, component), one row per node that has an edge. Nodes without an
    edge are their own component and do not stand there.

    How: in every pass each node points to the neighbour that a hash of (node, pass) puts first, if
    that comes before itself; three nodes in four of a path do, in runs that are short because the
    hash shuffles the order anew in every pass. Pointers are followed twice (runs of four), and the
    graph is drawn again between the nodes pointed to. A pass leaves about a third of a path's
    nodes, so that the passes here do for paths of tens of thousands; what is then unfinished
    stands in `<edges>_unfinished`, and a test has to ask whether it is empty. No recursion, since
    engines differ in what they allow in one, and no pass costs more than the edges that are left.

    After: Kiveris et al., "Connected Components in MapReduce and Beyond", 2014, with the random
    order of Reif, "Optimal Parallel Algorithms for Graph Connectivity", 1984.

    Args:
        edges (str): a CTE with the text columns left_node and right_node, either way round.
        passes (int).
    Returns: str, CTEs with a comma after each.
#}
{% macro connected_components(edges, passes=10) %}
{{ edges }}_edges_0 as (
    select
        left_node,
        right_node
    from {{ edges }}
    where left_node <> right_node
    union
    select
        right_node as left_node,
        left_node as right_node
    from {{ edges }}
    where left_node <> right_node
),

{{ edges }}_labels_0 as (
    select distinct
        left_node as node,
        left_node as label
    from {{ edges }}_edges_0
),
{% for n in range(1, passes + 1) %}
{{ edges }}_hooks_{{ n }} as (
    select
        left_node as node,
        case
            when min(md5(right_node || '{{ n }}') || right_node) < md5(left_node || '{{ n }}') || left_node
                then substr(min(md5(right_node || '{{ n }}') || right_node), 33)
            else left_node
        end as label
    from {{ edges }}_edges_{{ n - 1 }}
    group by left_node
),

{{ edges }}_jumps_{{ n }} as (
    select
        first_steps.node,
        third_steps.label
    from {{ edges }}_hooks_{{ n }} as first_steps
    inner join {{ edges }}_hooks_{{ n }} as second_steps on first_steps.label = second_steps.node
    inner join {{ edges }}_hooks_{{ n }} as third_steps on second_steps.label = third_steps.node
),

{{ edges }}_labels_{{ n }} as (
    select
        labels.node,
        coalesce(jumps.label, labels.label) as label
    from {{ edges }}_labels_{{ n - 1 }} as labels
    left join {{ edges }}_jumps_{{ n }} as jumps on labels.label = jumps.node
),

{#- In two steps: asked at once which ends differ, an engine compares all with all. -#}
{{ edges }}_halves_{{ n }} as (
    select distinct
        left_ends.label as left_node,
        edges.right_node
    from {{ edges }}_edges_{{ n - 1 }} as edges
    inner join {{ edges }}_jumps_{{ n }} as left_ends on edges.left_node = left_ends.node
),

{{ edges }}_edges_{{ n }} as (
    select distinct
        halves.left_node,
        right_ends.label as right_node
    from {{ edges }}_halves_{{ n }} as halves
    inner join {{ edges }}_jumps_{{ n }} as right_ends on halves.right_node = right_ends.node
    where halves.left_node <> right_ends.label
),
{% endfor %}
{{ edges }}_unfinished as (
    select distinct left_node as label from {{ edges }}_edges_{{ passes }}
),

{{ edges }}_components as (
    select
        node,
        label as component
    from {{ edges }}_labels_{{ passes }}
),
{% endmacro %}
