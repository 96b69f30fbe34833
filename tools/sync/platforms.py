"""The e-mail platforms that the sync knows, and how drt's rows reach them.

drt extracts, batches, renders, paces, retries and keeps the cursor. What it has no answer to is
here: what a platform says inside a 2xx, what it only accepted and still has to do, and that its
error texts may repeat what was sent to it. Nothing that a platform says is printed or stored but
status numbers, error codes and ids of jobs.
"""

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from drt.config.models import RestApiDestinationConfig, RetryConfig, SyncConfig, SyncOptions
from drt.destinations.auth import AuthHandler
from drt.destinations.base import SyncResult
from drt.destinations.rate_limiter import resolve_rate_limiter
from drt.destinations.retry import parse_retry_after, resolve_retry
from drt.destinations.row_errors import RowError
from drt.templates.renderer import render_template

# What goes around the records of a request, in bytes; generous.
ENVELOPE = 2000
DONE = (200, 201, 202, 204)
WAIT_SECONDS = 900
# Statuses that speak of what was sent, not of the key, the pace or the platform.
REFUSALS = (400, 409, 413, 422)
# So many refused in a row, or in an op, are no longer the fault of single records.
IN_A_ROW, MOST_REFUSED = 10, 100
# What was refused is sent again in so many requests, so that one bad record of many is soon alone.
RETRIES = 16


@dataclass(frozen=True)
class Platform:
    """What is particular to a platform.

    Attributes:
        variables: environment variables that must be set: name to what it is.
        defaults: environment variables with a default.
        max_body_bytes: of a request.
        max_record_bytes: of one record.
        errors: key under which a 2xx lists records that were not taken.
        refusals: key under which a 2xx lists records that have been done before.
        importing: path that lists imports that were accepted and are not done, with its query.
        job_paths: paths whose answers name a job to ask about later.
    """

    variables: dict[str, str]
    defaults: dict[str, str] = field(default_factory=dict)
    max_body_bytes: int = 1_000_000
    max_record_bytes: int = 1_000_000
    errors: str | None = None
    refusals: str | None = None
    importing: tuple[str, dict[str, str]] | None = None
    job_paths: tuple[str, ...] = ()


# Limits: developers.klaviyo.com/en/reference (bulk import, suppress, data privacy) and
# braze.com/docs/api (users/track, users/identify, users/delete, external_ids/rename, email/status,
# errors).
PLATFORMS = {
    "klaviyo": Platform(
        variables={
            "KLAVIYO_API_KEY": "a private API key that may write profiles and subscriptions"
        },
        defaults={"KLAVIYO_URL": "https://a.klaviyo.com"},
        max_body_bytes=5_000_000,
        max_record_bytes=100_000,
        importing=(
            "/api/profile-bulk-import-jobs",
            {"filter": 'any(status,["queued","processing"])'},
        ),
        job_paths=("/api/profile-bulk-import-jobs", "/api/profile-suppression-bulk-create-jobs"),
    ),
    "braze": Platform(
        variables={
            "BRAZE_API_KEY": (
                "a REST API key that may track, identify, rename and delete users, and unsubscribe"
                " addresses"
            ),
            "BRAZE_URL": "the REST endpoint of your instance, such as https://rest.iad-01.braze.com",
        },
        max_body_bytes=4_000_000,
        errors="errors",
        refusals="rename_errors",
    ),
    "generic": Platform(
        variables={
            "WEBHOOK_URL": "where to post records",
            "WEBHOOK_TOKEN": "the bearer token that goes with them",
        },
    ),
}


class NotDoneError(Exception):
    """The platform still works on what it accepted."""


class StoppedError(Exception):
    """A signal came while it was waited for the next attempt."""


@dataclass(frozen=True)
class Job:
    """What a platform accepted and does later.

    Attributes:
        sync: name of the sync.
        url: where to ask about it.
        after: the change_seq after which its records begin.
        numbers: change_seq of its records, in their order; jobs noted by older versions have none.
    """

    sync: str
    url: str
    after: int
    numbers: Sequence[int] = ()


