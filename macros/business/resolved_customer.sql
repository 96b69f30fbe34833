{#
    Joins that look a row's identifiers up in int_identifiers_resolved, and the customer they give:
    that of the first identifier that is known, most trusted first. A row whose first identifier
    nobody knows is not lost while another is.

    Args:
        relation (str): the CTE whose rows have the identifiers, and `store`.
        types (list of str): identifier types, which are the columns' names at once.
    Returns: str; resolved_customer_joins the joins, resolved_customer_key an expression.
#}
{% macro resolved_customer_joins(relation, types) -%}
    {%- for type in types %}
    left join {{ ref('int_identifiers_resolved') }} as by_{{ type }}
        on
            {{ relation }}.store = by_{{ type }}.store
            and by_{{ type }}.identifier_type = '{{ type }}'
            and {{ relation }}.{{ type }} = by_{{ type }}.identifier
    {%- endfor %}
{%- endmacro %}

{% macro resolved_customer_key(types) -%}
    coalesce(
        {%- for type in types %}
        by_{{ type }}.customer_key{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
