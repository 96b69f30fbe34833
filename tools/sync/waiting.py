"""What waits in the published outbox for a platform, and what of it may not go out, or not yet."""

import sys
from datetime import UTC, datetime

import duckdb
from drt.config.models import SyncConfig
from drt.state.manager import StateStore

from tools.sync.permit import Refused
from tools.sync.state import STATE, Aside, cursors, marks

# What is not sent for some time after a deletion of the same id or address.
HELD = ("merge", "identify", "upsert", "event")
# What may go out although something before it was refused.
NEVER_WAIT = ("erase", "erase_contact", "delete", "suppress", "suppress_address")
# Kinds of requests that tell of an erasure.
ERASING = ("erase", "erase_contact")
# So many changes are named by their numbers.
NAMED = 50


def op_of(sync: SyncConfig) -> str:
    """Return the op that a sync sends: its name is <platform>_<op>."""
    return sync.name.partition("_")[2]


def pending(
    connection: duckdb.DuckDBPyConnection, name: str, syncs: list[SyncConfig], state: StateStore
) -> dict[str, tuple[int, int]]:
    """Return how many records each sync has to send, and the bytes of the largest.

    Args:
        connection: to the published database.
        name: of the platform.
        syncs: in order.
        state: drt's.

    Raises:
        Refused: if the cursors are of another outbox, the build is for another platform, or an op
            has no sync.
    """
    at = cursors(syncs, state)
    (end,) = connection.execute(
        "select coalesce(max(change_seq), 0) from activation.esp_outbox"
    ).fetchone()
    if max(at.values()) > end:
        raise Refused(
            f"The sync to {name} has come to change {max(at.values())}, and the outbox ends at"
            f" {end}: it is another one, or older. Name another {STATE} to begin anew with it."
        )
    marked = set(marks(syncs, state).values())
    same = connection.execute(
        "select change_seq, coalesce(run_id, '') from activation.esp_outbox"
        " where list_contains(?, change_seq)",
        [sorted({number for number, _ in marked})],
    ).fetchall()
    if others := sorted(marked - set(same)):
        raise Refused(
            f"Change {others[0][0]}, to which the sync to {name} has come, was written by another"
            " build: the outbox was restored from a backup, or replaced, and what it has written"
            f" since would be passed over. Restore {STATE} from the same backup, or name another"
            " to begin anew."
        )
    ops = connection.execute(f"select distinct op from activation.esp_{name}").fetchall()
    (is_written,) = connection.execute(
        "select count(*) > 0 from activation.esp_outbox where esp_id is not null"
    ).fetchone()
    if is_written and not ops:
        raise Refused(
            f"What is published has nothing for {name}: it was built for another platform. Set the"
            f" var esp to {name} in the landing's vars.yml, then run `make build`."
        )
    if unknown := {op for (op,) in ops} - {op_of(sync) for sync in syncs}:
        raise Refused(f"sync/{name}/syncs has no sync for: {', '.join(sorted(unknown))}.")
    return {
        sync.name: connection.execute(
            "select count(*), coalesce(max(strlen(payload)), 0)"
            f" from activation.esp_{name} where op = ? and change_seq > ?",
            [op_of(sync), at[sync.name]],
        ).fetchone()
        for sync in syncs
    }


def follows_a_deletion(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    at: dict[str, int],
    again: set[int],
    spared: set[int],
) -> int:
    """Return how many records to be sent are of an id or address that is to be deleted first.

    Args:
        connection: to the published database.
        name: of the platform.
        at: cursors, by sync.
        again: change_seq of what was set aside, and is tried again.
        spared: change_seq of deletions that the platform is not told of, or does not take.
    """
    sent = "values " + ", ".join(f"('{sync.partition('_')[2]}', {seq})" for sync, seq in at.items())
    return connection.execute(
        f"""
        with pending as (
            select outbox.*
            from activation.esp_{name} as shown
            inner join activation.esp_outbox as outbox using (change_seq)
            inner join ({sent}) as sent (op, change_seq) on shown.op = sent.op
            where shown.change_seq > sent.change_seq or list_contains($again, shown.change_seq)
        ), gone as (
            select unnest([esp_id, email]) as name from pending
            where op in ('erase', 'delete') and not list_contains($spared, change_seq)
        ), named as (
            select name from gone where name is not null
        )
        select count(distinct change_seq) from pending
        where op in ('{"', '".join(HELD)}')
            and (
                esp_id in (from named) or new_esp_id in (from named) or email in (from named)
            )
        """,
        {"again": sorted(again), "spared": sorted(spared)},
    ).fetchone()[0]


