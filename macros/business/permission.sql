{#
    What a statement about consent does to a purpose; docs/decisions/0008 says how they are weighed.

    Args:
        action (str), is_imported (str): SQL expressions.
    Returns: str, a SQL expression of type text.
#}
{% macro statement_kind(action, is_imported) -%}
    case
        when {{ action }} = 'withdrawn' then 'withdrawal'
        when {{ action }} in ('objected', 'restricted') then 'bar'
        when {{ action }} = 'unrestricted' and not {{ is_imported }} then 'lift'
        when {{ action }} in ('granted', 'confirmed') and {{ is_imported }} then 'imported_grant'
        when {{ action }} in ('granted', 'confirmed') then 'grant'
        else 'request'
    end
{%- endmacro %}

{#
    Columns that weigh the latest statements of each kind against each other: a withdrawal wins a
    tie, and no import brings back what a person took away.

    Args:
        states (str): the alias of rows with withdrawn_at, barred_at, lifted_at, granted_at,
            imported_granted_at, confirmed_at and imported_confirmed_at.
    Returns: str, the columns is_confirmed, is_barred, has_own_grant and has_imported_grant.
#}
{% macro weighed_statements(states) -%}
    coalesce(
        {{ states }}.confirmed_at > {{ states }}.withdrawn_at,
        coalesce({{ states }}.confirmed_at, {{ states }}.imported_confirmed_at) is not null
    ) as is_confirmed,
    coalesce({{ states }}.barred_at >= {{ states }}.lifted_at, {{ states }}.barred_at is not null)
        as is_barred,
    coalesce({{ states }}.granted_at > {{ states }}.withdrawn_at, {{ states }}.granted_at is not null)
        as has_own_grant,
    {{ states }}.withdrawn_at is null and {{ states }}.imported_granted_at is not null
        as has_imported_grant
{%- endmacro %}

{#
    What decides on a purpose, once the statements are weighed.

    Args:
        day (str): the day on which it is asked, a SQL expression of type date.
    Returns: str, a SQL expression of type text over is_barred, bar_action, live_grant_at,
        withdrawn_at, basis, needs_confirmation, is_confirmed, expires_on, has_purchased and
        requested_at.
#}
{% macro permission_reason(day) -%}
    case
        when is_barred then bar_action
        when live_grant_at is null and withdrawn_at is not null then 'withdrawn'
        when basis = 'opt_out' then 'not_objected'
        when
            live_grant_at is not null
            and needs_confirmation
            and not is_confirmed
            then 'not_confirmed'
        when live_grant_at is not null and expires_on <= {{ day }} then 'expired'
        when live_grant_at is not null then 'granted'
        when basis = 'soft_opt_in' and has_purchased then 'customer'
        when requested_at is not null then 'requested'
        else 'never_asked'
    end
{%- endmacro %}

{#
    The reasons that permit.

    Args:
        reason (str): a SQL expression of type text.
    Returns: str, a SQL expression of type boolean.
#}
{% macro is_permitted(reason) -%}
    {{ reason }} in ('granted', 'customer', 'not_objected')
{%- endmacro %}
