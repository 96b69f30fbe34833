"""What has to hold of a platform after a sync, and days at random."""

import itertools
import json
import random

from tests.e2e.outbox import Outbox
from tests.e2e.runs import run


def sends(name, esp, outbox, project, *options) -> str:
    """Run a sync that must end well; return what it said."""
    code, text = run(name, esp, outbox.path.parent, project, *options)
    assert code == 0, text
    return text


def assert_holds(name, esp, outbox):
    """Assert that the platform holds exactly the wanted state, and nobody who was erased."""
    held = esp.held()
    if name == "klaviyo":
        found = {
            email: (person["external_id"], person["properties"]["lifecycle_stage"])
            for email, person in held.items()
        }
        assert found == outbox.by_email()
        there = {person.get("external_id") for person in esp.profiles.values()}
    else:
        assert {key: person["lifecycle_stage"] for key, person in held.items()} == outbox.wanted
        there = set(esp.users if name == "braze" else esp.people)
    assert not outbox.erased & there


def at_random(outbox: Outbox, random: random.Random) -> None:
    """Let a day happen: some join, some change, some leave in every way, some fire a trigger."""
    people = list(outbox.wanted)
    outbox.join(random.randint(1, 40))
    random.shuffle(people)
    chosen = iter(people)
    for op in ("erase", "delete", "suppress"):
        outbox.leave(list(itertools.islice(chosen, random.randint(0, 6))), op)
    outbox.change(list(itertools.islice(chosen, random.randint(0, 30))), f"{random.random()}")
    outbox.merge([key for key in itertools.islice(chosen, 4) if key[0] == "c"])
    outbox.happen(list(itertools.islice(chosen, 5)))


def assert_nothing_came_back(esp, outbox):
    """Assert that no upsert followed an erasure, or what is newer, and repeats are identical."""
    gone, newest, contents = set(), {}, {}
    emails = {outbox.emails[key] for key in outbox.erased}
    for word, op, email, who, content in esp.log:
        if word == "applied":
            continue
        if op in ("delete", "erase"):
            gone |= {email, who}
        elif op == "upsert":
            if email in emails or who in outbox.erased:
                assert not gone & {email, who}
            values = json.loads(content)
            seq = values.get("properties", values).get("synced_change_seq")
            if seq is None:
                # Klaviyo takes a merge as an import of the new id alone.
                continue
            assert seq >= newest.get(who, 0)
            assert contents.setdefault((who, seq), content) == content
            newest[who] = seq
