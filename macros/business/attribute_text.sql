{#
    A value of the shop's own attributes in the one spelling of its type: numbers without superfluous
    zeros, dates as YYYY-MM-DD, booleans as true or false, text as it is.

    Args:
        expression (str): SQL of type text.
        type (str): SQL of the type, as seeds/own/attribute_catalog.csv says it.
    Returns: str, a SQL expression of type text; null for null and where the value does not fit.
#}
{% macro attribute_text(expression, type) -%}
    {%- set number = lettershop.try_cast(expression, 'decimal(28, 8)') -%}
    case {{ type }}
        when 'text' then {{ expression }}
        when 'number'
            then
                -- Written out: engines read words such as NaN, and round what has more digits.
                case
                    when {{ lettershop.matches(expression, '^[+-]?[0-9]{1,18}([.][0-9]{1,8})?$') }}
                        then rtrim(rtrim(cast({{ number }} as varchar), '0'), '.')
                end
        when 'boolean'
            then
                case
                    when lower({{ expression }}) in ('true', 't', 'yes', 'y', '1') then 'true'
                    when lower({{ expression }}) in ('false', 'f', 'no', 'n', '0') then 'false'
                end
        when 'date'
            then
                case
                    when
                        {{ lettershop.matches(
                            expression, '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+]00(:?00)?)?)?$'
                        ) }}
                        then cast({{ lettershop.try_cast('substr(' ~ expression ~ ', 1, 10)', 'date') }} as varchar)
                end
    end
{%- endmacro %}
