{#
    The newest change of every profile that the ESP was ever told of: one row per esp_id. Events are
    no change of a profile, and what is scrubbed names nobody.

    Args:
        outbox (str): the outbox, or a CTE of its rows.
    Returns: str, a query.
#}
{% macro latest_ops(outbox) -%}
    select *
    from {{ outbox }}
    where op <> 'event' and esp_id is not null
    qualify row_number() over (partition by esp_id order by change_seq desc nulls last) = 1
{%- endmacro %}

{#
    Who is to be erased at the ESP, as a chain of CTEs: `to_erase` (profiles that we sent) and
    `others_to_erase` (ids and addresses of the rest, addresses that somebody whom we sent has left,
    since an ESP that deletes by address may never have been told of the move, and the keys of those
    whose profiles are all somebody else's). Reads the CTEs erasures and targets too. Whoever came
    back after an erasure has another key.

    Args:
        latest (str): a CTE, see latest_ops.
        payloads (str): a CTE, who is wanted.
        written (str): a CTE, the outbox as it is.
    Returns: str, CTEs with a comma after each.
#}
{% macro profiles_to_erase(latest, payloads, written) -%}
erased_keys as (
    select distinct key_hash from erasures
    where key_hash is not null
),

erased_addresses as (
    select distinct identifier as email from erasures
    where identifier_type = 'email'
),

to_erase as (
    select {{ latest }}.*
    from {{ latest }}
    left join {{ payloads }} on {{ latest }}.customer_key = {{ payloads }}.customer_key
    left join erased_keys
        on {{ lettershop.customer_key_hash(latest ~ '.customer_key') }} = erased_keys.key_hash
    left join erased_addresses on {{ latest }}.email = erased_addresses.email
    where
        {{ latest }}.op <> 'erase'
        and (
            erased_keys.key_hash is not null
            or ({{ payloads }}.customer_key is null and erased_addresses.email is not null)
        )
),

-- The last of whom the ESP was told at each address.
last_told as (
    select
        email,
        customer_key,
        op
    from {{ written }}
    where op <> 'event' and email is not null
    qualify row_number() over (partition by email order by change_seq desc nulls last) = 1
),

-- Not where somebody else was sent since: what stands there is theirs.
left_addresses as (
    select
        last_told.email,
        last_told.customer_key
    from last_told
    inner join erased_keys
        on {{ lettershop.customer_key_hash('last_told.customer_key') }} = erased_keys.key_hash
    left join to_erase on last_told.email = to_erase.email
    left join targets on last_told.email = targets.esp_id
    left join {{ latest }} as at_address
        on
            last_told.email = at_address.email
            and at_address.op in ('upsert', 'suppress')
    where
        last_told.op <> 'erase'
        and to_erase.esp_id is null
        and targets.esp_id is null
        and at_address.esp_id is null
),

-- Whose profiles are all somebody else's by now, under the ids that they had: the ESP has nothing to
-- forget under the key, but what was sent of them goes with the row.
handed_on as (
    select distinct {{ written }}.customer_key
    from {{ written }}
    inner join erased_keys
        on {{ lettershop.customer_key_hash(written ~ '.customer_key') }} = erased_keys.key_hash
    left join to_erase on {{ written }}.customer_key = to_erase.customer_key
    left join left_addresses on {{ written }}.customer_key = left_addresses.customer_key
    where
        {{ written }}.op <> 'erase'
        and to_erase.customer_key is null
        and left_addresses.customer_key is null
),

others_to_erase as (
    select
        targets.esp_id,
        targets.email,
        cast(null as varchar) as customer_key
    from targets
    left join handed_on on targets.esp_id = handed_on.customer_key
    left join {{ latest }}
        on
            targets.esp_id = {{ latest }}.esp_id
            and {{ latest }}.op in ('upsert', 'suppress', 'erase')
    left join {{ latest }} as at_address
        on
            targets.email = at_address.email
            and at_address.op in ('upsert', 'suppress', 'erase')
    where
        {{ latest }}.esp_id is null
        and at_address.esp_id is null
        and handed_on.customer_key is null
    union all
    select
        email as esp_id,
        email,
        customer_key
    from left_addresses
    union all
    select
        customer_key as esp_id,
        null as email,
        customer_key
    from handed_on
),
{%- endmacro %}

{#
    Profiles that the ESP was told to forget and may still have, as a chain of CTEs; the last of them
    is `going`. Nothing may follow at the same id or address until a complete export without them is
    newer than the change. Where there is no export at all, a day must do.

    Args:
        latest (str): a CTE, see latest_ops.
        contacts (str): a CTE, the contacts that the ESP holds.
    Returns: str, CTEs with a comma after each.
#}
{% macro going_profiles(latest, contacts) -%}
-- By its id; or by the address, where the contact there has no other id. A contact that is newer
-- than the deletion is another one.
still_held as (
    {%- for column, condition in [
        ('external_id', 'true'),
        ('esp_contact_id', 'true'),
        ('email', 'held.external_id is null or held.external_id = ' ~ latest ~ '.esp_id'),
    ] %}
    select {{ latest }}.esp_id
    from {{ latest }}
    inner join {{ contacts }} as held
        on {{ latest }}.{{ 'email' if column == 'email' else 'esp_id' }} = held.{{ column }}
    where
        {{ latest }}.op = 'delete'
        and ({{ condition }})
        and coalesce(held.created_at <= {{ lettershop.time_of_iso_text(latest ~ '.changed_at') }}, true)
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

exports as (
    select
        max(case when export_kind <> 'undated' then exported_at end) as exported_at,
        count(case when export_kind = 'partial' then 1 end) > 0 as is_partial
    from {{ contacts }}
),

going as (
    select
        {{ latest }}.esp_id,
        {{ latest }}.email
    from {{ latest }}
    cross join exports
    left join still_held on {{ latest }}.esp_id = still_held.esp_id
    where
        {{ latest }}.op = 'erase'
        or (
            {{ latest }}.op = 'delete'
            and not case
                when exports.exported_at is null
                    then
                        {{ dbt.dateadd('day', 1, lettershop.time_of_iso_text(latest ~ '.changed_at')) }}
                        <= {{ lettershop.as_of_at() }}
                else
                    exports.exported_at > {{ lettershop.time_of_iso_text(latest ~ '.changed_at') }}
                    and not exports.is_partial
                    and still_held.esp_id is null
            end
        )
),
{%- endmacro %}

{#
    What a build decides, from the outbox and the wanted state, as a chain of CTEs: for the model that
    writes it and the guard that counts it. Reads the CTEs payloads, contacts, contactability,
    records, erasures, targets, suppressions and written.

    Returns: str, CTEs with a comma after each: latest, refused, to_erase, others_to_erase, barred,
        wanted, holders, decided, moved and others.
#}
{% macro decided_changes() -%}
latest as (
    {{ lettershop.latest_ops('written') }}
),

-- Why somebody may not be written to, under every key that they ever had.
refused as (
    select
        records.own_key as customer_key,
        min(contactability.block_reason) as block_reason
    from records
    inner join contactability
        on records.customer_key = contactability.customer_key
    where contactability.block_reason not in ('no_email', 'address_shared')
    group by records.own_key
),

{{ lettershop.profiles_to_erase('latest', 'payloads', 'written') }}

{{ lettershop.going_profiles('latest', 'contacts') }}

barred as (
    select
        esp_id,
        email
    from going
    union all
    select
        esp_id,
        email
    from to_erase
    union all
    select
        esp_id,
        email
    from others_to_erase
),

-- An id that a profile has is never replaced, except where the address is the id. What was only
-- suppressed is no profile of ours: its id may be that of a contact at the ESP.
own as (
    select
        latest.customer_key,
        latest.esp_id
    from latest
    inner join (
        select distinct esp_id from written
        where op = 'upsert'
    ) as sent on latest.esp_id = sent.esp_id
    where latest.op in ('upsert', 'suppress', 'delete')
    qualify
        row_number() over (
            partition by latest.customer_key
            order by latest.op desc nulls last, latest.change_seq desc nulls last
        ) = 1
),

wanted as (
    select
        payloads.customer_key,
        payloads.email,
        payloads.payload,
        payloads.payload_hash,
        payloads.daily_hash,
        payloads.week_began_date,
        case
            when payloads.esp_id = payloads.email then payloads.esp_id
            when own.esp_id is not null then own.esp_id
            when rivals.customer_key is not null then payloads.customer_key
            else payloads.esp_id
        end as esp_id
    from payloads
    left join own on payloads.customer_key = own.customer_key
    left join latest as taken
        on
            payloads.esp_id = taken.esp_id
            and payloads.customer_key <> taken.customer_key
            and taken.op in ('upsert', 'suppress', 'delete')
    left join payloads as rivals on taken.customer_key = rivals.customer_key
    where payloads.is_in_scope or own.esp_id is not null
),

{{ lettershop.decided_profiles('wanted', 'latest', 'written', 'contacts', 'barred') }}

-- Who has changed the address at the ESP since we wrote: some suppress by address. Not where it is
-- somebody else's here.
moved as (
    select
        latest.esp_id,
        min(held.email) as email
    from latest
    inner join contacts as held
        on
            latest.esp_id = held.external_id
            and held.exported_at > {{ lettershop.time_of_iso_text('latest.changed_at') }}
    left join decided as owners on held.email = owners.email
    where held.email is not null and owners.email is null
    group by latest.esp_id
    having count(case when held.email = latest.email then 1 end) = 0
),
{%- endmacro %}

{#
    The number of the changes that one build may make without being asked: see guard_outbox. It is
    counted over what the build would write, after scrub_outbox. A profile counts once, whatever is
    written of it: one that is merged into another has the other's id.

    Args:
        outbox (Relation): esp_outbox.
    Returns: str, a query of one row: written_count (rows of the outbox), synced_count (contacts of
        the ESP that carry a greater number than any row), sent_count (profiles that the ESP should
        hold by the outbox), wanted_count, gone_count (sent ones that are taken from
        the ESP and wanted neither under their key nor at their address), changed_count (sent ones
        that are taken, and those that are told what they are). No events, and nobody who was
        suppressed or deleted before.
#}
{% macro outbox_counts(outbox) -%}
    {%- set inputs = {
        'payloads': 'esp_payloads',
        'contacts': 'dim_esp_contacts',
        'contactability': 'customer_contactability',
        'records': 'dim_customer_records',
        'erasures': 'fct_erasures',
        'targets': 'esp_erasure_targets',
        'suppressions': 'fct_suppressions',
    } %}
    with
    {%- for name, model in inputs.items() %}
    {{ name }} as (
        select * from {{ ref(model) }}
    ),
    {%- endfor %}

    written as (
        select * from {{ outbox }}
    ),

    {{ lettershop.decided_changes() }}

    removed as (
        {{ lettershop.removed_profiles('latest', 'decided', 'holders') }}
    ),

    taken as (
        select
            latest.esp_id,
            max(case when keys.customer_key is null and addresses.email is null then 1 else 0 end)
                as is_gone
        from latest
        inner join removed on latest.esp_id = removed.esp_id
        left join wanted as keys on latest.customer_key = keys.customer_key
        left join wanted as addresses on latest.email = addresses.email
        where latest.op = 'upsert'
        group by latest.esp_id
    ),

    changed as (
        select esp_id from taken
        union
        select esp_id from decided
        where decision = 'upsert'
    )

    select
        (select count(*) from written) as written_count,
        (
            select count(*) from contacts
            where synced_change_seq > (select coalesce(max(change_seq), 0) from written)
        ) as synced_count,
        (select count(*) from latest where op = 'upsert') as sent_count,
        (select count(*) from wanted) as wanted_count,
        (select coalesce(sum(is_gone), 0) from taken) as gone_count,
        (select count(*) from changed) as changed_count
{%- endmacro %}

{#
    What is to be done about every wanted profile, as a chain of CTEs; the last is `decided`.
    At the ESP an address has one profile. So nobody takes an address before the profile that has it
    moved, was made theirs (`merge`) or is gone.

    - wait: the id or the address is barred, or the address belongs to somebody who leaves it now
    - leave: a profile that would have to wait is deleted, and made anew when the way is free: it
      must not stay as it was
    - keep: the ESP has it so, or what differs waits for the customer's day
    - upsert: new, changed, or permitted again

    Args:
        wanted (str): a CTE of customer_key, esp_id, email, payload and its hashes, and
            week_began_date.
        latest (str): a CTE, see latest_ops.
        written (str): a CTE, the outbox as it is.
        contacts (str): a CTE, the contacts that the ESP holds.
        barred (str): a CTE of esp_id and email that nothing may follow yet.
    Returns: str, CTEs with a comma after each: holders (profiles that have the address of another
        wanted one, esp_id unique), waiting, newest, decided.
#}
{% macro decided_profiles(wanted, latest, written, contacts, barred) -%}
holders as (
    select
        holding.esp_id,
        holding.customer_key,
        holding.email,
        {{ wanted }}.esp_id as wanted_id,
        {{ wanted }}.customer_key as wanted_key,
        rivals.esp_id is not null as is_wanted
    from {{ wanted }}
    inner join {{ latest }} as holding
        on
            {{ wanted }}.email = holding.email
            and {{ wanted }}.esp_id <> holding.esp_id
            and holding.op in ('upsert', 'suppress')
    left join {{ wanted }} as rivals on holding.esp_id = rivals.esp_id
),

waiting as (
    {%- for column in ['esp_id', 'email'] %}
    select {{ wanted }}.esp_id
    from {{ wanted }}
    inner join {{ barred }} on {{ wanted }}.{{ column }} = {{ barred }}.{{ column }}
    union
    {%- endfor %}
    -- Another profile had the address, and has moved: in this very build, or not yet at the ESP.
    select {{ wanted }}.esp_id
    from {{ wanted }}
    inner join {{ written }} as earlier
        on
            {{ wanted }}.email = earlier.email
            and {{ wanted }}.esp_id <> earlier.esp_id
            and earlier.op = 'upsert'
    inner join {{ latest }} as moved
        on
            earlier.esp_id = moved.esp_id
            and earlier.email <> moved.email
            and moved.op in ('upsert', 'suppress')
    left join {{ latest }} as mine
        on
            {{ wanted }}.esp_id = mine.esp_id
            and {{ wanted }}.email = mine.email
            and mine.op in ('upsert', 'suppress')
    left join {{ contacts }} as held
        on
            earlier.email = held.email
            and moved.esp_id in (held.external_id, held.esp_contact_id)
    where
        mine.esp_id is null
        and (
            held.email is not null
            or {{ lettershop.time_of_iso_text('moved.changed_at') }} >= {{ lettershop.as_of_at() }}
        )
),

faced as (
    select
        wanted_id,
        max(case when is_wanted then 1 else 0 end) = 1 as is_rival
    from holders
    group by wanted_id
),

newest as (
    {{ lettershop.newest_written(written) }}
),

decided as (
    select
        {{ wanted }}.*,
        {{ latest }}.op as last_op,
        {{ latest }}.email as last_email,
        {{ latest }}.customer_key as last_key,
        case
            when
                {{ latest }}.op in ('upsert', 'suppress')
                and (
                    waiting.esp_id is not null
                    or (
                        faced.wanted_id is not null
                        and {{ latest }}.email <> {{ wanted }}.email
                    )
                )
                then 'leave'
            when waiting.esp_id is not null or faced.is_rival then 'wait'
            when {{ lettershop.is_told(latest, wanted, 'newest.written_date') }} then 'keep'
            else 'upsert'
        end as decision
    from {{ wanted }}
    cross join newest
    left join {{ latest }} on {{ wanted }}.esp_id = {{ latest }}.esp_id
    left join faced on {{ wanted }}.esp_id = faced.wanted_id
    left join waiting on {{ wanted }}.esp_id = waiting.esp_id
),
{%- endmacro %}

{#
    Profiles that are taken from the ESP: those that must leave their address, and those that nobody
    wants. Who lost the permission is suppressed. A profile whose address somebody wants stays until
    it can be made theirs.

    Args:
        latest (str), decided (str), holders (str): CTEs, see decided_profiles. Reads the CTEs
            to_erase, moved, refused and suppressions too.
    Returns: str, a query of op, customer_key, esp_id, email and reason.
#}
{% macro removed_profiles(latest, decided, holders) -%}
    select
        'erase' as op,
        customer_key,
        esp_id,
        email,
        'erased' as reason
    from to_erase
    union all
    select
        'delete' as op,
        last_key as customer_key,
        esp_id,
        last_email as email,
        'address_taken' as reason
    from {{ decided }}
    where decision = 'leave'
    union all
    select
        case
            when coalesce(suppressions.reason, refused.block_reason) is null then 'delete'
            else 'suppress'
        end as op,
        {{ latest }}.customer_key,
        {{ latest }}.esp_id,
        case
            when coalesce(suppressions.reason, refused.block_reason) is null then {{ latest }}.email
            else coalesce(moved.email, {{ latest }}.email)
        end as email,
        coalesce(suppressions.reason, refused.block_reason, 'gone') as reason
    from {{ latest }}
    left join moved on {{ latest }}.esp_id = moved.esp_id
    left join {{ decided }} on {{ latest }}.esp_id = {{ decided }}.esp_id
    left join to_erase on {{ latest }}.esp_id = to_erase.esp_id
    left join {{ holders }} on {{ latest }}.esp_id = {{ holders }}.esp_id
    left join {{ decided }} as heirs on {{ holders }}.wanted_id = heirs.esp_id
    left join refused on {{ latest }}.customer_key = refused.customer_key
    left join suppressions on {{ latest }}.email = suppressions.email
    where
        {{ latest }}.op = 'upsert'
        and {{ decided }}.esp_id is null
        and to_erase.esp_id is null
        -- Made the heir's in this build, or kept for them.
        and (
            heirs.esp_id is null
            or (
                heirs.decision <> 'upsert'
                and coalesce(suppressions.reason, refused.block_reason) is not null
            )
        )
{%- endmacro %}

{#
    Profiles whose only suppression the ESP may never have had: a sync passes over people who are not
    in its newest export. A complete export that is a day newer than the row carries no number of ours
    there; where somebody was sent as what they are, it carries some of others. Who was told twice is
    not told again.

    Args:
        latest (str): a CTE, see latest_ops.
        written (str): a CTE, the outbox as it is.
        contacts (str): a CTE, the contacts that the ESP holds.
        exports (str): a CTE, see going_profiles.
    Returns: str, a query of esp_id, unique.
#}
{% macro unheard_profiles(latest, written, contacts, exports) -%}
    select {{ latest }}.esp_id
    from {{ latest }}
    cross join {{ exports }}
    cross join (
        select max(synced_change_seq) as synced_change_seq from {{ contacts }}
    ) as numbers
    inner join {{ written }} as told on {{ latest }}.esp_id = told.esp_id
    left join {{ contacts }} as held on {{ latest }}.email = held.email
    where
        {{ latest }}.op = 'suppress'
        and not {{ exports }}.is_partial
        and {{ exports }}.exported_at
        >= {{ dbt.dateadd('day', 1, lettershop.time_of_iso_text(latest ~ '.changed_at')) }}
    group by {{ latest }}.esp_id
    having
        count(distinct case when told.op = 'suppress' then told.change_seq end) = 1
        and max(held.synced_change_seq) is null
        and (
            count(case when told.op = 'upsert' then 1 end) = 0
            or max(numbers.synced_change_seq) is not null
        )
{%- endmacro %}

{#
    Contacts that the ESP would write to and must not, of whom it was never told: suppressed once. Who
    was sent is suppressed with removed_profiles, and whom it forgets needs nothing.

    Args:
        latest (str): a CTE, see latest_ops.
        contacts (str): a CTE, see esp_refused_contacts.
        barred (str): a CTE of esp_id and email, see decided_profiles.
    Returns: str, a query of op, customer_key, esp_id, email and reason.
#}
{% macro refused_profiles(latest, contacts, barred) -%}
    select
        'suppress' as op,
        customer_key,
        esp_id,
        email,
        reason
    from {{ contacts }}
    where
        not exists (
            select 1 from {{ latest }}
            where
                {{ latest }}.op in ('upsert', 'suppress', 'merge')
                and (
                    {{ latest }}.esp_id = {{ contacts }}.esp_id
                    or {{ latest }}.email = {{ contacts }}.email
                )
        )
        and not exists (
            select 1 from {{ barred }}
            where
                {{ barred }}.esp_id = {{ contacts }}.esp_id
                or {{ barred }}.email = {{ contacts }}.email
        )
{%- endmacro %}

{#
    All changes of a build, without their numbers. An id that was merged into another goes where
    that one goes (is_echo): whichever of the two the ESP has by now, the end is the same.

    Returns: str, a query over the CTEs latest, decided, holders, removed, others_to_erase, to_erase
        and events.
#}
{% macro outbox_changes() -%}
    {%- set merged %}
    inner join latest as merged on removed.esp_id = merged.new_esp_id and merged.op = 'merge'
    left join decided on merged.esp_id = decided.esp_id
    left join to_erase on merged.esp_id = to_erase.esp_id
    where decided.esp_id is null and to_erase.esp_id is null
    {%- endset -%}
    select
        op,
        customer_key,
        esp_id,
        cast(null as varchar) as new_esp_id,
        email,
        cast(null as varchar) as payload,
        cast(null as varchar) as payload_hash,
        cast(null as varchar) as daily_hash,
        reason,
        false as is_echo
    from removed
    union all
    select
        removed.op,
        merged.customer_key,
        merged.esp_id,
        null as new_esp_id,
        removed.email,
        null as payload,
        null as payload_hash,
        null as daily_hash,
        removed.reason,
        true as is_echo
    from removed
    {{- merged }}
    union all
    select
        'erase' as op,
        customer_key,
        esp_id,
        null as new_esp_id,
        email,
        null as payload,
        null as payload_hash,
        null as daily_hash,
        'erased' as reason,
        false as is_echo
    from others_to_erase
    union all
    select
        'merge' as op,
        holders.wanted_key as customer_key,
        holders.esp_id,
        holders.wanted_id as new_esp_id,
        holders.email,
        null as payload,
        null as payload_hash,
        null as daily_hash,
        'address_kept' as reason,
        false as is_echo
    from holders
    inner join decided on holders.wanted_id = decided.esp_id and decided.decision = 'upsert'
    where not holders.is_wanted
    union all
    select
        'merge' as op,
        removed.wanted_key as customer_key,
        merged.esp_id,
        removed.wanted_id as new_esp_id,
        removed.email,
        null as payload,
        null as payload_hash,
        null as daily_hash,
        'address_kept' as reason,
        true as is_echo
    from (
        select holders.*
        from holders
        inner join decided on holders.wanted_id = decided.esp_id and decided.decision = 'upsert'
        where not holders.is_wanted
    ) as removed
    {{- merged }}
    union all
    select
        'upsert' as op,
        customer_key,
        esp_id,
        null as new_esp_id,
        email,
        payload,
        payload_hash,
        daily_hash,
        case
            when last_op = 'suppress' then 'permitted_again'
            when last_op is null or last_op <> 'upsert' then 'new'
            when last_email <> email then 'address_changed'
            else 'changed'
        end as reason,
        false as is_echo
    from decided
    where decision = 'upsert'
    union all
    select
        'event' as op,
        customer_key,
        esp_id,
        null as new_esp_id,
        email,
        payload,
        trigger_key as payload_hash,
        null as daily_hash,
        trigger_type as reason,
        false as is_echo
    from events
{%- endmacro %}

{#
    Erasures of people who stand in the outbox, with the time at which the ESP was told.

    Args:
        erasures (str): a CTE of identifier_type, identifier, key_hash and erasure_hash.
        outbox (str): a CTE, the outbox as the build before left it.
    Returns: str, a query of erasure_hash and told_at, null while there is no `erase` row.
#}
{% macro told_erasures(erasures, outbox) -%}
    {%- set told_at = 'case when ' ~ outbox ~ ".op = 'erase' then "
        ~ lettershop.time_of_iso_text(outbox ~ '.changed_at') ~ ' end' -%}
    select
        erasure_hash,
        max(told_at) as told_at
    from (
        select
            {{ erasures }}.erasure_hash,
            {{ told_at }} as told_at
        from {{ erasures }}
        inner join {{ outbox }}
            on {{ erasures }}.key_hash = {{ lettershop.customer_key_hash(outbox ~ '.customer_key') }}
        union all
        select
            {{ erasures }}.erasure_hash,
            {{ told_at }} as told_at
        from {{ erasures }}
        inner join {{ outbox }}
            on
                {{ erasures }}.identifier_type = 'email'
                and {{ erasures }}.identifier = {{ outbox }}.email
    ) as sent
    group by erasure_hash
{%- endmacro %}

{#
    The newest export, as far as it proves that somebody is gone: null where that of any store is
    not complete.

    Returns: str, an aggregate expression over stg_consent__contact_exports, of type timestamp.
#}
{% macro complete_export_at() -%}
    case when count(case when export_kind = 'partial' then 1 end) = 0 then max(exported_at) end
{%- endmacro %}

{#
    When an erasure is confirmed: by an export without the person that is later than the request, and
    than the `erase` row of whoever was sent. Where nobody reads the ESP back, at once, and 30 days
    after the row of whoever was sent.

    Args:
        erasures (str), still_at_esp (str), told (str), exports (str): CTEs that are joined.
    Returns: str, a SQL expression of type timestamp.
#}
{% macro erasure_confirmed_at(erasures, still_at_esp, told, exports) -%}
    {%- if var('using_esp_contacts') -%}
    case
        when
            {{ still_at_esp }}.erasure_hash is null
            and {{ exports }}.exported_at > {{ erasures }}.requested_at
            and (
                {{ told }}.erasure_hash is null
                or {{ exports }}.exported_at > {{ told }}.told_at
            )
            then {{ exports }}.exported_at
    end
    {%- else -%}
    {%- set done_at = dbt.dateadd('day', 30, told ~ '.told_at') -%}
    case
        when {{ told }}.erasure_hash is null then {{ erasures }}.requested_at
        when {{ done_at }} <= {{ lettershop.as_of_at() }} then {{ done_at }}
    end
    {%- endif -%}
{%- endmacro %}

{#
    The columns of esp_profiles that may be sent.

    Returns: dict of a type of esp_field_map to names of columns; an array is JSON already.
#}
{% macro payload_columns() %}
    {{ return({
        'text': [
            'first_name', 'country_code', 'language', 'email_permission', 'lifecycle_stage',
            'rfm_segment', 'engagement_tier', 'first_order_date', 'last_order_date',
            'order_count_band', 'net_revenue_band', 'discount_band', 'favourite_category',
            'purchase_band', 'lapse_risk_band', 'predicted_value_band', 'persona',
        ],
        'boolean': ['may_be_profiled', 'is_buyer'],
        'array': ['segments'],
    }) }}
{% endmacro %}

{#
    A field of a profile as it stands in its payload, `"name": value`. Where the field may not be
    sent of somebody, or an attribute of the shop's own has no value, the value is the fallback.

    Args:
        columns (dict): see payload_columns.
    Returns: str, a SQL expression over the CTEs profiles, fields and attributes.
#}
{% macro field_member(columns) -%}
    '"' || fields.property_name || '": '
    || case
        when
            (fields.purpose = 'profiling' and not profiles.may_be_profiled)
            or (
                fields.regions <> '*'
                and position(
                    (' ' || profiles.country_code || ' ') in (' ' || fields.regions || ' ')
                ) = 0
            )
            or (
                fields.column_name like 'custom_attributes.%'
                and attributes.attribute_value is null
            )
            then
                case
                    when fields.property_type = 'text'
                        then {{ lettershop.json_string("coalesce(fields.fallback, '')") }}
                    else fields.fallback
                end
        when fields.column_name = attributes.column_name and fields.property_type = 'text'
            then {{ lettershop.json_string('attributes.attribute_value') }}
        when fields.column_name = attributes.column_name then attributes.attribute_value
        {%- for column in columns.text %}
        when fields.column_name = '{{ column }}' then {{ lettershop.json_string('profiles.' ~ column) }}
        {%- endfor %}
        {%- for column in columns.boolean %}
        when fields.column_name = '{{ column }}' then cast(profiles.{{ column }} as varchar)
        {%- endfor %}
        {%- for column in columns.array %}
        when fields.column_name = '{{ column }}' then profiles.{{ column }}
        {%- endfor %}
    end
{%- endmacro %}

{#
    The newest day, today or before, on which what esp_weekly_changes names is told of a customer.
    Each has a day of the week, a seventh of them the same, so that no day brings more than another.

    Args:
        customer_key (str): a SQL expression of type text.
    Returns: str, a SQL expression of type date.
#}
{% macro week_began_date(customer_key) -%}
    {%- set digits = ["substr(md5(" ~ customer_key ~ "), 1, 1)", "substr(md5(" ~ customer_key ~ "), 2, 1)"] -%}
    {%- set of_256 -%}
    (16 * position(({{ digits[0] }}) in ('0123456789abcdef'))
        + position(({{ digits[1] }}) in ('0123456789abcdef')))
    {%- endset -%}
    cast(
        {{ lettershop.as_of_date() }}
        - cast(mod({{ lettershop.iso_day_of_week(lettershop.as_of_date()) }} + {{ of_256 }}, 7) as integer)
        as date
    )
{%- endmacro %}

{#
    Whether the ESP has a profile as it is wanted, or as it may stay until the customer's day: that
    is today, or was while nothing was built.

    Args:
        latest (str): a CTE, see latest_ops.
        wanted (str): a CTE of the columns of esp_payloads.
        written_date (str): a SQL expression of type date, of the newest row of the outbox.
    Returns: str, a SQL expression of type boolean; null where nothing was sent.
#}
{% macro is_told(latest, wanted, written_date) -%}
    {{ latest }}.op = 'upsert'
    and {{ latest }}.email = {{ wanted }}.email
    and (
        {{ latest }}.payload_hash = {{ wanted }}.payload_hash
        or (
            {{ latest }}.daily_hash = {{ wanted }}.daily_hash
            and {{ wanted }}.week_began_date < {{ lettershop.as_of_date() }}
            and {{ wanted }}.week_began_date <= {{ written_date }}
        )
    )
{%- endmacro %}

{#
    The day, in the shop's time zone, of the newest row of the outbox.

    Args:
        outbox (str): the outbox, or a CTE of its rows.
    Returns: str, a query of one row: written_date.
#}
{% macro newest_written(outbox) -%}
    select
        cast({{ lettershop.local_time(lettershop.time_of_iso_text('max(changed_at)')) }} as date)
            as written_date
    from {{ outbox }}
{%- endmacro %}
