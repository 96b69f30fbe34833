"""Sending and reading back: drt's engine between a snapshot and a platform."""

import contextlib
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
from drt.config.models import SyncConfig
from drt.config.parser import load_syncs
from drt.config.profiles import DuckDBProfile
from drt.destinations.base import SyncResult
from drt.engine.observer import StatePersistingObserver
from drt.engine.sync import run_sync
from drt.state.manager import StateStore

from tools.places import ROOT
from tools.sync.permit import Refused, published, require_permit, require_variables
from tools.sync.platforms import (
    PLATFORMS,
    REFUSALS,
    Endpoint,
    Platform,
    outcomes,
    records_per_request,
    remember,
    remembered,
    wait_for_imports,
)
from tools.sync.state import (
    STATE,
    Aside,
    alone,
    begin,
    cursors,
    keep_mark,
    marks,
    rewind,
    state_store,
    tried,
    write_whole,
)

# What is not sent for so long after a deletion of the same id or address: the night after, it is.
HELD, HELD_FOR = ("merge", "upsert", "event"), timedelta(hours=20)
HELD_WORDS = (
    "Some of what waits would follow a deletion of the same id or address, which the platform"
    " carries out when it has time. Run it again then; the next night is in time."
)
# What may go out although something before it was refused, and so many refused ones are named.
NEVER_WAIT, NAMED = ("erase", "delete", "suppress"), 50
PROFILE = DuckDBProfile(type="duckdb", database="")