def untold_erasures(
    connection: duckdb.DuckDBPyConnection, name: str, at: dict[str, int], aside: Aside
) -> tuple[int, set[int]]:
    """Return how many erasures the platform did not take, and cannot be told of any more.

    Without an export an erasure counts as done after thirty days, and the outbox forgets whose it
    was. With one it is done when the platform no longer shows the person.

    Args:
        connection: to the published database.
        name: of the platform.
        at: cursors, by sync; where there is none yet, nobody was sent.
        aside: what was refused.

    Returns:
        The number of all of them, and the change_seq of those that the platform refused.
    """
    found = connection.execute(
        "select change_seq from activation.esp_outbox where op = 'erase' and esp_id is null"
        " and not exists (select 1 from core.dim_esp_contacts)",
    ).fetchall()
    numbers = {number for (number,) in found}
    syncs = [sync for sync in at if sync.partition("_")[2] in ERASING]
    refused = numbers & set().union(*(aside.numbers[sync] for sync in syncs))
    # Each kind is sent to its end before the next begins.
    unsent = {number for number in numbers if number > max(at[sync] for sync in syncs)}
    return len(refused | (unsent if any(at.values()) else set())), refused


def say_untold(count: int, name: str) -> None:
    """Print what untold_erasures found."""
    if count:
        print(
            f"{count:,} erasures were never told to {name}: for thirty days no sync ran, or it"
            " refused them, and whose they were is forgotten. Look there for people who asked to"
            " be erased.",
            file=sys.stderr,
        )


