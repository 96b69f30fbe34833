{#
    The first rule that a raw row breaks, in the order given. Many loaders send a deletion as a row
    with nothing but its key and deleted_at: of a row that was deleted before the clock only the
    key is asked for.

    Args:
        rules (list of [condition, reason, detail]): SQL conditions, and the reason in words. A
            condition that is null counts as not broken. A detail (optional) is SQL of type text that
            stands behind the reason in brackets; never null, and never a value of a person's.
        key_rules (int): how many of the first rules are about the key.
        deleted_at (str): the row's deleted_at.
    Returns: str, a SQL expression of type text; null for a row that can be used.
#}
{% macro reject_reason(rules, key_rules=1, deleted_at='deleted_at') -%}
    case
        {%- for rule in rules %}
        {%- if loop.index0 == key_rules %}
        when {{ deleted_at }} < {{ lettershop.as_of_at() }} then null
        {%- endif %}
        when {{ rule[0] }} then '{{ rule[1] }}'{{ " || ' (' || " ~ rule[2] ~ " || ')'" if rule[2] }}
        {%- endfor %}
    end
{%- endmacro %}

{#
    What became of a raw row, and with it the accounting of a landing table:
    raw = accepted + superseded + rejected + not_yet + withheld + expired.

    Needs the columns reject_reason, is_withheld, is_not_yet, updated_at (or none), loaded_at,
    deleted_at and row_hash in scope. Only rows that are usable at the clock compete for being the
    newest version: a bad or a future version never displaces a good one.

    - withheld: the person asked to be erased; only the fact that a row was there is kept
    - expired: older than seeds/privacy/retention.csv allows; the same
    - rejected: breaks a rule
    - not_yet: happened at or after the clock
    - superseded: there is a newer version, or the row was deleted before the clock
    - accepted: the one version that takes part

    Args:
        key (list of str): columns that identify what the row is a version of.
        updated_at (bool): whether the table has the column updated_at.
        expires (bool): whether rows may expire; needs the column is_expired in scope.
    Returns: str, a SQL expression of type text.
#}
{% macro row_status(key, updated_at=false, expires=false) -%}
    {%- set order -%}
        {{ 'coalesce(updated_at, deleted_at) desc nulls last, ' if updated_at -}}
        coalesce(loaded_at, deleted_at) desc nulls last, row_hash
    {%- endset -%}
    {%- set usable = 'not is_withheld and reject_reason is null and not is_not_yet'
        ~ (' and not is_expired' if expires else '') -%}
    case
        when is_withheld then 'withheld'
        {%- if expires %}
        when is_expired then 'expired'
        {%- endif %}
        when reject_reason is not null then 'rejected'
        when is_not_yet then 'not_yet'
        when
            row_number() over (
                partition by {{ key | join(', ') }}, {{ usable }}
                order by {{ order }}
            ) > 1
            or coalesce(
                first_value(deleted_at) over (
                    partition by {{ key | join(', ') }}, {{ usable }}
                    order by {{ order }}
                ) < {{ lettershop.as_of_at() }},
                false
            )
            then 'superseded'
        else 'accepted'
    end
{%- endmacro %}

{#
    The same verdict for tables of events, which are large, and whose rows are hardly ever versions
    of each other: only those that are get sorted. Rows with several versions compete as above; the
    last tie-breaker is a hash of what staging keeps.

    Args:
        candidates (str): a query with the columns above (but row_hash), is_expired and the key's.
        keys (str): a query of `key_hash`, the fingerprint of the key, one row per candidate. Strangers
            with one hash are compared in vain, and nothing else.
        key (list of str): columns that identify what the row is a version of.
        columns (list of str): what staging keeps.
        landed (dict): `source_name`, `table_name` and `relation` of newly_landed, which the
            candidates read: once more, and only what has several versions.
    Returns: str, a query: the candidates with row_status.
#}
{% macro judged_versions(candidates, keys, key, columns, landed) -%}
    {%- set competing = candidates.replace(
        lettershop.newly_landed(**landed),
        lettershop.newly_landed(key=key, key_hashes='select key_hash from several', **landed)
    ) -%}
    with several as (
        select key_hash from ({{ keys }}) as keys
        group by key_hash
        having count(*) > 1
    )

    select
        candidates.*,
        case
            when is_withheld then 'withheld'
            when is_expired then 'expired'
            when reject_reason is not null then 'rejected'
            when is_not_yet then 'not_yet'
            when deleted_at < {{ lettershop.as_of_at() }} then 'superseded'
            else 'accepted'
        end as row_status
    from ({{ candidates }}) as candidates
    where {{ lettershop.fingerprint(key) }} not in (select key_hash from several)
    union all
    select
        * exclude (row_hash),
        {{ lettershop.row_status(key, expires=true) }} as row_status
    from (
        select
            candidates.*,
            md5(
                ''
                {%- for column in columns %}
                || coalesce(cast({{ column }} as varchar), '-') || '|'
                {%- endfor %}
            ) as row_hash
        from ({{ competing }}) as candidates
        where {{ lettershop.fingerprint(key) }} in (select key_hash from several)
    ) as competing
{%- endmacro %}

{#
    Rows of erased people and expired ones, reduced to the fact that they were there and when they
    were loaded. Closes the final CTE of a base model: every other column is null.

    Args:
        relation (str): a CTE with the column row_status.
    Returns: str, the second half of a union.
#}
{% macro and_withheld(relation) -%}
    union all by name
    select
        row_status,
        loaded_at
    from {{ relation }}
    where row_status in ('withheld', 'expired')
{%- endmacro %}

{#
    Whether a row belongs to a person who asked to be erased, and is not newer than the request.
    Erasure speaks of identifiers; see stg_consent__erasure_requests. Joins and a condition, not
    `exists`: the condition on the time would make an engine compare every row with every request.
    By keyed hash, since of most erased people nothing else is known any more.

    Args:
        relation (str): the alias of the rows, which have `store`.
        identifiers (dict of type to column): what the rows name a person by; type as in
            stg_consent__erasure_requests.
        happened_at (str): SQL expression of type timestamp; a null counts as before the request.
    Returns: str; erased_joins the joins, is_erased a SQL expression of type boolean, never null.
#}
{% macro erased_joins(relation, identifiers) -%}
    {%- for type, column in identifiers.items() %}
    left join {{ ref('stg_consent__erasure_requests') }} as erased_{{ type }}
        on
            {{ relation }}.store = erased_{{ type }}.store
            and erased_{{ type }}.identifier_type = '{{ type }}'
            and {{ lettershop.erasure_hash(relation ~ '.store', "'" ~ type ~ "'", column) }}
            = erased_{{ type }}.identifier_hash
    {%- endfor %}
{%- endmacro %}

{% macro is_erased(identifiers, happened_at) -%}
    (
        {%- for type in identifiers %}
        (
            erased_{{ type }}.requested_at is not null
            and coalesce({{ happened_at }} <= erased_{{ type }}.requested_at, true)
        )
        {{- ' or' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#
    Keys of stored rows that name somebody whose erasure no earlier build knew of; the rows were held
    against all others then. Rows since the request are among them: judging them again decides.

    A new request mostly still says whom it names. Where only the hash is left, since nobody has to
    be told, whatever the rows name is hashed, each identifier once.

    Args:
        relation (Relation): where the rows are stored.
        identifiers (list of str): its columns that identify a person.
        key_hash (str): its column to return.
        is_any_hashed (bool): whether a new request says its hash alone.
    Returns: str, further members of a union.
#}
{% macro newly_erased_keys(relation, identifiers, key_hash, is_any_hashed) -%}
    {%- for column in identifiers %}
        union
        select source.{{ key_hash }} as key_hash
        from {{ relation }} as source
        inner join (
            select
                store,
                identifier
            from {{ ref('stg_consent__erasure_requests') }}
            where is_new and identifier_type = '{{ column }}' and identifier is not null
            {%- if is_any_hashed %}
            union all
            select
                named.store,
                named.identifier
            from (
                select distinct
                    store,
                    {{ column }} as identifier
                from {{ relation }}
                where {{ column }} is not null
            ) as named
            inner join {{ ref('stg_consent__erasure_requests') }} as requests
                on
                    named.store = requests.store
                    and requests.identifier_type = '{{ column }}'
                    and requests.is_new
                    and requests.identifier is null
                    and {{ lettershop.erasure_hash(
                        'named.store', "'" ~ column ~ "'", 'named.identifier'
                    ) }} = requests.identifier_hash
            {%- endif %}
        ) as erased
            on source.store = erased.store and source.{{ column }} = erased.identifier
    {%- endfor %}
{%- endmacro %}

{#
    Names of the columns whose value could not be used though the row could: those that did not fit
    their type, and those that a rule of ours turned into null.

    Args:
        rules (list of [condition, column name]).
    Returns: str, a SQL expression of type text, comma-separated with a comma after each; null for none.
#}
{% macro unusable_columns(rules=[]) -%}
    nullif(
        coalesce(uncastable_columns, '')
        {%- for condition, column in rules %}
        || case when {{ condition }} then '{{ column }},' else '' end
        {%- endfor %},
        ''
    )
{%- endmacro %}
