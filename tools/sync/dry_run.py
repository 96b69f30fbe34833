"""What a sync would send, without sending it and without showing anybody."""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
from drt.config.parser import load_syncs

from tools.places import ROOT
from tools.sync.hold import Hold, hold_from_now
from tools.sync.permit import Refused, published, require_permit
from tools.sync.platforms import PLATFORMS
from tools.sync.state import Aside, cursors, state_place, state_store, tried
from tools.sync.waiting import (
    follows_a_deletion,
    never_told,
    op_of,
    pending,
    say_untellable,
    say_untold,
    still_refused,
    too_late,
    untellable_erasures,
    untold_erasures,
)

# Values that fewer people than this have are not shown, among so many newest records, sent or not.
SHOWN_FROM, COUNTED = 20, 20_000


def dry_run(name: str, project: Path | None = None) -> int:
    """Print what a sync would send: counts, profiles that it would create, three examples.

    Args:
        name: of the platform.
        project: drt's; by default the platform's under sync/.

    Returns:
        The exit code: 2 where a sync would stop, since the build gives no permit.

    Raises:
        Refused: in words.
    """
    platform = PLATFORMS[name]
    for variable in (*platform.variables, *platform.defaults):
        os.environ.setdefault(variable, "unset")
    with contextlib.closing(published()) as connection:
        would_stop = False
        try:
            require_permit(connection)
        except Refused as refusal:
            would_stop = True
            print(f"A sync would stop: {refusal}\n")
        syncs, state = load_syncs(project or ROOT / "sync" / name, vars={}), state_store(name)
        waiting = pending(connection, name, syncs, state)
        at = cursors(syncs, state)
        for sync in syncs:
            print(f"{op_of(sync):<17}{waiting[sync.name][0]:>12,}")
        aside = Aside(syncs, state, is_kept=False)
        untold, lost = untold_erasures(connection, name, at, aside)
        still_refused(connection, name, aside, at)
        unneeded, unsettled = never_told(
            connection, name, at, aside, tried(f"{name}_upsert", state)
        )
        aside.settle(unneeded, unsettled)
        unsure = set().union(*unsettled.values())
        refused = len(aside.all() - unsure)
        if refused:
            print(f"{refused:,} records that were set aside would be tried again.")
        say_untold(untold, name)
        untellable, numbers = untellable_erasures(connection, name)
        say_untellable(untellable, numbers, name)
        following = follows_a_deletion(connection, name, at, aside.all(), unneeded | unsure)
        until = Hold(state_place(name)[0]).until
        if following:
            until = hold_from_now()
            print(f"{following:,} records would follow a deletion of the same id or address.")
        if until:
            print(
                f"Merges, profiles and events would wait until {until:%Y-%m-%d %H:%M} UTC: nothing"
                " follows a deletion in the same night."
            )
        late = too_late(connection, name, at, aside)
        if late:
            print(f"{len(late):,} events have expired since the build and would not be sent.")
        print(f"{created(connection, name, at[f'{name}_upsert']):,} profiles would be created.")
        shown = common_values(connection, name)
        for op in ("upsert", "suppress", "erase"):
            waits = connection.execute(
                f"select payload from activation.esp_{name} where op = ? and change_seq > ?"
                " order by change_seq limit 1",
                [op, at[f"{name}_{op}"]],
            ).fetchone()
            if waits:
                example = redacted(json.loads(waits[0]), shown)
                print(f"{op}: {json.dumps(example, ensure_ascii=False)}")
    if would_stop:
        return 2
    return 1 if lost else 0


def created(connection: duckdb.DuckDBPyConnection, name: str, at: int) -> int:
    """Return how many pending upserts are of people whom the platform does not have, as we know it.

    Args:
        connection: to the published database.
        name: of the platform.
        at: cursor of its upserts.
    """
    return connection.execute(
        f"""
        select count(*)
        from activation.esp_{name} as waiting
        inner join activation.esp_outbox as outbox using (change_seq)
        where waiting.op = 'upsert' and waiting.change_seq > $at
            and not exists (
                select 1 from activation.esp_outbox as earlier
                where earlier.esp_id = outbox.esp_id
                    and earlier.op = 'upsert' and earlier.change_seq <= $at
                    and not exists (
                        select 1 from activation.esp_outbox as gone
                        where gone.esp_id = outbox.esp_id and gone.op in ('delete', 'erase')
                            and gone.change_seq > earlier.change_seq
                    )
            )
            and not exists (
                select 1 from core.dim_esp_contacts as known
                where known.email = outbox.email
                    or outbox.esp_id in (known.external_id, known.esp_contact_id)
            )
        """,
        {"at": at},
    ).fetchone()[0]


def common_values(connection: duckdb.DuckDBPyConnection, name: str) -> Counter:
    """Return how many of the people who were told of last have each value of each key.

    Args:
        connection: to the published database.
        name: of the platform.
    """
    found = connection.execute(
        "select shown.payload, coalesce(outbox.email, outbox.customer_key, outbox.esp_id)"
        f" from activation.esp_{name} as shown"
        " inner join activation.esp_outbox as outbox using (change_seq)"
        " order by change_seq desc limit ?",
        [COUNTED],
    ).fetchall()
    of_people = {}
    for payload, person in found:
        of_people.setdefault(person, set()).update(leaves(json.loads(payload)))
    shown = Counter()
    for values in of_people.values():
        shown.update(values)
    return shown


def leaves(payload, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each value of a payload with its key."""
    if isinstance(payload, dict):
        for name, part in payload.items():
            yield from leaves(part, name)
    elif isinstance(payload, list):
        for part in payload:
            yield from leaves(part, key)
    else:
        yield key, str(payload)


def redacted(payload, shown: Counter, key: str = ""):
    """Return a payload without what only few people have.

    Args:
        payload: of one record.
        shown: how many people have each value of each key.
        key: under which it stands.
    """
    if isinstance(payload, dict):
        return {name: redacted(part, shown, name) for name, part in payload.items()}
    if isinstance(payload, list):
        return [redacted(part, shown, key) for part in payload]
    return payload if shown[key, str(payload)] >= SHOWN_FROM else "…"
