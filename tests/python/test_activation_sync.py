"""Activation tables as dbt builds them, at the platforms; and the messages on their fields."""

import json
import os
import shutil
import subprocess
import sys

import duckdb
import pytest
from conftest import ROOT, Build
from shop import VARS, write_shop

from tests.e2e.checks import sends
from tests.e2e.messages import FOLDER, MissingError, fields_in, render, require_sound, templates
from tests.e2e.outbox import Outbox
from tests.e2e.runs import KINDS, fast_project, run
from tools.publish import publish

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
PLATFORMS = list(KINDS) if THOROUGH else ["klaviyo"]
# Near enough for the guard of esp_outbox: not a third of the people change within a day.
CLOCKS = ["2024-06-09 09:30:00", "2024-06-10 09:30:00"][0 if THOROUGH else 1 :]
CART = {"cart_id": "1", "base_amount": 3.5, "items": [{"product_id": "p1", "quantity": 2.0}]}


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    """A small shop with everything in it."""
    return write_shop(tmp_path_factory.mktemp("shop") / "landing")


def build_at(clock: str, folder, landing, name: str, monkeypatch) -> Build:
    """Build what the sync reads, and publish it with a permit."""
    build = Build(folder, landing).run(
        *("build", "--select", f"+esp_{name}", "+privacy_report"),
        *("--resource-type", "seed", "--resource-type", "model"),
        vars=VARS | {"as_of_at": clock, "esp": name, "sync_scope": "all"},
    )
    for variable, value in build.environment().items():
        monkeypatch.setenv(variable, value)
    publish()
    # The tests of the tables are other tests' business; see below for the permit itself.
    with duckdb.connect(str(folder / "published.duckdb")) as connection:
        connection.execute(
            "create or replace table monitoring.activation_tests as"
            " select 'run' as run_id, 'a_test' as test_name, 'pass' as status"
        )
    return build


@pytest.fixture(scope="module", params=PLATFORMS)
def synced(request, tmp_path_factory, landing):
    """Two days of the shop, synced: the platform's name, its end, and the second build."""
    name, folder = request.param, tmp_path_factory.mktemp("synced")
    project = fast_project(name, folder, records=20)
    outbox = Outbox(folder / "published.duckdb")
    with pytest.MonkeyPatch.context() as patch, KINDS[name](delay=0.02) as esp:
        said = []
        for clock in CLOCKS:
            build = build_at(clock, folder, landing, name, patch)
            said.append(sends(name, esp, outbox, project))
            esp.settle()
        esp.forget_counts()
        sends(name, esp, outbox, project)
        assert not esp.answers
        yield name, esp, build, said


def test_the_platform_holds_what_is_wanted(synced):
    name, esp, build, said = synced
    # What is told once a week may still be as it was.
    told = build.query(
        """
        select wanted.email, latest.payload,
            wanted.payload_hash = latest.payload_hash or wanted.daily_hash = outbox.daily_hash
        from activation.esp_payloads as wanted
        inner join activation.esp_latest_ops as latest using (esp_id)
        inner join state.activation.esp_outbox as outbox using (change_seq)
        where latest.op = 'upsert'
        """
    )
    payloads = {email: json.loads(payload) for email, payload, _ in told}
    assert all(is_told for *_, is_told in told)
    wanted = {email for (email,) in build.query("select email from activation.esp_profiles")}
    assert len(wanted) > 20 and wanted == set(payloads)
    held = esp.held()
    if name == "klaviyo":
        found = {email: person["properties"] for email, person in held.items()}
    elif name == "braze":
        found = {person["email"]: person for person in held.values()}
    else:
        found = held
    ids = dict(build.query("select email, esp_id from activation.esp_payloads"))
    for email, payload in payloads.items():
        sent = payload.get("properties", payload)
        there = found[ids[email] if name == "generic" else email]
        there = there.get("properties", there) if name == "generic" else there
        assert {field: there[field] for field in sent} == sent
    assert len(found) == len(wanted)
    assert all(f"{name}_upsert" in words for words in said)


