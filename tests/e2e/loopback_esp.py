"""E-mail platforms on the loopback address, as strict and unreliable as their documentation says.

What they accept they apply later, in an order of their own. They refuse what is too large, too
much, too fast or not of their shape; they repeat what was sent to them, key included, in their
errors; and at random they answer 429 or 500, apply something and then say 500, or hang up.
"""

import json
import random
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

import uvicorn
from openapi_client.models.data_privacy_create_deletion_job_query import (
    DataPrivacyCreateDeletionJobQuery,
)
from openapi_client.models.event_create_query_v2 import EventCreateQueryV2
from openapi_client.models.import_error_response_object_resource import (
    ImportErrorResponseObjectResource,
)
from openapi_client.models.profile_import_job_create_query import ProfileImportJobCreateQuery
from openapi_client.models.suppression_create_job_create_query import (
    SuppressionCreateJobCreateQuery,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

KEY = "pk_of_the_loopback"
FAULTS = ("429", "500", "500 after applying", "reset", "reset after applying")


class RefusedError(Exception):
    """The platform does not take a request: status, then code."""


@dataclass
class Job:
    """What was accepted and is applied when it is due."""

    kind: str
    due: float
    records: list[dict]
    status: str = "queued"
    failed: list[int] = field(default_factory=list)
    skipped: int = 0


@dataclass
class Limits:
    """Of a path: records and bytes a request, and requests within a time."""

    records: int
    bytes: int
    requests: int = 10**9
    seconds: float = 1.0
    times: deque = field(default_factory=deque)

    def take(self) -> None:
        """Count a request.

        Raises:
            RefusedError: if there were too many.
        """
        now = time.monotonic()
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        if len(self.times) >= self.requests:
            raise RefusedError(429, "rate_limit_exceeded")
        self.times.append(now)


class _Connections(H11Protocol):
    """Knows its connections, so that one can be cut."""

    by_client = {}  # noqa: RUF012 - uvicorn makes the instances

    def connection_made(self, transport):
        """Remember the connection."""
        super().connection_made(transport)
        self.by_client[transport.get_extra_info("peername")] = transport


class LoopbackEsp:
    """A platform in a thread of its own.

    Attributes:
        requests: number of requests that were applied or accepted, by path.
        bodies: bytes of the largest of them, by path.
        records: number of records in each of them, in order.
        answers: number of answers by status, and of resets.
        log: what was received and what was applied, in order: (word, op, e-mail, id, record).
        rejected: addresses that it finds bad when it applies them.
        invalid: addresses or ids for which it refuses the whole request.
    """

    paths: dict[str, str] = {}  # noqa: RUF012
    needs: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, seed: int = 0, fault_rate: float = 0.0, delay: float = 0.0):
        """Prepare.

        Args:
            seed: of everything random.
            fault_rate: share of requests that something happens to.
            delay: seconds after which what was accepted is applied, at most.
        """
        self.random = random.Random(seed)
        self.fault_rate, self.delay = fault_rate, delay
        self.limits: dict[str, Limits] = {}
        self.requests, self.bodies, self.answers = Counter(), Counter(), Counter()
        self.records: list[int] = []
        self.log: list[tuple] = []
        self.jobs: dict[str, Job] = {}
        self.lock = threading.RLock()
        self.rejected: set[str] = set()
        self.invalid: set[str] = set()
        self.url = ""

    # --- The server -------------------------------------------------------------------------------

    def __enter__(self) -> "LoopbackEsp":
        """Serve on a free port of 127.0.0.1."""
        # Named, or asyncio does not know that it is TCP, and lets small answers wait for 40 ms.
        opened = socket.socket(proto=socket.IPPROTO_TCP)
        opened.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{opened.getsockname()[1]}"
        routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        config = uvicorn.Config(
            Starlette(routes=routes), http=_Connections, log_level="critical", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([opened],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        """End the server."""
        self.server.should_exit = True
        self.thread.join(10)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        path = "/" + request.path_params["path"]
        with self.lock:
            self._advance()
            if request.method == "GET":
                return self._found(path, request)
            fault = ""
            if self.random.random() < self.fault_rate:
                fault = self.random.choice(FAULTS)
            self.answers[fault or "well"] += 1
            if fault == "reset":
                return self._hang_up(request)
            if fault in ("429", "500"):
                return self._refuse(int(fault), "random", body, request)
            try:
                taken = self._take(path, request, body)
            except RefusedError as refusal:
                self.answers[str(refusal.args[0])] += 1
                return self._refuse(*refusal.args, body, request)
            if fault == "reset after applying":
                return self._hang_up(request)
            if fault:
                return self._refuse(500, "random", body, request)
            return taken

    def _hang_up(self, request: Request) -> Response:
        _Connections.by_client.pop((request.client.host, request.client.port)).abort()
        return Response()

    def _refuse(self, status: int, code: str, body: bytes, request: Request) -> Response:
        """Refuse as platforms do: with everything that was sent, in the error."""
        sent = body.decode(errors="replace") + str(dict(request.headers))
        return JSONResponse(
            {"message": sent, "errors": [{"code": code, "detail": sent}]},
            status_code=status,
            headers={"Retry-After": "0.05"} if status == 429 else {},
        )

    def _take(self, path: str, request: Request, body: bytes) -> Response:
        if path not in self.paths:
            raise RefusedError(404, "not_found")
        limits = self.limits[path]
        limits.take()
        if len(body) > limits.bytes:
            raise RefusedError(413, "payload_too_large")
        for name, wanted in self.needs.items():
            if request.headers.get(name) != wanted:
                raise RefusedError(401 if name == "authorization" else 406, "bad_header")
        try:
            sent = json.loads(body, parse_constant=self._no_constant)
        except ValueError:
            raise RefusedError(400, "invalid_json") from None
        records = self._records(path, sent, body)
        if any(who in json.dumps(records) for who in self.invalid):
            raise RefusedError(400, "invalid")
        if not 1 <= len(records) <= limits.records:
            raise RefusedError(400, "too_many")
        self.requests[path] += 1
        self.bodies[path] = max(self.bodies[path], len(body))
        self.records.append(len(records))
        return self._accept(path, records)

    @staticmethod
    def _no_constant(text: str):
        raise ValueError(text)

    # --- What a platform is -----------------------------------------------------------------------

    def _records(self, path: str, sent, body: bytes) -> list:
        """Return the records of a request, or refuse its shape."""
        raise NotImplementedError

    def _accept(self, path: str, records: list) -> Response:
        """Apply records, or put them on the list of what is to be applied."""
        raise NotImplementedError

    def _found(self, path: str, request: Request) -> Response:
        raise NotImplementedError

    def _advance(self, everything: bool = False) -> None:
        """Apply what is due."""
        now = time.monotonic()
        for job in sorted(self.jobs.values(), key=lambda job: job.due):
            if job.status == "queued" and (everything or job.due <= now):
                job.status = "complete"
                self._apply(job)

    def _apply(self, job: Job) -> None:
        raise NotImplementedError

    def _note(self, word: str, op: str, record: dict) -> None:
        content = json.dumps(record, sort_keys=True)
        self.log.append((word, op, record.get("email"), record.get("external_id"), content))

    def settle(self) -> None:
        """Apply everything that was accepted."""
        with self.lock:
            self._advance(everything=True)

    def forget_counts(self) -> None:
        """Count from here."""
        for counts in (self.requests, self.bodies, self.answers, self.records):
            counts.clear()


# --- Klaviyo --------------------------------------------------------------------------------------


def _is_within(sent, held) -> bool:
    """Return whether what was sent is in what is held, which may have defaults beside it."""
    if isinstance(sent, dict):
        return isinstance(held, dict) and all(
            name in held and _is_within(part, held[name]) for name, part in sent.items()
        )
    if isinstance(sent, list):
        return len(sent) == len(held) and all(map(_is_within, sent, held))
    return sent == held and sent is not None


def require_contract(model, sent: dict, body: bytes) -> None:
    """Refuse what Klaviyo's own model of a request does not hold whole.

    The model drops what it does not know and takes NaN, so that what comes out of it is compared
    with what went in.

    Args:
        model: of klaviyo-api.
        sent: the request.
        body: its bytes.

    Raises:
        RefusedError: if they differ, or it is not one.
    """
    try:
        held = model.model_validate_json(body).to_dict()
    except ValueError:
        raise RefusedError(400, "invalid") from None
    back = json.loads(json.dumps(held, default=lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}"))
    if not _is_within(sent, back):
        raise RefusedError(400, "unknown_or_null_attribute")


class Klaviyo(LoopbackEsp):
    """Klaviyo: imports, suppressions and deletions are jobs; deletion is by e-mail.

    Attributes:
        profiles: id of its own to attributes.
        suppressed: addresses.
        events: unique_id to event.
        asked: how often somebody asked what is still being imported.
        is_silent: whether it does not say which records of an import it could not use.
    """

    paths = {  # noqa: RUF012
        "/api/profile-bulk-import-jobs": "upsert",
        "/api/profile-suppression-bulk-create-jobs": "suppress",
        "/api/data-privacy-deletion-jobs": "delete",
        "/api/events": "event",
    }
    needs = {  # noqa: RUF012
        "authorization": f"Klaviyo-API-Key {KEY}",
        "revision": "2026-10-15",
        "content-type": "application/vnd.api+json",
    }
    models = {  # noqa: RUF012
        "upsert": ProfileImportJobCreateQuery,
        "suppress": SuppressionCreateJobCreateQuery,
        "delete": DataPrivacyCreateDeletionJobQuery,
        "event": EventCreateQueryV2,
    }

    def __init__(self, **options):
        """Prepare an empty account.

        Args:
            options: of LoopbackEsp.
        """
        super().__init__(**options)
        self.profiles: dict[int, dict] = {}
        self.suppressed: set[str] = set()
        self.events: dict[str, dict] = {}
        self.asked, self.is_silent = 0, False
        self.limits = {
            "/api/profile-bulk-import-jobs": Limits(10_000, 5_000_000),
            "/api/profile-suppression-bulk-create-jobs": Limits(100, 5_000_000),
            "/api/data-privacy-deletion-jobs": Limits(1, 100_000),
            "/api/events": Limits(1, 5_000_000),
        }

    def _records(self, path, sent, body):
        op = self.paths[path]
        require_contract(self.models[op], sent, body)
        attributes = sent["data"]["attributes"]
        if op == "delete":
            person = attributes["profile"]["data"]
            if set(person["attributes"]) != {"email"} or "id" in person:
                raise RefusedError(400, "one_identifier")
            return [person["attributes"]]
        if op == "event":
            return [attributes]
        records = [record["attributes"] for record in attributes["profiles"]["data"]]
        if any(len(json.dumps(record)) > 100_000 for record in records):
            raise RefusedError(400, "profile_too_large")
        return records

    def _accept(self, path, records):
        op = self.paths[path]
        for record in records:
            self._note("received", op, record)
        if op == "event":
            for record in records:
                self.events.setdefault(record["unique_id"], record)
            return Response(status_code=202)
        number = f"job{len(self.jobs)}"
        due = time.monotonic() + self.random.random() * self.delay
        self.jobs[number] = Job(op, due, records)
        if not self.delay:
            self._advance(everything=True)
        if op == "delete":
            return Response(status_code=202)
        return JSONResponse({"data": {"type": path[5:-1], "id": number}}, status_code=202)

    def _apply(self, job):
        for index, record in enumerate(job.records):
            email = record["email"].lower()
            self._note("applied", job.kind, record)
            if job.kind == "delete":
                self.profiles = {
                    key: profile
                    for key, profile in self.profiles.items()
                    if profile["email"] != email
                }
            elif job.kind == "suppress":
                job.skipped += email in self.suppressed
                self.suppressed.add(email)
                if not self._matching("email", email):
                    self.profiles[len(self.log)] = {"email": email, "properties": {}}
            elif email in self.rejected or not self._import(record, email):
                job.failed.append(index)

    def _matching(self, name: str, wanted: str) -> int | None:
        return next(
            (key for key, profile in self._by(name, wanted) if profile.get(name) == wanted), None
        )

    def _by(self, name: str, wanted: str):
        """Yield who may match: an index, since 10,000 times 10,000 comparisons take long."""
        index = self.__dict__.setdefault("_index", defaultdict(dict))[name]
        key = index.get(wanted)
        if key in self.profiles:
            yield key, self.profiles[key]

    def _import(self, record: dict, email: str) -> bool:
        by_email = self._matching("email", email)
        by_id = self._matching("external_id", record["external_id"])
        if by_email is not None and by_id is not None and by_email != by_id:
            return False
        key = by_email if by_email is not None else by_id
        if key is None:
            key = len(self.log)
        profile = self.profiles.setdefault(key, {"properties": {}})
        properties = profile["properties"] | record.get("properties", {})
        profile.update(record | {"email": email, "properties": properties})
        index = self.__dict__.setdefault("_index", defaultdict(dict))
        index["email"][email] = index["external_id"][record["external_id"]] = key
        return True

    def _import_errors(self, job: Job, request: Request) -> Response:
        """Return a page of one error."""
        if self.is_silent:
            return Response(status_code=404)
        page, errors = int(request.query_params.get("page[cursor]", 0)), []
        for index in job.failed[page : page + 1]:
            attributes = {
                "code": "invalid",
                "title": "Invalid",
                "detail": job.records[index]["email"],
                "source": {"pointer": f"/data/attributes/profiles/data/{index}/attributes/email"},
            }
            errors.append({"type": "import-error", "id": str(index), "attributes": attributes})
            ImportErrorResponseObjectResource.model_validate(errors[-1])
        more = f"{self.url}{request.url.path}?page[cursor]={page + 1}"
        after = more if page + 1 < len(job.failed) else None
        return JSONResponse({"data": errors, "links": {"next": after}})

    def _found(self, path, request):
        if path.startswith("/api/profile-") and path.count("/") == 3:
            job = self.jobs.get(path.rpartition("/")[2])
            if job is None:
                return JSONResponse({"errors": [{"code": "not_found"}]}, status_code=404)
            found = {
                "status": job.status,
                "created_at": "2026-01-01T00:00:00Z",
                "total_count": len(job.records),
                "completed_count": 0,
            }
            if job.status == "complete":
                found["completed_count"] = len(job.records) - len(job.failed) - job.skipped
            if job.kind == "upsert":
                found["failed_count"] = len(job.failed)
            else:
                found["skipped_count"] = job.skipped
            return JSONResponse({"data": {"id": "job", "attributes": found}})
        if path.endswith("/import-errors"):
            return self._import_errors(self.jobs[path.split("/")[3]], request)
        if path == "/api/profile-bulk-import-jobs":
            self.asked += 1
            if request.query_params["filter"] != 'any(status,["queued","processing"])':
                return JSONResponse({"errors": [{"code": "invalid"}]}, status_code=400)
            queued = [
                {"id": number}
                for number, job in self.jobs.items()
                if job.kind == "upsert" and job.status == "queued"
            ]
            return JSONResponse({"data": queued})
        return Response(status_code=404)

    def held(self) -> dict[str, dict]:
        """Return who may be written to: e-mail to id and properties."""
        self.settle()
        return {
            profile["email"]: profile
            for profile in self.profiles.values()
            if profile["email"] not in self.suppressed
        }


# --- Braze ----------------------------------------------------------------------------------------


class Braze(LoopbackEsp):
    """Braze: objects are applied at once; what is bad in a request is listed in a 201.

    Attributes:
        users: external id to attributes.
        unnamed: id that Braze gave to attributes, of users without an external id.
        deprecated: id that was renamed to the id it has now.
    """

    paths = {  # noqa: RUF012
        "/users/track": "track",
        "/users/delete": "delete",
        "/users/external_ids/rename": "merge",
        "/users/identify": "identify",
        "/email/status": "suppress",
    }
    needs = {  # noqa: RUF012
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
    }

    def __init__(self, **options):
        """Prepare an empty workspace.

        Args:
            options: of LoopbackEsp.
        """
        super().__init__(**options)
        self.users: dict[str, dict] = {}
        self.unnamed: dict[str, dict] = {}
        self.deprecated: dict[str, str] = {}
        self.events: list[dict] = []
        self.limits = {path: Limits(50, 4_000_000) for path in self.paths}
        self.limits["/users/track"] = Limits(75, 4_000_000)

    def _records(self, path, sent, body):
        # The array of records, then what must stand beside it.
        shapes = {
            "/users/track": [("attributes", {}), ("events", {})],
            "/users/delete": [("external_ids", {}), ("braze_ids", {})],
            "/users/external_ids/rename": [("external_id_renames", {})],
            "/users/identify": [("emails_to_identify", {"merge_behavior": "merge"})],
            "/email/status": [("email", {"subscription_state": "unsubscribed"})],
        }[path]
        for key, beside in shapes:
            if sent == {key: sent.get(key)} | beside:
                return [(key, record) for record in sent[key]]
        raise RefusedError(400, "unknown_parameter")

    def _accept(self, path, records):
        errors = []
        for index, (key, record) in enumerate(records):
            error = {
                "attributes": self._track,
                "events": self._track,
                "external_ids": self._delete,
                "braze_ids": self._delete_unnamed,
                "external_id_renames": self._rename,
                "emails_to_identify": self._identify,
                "email": self._unsubscribe,
            }[key](record)
            if error:
                errors.append({"type": error, "input_array": key, "index": index})
        key = "rename_errors" if path.endswith("rename") else "errors"
        answer = {"message": "success"} | ({key: errors} if errors else {})
        return JSONResponse(answer, status_code=201)

    def _delete(self, who: str) -> None:
        self._note("received", "delete", {"external_id": who})
        # Also by an id that was renamed: the whole profile goes.
        self.users.pop(self.deprecated.get(who, who), None)

    def _delete_unnamed(self, who: str) -> None:
        self._note("received", "delete", {"external_id": who})
        self.unnamed.pop(who, None)

    def _track(self, record: dict) -> str | None:
        who = record.get("external_id")
        if not isinstance(who, str) or not who:
            return "'external_id' is required"
        if "name" in record:
            self.events.append(record)
            return None
        values = record.values()
        if any(value is None or isinstance(value, dict | float) for value in values):
            return "null, a fraction or an object"
        if any(len(value) > 255 for value in values if isinstance(value, str)):
            return "more than 255 characters"
        if record.get("email") in self.rejected:
            return f"'{record['email']}' is not an address"
        if record.pop("_update_existing_only", False) and who not in self.users:
            return None
        unsubscribes = record.get("email_subscribe") == "unsubscribed"
        op = "suppress" if unsubscribes else "upsert"
        self._note("received", op, record)
        self.users.setdefault(self.deprecated.get(who, who), {}).update(record)
        return None

    def _rename(self, record: dict) -> str | None:
        before, after = record["current_external_id"], record["new_external_id"]
        self._note("received", "merge", {"external_id": after})
        if before not in self.users:
            return "external_id is not a primary one"
        if after in self.users or after in self.deprecated:
            return "external_id is in use"
        self.users[after] = self.users.pop(before) | {"external_id": after}
        self.deprecated[before] = after
        return None

    def _identify(self, record: dict) -> str | None:
        if record.get("prioritization") != ["unidentified", "most_recently_updated"]:
            return "'prioritization' is required"
        who, email = record["external_id"], record["email"]
        self._note("received", "identify", {"external_id": who, "email": email})
        found = [its for its, user in self.unnamed.items() if user["email"] == email]
        if found:
            # The one that was updated last, which stands last; what the other has already, stays.
            self.users[who] = self.unnamed.pop(found[-1]) | self.users.get(who, {})
        return None

    def _unsubscribe(self, email: str) -> str | None:
        if "@" not in email:
            return "no address"
        self._note("received", "suppress", {"email": email})
        for user in (*self.users.values(), *self.unnamed.values()):
            if user.get("email") == email:
                user["email_subscribe"] = "unsubscribed"
        return None

    def held(self) -> dict[str, dict]:
        """Return who may be written to: id to attributes."""
        return {
            who: user
            for who, user in (self.users | self.unnamed).items()
            if user.get("email_subscribe") != "unsubscribed"
        }


# --- A webhook ------------------------------------------------------------------------------------


class Webhook(LoopbackEsp):
    """An end of one's own: takes an array of records, applies it and says nothing.

    Attributes:
        people: id to properties.
    """

    paths = {"/records": "records"}  # noqa: RUF012
    needs = {  # noqa: RUF012
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
    }

    def __init__(self, **options):
        """Prepare.

        Args:
            options: of LoopbackEsp.
        """
        super().__init__(**options)
        self.people: dict[str, dict] = {}
        self.limits = {"/records": Limits(1_000, 1_000_000)}

    def _records(self, path, sent, body):
        if not isinstance(sent, list):
            raise RefusedError(400, "no_array")
        return sent

    def _accept(self, path, records):
        for record in records:
            self._note("received", record["op"], record | {"external_id": record["id"]})
            if record["op"] == "upsert":
                self.people[record["id"]] = record["properties"]
            elif record["op"] in ("suppress", "delete", "erase", "merge"):
                self.people.pop(record["id"], None)
        return Response(status_code=204)

    def held(self) -> dict[str, dict]:
        """Return who may be written to: id to properties."""
        return self.people
