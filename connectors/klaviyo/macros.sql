{# A channel in the contract's words. #}
{% macro channel_of(expression) -%}
    case lower({{ expression }})
        when 'email' then 'email'
        when 'sms' then 'sms'
        when 'push' then 'push'
        when 'mobile_push' then 'push'
    end
{%- endmacro %}
