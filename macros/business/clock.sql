{#
    The one clock (docs/decisions/0002): the var as_of_at, else the start of the run. No model asks
    the engine for the time.

    Returns: datetime (naive, UTC).
    Errors: names the value and the format where as_of_at is not a timestamp.
#}
{% macro _clock() -%}
    {%- set value = var('as_of_at') -%}
    {%- if value is none -%}
        {{ return(run_started_at.astimezone(modules.pytz.utc).replace(tzinfo=none, microsecond=0)) }}
    {%- endif -%}
    {%- set text = (value | string).replace('T', ' ').rstrip('Z') -%}
    {%- set formats = {10: '%Y-%m-%d', 16: '%Y-%m-%d %H:%M', 19: '%Y-%m-%d %H:%M:%S'} -%}
    {%- set known = modules.re.match(
        '^(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])'
        ~ '( ([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?$', text
    ) -%}
    {%- if known -%}
        {#- The 30th of February has the right form; no day beyond its month's last is a time. -#}
        {%- set year, month = text[:4] | int, text[5:7] | int -%}
        {%- set next_month = modules.datetime.date(year + month // 12, month % 12 + 1, 1) -%}
        {%- set last_day = (next_month - modules.datetime.timedelta(days=1)).day -%}
    {%- endif -%}
    {%- if not known or text[8:10] | int > last_day -%}
        {{ exceptions.raise_compiler_error(
            "The clock is not a time: the var as_of_at is '" ~ value ~ "'. Give a UTC timestamp such as "
            ~ "'2018-01-01 05:00:00', or leave it out to use the start of the run."
        ) }}
    {%- endif -%}
    {{ return(modules.datetime.datetime.strptime(text, formats[text | length])) }}
{%- endmacro %}

{#
    The clock as a SQL literal. Facts know events strictly before it. In a table that the engine
    keeps current it is the engine's own.

    Returns: str, a SQL timestamp literal in UTC.
#}
{% macro as_of_at() -%}
    {%- if lettershop.is_live() -%}
    {{ lettershop.live_time() }}
    {%- else -%}
    timestamp '{{ lettershop._clock().strftime("%Y-%m-%d %H:%M:%S") }}'
    {%- endif -%}
{%- endmacro %}

{#
    The clock's calendar day in the shop's time zone. Scores and segments use whole days and know
    those strictly before it.

    Returns: str, a SQL date literal.
    Errors: names the value where shop_timezone is no IANA name.
#}
{% macro as_of_date() -%}
    {%- set zone = var('shop_timezone') -%}
    {%- if zone not in modules.pytz.all_timezones_set -%}
        {{ exceptions.raise_compiler_error(
            "The var shop_timezone is '" ~ zone ~ "'. Allowed: an IANA name such as"
            ~ " 'Europe/Berlin', 'America/New_York' or 'UTC'."
        ) }}
    {%- endif -%}
    {%- if lettershop.is_live() -%}
    cast({{ lettershop.live_time(zone) }} as date)
    {%- else -%}
    {%- set utc = modules.pytz.utc.localize(lettershop._clock()) -%}
    date '{{ utc.astimezone(modules.pytz.timezone(zone)).strftime("%Y-%m-%d") }}'
    {%- endif -%}
{%- endmacro %}

{#
    The first day of the clock's month in the shop's time zone: the day on which RFM's cut points
    were taken.

    Returns: str, a SQL date literal.
#}
{% macro as_of_month() -%}
    {{ lettershop.as_of_date()[:13] }}-01'
{%- endmacro %}
