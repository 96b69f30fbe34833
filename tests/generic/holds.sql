{#
    Fails with every row for which the condition is not true; a condition that is null is not true.

    Args:
        condition (str): a SQL expression of type boolean over the model's columns.
#}
{% test holds(model, condition) %}

select *
from {{ model }}
where not coalesce({{ condition }}, false)

{% endtest %}
