"""An outbox without a build: people come, change, lose permission, leave, merge and are erased.

Writes what the sync reads of a published database, with the payloads of each platform.
"""

import json
import random
import uuid
from pathlib import Path

import duckdb
import pandas as pd

ORDER = (
    "erase",
    "delete",
    "suppress",
    "merge",
    "upsert",
    "event",
)  # Of a row, as esp_outbox has them.
COLUMNS = ("seq", "op", "key", "key", "new_key", "email", "at", "run_id", "payload")
# Of every build, and of an export that is later.
BUILT_AT, EXPORTED_AT = "2026-01-02T00:00:00Z", "2026-01-03 00:00:00"


def email_of(key: str) -> str:
    """Return the address of a person."""
    return f"{key}.person@example.com"


def rendered(op: str, row: dict) -> dict[str, str | None]:
    """Return the payload of a row by platform; None where a platform has no such op."""
    key, email, seq = row["key"], row["email"], row["seq"]
    values = {"lifecycle_stage": row["stage"], "synced_change_seq": seq}
    identity = {"type": "profile", "attributes": {"email": email}}
    forget = {"data": {"type": "data-privacy-deletion-job", "attributes": {}}}
    forget["data"]["attributes"] = {"profile": {"data": identity}}
    event = {
        "properties": {"trigger": "welcome"},
        "time": "2026-01-01T00:00:00Z",
        "unique_id": f"event-{seq}",
        "metric": {"data": {"type": "metric", "attributes": {"name": "Lettershop welcome"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
    }
    klaviyo = {
        "erase": forget,
        "delete": forget,
        "suppress": identity,
        "merge": {"type": "profile", "attributes": {"email": email, "external_id": row["new_key"]}},
        "upsert": {
            "type": "profile",
            "attributes": {"email": email, "external_id": key, "properties": values},
        },
        "event": {"data": {"type": "event", "attributes": event}},
    }
    braze = {
        "erase": key,
        "delete": key,
        "suppress": {
            "external_id": key,
            "email_subscribe": "unsubscribed",
            "_update_existing_only": True,
        },
        "merge": {"current_external_id": key, "new_external_id": row["new_key"]},
        "upsert": {"external_id": key, "email": email} | values,
        "event": {"external_id": key, "name": "welcome", "time": "2026-01-01T00:00:00Z"},
    }
    generic = {
        "op": op,
        "id": key,
        **({"new_id": row["new_key"]} if op == "merge" else {}),
        "email": email,
        "properties": values if op == "upsert" else {},
        "change_seq": seq,
    }
    texts = {"klaviyo": klaviyo.get(op), "braze": braze.get(op), "generic": generic}
    return {
        name: None if payload is None else json.dumps(payload, separators=(",", ":"))
        for name, payload in texts.items()
    }


class Outbox:
    """The activation tables, and what the platform should hold.

    Attributes:
        wanted: key to stage, of everyone who may be written to.
        erased: keys of people who asked to be erased.
        rows: of the outbox.
        expires_at: of the events of the next build.
    """

    def __init__(self, path: Path):
        """Begin with nobody.

        Args:
            path: of the published database.
        """
        self.path = path
        self.wanted: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.erased: set[str] = set()
        self.retired: dict[str, str] = {}
        self.rows: list[dict] = []
        self.changes: list[tuple[str, str, str | None]] = []
        self.expires_at = "2999-01-01T00:00:00Z"
        self.count = 0

    def join(self, count: int) -> list[str]:
        """Let people come; return their keys."""
        keys = [f"c{self.count + number:06}" for number in range(count)]
        self.count += count
        for key in keys:
            self.emails[key] = email_of(key)
            self.wanted[key] = "new"
            self.changes.append(("upsert", key, None))
        return keys

    def change(self, keys: list[str], stage: str) -> None:
        """Give people another stage."""
        for key in keys:
            self.wanted[key] = stage
            self.changes.append(("upsert", key, None))

    def leave(self, keys: list[str], op: str) -> None:
        """Take people out of the wanted state: erase, delete or suppress.

        A key that was merged into theirs goes with them: the platform may have it still.
        """
        for key in keys:
            del self.wanted[key]
            if key in self.retired:
                self.changes.append((op, self.retired[key], None))
            self.changes.append((op, key, None))
            if op == "erase":
                self.erased.add(key)

    def merge(self, keys: list[str]) -> None:
        """Retire keys whose address lives on under a new one."""
        for key in keys:
            new = f"m{key[1:]}"
            self.wanted[new] = self.wanted.pop(key)
            self.emails[new], self.retired[new] = self.emails[key], key
            self.changes += [("merge", key, new), ("upsert", new, None)]

    def swap(self, first: str, second: str) -> None:
        """Let two people swap addresses: deleted by one build, made anew by the next."""
        self.changes += [("delete", first, None), ("delete", second, None)]
        self.build()
        self.emails[first], self.emails[second] = self.emails[second], self.emails[first]
        self.change([first], self.wanted[first])
        self.change([second], self.wanted[second])
        self.build()

    def happen(self, keys: list[str]) -> None:
        """Let a trigger fire for people."""
        self.changes += [("event", key, None) for key in keys]

    def build(self) -> None:
        """Number what changed since the last time, and publish."""
        run_id = str(uuid.uuid4())
        last = {(op, key): (op, key, new) for op, key, new in self.changes}
        for op, key, new in sorted(last.values(), key=lambda one: (ORDER.index(one[0]), one[1])):
            self.rows.append(
                dict(
                    seq=len(self.rows) + 1,
                    op=op,
                    key=key,
                    new_key=new,
                    email=self.emails[key],
                    stage=self.wanted.get(key),
                    at=BUILT_AT,
                    run_id=run_id,
                    payload=json.dumps({"expires_at": self.expires_at}) if op == "event" else None,
                )
            )
        self.changes = []
        self.publish()

    def publish(self, is_declared: bool = True, status: str = "pass") -> None:
        """Write the published database.

        Args:
            is_declared: whether the shop stands by its legal basis.
            status: of the test of the activation tables.
        """
        latest = {row["key"]: row for row in self.rows if row["op"] != "event"}
        outbox, views = [], {name: [] for name in ("klaviyo", "braze", "generic")}
        for row in self.rows:
            outbox.append(tuple(row[name] for name in COLUMNS))
            newest = latest[row["key"]]
            is_overtaken = row["op"] == "delete" and row["email"] != newest["email"]
            is_shown = row is newest or is_overtaken
            if row["op"] == "event":
                is_shown = row["key"] in self.wanted
            for name, payload in rendered(row["op"], row).items() if is_shown else ():
                if payload is not None:
                    views[name].append((row["seq"], row["op"], payload))
        partial = self.path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with duckdb.connect(str(partial)) as connection:
            for schema in ("activation", "monitoring", "core"):
                connection.execute(f"create schema {schema}")
            _fill(
                connection,
                "activation.esp_outbox (change_seq bigint, op varchar, customer_key varchar,"
                " esp_id varchar, new_esp_id varchar, email varchar, changed_at varchar,"
                " run_id varchar, payload varchar)",
                outbox,
            )
            for name, rows in views.items():
                # In no order: it is the sync's business.
                _fill(
                    connection,
                    f"activation.esp_{name} (change_seq bigint, op varchar, payload varchar)",
                    random.Random(0).sample(rows, len(rows)),
                )
            connection.execute(
                f"""
                create table monitoring.privacy_report as
                select 'profiling' as purpose, {is_declared} as is_declared;
                create table monitoring.activation_tests as
                select 'run' as run_id, 'a_test' as test_name, '{status}' as status;
                create table core.fct_erasures (
                    store varchar, identifier_type varchar, identifier varchar,
                    erasure_hash varchar
                );
                create table core.dim_esp_contacts as
                select
                    '' as esp_contact_id, '' as external_id, '' as email, '' as export_kind,
                    timestamp '{EXPORTED_AT}' as exported_at
                limit 0;
                """
            )
        partial.replace(self.path)

    def by_email(self) -> dict[str, tuple[str, str]]:
        """Return what the platform should hold: address to key and stage."""
        return {self.emails[key]: (key, stage) for key, stage in self.wanted.items()}


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]) -> None:
    """Create a table with rows, by way of a frame: thousands of inserts take long."""
    name, _, columns = table.partition(" ")
    connection.execute(f"create table {table}")
    if not rows:
        return
    names = [column.split()[0] for column in columns.strip("()").split(",")]
    frame = pd.DataFrame(rows, columns=names)  # noqa: F841 - DuckDB finds it by name
    connection.execute(f"insert into {name} select * from frame")
