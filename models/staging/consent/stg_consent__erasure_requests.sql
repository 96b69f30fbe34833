-- Every identifier of a person who asked to be erased, found by walking the links between
-- identifiers in the raw rows. Every other staging model obeys this one. An identifier itself is
-- kept until the ESP has forgotten the person too; then its keyed hash alone, with which what was
-- forgotten is still recognised. What is remembered is what the previous build left.
with requests as (
    select * from {{ ref('base_consent__erasure_requests') }}
    where row_status = 'accepted'
),

links as (
    select * from {{ ref('base_consent__identifier_links') }}
),

exported as (
    select * from {{ ref('base_consent__contacts_exported') }}
),

complaints as (
    select * from {{ ref('base_consent__complaints') }}
),

remembered as (
    select * from {{ source('state', 'esp_erasure_queue') }}
),

outbox as (
    select * from {{ source('state', 'esp_outbox') }}
),

named as (
    {%- for type in ['customer_id', 'email'] %}
    select
        store,
        request_id,
        requested_at,
        '{{ type }}' as identifier_type,
        {{ type }} as identifier
    from requests
    where {{ type }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- A request is settled, and not walked again, once all that it names is confirmed to be erased.
starts as (
    select named.*
    from named
    left join remembered
        on
            named.store = remembered.store
            and named.identifier_type = remembered.identifier_type
            and {{ erasure_hash('named.store', 'named.identifier_type', 'named.identifier') }}
            = remembered.identifier_hash
            and named.requested_at <= remembered.requested_at
            and remembered.confirmed_at is not null
    qualify
        max(case when remembered.identifier_hash is null then 1 else 0 end) over (
            partition by named.store, named.request_id
        ) = 1
),

{{ walk_links('starts', 'links') }}

newest as (
    select
        walked.*,
        unfinished.request_id is not null as is_unfinished,
        {{ erasure_hash('walked.store', 'walked.identifier_type', 'walked.identifier') }}
            as identifier_hash,
        {{ erasure_hash('walked.store', "'request_id'", 'walked.request_id') }} as erasure_hash
    from walked
    left join unfinished
        on walked.store = unfinished.store and walked.request_id = unfinished.request_id
    qualify
        row_number() over (
            partition by walked.store, walked.identifier_type, walked.identifier
            order by walked.requested_at desc nulls last, walked.request_id desc nulls last
        ) = 1
),

-- Of somebody who was erased before and came back, the key that they came back with.
found as (
    select
        newest.*,
        remembered.suppression_reason,
        remembered.suppressed_at,
        coalesce(newest.requested_at <> remembered.requested_at, true) as is_new,
        case
            when newest.requested_at = remembered.requested_at then remembered.key_hash
            when newest.identifier_type in ('customer_id', 'esp_contact_id')
                then {{ customer_key_hash(customer_key_from(
                    "case when newest.identifier_type = 'customer_id' then 'crm' else 'contact' end",
                    'newest.store', 'newest.identifier', 'remembered.requested_at'
                )) }}
        end as key_hash,
        case when newest.requested_at = remembered.requested_at then remembered.confirmed_at end
            as confirmed_at
    from newest
    left join remembered
        on
            newest.store = remembered.store
            and newest.identifier_type = remembered.identifier_type
            and newest.identifier_hash = remembered.identifier_hash
),

known as (
    select * from found
    union all by name
    select
        remembered.*,
        false as is_unfinished,
        false as is_new
    from remembered
    left join found
        on
            remembered.store = found.store
            and remembered.identifier_type = found.identifier_type
            and remembered.identifier_hash = found.identifier_hash
    where found.identifier_hash is null
),

-- Contacts that are newer than the request are a new beginning.
still_at_esp as (
    select distinct known.erasure_hash
    from known
    inner join exported
        on
            known.store = exported.store
            and known.identifier_type = exported.identifier_type
            and known.identifier = exported.identifier
            and coalesce(known.requested_at >= exported.created_at, true)
    where exported.deleted_at is null
),

-- Whoever was sent stays until the outbox has told the ESP, and an export came after that.
told as (
    {{ told_erasures('known', 'outbox') }}
),

exports as (
    select {{ complete_export_at() }} as exported_at from {{ ref('stg_consent__contact_exports') }}
),

silenced as (
    select
        addresses.store,
        addresses.identifier_hash,
        min(complaints.reason) as reason,
        min(complaints.suppressed_at) as suppressed_at
    from known as addresses
    inner join known as recipients on addresses.erasure_hash = recipients.erasure_hash
    inner join complaints
        on
            recipients.store = complaints.store
            and recipients.identifier_type = complaints.identifier_type
            and recipients.identifier = complaints.identifier
            and coalesce(complaints.email, addresses.identifier) = addresses.identifier
    where addresses.identifier_type = 'email'
    group by addresses.store, addresses.identifier_hash
),

confirmed as (
    select
        known.* exclude (confirmed_at, suppression_reason, suppressed_at),
        coalesce(
            known.confirmed_at,
            {{ erasure_confirmed_at('known', 'still_at_esp', 'told', 'exports') }}
        ) as confirmed_at,
        coalesce(
            least(silenced.reason, known.suppression_reason),
            silenced.reason,
            known.suppression_reason
        ) as suppression_reason,
        coalesce(known.suppressed_at, silenced.suppressed_at) as suppressed_at
    from known
    cross join exports
    left join still_at_esp on known.erasure_hash = still_at_esp.erasure_hash
    left join told on known.erasure_hash = told.erasure_hash
    left join silenced
        on known.store = silenced.store and known.identifier_hash = silenced.identifier_hash
),

final as (
    select
        store,
        identifier_type,
        case when confirmed_at is null then identifier end as identifier,
        identifier_hash,
        erasure_hash,
        key_hash,
        requested_at,
        confirmed_at,
        suppression_reason,
        suppressed_at,
        is_unfinished,
        is_new
    from confirmed
)

select * from final
