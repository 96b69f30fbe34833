{# Whether an order line is a tip: it has no product, and Shopify names it so. #}
{% macro is_tip() -%}
    (product_id is null and lower(title) = 'tip')
{%- endmacro %}

{# The product of an order line. A gift card and a tip may have none, and have to be told from goods:
   they get one of ours. #}
{% macro product_of_line() -%}
    coalesce(
        product_id,
        case when gift_card then 'gift_card' when {{ is_tip() }} then 'tip' end
    )
{%- endmacro %}