def test_users_of_braze_without_an_external_id_are_reached(tmp_path, landing, monkeypatch):
    """They become ours, are unsubscribed or deleted: nobody is two users, or one of no name."""
    world = tmp_path / "landing"
    shutil.copytree(landing, world)
    contacts = f"'{world}/esp_contacts.parquet'"
    duckdb.execute(
        "copy (select *, true as is_subscribed, timestamp '2024-06-09 20:00:00' as loaded_at"
        f" from '{landing}/esp_contacts.parquet') to {contacts} (format parquet)"
    )
    found = duckdb.execute(f"select esp_contact_id, email from {contacts}").fetchall()
    project, outbox = fast_project("braze", tmp_path), Outbox(tmp_path / "published.duckdb")
    with KINDS["braze"]() as esp:
        esp.unnamed = {contact: {"email": email} for contact, email in found}
        build = build_at(CLOCKS[-1], tmp_path, world, "braze", monkeypatch)
        dry = sends("braze", esp, outbox, project, "--dry-run")
        said = sends("braze", esp, outbox, project)
    emails = {email for _, email in found}
    wanted = {email for (email,) in build.query("select email from activation.esp_profiles")}
    refused = {
        email for (email,) in build.query("select email from activation.esp_refused_contacts")
    }
    erased = {
        contact
        for (contact,) in build.query(
            "select identifier from state.activation.esp_erasure_queue"
            " where identifier_type = 'esp_contact_id'"
        )
    }
    users = [*esp.users.values(), *esp.unnamed.values()]
    assert len(users) == len({user["email"] for user in users})
    assert (
        len(wanted & emails) > 20 and f"{len(wanted - emails):,} profiles would be created" in dry
    )
    named = {user["email"] for user in esp.users.values()}
    assert wanted == named and all(user["external_id"] for user in esp.users.values())
    assert len(refused) > 5 and refused <= emails
    unsubscribed = {user["email"] for user in users if "email_subscribe" in user}
    assert refused == unsubscribed and not wanted & unsubscribed
    assert erased and not erased & set(esp.unnamed)
    for op in ("identify", "suppress_address", "erase_contact"):
        assert f"braze_{op}: " in said


@pytest.fixture(scope="module")
def people(synced):
    """What is sent of everybody, by platform, under the names that the platform has."""
    _, _, build, _ = synced
    with build.connect() as connection:
        relation = connection.execute("select * from activation.esp_profiles")
        names = [column[0] for column in relation.description]
        profiles = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        fields = connection.execute(
            "select esp, column_name, property_name from seeds.esp_field_map"
        ).fetchall()
    for profile in profiles:
        profile["segments"] = json.loads(profile["segments"])
    return {
        esp: [
            {sent: profile[column] for its, column, sent in fields if its == esp}
            for profile in profiles
        ]
        for esp in ("braze", "klaviyo")
    }


@pytest.mark.parametrize(("name", "file"), templates())
def test_a_message_can_be_written_to_everybody(people, name, file):
    """Also to whom nothing is known of, and about a cart of which nothing may be said."""
    text = (FOLDER / name / file).read_text()
    require_sound(name, text, set(people[name][0]))
    emptiest = max(
        people[name],
        key=lambda person: sum(
            value in ("", "none", "unknown", False) for value in person.values()
        ),
    )
    assert not emptiest["may_be_profiled"] or not emptiest["is_buyer"]
    for person in [emptiest, *people[name]]:
        for cart in (CART, CART | {"items": []}):
            said = render(name, text, person, {"context": cart})
            assert "unsubscribe" in said and "Hello" in said
            assert "none" not in said and "unknown" not in said and "  ," not in said