def untellable_erasures(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[int, list[int]]:
    """Return how many erasures nothing can be told of: the platform's view has none of their rows.

    Rows are of one erasure that have an address or a key in common, or that core.fct_erasures names
    by an identifier, or by the key that is made of a customer id. Other rows of an erasure that is
    told may be left out. So are those of a key whose profiles are all somebody else's by now: there
    is nothing to forget under it.

    Args:
        connection: to the published database.
        name: of the platform.

    Returns:
        The number of erasures, and the change_seq of their rows.
    """
    found = connection.execute(
        f"""
        with erased as (
            select change_seq, esp_id, email, customer_key from activation.esp_outbox
            where op = 'erase' and esp_id is not null
                and not (email is null and esp_id is not distinct from customer_key)
        ), named as (
            select erasure_hash, identifier as name from core.fct_erasures
            where identifier_type in ('customer_id', 'esp_contact_id', 'email')
            union all
            select erasure_hash, md5('crm' || chr(31) || store || chr(31) || identifier)
            from core.fct_erasures
            where identifier_type = 'customer_id'
        )
        select
            change_seq,
            [esp_id, email, customer_key],
            change_seq in (
                select change_seq from activation.esp_{name} where op in {ERASING}
            ),
            exists (
                select 1 from activation.esp_outbox as later
                where later.esp_id = erased.esp_id and later.op <> 'event'
                    and later.change_seq > erased.change_seq
            ),
            (
                select list(distinct erasure_hash) from named
                where named.name in (erased.esp_id, erased.email)
            )
        from erased
        order by change_seq
        """
    ).fetchall()
    told, open_rows, of_erasure = set(), {}, {}
    for number, names, is_told, is_overtaken, hashes in found:
        words = {word for word in names if word is not None}
        if is_told:
            told |= words
        elif not is_overtaken:
            open_rows[number] = words
        for one in hashes or ():
            of_erasure.setdefault(one, set()).update(words)
    # By erasure, not by row: an id of two stores stands in one row for two people.
    left, alone_rows = [], dict(open_rows)
    for words in of_erasure.values():
        its = [number for number, names in open_rows.items() if names & words]
        for number in its:
            alone_rows.pop(number, None)
        if its and not words & told:
            left.append(its)
    for number, names in alone_rows.items():
        if not names & told:
            left.append([number])
    return len(left), sorted({number for its in left for number in its})


def say_untellable(count: int, numbers: list[int], name: str) -> None:
    """Print what untellable_erasures found."""
    if count:
        print(
            f"{count:,} erasures cannot be told: {name} finds nobody by what is known of them."
            " Until an export confirms that they are gone, look there by hand"
            f" (change_seq {listed(numbers)})",
            file=sys.stderr,
        )


def listed(numbers: list[int]) -> str:
    """Return the first of some numbers in words."""
    return ", ".join(map(str, numbers[:NAMED])) + (", ..." if len(numbers) > NAMED else "")


def newest(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the greatest change_seq of the outbox."""
    return connection.execute("select max(change_seq) from activation.esp_outbox").fetchone()[0]


def never_told(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    at: dict[str, int],
    aside: Aside,
    reached: int,
) -> tuple[set[int], dict[str, set[int]]]:
    """Return the change_seq of deletions and suppressions of people whom we never told it of.

    They came and left between two syncs, and a complete export does not show them: an address would
    be handed over only to say that it must not be written to. Only an export later than the row
    settles it, since the person may have subscribed at the platform after an older one.

    Args:
        connection: to the published database.
        name: of the platform.
        at: cursors, by sync.
        aside: what was set aside, and what of it waits for a later export.
        reached: the greatest change_seq that was ever begun to be sent; 0 where nothing is known.

    Returns:
        What the platform need not have; and what waits for a later export, by sync.
    """
    waits = set().union(*aside.waits.values())
    if not reached:
        return set(), {}
    found = connection.execute(
        f"""
        select
            change_seq,
            shown.op,
            not exists (
                select 1 from core.dim_esp_contacts as held
                where held.exported_at <= cast(cast(outbox.changed_at as timestamptz) as timestamp)
            ) as is_settled
        from activation.esp_{name} as shown
        inner join activation.esp_outbox as outbox using (change_seq)
        where shown.op in ('delete', 'suppress')
            and (
                list_contains($waits, change_seq)
                or exists (
                    select 1 from activation.esp_outbox as meant
                    where meant.op = 'upsert' and meant.esp_id = outbox.esp_id
                        and meant.change_seq > $reached
                )
                and not exists (
                    select 1 from activation.esp_outbox as told
                    where told.change_seq <= $reached and (
                        outbox.esp_id in (told.esp_id, told.new_esp_id)
                        or told.email = outbox.email
                        or told.customer_key = outbox.customer_key
                    )
                )
            )
            and exists (select 1 from core.dim_esp_contacts where export_kind = 'complete')
            and not exists (
                select 1 from core.dim_esp_contacts as held
                where held.export_kind <> 'complete' or held.email = outbox.email
                    or outbox.esp_id in (held.external_id, held.esp_contact_id)
            )
        """,
        {"reached": reached, "waits": sorted(waits)},
    ).fetchall()
    unneeded, unsettled = set(), {}
    for number, op, is_settled in found:
        sync = f"{name}_{op}"
        if number <= at[sync] and number not in aside.numbers[sync]:
            continue
        if is_settled:
            unneeded.add(number)
        else:
            unsettled.setdefault(sync, set()).add(number)
    return unneeded, unsettled


def too_late(
    connection: duckdb.DuckDBPyConnection, name: str, at: dict[str, int], aside: Aside
) -> set[int]:
    """Return the change_seq of events to be sent that have expired since the build.

    Args:
        connection: to the published database.
        name: of the platform.
        at: cursors, by sync.
        aside: what was set aside: it is tried again.
    """
    sync = f"{name}_event"
    found = connection.execute(
        f"""
        select change_seq
        from activation.esp_{name} as shown
        inner join activation.esp_outbox as outbox using (change_seq)
        where shown.op = 'event' and (change_seq > $at or list_contains($again, change_seq))
            and try_cast(outbox.payload ->> '$.expires_at' as timestamptz) <= $now
        """,
        {"at": at[sync], "again": sorted(aside.numbers[sync]), "now": datetime.now(UTC)},
    ).fetchall()
    return {number for (number,) in found}


def still_refused(
    connection: duckdb.DuckDBPyConnection, name: str, aside: Aside, at: dict[str, int]
) -> None:
    """Forget what was refused and was overtaken since, or comes again from the cursor.

    Args:
        connection: to the published database.
        name: of the platform.
        aside: what was refused.
        at: cursors, by sync.
    """
    for sync, numbers in aside.numbers.items():
        if numbers:
            shown = connection.execute(
                f"select change_seq from activation.esp_{name}"
                " where list_contains($numbers, change_seq) and op = $op and change_seq <= $at",
                {"numbers": sorted(numbers), "op": sync.partition("_")[2], "at": at[sync]},
            ).fetchall()
            aside.forget(sync, numbers - {number for (number,) in shown})


def behind_refused(
    connection: duckdb.DuckDBPyConnection, sync: SyncConfig, aside: Aside
) -> set[int]:
    """Return the change_seq of records that would overtake a refused one of their id or address.

    Erasures, deletions and suppressions wait for nothing.

    Args:
        connection: to the published database.
        sync: drt's.
        aside: what was refused.
    """
    name, _, op = sync.name.partition("_")
    earlier = list(aside.seen)[: list(aside.seen).index(sync.name)]
    numbers = sorted(set().union(*(aside.seen[one] for one in earlier)))
    if op in NEVER_WAIT or not numbers:
        return set()
    found = connection.execute(
        f"""
        with named as (
            select unnest([esp_id, new_esp_id, email]) as name from activation.esp_outbox
            where list_contains($numbers, change_seq)
        ), names as (
            select name from named where name is not null
        )
        select change_seq
        from activation.esp_{name} as shown
        inner join activation.esp_outbox as outbox using (change_seq)
        where shown.op = $op and (
            esp_id in (from names) or new_esp_id in (from names) or email in (from names)
        )
        """,
        {"numbers": numbers, "op": op},
    ).fetchall()
    return {number for (number,) in found}


def rows_until(connection: duckdb.DuckDBPyConnection, sync: SyncConfig, at: int) -> bool:
    """Return whether nothing of an op is left after a cursor."""
    name, _, op = sync.name.partition("_")
    (left,) = connection.execute(
        f"select count(*) from activation.esp_{name} where op = ? and change_seq > ?", [op, at]
    ).fetchone()
    return left == 0
