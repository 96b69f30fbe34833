"""Send what changed to the e-mail platform, op by op, with drt.

    python -m tools.sync klaviyo|braze|generic [--verbose]
    python -m tools.sync klaviyo|braze|generic --dry-run
    python -m tools.sync klaviyo|braze|generic --read-back

Reads the published database and nothing else. Sent is what the activation tables say, from where
the last run came to; running it again is always right. --read-back asks what became of what the
platform only accepted; what it did not apply is sent again by the next run.

Exit codes: 0 done; 1 the platform refused or did not answer, run it again; 2 stopped before the
first request; 128 and the signal's number if one stopped it between two requests.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
from drt.config.base import ProjectConfig, StateConfig
from drt.config.models import SyncConfig
from drt.config.parser import load_syncs
from drt.config.profiles import DuckDBProfile
from drt.engine.observer import StatePersistingObserver
from drt.engine.sync import run_sync
from drt.state.factory import build_state_bundle
from drt.state.manager import LocalStateManager, StateStore, SyncState

from tools.places import ROOT, place
from tools.platforms import (
    PLATFORMS,
    Endpoint,
    Job,
    NotDoneError,
    Platform,
    outcomes,
    records_per_request,
    remember,
    remembered,
    said,
    wait_for_imports,
)

STATE = "LETTERSHOP_SYNC_STATE"
STATE_DEFAULT = "data/sync"
REMOTE = {"s3": "s3", "gs": "gcs"}
# Values that fewer people than this have are not shown in a dry run.
SHOWN_FROM = 20
PROFILE = DuckDBProfile(type="duckdb", database="")


class Refused(Exception):  # noqa: N818 - it is a decision, not a fault
    """Nothing may be sent; the message says why and what to do."""


class Folder(LocalStateManager):
    """drt's state in a folder, written whole or not at all."""

    def _save_all(self, data: dict) -> None:
        self._state_dir.mkdir(parents=True, exist_ok=True)
        partial = self._state_file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(data, indent=2))
        partial.replace(self._state_file)


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


def state_place(name: str) -> tuple[Path, str | None]:
    """Return the folder of a platform's state, and the URL of its cursors where they are elsewhere.

    Args:
        name: of the platform.
    """
    said = os.environ.get(STATE) or STATE_DEFAULT
    remote = said.partition("://")[0] in REMOTE and "://" in said
    return Path(STATE_DEFAULT if remote else said) / name, said if remote else None


def state_store(name: str) -> StateStore:
    """Return where drt keeps the cursors of a platform.

    Args:
        name: of the platform.
    """
    folder, url = state_place(name)
    if url is None:
        return Folder(folder)
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.strip("/").partition("/")
    state = StateConfig(
        backend=REMOTE[scheme], bucket=bucket, prefix="/".join(filter(None, (prefix, name)))
    )
    return build_state_bundle(ProjectConfig(name="lettershop", state=state), folder).state


