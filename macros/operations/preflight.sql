{% macro preflight() %}{% endmacro %}
