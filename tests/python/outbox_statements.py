"""The statements of esp_outbox on tables written by hand: many histories in the time of one build.

What dbt compiles is run on tables of the shape of its upstream models. People come, go, move,
swap and share addresses, object and are erased; what the models before the outbox would say of them
is worked out here a second time, in a few lines.
"""

import hashlib
import json
import random
from datetime import datetime, timedelta

import duckdb
from outbox_world import Esp, RefusedError

CLOCK = datetime(2031, 1, 1)
ORDER = ["erase", "delete", "suppress", "merge", "upsert", "event"]
OUTBOX = "state.activation.esp_outbox"
# What follows no deletion of the same id or address in one night: see tools.sync.waiting.
HELD, HELD_FOR = ("merge", "upsert", "event"), timedelta(hours=20)
TABLES = {
    "activation.esp_payloads": (
        "customer_key varchar, esp_id varchar, email varchar, payload varchar,"
        " payload_hash varchar, daily_hash varchar, week_began_date date, is_in_scope boolean"
    ),
    "marts.customer_contactability": "customer_key varchar, block_reason varchar",
    "core.dim_customer_records": "own_key varchar, customer_key varchar",
    "core.fct_suppressions": "email varchar, reason varchar",
    "core.fct_erasures": (
        "store varchar, identifier_type varchar, identifier varchar, identifier_hash varchar,"
        " key_hash varchar, confirmed_at timestamp"
    ),
    "activation.esp_erasure_targets": "esp_id varchar, email varchar",
    "activation.esp_refused_contacts": (
        "esp_id varchar, esp_contact_id varchar, customer_key varchar, email varchar,"
        " reason varchar"
    ),
    "core.dim_esp_contacts": (
        "esp_contact_id varchar, email varchar, external_id varchar, created_at timestamp,"
        " exported_at timestamp, export_kind varchar, synced_change_seq bigint"
    ),
    "activation.esp_trigger_events": (
        "trigger_key varchar, trigger_type varchar, customer_key varchar, payload varchar"
    ),
}


def md5(*parts: str) -> str:
    """Return the hash that the models make of these parts."""
    return hashlib.md5("\x1f".join(parts).encode()).hexdigest()


