{#
    What rules of own segments may ask for: the columns of customer_profiles that are no name, address
    or id of a person, and no list of segments or attributes.

    Returns: dict of column to kind: text, number, boolean, date, or time (asked for as its day in the
        shop).
#}
{% macro rule_columns() %}
    {%- set kinds = {
        'text': [
            'store', 'country_code', 'language', 'block_reason', 'permission_reason',
            'rfm_segment', 'lifecycle_stage', 'favourite_category', 'engagement_tier',
            'preferred_category', 'preferred_brand', 'preferred_price_band', 'preferred_channel',
            'purchase_band', 'lapse_risk_band', 'predicted_value_band', 'persona_id',
            'persona_name'
        ],
        'number': [
            'order_count', 'days_since_last_order', 'mean_gap_days', 'net_revenue_amount',
            'mean_order_amount', 'discount_rate', 'recency_score', 'frequency_score',
            'monetary_score', 'engagement_score', 'email_click_rate', 'preferred_hour',
            'preferred_weekday', 'purchase_score', 'lapse_risk_score',
            'predicted_value_365d_amount', 'predicted_value_365d_low_amount',
            'predicted_value_365d_high_amount', 'predicted_margin_365d_amount',
            'total_value_amount'
        ],
        'boolean': [
            'is_guest', 'has_purchased', 'is_profiled', 'is_contactable'
        ],
        'date': [
            'first_order_date', 'last_order_date', 'expected_next_order_date'
        ],
        'time': [
            'signed_up_at'
        ],
    } -%}
    {%- set columns = {} -%}
    {%- for kind, names in kinds.items() -%}
        {%- for name in names -%}{%- do columns.update({name: kind}) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{#
    The operators of seeds/own/segment_rules.csv. A value that is unknown meets is_unknown alone.

    Returns: dict of operator to dict:
        kinds (list of str): of the columns that it can be used on;
        takes (str): what it is compared with: one (a value of the column's kind), several (values
            with `|` between), days (a whole number) or nothing;
        words (list of str): what to say before and after compared_with;
        held (str): SQL of `difference` (-1, 0 or 1: the value is less than, equal to or more than
            compared_with), `found` and `sought` (both lower case), `days_ago` and `sought_days`.
#}
{% macro rule_operators() %}
    {%- set any = ['text', 'number', 'boolean', 'date'] -%}
    {%- set ordered = ['number', 'date'] -%}
    {%- set listed = "position(('|' || found || '|') in ('|' || sought || '|'))" -%}
    {{ return({
        'equals': {'kinds': any, 'takes': 'one', 'words': ['', ''], 'held': 'difference = 0'},
        'differs': {'kinds': any, 'takes': 'one', 'words': ['not ', ''], 'held': 'difference <> 0'},
        'one_of': {
            'kinds': ['text'], 'takes': 'several', 'words': ['one of ', ''], 'held': listed ~ ' > 0',
        },
        'none_of': {
            'kinds': ['text'], 'takes': 'several', 'words': ['none of ', ''], 'held': listed ~ ' = 0',
        },
        'contains': {
            'kinds': ['text'], 'takes': 'one', 'words': ['with ', ' in it'],
            'held': 'position(sought in found) > 0',
        },
        'at_least': {
            'kinds': ordered, 'takes': 'one', 'words': ['at least ', ''], 'held': 'difference >= 0',
        },
        'more_than': {
            'kinds': ordered, 'takes': 'one', 'words': ['more than ', ''], 'held': 'difference > 0',
        },
        'at_most': {
            'kinds': ordered, 'takes': 'one', 'words': ['at most ', ''], 'held': 'difference <= 0',
        },
        'less_than': {
            'kinds': ordered, 'takes': 'one', 'words': ['less than ', ''], 'held': 'difference < 0',
        },
        'within_last_days': {
            'kinds': ['date'], 'takes': 'days', 'words': ['within the last ', ' days'],
            'held': 'days_ago between 0 and sought_days',
        },
        'within_next_days': {
            'kinds': ['date'], 'takes': 'days', 'words': ['within the next ', ' days'],
            'held': 'days_ago between -sought_days and 0',
        },
        'is_known': {'kinds': any, 'takes': 'nothing', 'words': ['known', ''], 'held': 'true'},
        'is_unknown': {
            'kinds': any, 'takes': 'nothing', 'words': ['unknown', ''], 'held': 'found is null',
        },
    }) }}
{% endmacro %}

{#
    The kind of a column of customer_descriptions, and its value as text in the one spelling of its
    kind (see attribute_text); of times, their day in the shop.

    Args:
        name (str): SQL of the column's name.
        relation (str): the alias of customer_descriptions.
    Returns: str, SQL expressions of type text; null for a name that rules may not ask for.
#}
{% macro described_kind(name) -%}
    case {{ name }}
        {%- for column, kind in lettershop.rule_columns().items() %}
        when '{{ column }}' then '{{ 'date' if kind == 'time' else kind }}'
        {%- endfor %}
    end
{%- endmacro %}

{% macro described_text(name, relation) -%}
    case {{ name }}
        {%- for column, kind in lettershop.rule_columns().items() %}
        {%- set value = relation ~ '.' ~ column %}
        when '{{ column }}'
            then
                {% if kind == 'number' -%}
                rtrim(rtrim(cast(cast({{ value }} as decimal(28, 8)) as varchar), '0'), '.')
                {%- elif kind == 'time' -%}
                cast({{ lettershop.local_date(value) }} as varchar)
                {%- else -%}
                cast({{ value }} as varchar)
                {%- endif %}
        {%- endfor %}
    end
{%- endmacro %}

{#
    A condition in words, without its column: `at least 5`.

    Args:
        operator (str), compared_with (str): SQL expressions.
    Returns: str, a SQL expression of type text.
#}
{% macro condition_words(operator, compared_with) -%}
    case {{ operator }}
        {%- for name, its in lettershop.rule_operators().items() %}
        when '{{ name }}'
            then '{{ its.words[0] }}' || {{ "''" if its.takes == 'nothing' else compared_with }}
            || '{{ its.words[1] }}'
        {%- endfor %}
    end
{%- endmacro %}

{#
    Whether a condition holds, of a row of rule_members with `operator` and what rule_operators names.

    Returns: str, a SQL expression of type boolean, never null.
#}
{% macro condition_holds() -%}
    case
        {%- for name, its in lettershop.rule_operators().items() %}
        when operator = '{{ name }}' then coalesce({{ its.held }}, false)
            {%- if name != 'is_unknown' %} and found is not null{% endif %}
        {%- endfor %}
        else false
    end
{%- endmacro %}

{#
    A text of each condition of a group, in one order.

    Args:
        expression (str): SQL of type text; nulls are left out.
        separator (str).
    Returns: str, an aggregate expression of type text.
#}
{% macro conditions_listed(expression, separator) -%}
    {{ dbt.listagg(
        expression, "'" ~ separator ~ "'", 'order by column_name, operator, compared_with'
    ) }}
{%- endmacro %}

{#
    Days until time alone ends that a condition holds: days pass, and days since the last order grow.

    Returns: str, a SQL expression of a number; null where time does not.
#}
{% macro condition_days_to_go() -%}
    case
        when operator = 'within_last_days' then sought_days - days_ago + 1
        when operator = 'within_next_days' then 1 - days_ago
        when column_name <> 'days_since_last_order' then null
        when operator = 'at_most' then floor(sought_number) - found_number + 1
        when operator = 'less_than' then ceil(sought_number) - found_number
        when operator = 'equals' then 1
        when operator = 'differs' and difference < 0 and sought_number = floor(sought_number)
            then sought_number - found_number
    end
{%- endmacro %}