@pytest.mark.parametrize(("name", "file"), templates())
def test_a_message_that_names_what_is_not_sent_is_refused(people, name, file):
    text = (FOLDER / name / file).read_text()
    person = people[name][0]
    for field in fields_in(name, text):
        sent = {its: value for its, value in person.items() if its != field}
        with pytest.raises(MissingError, match=field):
            require_sound(name, text, set(sent))
    for written in fields_in(name, text) & {"first_name", "favourite_category", "segments"}:
        sent = {its: value for its, value in person.items() if its != written}
        with pytest.raises(MissingError, match=written):
            render(name, text, sent, {"context": CART})
    tags = {
        "braze": "${set_user_to_unsubscribed_url}",
        "klaviyo": "{% unsubscribe 'Unsubscribe' %}",
    }
    with pytest.raises(MissingError, match="unsubscribe"):
        require_sound(name, text.replace(tags[name], ""), set(person))


@pytest.mark.skipif(not THOROUGH, reason="a whole build with all its tests: make test-thorough")
def test_a_whole_build_is_a_permit(tmp_path, landing):
    """One without its tests is none: tests/python/test_publish.py."""
    project = fast_project("generic", tmp_path)
    vars = VARS | {"esp": "generic", "sync_scope": "all"}
    environment = os.environ | Build(tmp_path, landing).environment()
    environment["LETTERSHOP_ERASURE_KEY"] = "nobody's key but ours"
    environment |= {"DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path)}
    command = [sys.executable, "-m", "tools.build", "--vars", json.dumps(vars)]
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout[-4000:]
    with KINDS["generic"]() as esp:
        code, said = run("generic", esp, tmp_path, project)
        assert code == 0 and sum(esp.records) > 20, said
    # What is left beside the databases names nobody: dbt's log and its target, the sync's state.
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
        found = connection.execute("select email from core.dim_customers where email is not null")
        people = {email for (email,) in found.fetchall()}
    written = {
        path: path.read_text(errors="replace").lower()
        for path in tmp_path.rglob("*")
        if path.is_file() and ".duckdb" not in path.name
    }
    assert len(people) > 20 and tmp_path / "dbt.log" in written
    said = built.stdout + built.stderr + said
    for path, text in (written | {"what was said": said.lower()}).items():
        assert not [email for email in people if email in text], path
    assert "nobody's key" not in written[tmp_path / "dbt.log"] + said
    assert "nobody''s key" not in written[tmp_path / "dbt.log"] + said


@pytest.mark.skipif(not THOROUGH, reason="a whole build with all its tests: make test-thorough")
def test_a_build_of_nothing_is_no_error(tmp_path, landing):
    """With `--empty` every model and test runs, and nothing is written for the platform."""
    build = Build(tmp_path, landing).run(
        *("build", "--empty", "--exclude-resource-type", "unit_test"),
        vars=VARS | {"esp": "generic"},
    )
    assert build.query("select count(*) from state.activation.esp_outbox") == [(0,)]


@pytest.mark.skipif(not THOROUGH, reason="a build of what the sync reads, and one of nothing")
@pytest.mark.parametrize("refresh", [[], ["--full-refresh"]])
def test_a_build_of_nothing_leaves_the_state_as_it_is(refresh, tmp_path, landing, monkeypatch):
    build = build_at(CLOCKS[-1], tmp_path, landing, "generic", monkeypatch)

    def state():
        tables = build.query(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_catalog = 'state' order by all"
        )
        return {name: sorted(build.query(f"from state.{name}"), key=repr) for (name,) in tables}

    before = state()
    assert len([name for name in before if before[name]]) >= 5
    build.run(
        *("build", "--empty", *refresh, "--resource-type", "seed", "--resource-type", "model"),
        vars=VARS | {"as_of_at": CLOCKS[-1], "esp": "generic", "sync_scope": "all"},
    )
    # Tables that were not there may be now, without rows.
    assert {name: rows for name, rows in state().items() if rows} == {
        name: rows for name, rows in before.items() if rows
    }
