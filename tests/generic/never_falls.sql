{#
    Fails with every row in which a column is less than in the row before it.

    Args:
        columns (list of str): of numbers; null is not less.
        partition_by (list of str): rows that are compared have these in common.
        order_by (str): a column that orders them.
#}
{% test never_falls(model, columns, partition_by, order_by) %}

select *
from {{ model }}
qualify
    {%- for column in columns %}
    {{ column }} < lag({{ column }}) over (
        partition by {{ partition_by | join(', ') }} order by {{ order_by }} asc nulls last
    )
    {{ 'or' if not loop.last }}
    {%- endfor %}

{% endtest %}
