{# A stable id made of content: equal content, equal id. #}
{% macro content_hash(expressions) -%}
    md5(
        ''
        {%- for expression in expressions %}
        || coalesce(cast({{ expression }} as varchar), '-') || '|'
        {%- endfor %}
    )
{%- endmacro %}
