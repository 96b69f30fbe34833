"""Sending and reading back: drt's engine between a snapshot and a platform."""

import contextlib
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
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
from tools.sync.hold import HELD_WORDS, Hold
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
)
from tools.sync.waiting import (
    HELD,
    NEVER_WAIT,
    behind_refused,
    follows_a_deletion,
    listed,
    never_told,
    newest,
    op_of,
    pending,
    rows_until,
    say_untellable,
    say_untold,
    still_refused,
    too_late,
    untellable_erasures,
    untold_erasures,
)

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