class History:
    """A shop, its outbox and an ESP, day by day.

    Attributes:
        people: by key: email, name, has_refused, into (the key that goes on), is_gone, is_erased,
            rank (who of an address is written to).
        esp: what the ESP holds.
        wanted: by key, what the ESP should hold after the last build.
        counts: what there was to see, beside the ops.
    """

    def __init__(
        self,
        statements: tuple[str, str, str, str],
        seed: int,
        has_exports: bool,
        in_order: bool,
    ):
        """Make six people, two of whom the ESP knows already under ids of its own.

        Args:
            statements: compiled at CLOCK: the model, what scrubs the outbox, esp_latest_ops, and
                what the guard counts.
            seed: of all chance.
            has_exports: whether the ESP is read back.
            in_order: sync every row in order, every day; else what the view shows, not every day,
                and deletions are done after everything else.
        """
        self.statement, scrub, self.view, self.counted = statements
        self.scrub = [part for part in scrub.split(";") if part.strip()]
        self.held_until = datetime.min
        self.chance = random.Random(seed)
        self.has_exports, self.in_order = has_exports, in_order
        self.now, self.people, self.erasures = datetime(2024, 3, 1, 12), {}, []
        self.addresses = [f"e{number}@example.com" for number in range(8)]
        self.esp, self.cursors = Esp(), dict.fromkeys(ORDER, 0)
        self.exported, self.exported_at = [], None
        self.counts = dict.fromkeys(("waited", "held", "refused"), 0)
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as work; attach ':memory:' as state")
        for name in ("work.activation", "work.core", "work.marts", "state.activation"):
            self.connection.execute(f"create schema {name}")
        self.connection.execute(
            f"create table {OUTBOX} (change_seq bigint, op varchar, customer_key varchar,"
            " esp_id varchar, new_esp_id varchar, email varchar, payload varchar,"
            " payload_hash varchar, daily_hash varchar, reason varchar, changed_at varchar,"
            " run_id varchar)"
        )
        for email in self.addresses[:6]:
            self.join(email)
        if has_exports:
            for number in range(2):
                self.esp.profiles[f"theirs{number}"] = {
                    **{"number": f"k 9{number}", "at": "2024-01-01T00:00:00Z", "payload": {}},
                    **{"email": self.addresses[number], "is_suppressed": False, "seq": None},
                }
            self.export()

    def join(self, email: str) -> None:
        """Let somebody new have an address."""
        self.people[f"key{len(self.people) + 1:02}"] = {
            **{"email": email, "name": "a", "mood": 0, "has_refused": False, "into": None},
            **{"is_gone": False, "is_erased": False, "rank": self.chance.random()},
        }

    def export(self) -> None:
        """Read the ESP back."""
        if self.has_exports:
            self.exported_at = self.now + timedelta(hours=1)
            self.exported = self.esp.export(self.exported_at)

    def customers(self) -> dict[str, dict]:
        """Return people who are customers of their own, by key."""
        return {
            key: person
            for key, person in self.people.items()
            if not (person["is_gone"] or person["is_erased"] or person["into"])
        }

    def merged(self, key: str) -> list[dict]:
        """Return the people whose records belong to a customer, the customer not among them."""
        return [
            person
            for person in self.people.values()
            if person["into"] == key and not person["is_gone"] and not person["is_erased"]
        ]

    def happen(self) -> None:
        """Let one to three things happen."""
        chance = self.chance
        for person in self.people.values():
            person["mood"] = chance.randrange(3)
        for _ in range(chance.randint(1, 3)):
            key, other_key = (chance.choice(list(self.people)) for _ in range(2))
            person, other = self.people[key], self.people[other_key]
            what = chance.choice(
                [
                    *("renamed", "refuses", "grants", "grants", "moves", "swaps", "shares", "buys"),
                    *("merged", "merged", "split", "leaves", "returns", "erased", "joins"),
                ]
            )
            is_target = any(one["into"] == key for one in self.people.values())
            if person["is_erased"]:
                continue
            if what == "renamed":
                person["name"] = chance.choice("abcdef")
            elif what in ("refuses", "grants"):
                person["has_refused"] = what == "refuses"
            elif what == "moves":
                person["email"] = chance.choice(self.addresses)
            elif what == "swaps" and not other["is_erased"]:
                person["email"], other["email"] = other["email"], person["email"]
            elif what == "shares":
                person["email"] = other["email"]
            elif what == "buys":
                person["rank"] = chance.random()
            elif what == "split":
                person["into"] = None
            elif what == "returns":
                person["is_gone"] = False
            elif what == "joins" and len(self.people) < 14:
                self.join(chance.choice(self.addresses))
            elif is_target or key == other_key:
                continue
            elif what == "leaves":
                person["is_gone"] = True
            elif what == "merged" and other_key in self.customers():
                person["into"] = other_key
            elif what == "erased" and key in self.customers():
                # An address that somebody else has too is not reached by the walk.
                is_shared = any(
                    one is not person and one["email"] == person["email"] and not one["is_erased"]
                    for one in self.people.values()
                )
                person["is_erased"] = True
                self.erasures.append(
                    {
                        **{"key": key, "emails": [] if is_shared else [person["email"]]},
                        **{"at": self.now - timedelta(minutes=1), "confirmed_at": None},
                    }
                )

    def permissions(self) -> dict[str, str | None]:
        """Return what is in the way of writing to each customer; None where nothing is."""
        customers = self.customers()
        refusing = {
            key
            for key, person in customers.items()
            if person["has_refused"] or any(one["has_refused"] for one in self.merged(key))
        }
        refused = {customers[key]["email"] for key in refusing}
        first = {}
        for key in sorted(set(customers) - refusing, key=lambda key: customers[key]["rank"]):
            first[customers[key]["email"]] = key
        return {
            key: "withdrawn"
            if key in refusing
            else "address_refused"
            if person["email"] in refused
            else None
            if first[person["email"]] == key
            else "address_shared"
            for key, person in customers.items()
        }

    def settle_erasures(self) -> None:
        """Confirm what stg_consent__erasure_requests would."""
        known = self.rows("customer_key is not null or email is not null")
        for erasure in self.erasures:
            told = [
                row
                for row in known
                if row["customer_key"] == erasure["key"] or row["email"] in erasure["emails"]
            ]
            times = [
                datetime.fromisoformat(row["changed_at"].rstrip("Z"))
                for row in told
                if row["op"] == "erase"
            ]
            if erasure["confirmed_at"]:
                continue
            if self.has_exports:
                is_held = any(
                    (contact[1] in erasure["emails"] or contact[2] == erasure["key"])
                    and datetime.fromisoformat(contact[5]) <= erasure["at"]
                    for contact in self.exported
                )
                is_newer = self.exported_at > max([erasure["at"], *times])
                if not is_held and is_newer and (times or not told):
                    erasure["confirmed_at"] = self.exported_at
            elif not told:
                erasure["confirmed_at"] = erasure["at"]
            elif times and max(times) + timedelta(days=30) <= self.now:
                erasure["confirmed_at"] = max(times) + timedelta(days=30)

    def tables(self) -> dict[str, list[tuple]]:
        """Return the rows of what the outbox reads; sets `wanted`."""
        customers, permissions = self.customers(), self.permissions()
        at = {contact[1]: contact[2] for contact in reversed(self.exported)}
        payloads, ids = [], set()
        for key, reason in permissions.items():
            if reason is None:
                person = customers[key]
                known = at.get(person["email"])
                esp_id = known if known and known not in {*self.people, *ids} else key
                ids.add(esp_id)
                payload = {"name": person["name"], "of": key}
                daily_hash = md5(json.dumps(payload))
                payload = json.dumps(payload | {"mood": person["mood"]})
                # Everybody's mood changes, and is told on their day of the week.
                week_began = self.now.date() - timedelta(days=(self.now.day + int(key[3:])) % 7)
                hashes = (md5(payload), daily_hash, week_began)
                payloads.append((key, esp_id, person["email"], payload, *hashes, True))
        self.wanted = {row[0]: row for row in payloads}
        erasures, targets = [], {}
        for erasure in self.erasures:
            confirmed_at, key = erasure["confirmed_at"], erasure["key"]
            named = [("customer_id", key, md5("lettershop", "customer_key", "", key))]
            named += [("email", email, None) for email in erasure["emails"]]
            for kind, identifier, key_hash in named:
                hashed = md5("lettershop", kind, "main", identifier)
                shown = None if confirmed_at else identifier
                erasures.append(("main", kind, shown, hashed, key_hash, confirmed_at))
                if shown and self.has_exports:
                    targets[identifier] = identifier if kind == "email" else None
        contacts = [
            (row[2], row[0], key, row[1], permissions[key])
            for row in self.exported
            if not row[7] and row[1] not in {payload[2] for payload in payloads}
            for key in sorted(customers)
            if permissions[key] and customers[key]["email"] == row[1]
        ]
        return {
            "activation.esp_payloads": payloads,
            "activation.esp_refused_contacts": list({row[0]: row for row in contacts}.values()),
            "marts.customer_contactability": list(permissions.items()),
            "core.dim_customer_records": [
                (key, person["into"] or key)
                for key, person in self.people.items()
                if not (person["is_gone"] or person["is_erased"])
                and (person["into"] or key) in customers
            ],
            "core.fct_suppressions": [],
            "core.fct_erasures": erasures,
            "activation.esp_erasure_targets": list(targets.items()),
            "core.dim_esp_contacts": [
                (row[0], row[1], row[2], row[5], row[6], "complete", row[4])
                for row in self.exported
            ],
            # A trigger of everybody every third day, whoever they are by now.
            "activation.esp_trigger_events": [
                (md5(key, str(self.now)), "birthday", key, json.dumps(self.expires()))
                for key in self.people
                if (self.now.day + int(key[3:])) % 3 == 0
            ],
        }

    def now_in(self, statement: str) -> str:
        """Return a statement at the clock of the day."""
        statement = statement.replace(f"'{CLOCK}'", f"'{self.now}'")
        return statement.replace(f"'{CLOCK.date()}'", f"'{self.now.date()}'")

    def expires(self) -> dict[str, str]:
        """Return what an event of the day says: it is worth a message for two days."""
        return {"expires_at": f"{(self.now + timedelta(days=2)).isoformat()}Z"}

    def rows(self, condition: str, source: str = OUTBOX) -> list[dict]:
        """Return rows of the outbox, or of a query of it, in order."""
        result = self.connection.execute(
            f"select * from {source} where {condition} order by change_seq"
        )
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def build(self, is_counted: bool = True) -> list[dict]:
        """Run the model as dbt does, and return the rows it wrote.

        Args:
            is_counted: check what the guard counts, which takes as long again.
        """
        self.settle_erasures()
        for name, rows in self.tables().items():
            self.connection.execute(f"create or replace table work.{name} ({TABLES[name]})")
            if rows:
                places = ", ".join("?" * len(rows[0]))
                self.connection.executemany(f"insert into work.{name} values ({places})", rows)
        self.clean()
        before = self.rows("true")
        last = max((row["change_seq"] for row in before), default=0)
        if is_counted:
            *_, changed_count = self.connection.execute(self.now_in(self.counted)).fetchone()
        self.connection.execute(f"insert into {OUTBOX} {self.now_in(self.statement)}")
        written = self.rows(f"change_seq > {last}")
        newest = {row["esp_id"]: row["op"] for row in before if row["op"] != "event"}
        changed = {
            row["new_esp_id"] or row["esp_id"]
            for row in written
            if row["op"] in ("merge", "upsert")
            or (row["op"] != "event" and newest.get(row["esp_id"]) == "upsert")
        }
        assert not is_counted or changed_count == len(changed), "the guard counts what is written"
        self.clean()
        return self.rows(f"change_seq > {last}")

    def check_what_waits(self) -> None:
        """Check that what was told differs from what is wanted in the mood alone, until the day."""
        newest = {row["esp_id"]: row for row in self.rows("esp_id is not null and op <> 'event'")}
        for row in newest.values():
            if row["op"] == "upsert" and row["customer_key"] in self.wanted:
                wanted = self.wanted[row["customer_key"]]
                told, said = json.loads(row["payload"]), json.loads(wanted[3])
                assert told | {"mood": None} == said | {"mood": None}
                if wanted[6] == self.now.date():
                    assert told == said
                self.counts["waited"] += told != said

    def clean(self) -> None:
        """Run the hook."""
        for part in self.scrub:
            self.connection.execute(part)

    def sync(self) -> None:
        """Send what is new, as the sync does.

        Raises:
            RefusedError: the ESP cannot do it, though it is read back.
        """
        if self.in_order:
            for row in self.rows(f"change_seq > {self.cursors['erase']}"):
                self.esp.apply(row)
                self.cursors["erase"] = row["change_seq"]
            return
        pending = [
            row | {"changed_at": f"{row['changed_at'].isoformat()}Z"}
            for row in self.rows("true", f"({self.now_in(self.view)})")
            if row["change_seq"] > self.cursors[row["op"]]
        ]
        gone = [row for row in pending if row["op"] in ("erase", "delete")]
        names = {row["esp_id"] for row in gone} | {row["email"] for row in gone if row["email"]}
        following = [row for row in pending if row["op"] in HELD]
        if any(names & {row["esp_id"], row["new_esp_id"], row["email"]} for row in following):
            self.held_until = self.now + HELD_FOR
        for op in ORDER:
            if op in HELD and self.now < self.held_until:
                self.counts["held"] += 1
                break
            self.send([row for row in pending if row["op"] == op and row not in gone], op)
        for row in gone:
            self.esp.apply(row)
            self.cursors[row["op"]] = row["change_seq"]

    def send(self, rows: list[dict], op: str) -> None:
        """Send rows of an op; the next sync sends again from the first that is refused."""
        are_taken = True
        for row in rows:
            try:
                self.esp.apply(row)
            except RefusedError:
                # Who has moved since another took the address is still there for an hour.
                if self.has_exports:
                    raise
                self.counts["refused"] += 1
                are_taken = False
            if are_taken:
                self.cursors[op] = row["change_seq"]


