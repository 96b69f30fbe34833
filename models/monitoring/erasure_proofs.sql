-- Grain: erasure and table in which identifiers of people stand, or place that no query reaches.
-- What is left must be nothing. An identifier that a newer row brought back is a new beginning: it
-- may stand in any table once staging has that row.
-- depends_on: {{ ref('build_runs') }}, {{ ref('dim_identifiers') }}, {{ ref('fct_customer_days') }}
-- depends_on: {{ ref('fct_web_sessions') }}, {{ ref('esp_erasure_queue') }}
-- depends_on: {{ ref('dim_customer_records') }}, {{ ref('esp_outbox') }}
-- depends_on: {{ ref('sync_reconciliation') }}
{%- set tables = identifier_tables('erasure_proofs') %}
{%- set lists = [
    'staging.stg_consent__erasure_requests', 'core.fct_erasures', 'activation.esp_erasure_queue',
] %}
with erased as (
    select * from {{ ref('fct_erasures') }}
),

erasures as (
    select
        erasure_hash,
        max(requested_at) as requested_at,
        max(case when confirmed_at is null then 1 else 0 end) = 0 as is_confirmed
    from erased
    group by erasure_hash
),

stores as (
    select distinct store from erased
),

-- Values are counted first and hashed then: once each, however many rows have them.
held as (
    {%- for table in tables %}
    {%- set table_loop = loop %}
    {%- for type, column in table.columns %}
    select
        '{{ table.table }}' as table_name,
        {{ 'held.store' if table.has_store else 'stores.store' }} as store,
        {{ type }} as identifier_type,
        {{ column }} as identifier,
        count(*) as row_count,
        count(*) - count({{ table.happened_at }}) as undated_count,
        cast(min({{ table.happened_at }}) as timestamp) as first_at,
        cast(max({{ table.happened_at }}) as timestamp) as last_at
    from {{ table.relation }} {{ 'as held' if table.has_store else 'cross join stores' }}
    where {{ column }} is not null
    group by
        {{ 'held.store' if table.has_store else 'stores.store' }},
        {{ type ~ ',' if type[0] != "'" }}
        {{ column }}
    {{ 'union all' if not (loop.last and table_loop.last) }}
    {%- endfor %}
    {%- endfor %}
    {%- if not tables %}
    select
        null as table_name,
        null as store,
        null as identifier_type,
        null as identifier,
        0 as row_count,
        0 as undated_count,
        null as first_at,
        null as last_at
    {%- endif %}
),

found as (
    select
        held.table_name,
        held.row_count,
        held.undated_count > 0 or held.first_at <= erased.requested_at as is_too_old,
        coalesce(held.last_at > erased.requested_at, false)
        and held.table_name like 'staging.%' as is_newer,
        erased.erasure_hash,
        erased.store,
        erased.identifier_type,
        erased.identifier_hash,
        erased.confirmed_at is not null as is_confirmed
    from held
    inner join erased
        on
            held.store = erased.store
            and held.identifier_type = erased.identifier_type
            and {{ erasure_hash('held.store', 'held.identifier_type', 'held.identifier') }}
            = erased.identifier_hash
),

returned as (
    select distinct
        store,
        identifier_type,
        identifier_hash
    from found
    where is_newer
),

left_over as (
    select
        found.erasure_hash,
        found.table_name,
        sum(found.row_count) as left_count
    from found
    left join returned
        on
            found.store = returned.store
            and found.identifier_type = returned.identifier_type
            and found.identifier_hash = returned.identifier_hash
    where
        case
            -- These say who is to be erased, until it is confirmed.
            when
                found.table_name in (
                    {%- for list in lists %}
                    '{{ list }}'{{ ',' if not loop.last }}
                    {%- endfor %}
                )
                then found.is_confirmed
            when found.table_name like 'staging.%' then found.is_too_old
            -- The ESP is told of the erasure from the first, under whatever it knows of the person;
            -- the second says that it has not obeyed yet.
            when
                found.table_name in ('activation.esp_outbox', 'monitoring.sync_reconciliation')
                then found.is_confirmed and returned.identifier_hash is null
            else returned.identifier_hash is null
        end
    group by found.erasure_hash, found.table_name
),

places as (
    {%- for table in tables %}
    select
        '{{ table.table }}' as table_name,
        true as is_checked,
        cast(null as varchar) as what_remains
    union all
    {%- endfor %}
    select
        'landing' as table_name,
        false as is_checked,
        'Raw rows are the loader''s to delete; here they are only kept out.' as what_remains
    union all
    select
        'time travel' as table_name,
        false as is_checked,
        'What the warehouse keeps of deleted rows, for as long as it does.' as what_remains
    union all
    select
        'backups' as table_name,
        false as is_checked,
        'Copies of the state, the working or the published database.' as what_remains
    union all
    select
        'e-mail platform' as table_name,
        false as is_checked,
        'The contact, until an export without it is newer than the request.' as what_remains
),

final as (
    select
        erasures.erasure_hash,
        places.table_name,
        erasures.requested_at,
        erasures.is_confirmed,
        places.is_checked,
        case when places.is_checked then cast(coalesce(left_over.left_count, 0) as bigint) end
            as left_count,
        places.what_remains
    from erasures
    cross join places
    left join left_over
        on
            erasures.erasure_hash = left_over.erasure_hash
            and places.table_name = left_over.table_name
    where places.table_name <> 'e-mail platform' or not erasures.is_confirmed
)

select * from final