class Observer(StatePersistingObserver):
    """Keeps drt's cursors, and before each by which build the row at it was written."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, state: StateStore, endpoint: Endpoint
    ):
        """Keep them.

        Args:
            connection: to the published database.
            state: drt's.
            endpoint: says what a signal left unsent of a batch.
        """
        super().__init__(state, None)
        self.connection, self.state, self.endpoint = connection, state, endpoint

    def on_sync_completed(self, sync_name, result, started_at, new_cursor_value, cursor_field):
        """Keep a cursor with its mark.

        Args:
            sync_name: of the sync.
            result: drt's.
            started_at: drt's.
            new_cursor_value: up to which it has come.
            cursor_field: drt's.
        """
        if self.endpoint.unsent:
            # drt has come to the end of the batch; the platform has not.
            reached = self.endpoint.reached
            new_cursor_value = None if reached is None else str(reached)
        with contextlib.suppress(Exception):
            # Without a mark a cursor is as good; drt says what it cannot write itself.
            mark(self.connection, self.state, sync_name, int(new_cursor_value or 0))
        super().on_sync_completed(sync_name, result, started_at, new_cursor_value, cursor_field)


def mark(connection: duckdb.DuckDBPyConnection, state: StateStore, name: str, number: int) -> None:
    """Keep by which build the row was written up to which a sync has come.

    Args:
        connection: to the published database.
        state: drt's.
        name: of the sync.
        number: change_seq of the row.
    """
    found = connection.execute(
        "select coalesce(run_id, '') from activation.esp_outbox where change_seq = ?", [number]
    ).fetchone()
    if found:
        keep_mark(name, number, found[0], state)


class Snapshot:
    """drt's source: one read-only connection, so that all ops see the same build."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        """Keep the connection.

        Args:
            connection: to the published database.
        """
        self.connection = connection

    def extract(self, query: str, config, *, query_tags=None) -> Iterator[dict]:
        """Yield the rows of a query.

        Args:
            query: as drt rendered it.
            config: drt's profile; the connection is what counts.
            query_tags: drt's.
        """
        found = self.connection.cursor().execute(query)
        names = [column[0] for column in found.description]
        while rows := found.fetchmany(10_000):
            for row in rows:
                yield dict(zip(names, row, strict=True))

    def test_connection(self, config) -> bool:
        """Return whether there is an answer: it was opened before.

        Args:
            config: drt's profile.
        """
        return True


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
        select count(*) from pending
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
    refused = numbers & aside.numbers[f"{name}_erase"]
    unsent = {number for number in numbers if number > at[f"{name}_erase"]}
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
            change_seq in (select change_seq from activation.esp_{name} where op = 'erase'),
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


class Hold:
    """The time until which nothing is sent that may follow a deletion.

    Platforms delete when they have time. What follows at once may be deleted with it.

    Attributes:
        until: when it ends; None where nothing is held.
        is_new: whether it was begun by this run.
    """

    def __init__(self, folder: Path):
        """Read it.

        Args:
            folder: of the state.

        Raises:
            Refused: if what is written there is no time.
        """
        self.path, self.is_new = folder / "held_until", False
        self.until = self.before = self._read()

    def _read(self) -> datetime | None:
        if not self.path.exists():
            return None
        try:
            until = datetime.fromisoformat(self.path.read_text().strip())
            return until if datetime.now(UTC) < until else None
        except (ValueError, TypeError):
            raise Refused(
                f"{self.path} is damaged: until when merges, profiles and events wait is not known."
                " Write a time there, such as"
                f" {hold_from_now().isoformat()}; or remove it, if no deletion went out in the last"
                " twenty hours."
            ) from None

    def begin(self) -> None:
        """Hold from now on, whatever becomes of this run."""
        self.until, self.is_new = hold_from_now(), True
        self.keep()

    def take_back(self) -> None:
        """Hold as before: no deletion was taken that something would follow."""
        self.until, self.is_new = self.before, False
        self.keep()

    def keep(self) -> None:
        """Write it down, or forget what is over."""
        if self.until:
            write_whole(self.path, self.until.isoformat())
        else:
            self.path.unlink(missing_ok=True)


def hold_from_now() -> datetime:
    """Return when a hold ends that begins now."""
    return datetime.now(UTC).replace(microsecond=0) + HELD_FOR


def fit(platform: Platform, syncs: list[SyncConfig], waiting: dict[str, tuple[int, int]]) -> None:
    """Make requests as large as the platform takes, and drt's batches as large as a request.

    Args:
        platform: whose limits.
        syncs: changed in place.
        waiting: of pending.

    Raises:
        Refused: if a record is too large.
    """
    for sync in syncs:
        try:
            size = records_per_request(
                platform, sync.destination.max_records_per_request, waiting[sync.name][1]
            )
        except ValueError as error:
            raise Refused(f"{sync.name}: {error}. Nothing was sent.") from None
        sync.destination.max_records_per_request = sync.sync.batch_size = size


@contextlib.contextmanager
def stoppable() -> Iterator[tuple[threading.Event, list[int]]]:
    """Take SIGTERM and SIGINT as a wish to stop between two requests.

    Yields:
        What is set when one comes, and the signals that came.
    """
    stop, received = threading.Event(), []

    def on_signal(number, _frame):
        received.append(number)
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop, received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def send(name: str, project: Path | None = None, verbose: bool = False, pause: float = 5.0) -> int:
    """Send what changed.

    Args:
        name: of the platform.
        project: drt's; by default the platform's under sync/.
        verbose: report each request.
        pause: seconds between two questions whether the platform is done.

    Returns:
        The exit code.

    Raises:
        Refused: in words, before the first request.
    """
    platform = PLATFORMS[name]
    with (
        stoppable() as (stop, received),
        alone(name) as folder,
        contextlib.closing(published()) as connection,
    ):
        require_permit(connection)
        require_variables(platform)
        syncs, state = load_syncs(project or ROOT / "sync" / name, vars={}), state_store(name)
        waiting = pending(connection, name, syncs, state)
        fit(platform, syncs, waiting)
        at = cursors(syncs, state)
        aside, hold = Aside(syncs, state), Hold(folder)
        untold, lost = untold_erasures(connection, name, at, aside)
        say_untold(untold, name)
        untellable, numbers = untellable_erasures(connection, name)
        say_untellable(untellable, numbers, name)
        still_refused(connection, name, aside, at)
        reached = tried(f"{name}_upsert", state)
        unneeded, unsettled = never_told(connection, name, at, aside, reached)
        aside.settle(unneeded, unsettled)
        unsure = set().union(*unsettled.values())
        again = aside.all()
        if follows_a_deletion(connection, name, at, again, unneeded | unsure):
            # Before the first request, since this run may be killed after any.
            hold.begin()
        hold.keep()
        for sync_name in at.keys() - marks(syncs, state).keys():
            mark(connection, state, sync_name, at[sync_name])
        due = [sync for sync in syncs if waiting[sync.name][0] or aside.numbers[sync.name] - unsure]
        if hold.until and not hold.is_new:
            due = [sync for sync in due if op_of(sync) not in HELD]
        jobs, gave_up, late = folder / "jobs.jsonl", False, set()
        remember(jobs, remembered(jobs))
        with httpx.Client(timeout=30.0) as client, jobs.open("a", buffering=1) as accepted:
            endpoint = Endpoint(
                platform,
                client,
                accepted=lambda job: accepted.write(json.dumps(vars(job)) + "\n"),
                set_aside=aside.add,
                report=print if verbose else lambda line: None,
                stop=stop,
            )
            endpoint.unneeded = unneeded
            if due:
                wait_for_imports(platform, client, syncs, pause, stop)
            for sync in due:
                if stop.is_set():
                    break
                if gave_up and op_of(sync) not in NEVER_WAIT:
                    break
                if op_of(sync) in HELD:
                    if hold.is_new and not follows_a_deletion(
                        connection, name, at, again, aside.all() | unneeded
                    ):
                        # The platform refused the deletions: what follows them is set aside.
                        hold.take_back()
                    if hold.until:
                        continue
                if op_of(sync) == "event":
                    late = too_late(connection, name, at, aside)
                    aside.forget(sync.name, aside.numbers[sync.name] & late)
                    endpoint.unneeded = unneeded | late
                blocked = behind_refused(connection, sync, aside)
                outcome = retry_refused(sync, connection, endpoint, aside, blocked | unsure)
                if outcome is not None and stop.is_set():
                    break
                if outcome is not None and waiting[sync.name][0]:
                    endpoint.begin(blocked | unsure)
                    if op_of(sync) == "upsert":
                        try:
                            begin(sync.name, newest(connection), state)
                        except OSError:
                            say_unwritten(sync)
                            return 1
                    status = send_op(sync, connection, endpoint, state, stop)
                else:
                    status = None if outcome is None else 200
                if status in REFUSALS:
                    gave_up = True
                elif status != 200:
                    return 1
        if gave_up:
            return 1
        if received:
            print("Stopped between two requests. Run it again: it goes on from here.")
            return 128 + received[0]
        held = {
            sync.name: waiting[sync.name][0] + len(aside.numbers[sync.name])
            for sync in syncs
            if hold.until and op_of(sync) in HELD
        }
        for sync, count in held.items():
            if count:
                print(f"{sync}: {count:,} wait until {hold.until:%Y-%m-%d %H:%M} UTC")
        is_held = any(held.values())
        if is_held:
            print(HELD_WORDS)
        what = "what does not wait" if is_held else "everything"
        left = sorted(aside.all() - unsure)
        what += " but what is set aside" if left else ""
        what += " that can be told" if untellable else ""
        if unneeded:
            print(f"{len(unneeded):,} were of people whom {name} was never told of.")
        if late:
            print(f"{len(late):,} events had expired since the build and were not sent.")
        if unsure:
            print(
                f"{len(unsure):,} wait for an export that is later than they are: the last one does"
                f" not show the people, whom {name} was never told of."
            )
        print(f"{name} took {what}, in {endpoint.request_count:,} requests.")
        if endpoint.refused_count:
            print(f"  {endpoint.refused_count:,} records it says were done before.")
        say_aside(left)
    return 1 if left or lost else 0


def say_aside(numbers: list[int]) -> None:
    """Print which records the platform refused, or wait behind those."""
    if numbers:
        print(
            f"{len(numbers):,} records are set aside: the platform refused them, or what they must"
            f" not overtake. The next run tries again: change_seq {listed(numbers)}",
            file=sys.stderr,
        )


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


def retry_refused(
    sync: SyncConfig,
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    aside: Aside,
    blocked: set[int],
) -> int | None:
    """Send again what was refused before.

    Args:
        sync: drt's.
        connection: to the published database.
        endpoint: of the platform.
        aside: what was refused.
        blocked: change_seq of what still waits.

    Returns:
        How many the platform took; None if it did not answer.
    """
    name, _, op = sync.name.partition("_")
    rows = connection.execute(
        f"select change_seq, payload from activation.esp_{name}"
        " where op = $op and list_contains($numbers, change_seq) order by change_seq",
        {"op": op, "numbers": sorted(aside.numbers[sync.name] - blocked)},
    ).fetchall()
    if not rows:
        return 0
    endpoint.begin(set(), is_retry=True)
    records = [{"CHANGE_SEQ": number, "PAYLOAD": payload} for number, payload in rows]
    result = endpoint.load(records, sync.destination, sync.sync)
    say_errors(sync, endpoint.complaints, result)
    if result.failed:
        return None
    kept = {*endpoint.aside, *endpoint.unsent}
    taken = [number for number, _ in rows if number not in kept]
    aside.remove(sync.name, taken)
    print(f"{sync.name}: {len(taken):,} of {len(rows):,} sent that were refused before", flush=True)
    return len(taken)


def say_errors(sync: SyncConfig, complaints: list[str], result: SyncResult) -> None:
    """Print what was refused, and what ended an op."""
    for line in (*complaints, *(error.error_message for error in result.row_errors)):
        print(f"{sync.name}: {line}", file=sys.stderr)


def send_op(
    sync: SyncConfig,
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    state: StateStore,
    stop: threading.Event,
) -> int | None:
    """Send the rows of an op and print what came of it.

    Args:
        sync: drt's.
        connection: to the published database.
        endpoint: of the platform.
        state: drt's.
        stop: set when a signal came.

    Returns:
        200 if it was sent, save for what was set aside; else the status of the refusal that ended
        it, None if there was no answer or it cannot be remembered.
    """
    result = run_sync(
        sync,
        Snapshot(connection),
        endpoint,
        PROFILE,
        Path(),
        state_manager=state,
        observer=Observer(connection, state, endpoint),
        stop_event=stop,
        vars={},
    )
    unsent = len(endpoint.aside) + endpoint.unneeded_count
    print(f"{sync.name}: {result.success - unsent:,} sent", flush=True)
    say_errors(sync, endpoint.complaints, result)
    if result.failed:
        status = result.row_errors[-1].http_status if result.row_errors else None
        after = "No profile" if status in REFUSALS and op_of(sync) in NEVER_WAIT else "Nothing"
        print(f"{after} after it was sent. Run it again: it begins this op anew.", file=sys.stderr)
        return status
    reached, at = result.success, cursors([sync], state)[sync.name]
    if reached and not result.interrupted and not rows_until(connection, sync, at):
        # drt only warns where it cannot write its state; everything would be sent again each time.
        say_unwritten(sync)
        return None
    return 200


def say_unwritten(sync: SyncConfig) -> None:
    """Print that the state cannot be written."""
    print(f"{sync.name}: its cursor could not be written to {STATE}.", file=sys.stderr)


def rows_until(connection: duckdb.DuckDBPyConnection, sync: SyncConfig, at: int) -> bool:
    """Return whether nothing of an op is left after a cursor."""
    name, _, op = sync.name.partition("_")
    (left,) = connection.execute(
        f"select count(*) from activation.esp_{name} where op = ? and change_seq > ?", [op, at]
    ).fetchone()
    return left == 0


def read_back(name: str, project: Path | None = None, pause: float = 5.0) -> int:
    """Ask what became of what the platform accepted, and send again what was not applied.

    Args:
        name: of the platform.
        project: drt's; by default the platform's under sync/.
        pause: seconds between two questions.

    Returns:
        The exit code: 1 where something was not applied.

    Raises:
        Refused: in words.
    """
    platform = PLATFORMS[name]
    with alone(name) as folder:
        path = folder / "jobs.jsonl"
        jobs = remembered(path)
        if not jobs:
            print(f"Nothing that {name} accepted is left to ask about.")
            return 0
        require_variables(platform)
        syncs, state = load_syncs(project or ROOT / "sync" / name, vars={}), state_store(name)
        left, missing, named, forgotten = list(jobs), Counter(), set(), 0
        aside = Aside(syncs, state)
        with httpx.Client(timeout=30.0) as client:
            for job, count, numbers in outcomes(client, syncs, jobs, pause):
                forgotten += count is None
                if count:
                    missing[job.sync] += count
                    named |= set(numbers)
                    if numbers:
                        aside.add(job.sync, numbers)
                    else:
                        rewind(state, job)
                left.remove(job)
                remember(path, left)
    for sync, count in missing.items():
        print(f"{sync}: {count:,} records were accepted and not applied.", file=sys.stderr)
    if forgotten:
        print(
            f"{name} no longer knows {forgotten:,} of {len(jobs):,} jobs: what became of them shows"
            " in monitoring.sync_reconciliation, with the next export of its contacts.",
            file=sys.stderr,
        )
    if missing:
        say_aside(sorted(named))
        print("The platform's own log says why.", file=sys.stderr)
    if missing or forgotten:
        return 1
    print(f"{name} has applied what it accepted, in {len(jobs):,} jobs.")
    return 0