def live_through(history: History, day_count: int, is_counted: bool = True) -> dict[str, int]:
    """Live through days of chance and a quiet week, and check every one of them.

    Args:
        history: at its beginning.
        day_count: days of chance.
        is_counted: check what the guard counts.

    Returns:
        Number of rows by op, and what else there was to see.
    """
    counts = dict.fromkeys(ORDER, 0)
    for day in range(day_count + 7):
        if 0 < day <= day_count:
            history.happen()
        new = history.build(is_counted)
        permissions = history.permissions()
        history.check_what_waits()
        for row in new:
            counts[row["op"]] += 1
            if row["payload"]:
                wanted = history.wanted[row["customer_key"]]
                payload = json.dumps(history.expires()) if row["op"] == "event" else wanted[3]
                assert (row["email"], row["payload"]) == (wanted[2], payload)
        assert [row["op"] for row in new] == sorted((row["op"] for row in new), key=ORDER.index)
        assert history.build(is_counted=False) == [], "the same again"
        must_sync = history.in_order or day > day_count
        if must_sync or history.chance.random() < 0.5:
            history.sync()
            history.export()
            for email, payload in history.esp.state().values():
                assert permissions.get(payload.get("of")) != "withdrawn", email
            for erasure in history.erasures:
                for profile in history.esp.profiles.values():
                    assert profile["payload"].get("of") != erasure["key"]
        # Where nobody reads the ESP back, it has forgotten who was erased when a month is over.
        is_last = day == day_count + 5
        history.now += timedelta(days=30 if is_last and not history.has_exports else 1)
    held = sorted(
        (email, json.dumps(payload)) for email, payload in history.esp.state().values() if payload
    )
    assert held == sorted((row[2], row[3]) for row in history.wanted.values())
    for erasure in history.erasures:
        assert erasure["confirmed_at"] or not history.has_exports
        if erasure["confirmed_at"]:
            left = history.rows(f"'{erasure['key']}' in (customer_key, esp_id, new_esp_id)")
            assert left == []
    return counts | history.counts