@contextlib.contextmanager
def alone(name: str) -> Iterator[Path]:
    """Hold the folder of a platform's state: one run at a time.

    Args:
        name: of the platform.

    Raises:
        Refused: if another run holds it.
    """
    folder, _ = state_place(name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another sync to {name} is running. Wait until it has ended.") from None
        yield folder


def published() -> duckdb.DuckDBPyConnection:
    """Open the published database to read.

    Raises:
        Refused: if it cannot be opened.
    """
    path = place("LETTERSHOP_PUBLISHED")
    if not path.exists():
        raise Refused(f"There is no published database at {path}: run `make build` first.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException:
        raise Refused(f"{path} cannot be opened to read. Is it written to elsewhere?") from None
    connection.execute("set timezone = 'UTC'")
    return connection


def require_permit(connection: duckdb.DuckDBPyConnection) -> None:
    """Stop unless the shop stands by its basis, and the tests of what is sent passed.

    Args:
        connection: to the published database.

    Raises:
        Refused: in words.
    """
    try:
        (is_declared,) = connection.execute(
            "select coalesce(bool_and(is_declared), false) from monitoring.privacy_report"
            " where purpose = 'profiling'"
        ).fetchone()
        tests = dict(
            connection.execute(
                "select status, count(*) from monitoring.activation_tests group by status"
            ).fetchall()
        )
    except duckdb.CatalogException:
        raise Refused("What is published says nothing of its tests: run `make build`.") from None
    if not is_declared:
        raise Refused(
            "The var profiling_basis is not set: nothing may be sent until the shop declares on"
            " which basis it profiles (legitimate_interest). Then run `make build`."
        )
    good = tests.pop("pass", 0) + tests.pop("warn", 0)
    if tests or not good:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(tests.items()))
        raise Refused(
            "Nothing may be sent: the published build did not pass all tests of its activation"
            f" tables ({counts or 'none ran'}); monitoring.activation_tests lists them. Run"
            " `make build`, with all tests."
        )


def require_variables(platform: Platform) -> None:
    """Stop unless the environment has what the platform needs; set its defaults.

    Args:
        platform: which.

    Raises:
        Refused: with the names that are missing.
    """
    for variable, default in platform.defaults.items():
        os.environ.setdefault(variable, default)
    missing = {name: what for name, what in platform.variables.items() if not os.environ.get(name)}
    if missing:
        lines = "".join(f"\n  {name}: {what}" for name, what in missing.items())
        raise Refused(f"These environment variables are needed and not set:{lines}")
    for name in (*platform.variables, *platform.defaults):
        if not name.endswith("_URL"):
            continue
        url = httpx.URL(os.environ[name])
        if url.scheme != "https" and url.host not in ("127.0.0.1", "localhost", "::1"):
            raise Refused(f"{name} must begin with https://: what is sent is about people.")


def cursors(syncs: list[SyncConfig], state: StateStore) -> dict[str, int]:
    """Return the change_seq up to which each sync has come.

    Args:
        syncs: of the platform.
        state: drt's.
    """
    found = {sync.name: state.get_last_sync(sync.name) for sync in syncs}
    return {
        name: int(last.last_cursor_value) if last and last.last_cursor_value else 0
        for name, last in found.items()
    }


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


def fit(platform: Platform, syncs: list[SyncConfig], waiting: dict[str, tuple[int, int]]) -> None:
    """Make requests as large as the platform takes, and drt's batches as large as a request.

    A signal stops a run between two batches.

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
        jobs = folder / "jobs.jsonl"
        remember(jobs, remembered(jobs))
        with httpx.Client(timeout=30.0) as client, jobs.open("a", buffering=1) as accepted:
            endpoint = Endpoint(
                platform,
                client,
                accepted=lambda job: accepted.write(json.dumps(vars(job)) + "\n"),
                report=print if verbose else lambda line: None,
            )
            if any(count for count, _ in waiting.values()):
                wait_for_imports(platform, client, syncs, pause, stop)
            for sync in syncs:
                if stop.is_set():
                    break
                if not waiting[sync.name][0]:
                    continue
                if not send_op(sync, connection, endpoint, state, stop):
                    return 1
        if received:
            print("Stopped between two requests. Run it again: it goes on from here.")
            return 128 + received[0]
        print(f"{name} took everything, in {endpoint.request_count:,} requests.")
        if endpoint.refused_count:
            print(f"  {endpoint.refused_count:,} records it says were done before.")
    return 0


def send_op(
    sync: SyncConfig,
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    state: StateStore,
    stop: threading.Event,
) -> bool:
    """Send the rows of an op and print what came of it.

    Args:
        sync: drt's.
        connection: to the published database.
        endpoint: of the platform.
        state: drt's.
        stop: set when a signal came.

    Returns:
        Whether the next op may follow.
    """
    result = run_sync(
        sync,
        Snapshot(connection),
        endpoint,
        PROFILE,
        Path(),
        state_manager=state,
        observer=StatePersistingObserver(state, None),
        stop_event=stop,
        vars={},
    )
    print(f"{sync.name}: {result.success:,} sent", flush=True)
    if result.failed:
        for error in result.row_errors:
            print(f"{sync.name}: {error.error_message}", file=sys.stderr)
        print("Nothing after it was sent. Run it again: it begins this op anew.", file=sys.stderr)
        return False
    reached, at = result.success, cursors([sync], state)[sync.name]
    if reached and not result.interrupted and not rows_until(connection, sync, at):
        # drt only warns where it cannot write its state; everything would be sent again each time.
        print(f"{sync.name}: its cursor could not be written to {STATE}.", file=sys.stderr)
        return False
    return True


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
        left, missing = list(jobs), Counter()
        with httpx.Client(timeout=30.0) as client:
            for job, count in outcomes(client, syncs, jobs, pause):
                if count:
                    missing[job.sync] += count
                    rewind(state, job)
                left.remove(job)
                remember(path, left)
    for sync, count in missing.items():
        print(f"{sync}: {count:,} records were accepted and not applied.", file=sys.stderr)
    if missing:
        print("The next sync sends them again. The platform's own log says why.", file=sys.stderr)
        return 1
    print(f"{name} has applied what it accepted, in {len(jobs):,} jobs.")
    return 0


def rewind(state: StateStore, job: Job) -> None:
    """Set the cursor of a sync back to before a job, if it is later."""
    last = state.get_last_sync(job.sync)
    if last and last.last_cursor_value and int(last.last_cursor_value) > job.after:
        state.save_sync(
            SyncState(
                job.sync, last.last_run_at, 0, "partial", None, last_cursor_value=str(job.after)
            )
        )


def dry_run(name: str, project: Path | None = None) -> int:
    """Print what a sync would send: counts, profiles that it would create, three examples.

    Args:
        name: of the platform.
        project: drt's; by default the platform's under sync/.

    Returns:
        The exit code.

    Raises:
        Refused: in words.
    """
    platform = PLATFORMS[name]
    for variable in (*platform.variables, *platform.defaults):
        os.environ.setdefault(variable, "unset")
    with contextlib.closing(published()) as connection:
        try:
            require_permit(connection)
        except Refused as refusal:
            print(f"A sync would stop: {refusal}\n")
        syncs, state = load_syncs(project or ROOT / "sync" / name, vars={}), state_store(name)
        waiting = pending(connection, name, syncs, state)
        at = cursors(syncs, state)
        for sync in syncs:
            print(f"{op_of(sync):<9}{waiting[sync.name][0]:>12,}")
        print(f"{created(connection, name, at[f'{name}_upsert']):,} profiles would be created.")
        shown = Counter()
        payloads = []
        for sync in syncs:
            found = connection.execute(
                f"select payload from activation.esp_{name} where op = ? and change_seq > ?"
                " order by change_seq limit 1000",
                [op_of(sync), at[sync.name]],
            ).fetchall()
            payloads += [(op_of(sync), json.loads(payload)) for (payload,) in found]
        for _, payload in payloads:
            shown.update(leaves(payload))
        for op in ("upsert", "suppress", "erase"):
            example = next((payload for its, payload in payloads if its == op), None)
            if example is not None:
                print(f"{op}: {json.dumps(redacted(example, shown), ensure_ascii=False)}")
    return 0


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
            )
            and not exists (
                select 1 from core.dim_esp_contacts as known
                where known.email = outbox.email
                    or outbox.esp_id in (known.external_id, known.esp_contact_id)
            )
        """,
        {"at": at},
    ).fetchone()[0]


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
        shown: how often each key has each value.
        key: under which it stands.
    """
    if isinstance(payload, dict):
        return {name: redacted(part, shown, name) for name, part in payload.items()}
    if isinstance(payload, list):
        return [redacted(part, shown, key) for part in payload]
    return payload if shown[key, str(payload)] >= SHOWN_FROM else "…"


def main(words: list[str] | None = None, project: Path | None = None, pause: float = 5.0) -> None:
    """Do what the arguments ask for; print no value of a person, nor what a platform said.

    Args:
        words: by default those of the command line.
        project: drt's; by default the platform's under sync/.
        pause: seconds between two questions whether the platform is done.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sync", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("platform", choices=PLATFORMS)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="send nothing, say what would be")
    what.add_argument("--read-back", action="store_true", help="what became of what was accepted")
    what.add_argument("--verbose", action="store_true", help="a line for each request")
    arguments = parser.parse_args(words)
    try:
        if arguments.dry_run:
            code = dry_run(arguments.platform, project)
        elif arguments.read_back:
            code = read_back(arguments.platform, project, pause)
        else:
            code = send(arguments.platform, project, arguments.verbose, pause)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        code = 2
    except NotDoneError:
        print("The platform still works on what it accepted. Run it again later.", file=sys.stderr)
        code = 1
    except httpx.HTTPStatusError as error:
        print(f"The platform refused: {said(error.response)}.", file=sys.stderr)
        code = 1
    except httpx.HTTPError as error:
        print(f"The platform did not answer ({type(error).__name__}).", file=sys.stderr)
        code = 1
    except Exception as error:
        # Its text may have a record in it: where it happened has to do.
        traceback.print_tb(error.__traceback__)
        print(f"{type(error).__name__}, at the last line above.", file=sys.stderr)
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
