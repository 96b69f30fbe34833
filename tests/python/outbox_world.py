"""People who change their minds, an ESP that does what it is told, and the landing of both.

The ESP is strict: an id and an address have one profile each, what is deleted is gone only when it
says so, and nothing is suppressed that is not there.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from test_money import rows

# Not the first of a month: cut points of RFM are as old as the month, and people move on from it.
FIRST = datetime(2024, 3, 2, 12)


@dataclass
class Person:
    """Somebody with a CRM record.

    Attributes:
        name: the CRM's id.
        email: the address.
        first_name: what the ESP shows.
        statements: of consent, (purpose, action, time).
        merged_into: the record that goes on for this one.
        is_deleted: the CRM deleted the record.
        bought_at: of the only order; decides who of an address is written to.
    """

    name: str
    email: str
    first_name: str
    statements: list[tuple[str, str, datetime]] = field(default_factory=list)
    merged_into: str | None = None
    is_deleted: bool = False
    bought_at: datetime = datetime(2023, 6, 1)


class World:
    """The shop's landing, day by day.

    Attributes:
        people: by CRM id.
        erasures: (customer_id, time).
        unsubscribes: (address, list, time).
        bounces: addresses that bounced for good, with the time.
        complaints: addresses that called a message spam, with the time.
        now: the clock of the next build.
        exports: rows of esp_contacts, or None for a shop without an export.
    """

    def __init__(self, names: list[str], has_exports: bool = True):
        """Make people who all granted both purposes.

        Args:
            names: CRM ids.
            has_exports: whether the ESP is read back.
        """
        self.now = FIRST
        self.people = {
            name: Person(
                name,
                f"{name}@example.com",
                name.title(),
                [("email_marketing", "granted", datetime(2023, 5, 2))],
            )
            for name in names
        }
        self.erasures, self.unsubscribes, self.bounces, self.complaints = [], [], [], []
        self.exports = [] if has_exports else None

    def says(self, name: str, action: str, purpose: str = "email_marketing") -> None:
        """Let somebody say something about a purpose, a minute before the clock."""
        self.people[name].statements.append((purpose, action, self.now - timedelta(minutes=1)))

    def erase(self, name: str) -> None:
        """Let somebody ask to be erased."""
        self.erasures.append((name, self.now - timedelta(minutes=1)))

    def tables(self) -> dict[str, str]:
        """Return the landing tables as SQL."""
        people = list(self.people.values())
        statements = [
            (f"{person.name} {number}", person.name, *statement)
            for person in people
            for number, statement in enumerate(person.statements)
        ]
        made = {
            "crm_customers": rows(
                "customer_id, email, first_name, signed_up_at, merged_into_customer_id, deleted_at,"
                " updated_at",
                [
                    (
                        person.name,
                        person.email,
                        person.first_name,
                        "2023-05-01",
                        person.merged_into,
                        "2024-02-01" if person.is_deleted else None,
                        str(self.now),
                    )
                    for person in people
                ],
            ),
            "shop_products": rows("product_id", [("p",)]),
            "shop_orders": rows(
                "order_id, customer_id, ordered_at, order_status, currency, total_amount",
                [
                    (f"o {person.name}", person.name, str(person.bought_at), "paid", "USD", 10)
                    for person in people
                ],
            ),
            "shop_order_lines": rows(
                "order_line_id, order_id, product_id, quantity, line_amount",
                [(f"l {person.name}", f"o {person.name}", "p", 1, 10) for person in people],
            ),
            "consent_events": rows(
                "event_id, customer_id, purpose, action, occurred_at",
                [(*row[:4], str(row[4])) for row in statements],
            ),
            "erasure_requests": rows(
                "request_id, customer_id, requested_at",
                [(f"q {name} {at}", name, str(at)) for name, at in self.erasures]
                or [("nobody", "nobody", "2024-01-01")],
            ),
            "esp_events": rows(
                "event_id, message_id, email, event_type, bounce_type, list_id, occurred_at",
                [
                    (f"u {email} {at}", f"u {email}", email, "unsubscribed", None, list_id, str(at))
                    for email, list_id, at in self.unsubscribes
                ]
                + [
                    (f"b {email}", f"b {email}", email, "bounced", "hard", None, str(at))
                    for email, at in self.bounces
                ]
                + [
                    (f"s {email}", f"s {email}", email, "complained", None, None, str(at))
                    for email, at in self.complaints
                ]
                or [("e", "m", "nobody@example.com", "sent", None, None, "2024-01-01")],
            ),
        }
        if self.exports is not None:
            made["esp_contacts"] = rows(
                "esp_contact_id, email, external_id, is_subscribed, synced_change_seq, created_at,"
                " loaded_at, is_suppressed, suppression_reason, suppressed_at",
                self.exports
                or [
                    (
                        *("k 0", "lead@example.com", None, False, None, "2024-01-01", "2024-02-01"),
                        *(False, None, None),
                    )
                ],
            )
        return made


class RefusedError(Exception):
    """The ESP was told something that it cannot do."""


class Esp:
    """An e-mail platform with one profile per id and address.

    Attributes:
        profiles: by id: email, payload, is_suppressed, number, created_at.
        events: keys of events it has had.
    """

    def __init__(self):
        """Begin empty."""
        self.profiles, self.events, self.made_count = {}, set(), 0

    def at(self, email: str) -> list[str]:
        """Return the ids of profiles at an address."""
        return [name for name, profile in self.profiles.items() if profile["email"] == email]

    def apply(self, change: dict) -> None:
        """Do what a row of the outbox says.

        Args:
            change: a row, by column.

        Raises:
            RefusedError: an address would have two profiles.
        """
        op, esp_id, email = change["op"], change["esp_id"], change["email"]
        profile = self.profiles.get(esp_id)
        if esp_id is None:
            return
        if op in ("erase", "delete"):
            self.profiles.pop(esp_id, None)
            if op == "erase" and email:
                for other in self.at(email):
                    del self.profiles[other]
        elif op == "suppress":
            if profile:
                profile |= {"is_suppressed": True, "suppressed_at": change["changed_at"]}
        elif op == "merge":
            if profile and change["new_esp_id"] in self.profiles:
                del self.profiles[esp_id]
            elif profile:
                self.profiles[change["new_esp_id"]] = self.profiles.pop(esp_id)
        elif op == "upsert":
            if [other for other in self.at(email) if other != esp_id]:
                raise RefusedError(f"{change['change_seq']}: the address has another profile")
            if not profile:
                self.made_count += 1
                number = f"k {self.made_count}"
                profile = self.profiles[esp_id] = {"number": number, "at": change["changed_at"]}
            profile |= {
                "email": email,
                "payload": json.loads(change["payload"]),
                "is_suppressed": False,
                "seq": change["change_seq"],
            }
        elif op == "event":
            if esp_id not in self.profiles:
                raise RefusedError(f"{change['change_seq']}: an event of nobody")
            self.events.add(change["payload_hash"])

    def export(self, at: datetime) -> list[tuple]:
        """Return the rows of esp_contacts.

        Args:
            at: when the export is loaded.
        """
        return [
            (
                profile["number"],
                profile["email"],
                esp_id,
                not profile["is_suppressed"],
                profile["seq"],
                profile["at"].replace("T", " ").rstrip("Z"),
                str(at),
                # As Klaviyo shows what it was told to suppress.
                profile["is_suppressed"],
                "USER_SUPPRESSED" if profile["is_suppressed"] else None,
                profile.get("suppressed_at") if profile["is_suppressed"] else None,
            )
            for esp_id, profile in sorted(self.profiles.items())
        ]

    def state(self) -> dict[str, tuple[str, dict]]:
        """Return address and payload of whoever may be written to, by id."""
        return {
            esp_id: (profile["email"], profile["payload"])
            for esp_id, profile in self.profiles.items()
            if not profile["is_suppressed"]
        }


def happenings(world: World, chance: random.Random, movers: list[str]) -> list[str]:
    """Let a few things of chance happen to a few people, and return what they were.

    Args:
        world: changed in place.
        chance: where chance comes from.
        movers: CRM ids of the people to whom things happen.
    """
    told = []
    for name in chance.sample(movers, chance.randint(1, 3)):
        person = world.people[name]
        other = world.people[chance.choice([mover for mover in movers if mover != name])]
        what = chance.choice(HAPPENINGS)
        if person.is_deleted and what != "returns":
            continue
        told.append(f"{name} {what} {other.name}")
        if what == "renamed":
            person.first_name = chance.choice(["Ada", "Ben", "Cleo", 'Q"uote'])
        elif what == "withdraws":
            world.says(name, "withdrawn")
        elif what == "grants":
            world.says(name, "granted")
        elif what == "objects":
            world.says(name, "objected", "profiling")
        elif what == "unsubscribes":
            world.unsubscribes.append((person.email, None, world.now - timedelta(minutes=2)))
        elif what == "moves":
            person.email = f"{name}.{chance.randint(1, 3)}@example.com"
        elif what == "swaps":
            person.email, other.email = other.email, person.email
        elif what == "shares":
            person.email = other.email
        elif what == "buys":
            person.bought_at = world.now - timedelta(minutes=3)
        elif what == "merged" and not other.merged_into and not other.is_deleted:
            if not any(one.merged_into == name for one in world.people.values()):
                person.merged_into = other.name
        elif what == "split":
            person.merged_into = None
        elif what == "leaves":
            person.is_deleted = True
        elif what == "returns":
            person.is_deleted = False
        elif what == "erased":
            world.erase(name)
    return told


HAPPENINGS = [
    *("renamed", "withdraws", "grants", "grants", "objects", "unsubscribes", "moves", "swaps"),
    *("shares", "buys", "merged", "merged", "split", "leaves", "returns", "erased"),
]
