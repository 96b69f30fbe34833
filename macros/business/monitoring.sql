{#
    One bin's part of the population stability index (Siddiqi 2006), to be summed over the bins:
    (actual - expected) ln(actual / expected). Each bin of either side has half a row on top of its
    own, so that an empty one counts as little and not as infinitely much.

    Args:
        expected_rate (str), expected_rows (str): share of the bin in the older sample, 0 to 1, and
            rows of that sample.
        actual_rate (str), actual_rows (str): of the newer one.
        bins (str): how many bins there are.
    Returns: str, a SQL expression of type decimal(18, 9).
#}
{% macro stability_part(expected_rate, expected_rows, actual_rate, actual_rows, bins) -%}
    {%- set expected = lettershop.smoothed_rate(expected_rate, expected_rows, bins) -%}
    {%- set actual = lettershop.smoothed_rate(actual_rate, actual_rows, bins) -%}
    cast(({{ actual }} - {{ expected }}) * ln({{ actual }} / {{ expected }}) as decimal(18, 9))
{%- endmacro %}

{% macro smoothed_rate(rate, rows, bins) -%}
    ((cast({{ rate }} as double) * {{ rows }} + 0.5) / ({{ rows }} + 0.5 * {{ bins }}))
{%- endmacro %}

{#
    How much of a value lies up to the upper bound of a bin, 0 to 1. A value counts as if it were
    spread evenly over width to either side: what many people have in common, none above all, then
    moves from bin to bin as gradually as anything else, instead of all at once.

    Args:
        number (str): the value, of type double.
        upper_bound (str): of the bin; null for the last, which reaches up to everything.
        width (str): half of what a value is spread over, in its unit; 0 or null for not at all.
    Returns: str, a SQL expression of type decimal(18, 9).
#}
{% macro part_up_to(number, upper_bound, width) -%}
    cast(
        case
            when {{ upper_bound }} is null then 1
            when coalesce({{ width }}, 0) > 0
                then least(greatest(({{ upper_bound }} - {{ number }} + {{ width }}) / (2 * {{ width }}), 0), 1)
            when {{ number }} <= {{ upper_bound }} then 1
            else 0
        end as decimal(18, 9)
    )
{%- endmacro %}

{#
    Features as rows: a query of customer_key, item_id, feature and feature_value.

    Args:
        relation (Relation): of features.
        model_name (str): of the same relation, whose YAML names the columns.
        item_id (str): SQL of the item.
        condition (str): SQL that a row must meet.
    Returns: str, a query; without columns while dbt parses.
#}
{% macro features_as_rows(relation, model_name, item_id, condition) -%}
    {%- set keys = ['customer_key', 'item_id', 'as_of_date'] -%}
    {%- set columns = [] -%}
    {%- if execute -%}
        {%- for name in graph.nodes['model.lettershop.' ~ model_name].columns if name not in keys -%}
            {%- do columns.append(name) -%}
        {%- endfor -%}
    {%- endif -%}
    select
        customer_key,
        item_id,
        lower(feature) as feature,
        feature_value
    from (
        select
            customer_key,
            {{ item_id }} as item_id
            {%- for column in columns %},
            cast({{ column }} as double) as {{ column }}
            {%- endfor %}
        from {{ relation }}
        where {{ condition }}
    ) unpivot (feature_value for feature in ({{ columns | join(', ') }})) as unpivoted
{%- endmacro %}

{#
    The bounds of a 95% interval of a ratio of two shares or means, on the logarithmic scale
    (Katz et al. 1978): ratio x exp(-+ 1.96 error).

    Args:
        ratio (str): SQL.
        error (str): SQL of the standard error of the ratio's logarithm.
        sign (str): '-' for the lower, '+' for the upper bound.
    Returns: str, a SQL expression of type decimal(18, 6).
#}
{% macro ratio_bound(ratio, error, sign) -%}
    cast(
        case
            when {{ error }} is null then null
            when {{ ratio }} * exp({{ sign }}1.96 * {{ error }}) < 999999
                then {{ ratio }} * exp({{ sign }}1.96 * {{ error }})
            else 999999
        end as decimal(18, 6)
    )
{%- endmacro %}

{#
    A bound of the 95% interval of a share (Wilson 1927).

    Args:
        rate (str): the share, a double.
        rows (str): that it was taken from, at least one.
        sign (str): '-' for the lower, '+' for the upper bound.
    Returns: str, a SQL expression of type double, 0 to 1.
#}
{% macro wilson_bound(rate, rows, sign) -%}
    {%- set rows = 'cast(' ~ rows ~ ' as double)' -%}
    least(
        greatest(
            (
                {{ rate }} + 1.9208 / {{ rows }}
                {{ sign }} 1.96 * sqrt(({{ rate }} * (1 - {{ rate }}) + 0.9604 / {{ rows }}) / {{ rows }})
            ) / (1 + 3.8416 / {{ rows }}),
            0
        ),
        1
    )
{%- endmacro %}

{#
    How many times as high a share or mean is in a group as among the others.

    Args:
        numerator (str), denominator (str): columns of the group; those of the others are called
            the same with other_ before.
    Returns: str, a SQL expression of type double; null where the others have nothing.
#}
{% macro ratio_of(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif({{ denominator }}, 0))
    / nullif(cast(other_{{ numerator }} as double) / nullif(other_{{ denominator }}, 0), 0)
{%- endmacro %}

{#
    Squared standard error of the logarithm of a ratio of two sums over customers, whose rows are
    not independent of each other: sum((x - ratio y)^2) / sum(x)^2 (Cochran 1977, the ratio
    estimator). With one row per customer, of a share, it is Katz's 1 / hits - 1 / rows.

    Args:
        x (str), y (str): sums; the ratio is x / y.
        xx (str), xy (str), yy (str): sums of squares and products of each customer's own sums.
    Returns: str, a SQL expression of type double; null where x is zero.
#}
{% macro log_ratio_variance(x, y, xx, xy, yy) -%}
    greatest(
        (
            cast({{ xx }} as double)
            - 2 * (cast({{ x }} as double) / nullif({{ y }}, 0)) * {{ xy }}
            + power(cast({{ x }} as double) / nullif({{ y }}, 0), 2) * {{ yy }}
        ) / nullif(power(cast({{ x }} as double), 2), 0),
        case when {{ x }} > 0 then 0 end
    )
{%- endmacro %}

{#
    By how much a ratio differs from 1 for certain, as a factor of at least 1 where it does: the
    bound of a 99.9% interval that is nearer to 1, or its inverse. 99.9, and not 95, because dozens
    of groups are compared in every build.

    Args:
        ratio (str): with the columns <ratio>_low and <ratio>_high of its 95% interval.
    Returns: str, a SQL expression of type double; null without interval.
#}
{% macro certain_factor(ratio) -%}
    case
        when {{ ratio }}_low > 0
            then greatest(
                cast({{ ratio }} as double)
                * power(cast({{ ratio }}_low as double) / {{ ratio }}, 3.29 / 1.96),
                power(cast({{ ratio }} as double) / {{ ratio }}_high, 3.29 / 1.96) / {{ ratio }}
            )
    end
{%- endmacro %}
