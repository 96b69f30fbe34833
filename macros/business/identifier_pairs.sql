{#
    Every two identifiers that stand in one row, a row for each pair of types that has both.

    Args:
        named_together (str): a CTE of store, linked_at and one column per type of identifier:
            customer_id, esp_contact_id, email, phone, anonymous_id.
    Returns: str, a query of store, left_type, left_identifier, right_type, right_identifier and
        linked_at; a pair that several rows name stands several times.
#}
{% macro identifier_pairs(named_together) -%}
    {%- set types = ['customer_id', 'esp_contact_id', 'email', 'phone', 'anonymous_id'] -%}
    {%- set pairs = [] -%}
    {%- for left_type in types -%}
        {%- for right_type in types[loop.index:] -%}
            {%- do pairs.append([left_type, right_type]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for left_type, right_type in pairs %}
    {{ 'union all' if not loop.first }}
    select
        store,
        '{{ left_type }}' as left_type,
        {{ left_type }} as left_identifier,
        '{{ right_type }}' as right_type,
        {{ right_type }} as right_identifier,
        linked_at
    from {{ named_together }}
    where {{ left_type }} is not null and {{ right_type }} is not null
    {%- endfor %}
{%- endmacro %}
