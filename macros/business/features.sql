{#
    The transforms of model inputs, in one place, so that training and scoring cannot differ
    (docs/decisions/0031). Each takes a number that may be null and gives a double that is not.

    Outlier rule: what is below zero counts as zero, what is above the cap as the cap. Results are
    rounded, so that two engines agree.

    Args:
        number (str): a SQL expression of a numeric type.
        cap (float): the largest number that still makes a difference.
        when_missing (str): what stands for null, in the unit of the number.
    Returns: str, a SQL expression of type double.
#}
{% macro log_feature(number, cap=1000000, when_missing='0') -%}
    cast(
        round(ln(1 + least(greatest(cast(coalesce({{ number }}, {{ when_missing }}) as double), 0), {{ cap }})), 6)
        as double
    )
{%- endmacro %}

{% macro rate_feature(number, when_missing='0') -%}
    cast(
        round(least(greatest(cast(coalesce({{ number }}, {{ when_missing }}) as double), 0), 1), 6)
        as double
    )
{%- endmacro %}

{#
    The logarithm of a ratio of two numbers that are not below zero, both raised a little so that
    zero is no special case; between -cap and cap.

    Args:
        numerator (str), denominator (str): SQL expressions of a numeric type; null counts as zero.
        raised_by (float): what is added to both, in their unit.
        cap (float): see above.
    Returns: str, a SQL expression of type double.
#}
{% macro ratio_feature(numerator, denominator, raised_by=1, cap=5) -%}
    cast(
        round(
            least(
                greatest(
                    ln(
                        (greatest(cast(coalesce({{ numerator }}, 0) as double), 0) + {{ raised_by }})
                        / (greatest(cast(coalesce({{ denominator }}, 0) as double), 0) + {{ raised_by }})
                    ),
                    -{{ cap }}
                ),
                {{ cap }}
            ),
            6
        ) as double
    )
{%- endmacro %}

{#
    One for yes and zero for no or unknown.

    Args:
        condition (str): a SQL expression of type boolean.
    Returns: str, a SQL expression of type double.
#}
{% macro flag_feature(condition) -%}
    cast(case when {{ condition }} then 1 else 0 end as double)
{%- endmacro %}

{#
    What happened in the last days before a cutoff, as a sum.

    Args:
        number (str): a SQL expression, additive.
        age_days (str): days from what happened to the cutoff, a SQL expression of type integer.
        days (int): the length of the window; the day before the cutoff is 1.
    Returns: str, an aggregate expression, zero where nothing happened.
#}
{% macro in_last(number, age_days, days) -%}
    coalesce(sum(case when {{ age_days }} <= {{ days }} then {{ number }} end), 0)
{%- endmacro %}

{#
    Purchase days that a year would bring somebody at the pace so far, if they are still a customer,
    times the chance that they are. (r + x) / (alpha + T) and the chance are those of the MBG/NBD of
    Batislam, Denizel & Filiztekin (Empirical validation and comparison of models for customer base
    analysis, International Journal of Research in Marketing 24, 2007), with the parameters that
    Fader, Hardie & Lee published for CDNOW (2005): a scale that shops share, not a forecast. Recency,
    frequency and age act together in it as no sum of them does.

    Args:
        purchase_day_count (str): SQL expression; null for who never bought, as are the others.
        recency_days (str), age_days (str): days since the last and the first purchase.
    Returns: str, a SQL expression of type double, null for who never bought.
#}
{% macro expected_days(purchase_day_count, recency_days, age_days) -%}
    365 * (cast({{ purchase_day_count }} as double) - 0.757) / ({{ age_days }} + 31)
    / (
        1
        + 0.793 / (cast({{ purchase_day_count }} as double) + 1.426)
        * power(
            cast({{ age_days }} + 31 as double) / ({{ age_days }} - {{ recency_days }} + 31),
            least(cast({{ purchase_day_count }} as double) - 0.757, 50)
        )
    )
{%- endmacro %}
