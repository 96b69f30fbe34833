{#
    The walk from the identifiers that a request names to all that its person had when it was made,
    as a chain of CTEs to stand in a `with` list; the last of them is `walked`. A fixed number of
    passes and no recursion, since engines differ in what they allow in one; each pass reads the
    links once. Whoever could be reached only in more steps than there are passes stands in
    `unfinished`, and a test asks whether it is empty.

    Args:
        starts (str): a CTE of store, request_id, requested_at, identifier_type and identifier.
        links (str): a CTE, see base_consent__identifier_links.
        passes (int).
    Returns: str, CTEs with a comma after each.
#}
{% macro walk_links(starts, links, passes=8) %}
{%- for n in range(1, passes + 1) %}
{{ 'walked' if loop.last else 'walked_' ~ n }} as (
    select * from {{ starts if loop.first else 'walked_' ~ (n - 1) }}
    union
    select
        walked.store,
        walked.request_id,
        walked.requested_at,
        links.right_type as identifier_type,
        links.right_identifier as identifier
    from {{ starts if loop.first else 'walked_' ~ (n - 1) }} as walked
    inner join {{ links }} as links
        on
            walked.store = links.store
            and walked.identifier_type = links.left_type
            and walked.identifier = links.left_identifier
            and walked.requested_at >= links.linked_at
            and walked.requested_at < links.shared_since
),
{% endfor %}
unfinished as (
    select
        store,
        request_id
    from (
        select * from walked
        except
        select * from walked_{{ passes - 1 }}
    ) as found_last
    group by store, request_id
),
{%- endmacro %}
