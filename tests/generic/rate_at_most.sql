{#
    Fails with one row where the condition is true for more than a share of the rows.

    Args:
        condition (str): a SQL expression of type boolean over the model's columns.
        rate (float): the share that is still accepted, 0 to 1.
#}
{% test rate_at_most(model, condition, rate) %}

select
    count(*) as row_count,
    sum(case when {{ condition }} then 1 else 0 end) as hit_count
from {{ model }}
having sum(case when {{ condition }} then 1 else 0 end) > {{ rate }} * count(*)

{% endtest %}