class Endpoint:
    """drt's destination: sends batches to a platform and understands its answers.

    A record that the platform refuses for what it is, is set aside, and what was sent with it goes
    on without it.

    Attributes:
        request_count: requests that were answered well.
        refused_count: records that the platform said were done before.
        blocked: change_seq of records that may not be sent, since they would overtake one that was
            refused: they are set aside unsent.
        unneeded: change_seq of records that the platform need not have: they count as sent.
        is_retry: whether what is sent was refused before, and stays aside if it is again.
        aside: change_seq of what was set aside since `begin`.
        unsent: change_seq of what a signal left unsent since `begin`; the next run sends it.
        reached: the change_seq since `begin` up to which nothing is left unsent; None if there is
            none.
        complaints: words about what was refused since `begin`.
    """

    def __init__(
        self,
        platform: Platform,
        client: httpx.Client,
        accepted: Callable[[Job], None],
        set_aside: Callable[[str, list[int]], None],
        report: Callable[[str], None],
        stop: threading.Event,
    ):
        """Prepare; nothing is sent yet.

        Args:
            platform: whose answers these are.
            client: one for all requests, so that connections are kept.
            accepted: called with each job before its rows count as sent.
            set_aside: called with a sync's name and change numbers before they count as sent.
            report: called with a line about each request.
            stop: set when a signal came: no request is begun after it.
        """
        self.platform, self.client, self.stop = platform, client, stop
        self.accepted, self.set_aside, self.report = accepted, set_aside, report
        self.request_count = self.refused_count = 0
        self.unneeded: set[int] = set()
        self.begin(set())

    def begin(self, blocked: set[int], is_retry: bool = False) -> None:
        """Prepare for an op.

        Args:
            blocked: change_seq of what may not be sent.
            is_retry: whether what follows was refused before.
        """
        self.blocked, self.is_retry = blocked, is_retry
        self.aside: list[int] = []
        self.unsent: list[int] = []
        self.reached: int | None = None
        self.complaints: list[str] = []
        self.in_a_row = self.op_refused = self.unneeded_count = 0

    def load(
        self, records: list[dict], config: RestApiDestinationConfig, sync_options: SyncOptions
    ) -> SyncResult:
        """Send a batch, in as many requests as the configuration asks for.

        Args:
            records: rows with CHANGE_SEQ and PAYLOAD.
            config: of the sync.
            sync_options: of the sync.

        Returns:
            Counts, and errors without a word of what was sent. What was set aside counts as sent;
            what a signal left unsent counts as nothing.
        """
        result, numbers = SyncResult(), [row["CHANGE_SEQ"] for row in records]
        needed = [row for row in records if row["CHANGE_SEQ"] not in self.unneeded]
        result.success += len(records) - len(needed)
        self.unneeded_count += len(records) - len(needed)
        records = needed
        behind = [row for row in records if row["CHANGE_SEQ"] in self.blocked]
        if behind:
            self._put_aside(result, behind, sync_options)
            records = [row for row in records if row["CHANGE_SEQ"] not in self.blocked]
        size = config.max_records_per_request
        if self.is_retry:
            size = min(size, -(-len(records) // RETRIES) or 1)
        for start in range(0, len(records), size):
            self._deliver(result, start, records[start : start + size], config, sync_options)
            if result.failed:
                break
        done = [number for number in numbers if number < min(self.unsent, default=number + 1)]
        self.reached = max(done, default=self.reached)
        return result

    def _deliver(
        self,
        result: SyncResult,
        start: int,
        rows: list[dict],
        config: RestApiDestinationConfig,
        sync_options: SyncOptions,
    ) -> None:
        """Send rows in one request; where it is refused, in two, and so on, till a signal comes."""
        # By URL: drt's own key is the host, and its slowest endpoint would pace all the others.
        limiter = resolve_rate_limiter(config, sync_options, key_override=config.url)
        if not self.stop.is_set():
            limiter.acquire()
        if self.stop.is_set():
            self.unsent += [row["CHANGE_SEQ"] for row in rows]
            return
        retry = resolve_retry(config.retry, sync_options)
        headers = {**config.headers, **AuthHandler(config.auth).get_headers()}
        body = render_template(config.batch_template, rows=rows).encode()
        first, last = rows[0]["CHANGE_SEQ"], rows[-1]["CHANGE_SEQ"]
        started = time.monotonic()
        bad, status, text = [], None, ""
        try:
            response = patiently(lambda: self._send(config.url, headers, body), retry, self.stop)
        except StoppedError:
            self.unsent += [row["CHANGE_SEQ"] for row in rows]
            return
        except httpx.HTTPStatusError as error:
            status, text = error.response.status_code, said(error.response)
            if status not in REFUSALS:
                self._fail(result, start, rows, status, text)
                return
            bad = rows
        except httpx.HTTPError as error:
            self._fail(result, start, rows, None, f"no answer ({type(error).__name__})")
            return
        else:
            status, text = response.status_code, "records were not taken"
            bad = self._understand(result, start, rows, config.url, response, sync_options)
            self.report(
                f"  change_seq {first} to {last}: {len(rows)} records, {len(body)} bytes,"
                f" HTTP {status}, {time.monotonic() - started:.2f} s"
            )
        if len(bad) == len(rows) > 1:
            half = len(rows) // 2
            for part in (rows[:half], rows[half:]):
                if not result.failed:
                    self._deliver(result, start, part, config, sync_options)
        elif bad:
            self._refuse(result, start, bad, sync_options, status, text)
        if len(bad) < len(rows):
            self.in_a_row = 0

    def _send(self, url: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        response = self.client.post(url, headers=headers, content=body)
        if response.status_code not in DONE:
            # A 207 is a partial failure, and a redirect did not take anything.
            raise httpx.HTTPStatusError("", request=response.request, response=response)
        self.request_count += 1
        return response

    def _understand(
        self,
        result: SyncResult,
        start: int,
        rows: list[dict],
        url: str,
        response: httpx.Response,
        sync_options: SyncOptions,
    ) -> list[dict]:
        """Count what a 2xx took, and remember what it only accepted; return what it did not take.

        All rows, where the answer does not say which.
        """
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = {}
        answer = answer if isinstance(answer, dict) else {}
        self.refused_count += len(answer.get(self.platform.refusals) or ())
        not_taken = answer.get(self.platform.errors) or ()
        if not_taken:
            named = {one.get("index") if isinstance(one, dict) else None for one in not_taken}
            if not named <= set(range(len(rows))):
                return rows
            result.success += len(rows) - len(named)
            return [row for index, row in enumerate(rows) if index in named]
        path = httpx.URL(url).path
        if path in self.platform.job_paths:
            job_id = str((answer.get("data") or {}).get("id", ""))
            if not re.fullmatch(r"[\w=-]{1,100}", job_id):
                self._fail(result, start, rows, response.status_code, "the answer names no job")
                return []
            numbers = [row["CHANGE_SEQ"] for row in rows]
            self.accepted(Job(sync_options._sync_name, f"{url}/{job_id}", numbers[0] - 1, numbers))
        result.success += len(rows)
        return []

    def _refuse(
        self,
        result: SyncResult,
        start: int,
        rows: list[dict],
        sync_options: SyncOptions,
        status: int | None,
        text: str,
    ) -> None:
        """Set aside what the platform does not take, unless it is so much that it must be us."""
        self.in_a_row += len(rows)
        self.op_refused += len(rows)
        many = self.in_a_row >= IN_A_ROW or self.op_refused > MOST_REFUSED
        if many and not self.is_retry:
            self._fail(result, start, rows, status, f"{text}, as much before it")
            return
        self.complaints += [f"{text}: change_seq {row['CHANGE_SEQ']}" for row in rows]
        self._put_aside(result, rows, sync_options)

    def _put_aside(self, result: SyncResult, rows: list[dict], sync_options: SyncOptions) -> None:
        numbers = [row["CHANGE_SEQ"] for row in rows]
        self.set_aside(sync_options._sync_name, numbers)
        self.aside += numbers
        result.success += len(rows)

    def _fail(
        self, result: SyncResult, start: int, rows: list[dict], status: int | None, text: str
    ) -> None:
        numbers = [row["CHANGE_SEQ"] for row in rows]
        where = f"change_seq {numbers[0]}" + (f" to {numbers[-1]}" if len(numbers) > 1 else "")
        result.failed += len(rows)
        result.row_errors.append(RowError(start, "", status, f"{text}: {where}"))


def patiently(
    ask: Callable[[], httpx.Response], retry: RetryConfig, stop: threading.Event
) -> httpx.Response:
    """Ask, and ask again where the platform is down or busy, with longer and longer waits.

    drt's own waiting ends at no signal.

    Args:
        ask: one attempt.
        retry: how often, how long, and after which statuses.
        stop: set when a signal came.

    Raises:
        StoppedError: if one came while it was waited.
        httpx.HTTPError: of the last attempt.
    """
    wait, left = retry.initial_backoff, retry.max_attempts
    while True:
        left, asked = left - 1, None
        try:
            return ask()
        except httpx.HTTPStatusError as error:
            if left <= 0 or error.response.status_code not in retry.retryable_status_codes:
                raise
            asked = parse_retry_after(error.response.headers.get("Retry-After"))
        except httpx.TransportError:
            if left <= 0:
                raise
        if stop.wait(min(max(asked or 0, wait), retry.max_backoff)):
            raise StoppedError
        wait *= retry.backoff_multiplier


def said(response: httpx.Response) -> str:
    """Return the status of a refusal and the codes in it: never its text, which may repeat ours."""
    codes = re.findall(r'"code"\s*:\s*"([a-z_]{1,40})"', response.text[:10_000])
    named = f" ({', '.join(sorted(set(codes)))})" if codes else ""
    return f"HTTP {response.status_code}{named}"


def records_per_request(platform: Platform, wanted: int, largest: int) -> int:
    """Return how many records go into a request so that its body stays within the limit.

    Args:
        platform: whose limit.
        wanted: as configured.
        largest: bytes of the largest record.

    Raises:
        ValueError: in words, where one record is too large.
    """
    if largest > platform.max_record_bytes or largest + ENVELOPE > platform.max_body_bytes:
        raise ValueError(f"a record has {largest} bytes, more than the platform takes")
    return max(1, min(wanted, (platform.max_body_bytes - ENVELOPE) // (largest + 1)))


def _get(
    client: httpx.Client,
    sync: SyncConfig,
    url: str,
    params: dict | None = None,
    stop: threading.Event | None = None,
) -> dict:
    headers = {**sync.destination.headers, **AuthHandler(sync.destination.auth).get_headers()}

    def ask() -> httpx.Response:
        response = client.get(url, headers=headers, params=params)
        if response.status_code != 200:
            raise httpx.HTTPStatusError("", request=response.request, response=response)
        return response

    return patiently(ask, RetryConfig(max_attempts=6), stop or threading.Event()).json()


def wait_for_imports(
    platform: Platform,
    client: httpx.Client,
    syncs: list[SyncConfig],
    pause: float,
    stop: threading.Event,
) -> None:
    """Return once nothing that was accepted before is still being imported, or to be stopped.

    A person who is deleted while an import of them waits would come back with it.

    Args:
        platform: where nothing is listed, nothing is waited for.
        client: for the requests.
        syncs: any of them say where the platform is.
        pause: seconds between two questions.
        stop: set when a signal came.

    Raises:
        NotDoneError: after WAIT_SECONDS.
        httpx.HTTPError: if the platform does not answer.
    """
    if not platform.importing:
        return
    path, params = platform.importing
    url = str(httpx.URL(syncs[0].destination.url).copy_with(path=path))
    ends = time.monotonic() + WAIT_SECONDS
    with contextlib.suppress(StoppedError):
        while _get(client, syncs[0], url, params, stop)["data"]:
            if time.monotonic() > ends:
                raise NotDoneError
            if stop.wait(pause):
                return


def outcomes(
    client: httpx.Client, syncs: list[SyncConfig], jobs: list[Job], pause: float
) -> Iterator[tuple[Job, int | None, list[int]]]:
    """Yield each job, as it is done, with what was not applied: how many, and their change_seq.

    Where the platform does not say which, all of the job's are named. None is the number of a job
    that the platform no longer knows.

    Args:
        client: for the requests.
        syncs: of the platform.
        jobs: what was accepted.
        pause: seconds between two questions.

    Raises:
        NotDoneError: after WAIT_SECONDS.
        httpx.HTTPError: if the platform does not answer.
    """
    ends = time.monotonic() + WAIT_SECONDS
    for job in jobs:
        try:
            while True:
                found = _get(client, syncs[0], job.url)["data"]["attributes"]
                if found["status"] in ("complete", "cancelled", "failed"):
                    break
                if time.monotonic() > ends:
                    raise NotDoneError
                time.sleep(pause)
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in (404, 410):
                raise
            yield job, None, []
            continue
        missing = found["total_count"] - found.get("completed_count", 0)
        missing -= found.get("skipped_count") or 0
        missing = max(missing, found.get("failed_count") or 0)
        numbers = list(job.numbers)
        if 0 < missing < len(numbers):
            named = _not_imported(client, syncs[0], job)
            numbers = named if len(named) >= missing else numbers
        yield job, missing, numbers if missing else []


def _not_imported(client: httpx.Client, sync: SyncConfig, job: Job) -> list[int]:
    """Return the change_seq of what an import could not use, as far as the platform says it."""
    if not job.url.rpartition("/")[0].endswith("/profile-bulk-import-jobs"):
        return []
    url, named = f"{job.url}/import-errors", set()
    host = httpx.URL(url).host
    while url and httpx.URL(url).host == host:
        try:
            answer = _get(client, sync, url)
        except httpx.HTTPStatusError:
            break
        for error in answer.get("data") or ():
            text = json.dumps(error.get("attributes") or {})
            number = re.search(r'"synced_change_seq": (\d+)', text)
            place = re.search(r'"pointer": "/data/attributes/profiles/data/(\d+)', text)
            if number and int(number[1]) in job.numbers:
                named.add(int(number[1]))
            elif place and int(place[1]) < len(job.numbers):
                named.add(job.numbers[int(place[1])])
        url = (answer.get("links") or {}).get("next")
    return sorted(named)


def remember(path: Path, jobs: list[Job]) -> None:
    """Write down which jobs are to be asked about, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(json.dumps(vars(job)) + "\n" for job in jobs))
    partial.replace(path)


def remembered(path: Path) -> list[Job]:
    """Return the jobs that were written down; a last line that was cut short is left out."""
    jobs = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            jobs.append(Job(**json.loads(line)))
        except ValueError:
            break
    return jobs
