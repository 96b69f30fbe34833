"""The published database: whole or as it was, readable all the time, free of what was erased.

What a person who asks is told of it, and how it explains a customer. And what comes of edited seeds
beside it: previewed, and then built, with columns and segments of the shop's own.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from unittest import mock

import duckdb
import pytest
import yaml
from conftest import OPTIONAL_TABLES, ROOT, TABLES, Build, Parsed

from tools import explain, places, pseudonymous, subject_access
from tools.preview import moves, show
from tools.publish import publish
from tools.sync import permit

EMAIL = "very.personal.address@example.com"
# What a shop may write into an attribute of its own.
WRITTEN = "c/o somebody, somebody@example.com, 12 Elm Street"
# Who may be written to, and that Bob may not be profiled.
CONSENTS = """
    select * from (values
        ('k1', 'c1', 'email_marketing', 'granted', timestamp '2024-01-05'),
        ('k2', 'c2', 'email_marketing', 'granted', timestamp '2024-01-05'),
        ('k3', 'c2', 'profiling', 'objected', timestamp '2024-01-06')
    ) as rows (event_id, customer_id, purpose, action, occurred_at)
"""
# The shop's own columns; those that the catalogue does not have as delivered are staged only.
ATTRIBUTES = f"""
    select *, timestamp '2024-02-01' as updated_at
    from (values
        ('c1', 'loyalty_tier', 'gold'),
        ('c2', 'loyalty_tier', 'gold'),
        ('c3', 'loyalty_tier', 'silver'),
        ('c1', 'points', '120.50'),
        ('c2', 'points', '7'),
        ('c3', 'points', 'a lot'),
        ('c3', 'home_store', '{WRITTEN}'),
        ('c1', 'diet', 'vegan'),
        ('c1', 'shoe_size', '44')
    ) as rows (customer_id, attribute_name, attribute_value)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, write_tables):
    """A small landing with a published build of it."""
    folder = tmp_path_factory.mktemp("publish")
    customer = f"""
        union all select 'zoe', '{EMAIL}', timestamp '2024-01-01'
    """
    order = "union all select 'o9', 'zoe', 'paid', timestamp '2024-01-09', 'USD', 50.00"
    line = "union all select 'l9', 'o9', 'p1', 1, 50.00"
    landing = write_tables(
        folder / "landing",
        **TABLES
        | {
            "crm_customers": TABLES["crm_customers"] + customer,
            "shop_orders": f"{TABLES['shop_orders']} {order}",
            "shop_order_lines": f"{TABLES['shop_order_lines']} {line}",
            "consent_events": CONSENTS,
            "customer_attributes": ATTRIBUTES,
        },
    )
    there = {"erasure_requests", "consent_events", "customer_attributes"}
    switches = "".join(f"using_{name}: false\n" for name in OPTIONAL_TABLES if name not in there)
    (landing / "vars.yml").write_text(f"as_of_at: '2024-03-01 00:00:00'\n{switches}")
    erasures(landing, none=True)
    result = build(folder)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr
    return folder


def erasures(landing, none=False):
    """Land an erasure request for Zoe, or an empty table of requests."""
    duckdb.execute(
        "copy (select 'q' as request_id, 'zoe' as customer_id, timestamp '2024-02-01' as"
        f" requested_at where {not none}) to '{landing}/erasure_requests.parquet' (format parquet)"
    )


def came_back(landing):
    """Land Yan, who asked to be erased and signed up again with the same address.

    The old id stands in rows that do not have the address.
    """
    rows = {
        "crm_customers": (
            "('yan_before', 'yan@example.com', timestamp '2024-01-01'),"
            " ('yan_now', 'yan@example.com', timestamp '2024-02-10')"
        ),
        "shop_orders": "('o7', 'yan_before', 'paid', timestamp '2024-01-09', 'USD', 70.00)",
        "shop_order_lines": "('l7', 'o7', 'p1', 7, 70.00)",
        "consent_events": (
            "('k7', 'yan_before', 'email_marketing', 'granted', timestamp '2024-01-05')"
        ),
        "customer_attributes": "('yan_before', 'diet', 'paleo', timestamp '2024-01-05')",
        "erasure_requests": "('y', 'yan_before', timestamp '2024-02-01')",
    }
    for name, values in rows.items():
        path = landing / f"{name}.parquet"
        partial = path.with_suffix(".partial")
        duckdb.execute(
            f"copy (from '{path}' union all values {values}) to '{partial}' (format parquet)"
        )
        partial.replace(path)


def build(folder, *arguments):
    """Run `make build`'s program."""
    resources = ("--resource-type", "seed", "--resource-type", "model")
    return Build(folder, folder / "landing").program("tools.build", *resources, *arguments)


def test_state_is_published_too(shop):
    with duckdb.connect(str(shop / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from monitoring.build_runs").fetchone() == (1,)
        assert connection.execute("select count(*) > 0 from marts.segment_spells").fetchone() == (
            True,
        )


def test_what_is_published_says_which_tests_of_the_activation_ran(shop):
    """None, in this build; tests/python/test_activation_sync.py has one with all of them."""
    with duckdb.connect(str(shop / "published.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select status, count(*) > 5 from monitoring.activation_tests group by status"
        ).fetchall()
    assert found == [("not run", True)]
    environment = {"LETTERSHOP_PUBLISHED": str(shop / "published.duckdb")}
    with (
        mock.patch.dict(os.environ, environment),
        permit.published() as connection,
        pytest.raises(permit.Refused, match="profiling_basis is not set"),
    ):
        permit.require_permit(connection)


def test_neither_key_nor_address_is_in_what_dbt_says_or_logs(shop, tmp_path):
    """Also where a model fails, which dbt shows with the SQL, and at the level of its log file."""
    key = "nobody's key but ours"
    build = Build(tmp_path, shop / "landing")
    models = ("base_crm__customers", "base_consent__events", "esp_erasure_queue")
    result = build.program(
        *("tools.build", "--select", *models, "--resource-type", "model"),
        env={"LETTERSHOP_ERASURE_KEY": key},
    )
    assert result.returncode == 1 and "esp_erasure_queue" in result.stdout
    log = (tmp_path / "logs" / "dbt.log").read_text()
    # What it would say: the SQL with the key.
    assert "[debug]" in log and "'*****' || chr(31)" in log
    with duckdb.connect() as connection:
        people = connection.execute(f"from '{shop}/landing/crm_customers.parquet'").fetchall()
    secrets = {key, key.replace("'", "''")} | {email for _, email, *_ in people if email}
    assert EMAIL in secrets
    for text in (result.stdout, result.stderr, log):
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("key", ["", "ours alone", "nobody's key but ours", '"$HOME" `id`'])
def test_the_plain_command_hides_the_key_as_the_tools_do(tmp_path, monkeypatch, key):
    """Typed into a shell as it is printed; the key is not in it."""
    monkeypatch.setenv("LETTERSHOP_LANDING", str(tmp_path / "a landing"))
    monkeypatch.setenv("LETTERSHOP_ERASURE_KEY", key)
    command = places.plain_command("env -0")
    assert not key or key not in command
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    told = dict(line.split("=", 1) for line in said.stdout.split("\0") if line)
    hidden = {name: its for name, its in told.items() if name.startswith("DBT_ENV_SECRET_")}
    assert hidden == places.hidden_in_logs()
    assert set(hidden.values()) == ({key, key.replace("'", "''")} if key else set())
    assert told["LETTERSHOP_LANDING"] == str(tmp_path / "a landing")


def leaks(whole, part) -> list[tuple[str, str]]:
    """Return the columns of a pseudonymous copy that hold what names or reaches a person.

    Whole texts and longer ones that repeat it: as words, or anywhere where it is long. Numbers are
    told from other numbers as whole texts alone.
    """
    rows = csv.reader(pseudonymous.COLUMNS.read_text().splitlines())
    naming = {name for name, kind in rows if kind in ("identifier", "contact", "identity")}
    naming |= {"customer_key", "own_key", "order_id"}
    # What many people share says nothing about one.
    naming -= {"gender", "language"}
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{whole}' as whole (read_only)")
        connection.execute(f"attach '{part}' as part (read_only)")
        columns = connection.execute(
            "select table_catalog, table_schema, table_name, column_name"
            " from information_schema.columns where data_type = 'VARCHAR'"
            " and table_catalog in ('whole', 'part')"
        ).fetchall()
        secrets = " union ".join(
            f'select "{name}" as secret from whole."{schema}"."{table}"'
            for catalog, schema, table, name in columns
            if catalog == "whole" and name in naming
        )
        # A number of two digits names nobody: hours and counts are such.
        connection.execute(
            f"create temp table secrets as select secret from ({secrets})"
            " where not regexp_full_match(secret, '[0-9]{1,2}')"
        )
        assert connection.execute("select count(*) from secrets").fetchone()[0] > 5
        for catalog, schema, table, name in columns:
            held = f'from part."{schema}"."{table}" as held semi join secrets'
            same = f"""
                on secret <> '' and (
                    held."{name}" = secret
                    or length(secret) >= 8 and contains(held."{name}", secret)
                    or try_cast(secret as double) is null
                    and contains(' ' || held."{name}" || ' ', ' ' || secret || ' ')
                )
            """
            if catalog == "part" and (
                connection.execute(f"select count(*) {held} {same}").fetchone()[0]
                or connection.execute(
                    f'select count(*) from part."{schema}"."{table}" where "{name}" like \'%@%\''
                ).fetchone()[0]
            ):
                found.append((table, name))
    return found


def test_the_pseudonymous_copy_names_nobody_and_still_joins(shop):
    path = shop / "published_pseudonymous.duckdb"
    assert leaks(shop / "published.duckdb", path) == []
    assert EMAIL.encode() not in path.read_bytes()
    joined = (
        "select count(*), count(distinct customer_key), sum(net_revenue_base_amount)"
        " from {0}.core.fct_orders inner join {0}.core.dim_customers using (customer_key)"
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{shop / 'published.duckdb'}' as whole (read_only)")
        connection.execute(f"attach '{path}' as part (read_only)")
        figures = [connection.execute(joined.format(name)).fetchone() for name in ("whole", "part")]
        assert figures[0] == figures[1] and figures[0][0] > 0
        schemas = "select distinct schema_name from duckdb_tables() where database_name = 'part'"
        assert {name for (name,) in connection.execute(schemas).fetchall()} <= set(
            pseudonymous.SCHEMAS
        )


def test_a_copy_that_names_somebody_is_found_out_and_no_two_are_alike(shop, monkeypatch):
    path = shop / "published_pseudonymous.duckdb"
    keys = "select customer_key from core.dim_customers order by all"

    def held():
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(keys).fetchall()

    def found():
        return leaks(shop / "published.duckdb", path)

    before, known = held(), pseudonymous.protections()
    shown = {"email": "shown", "about": "shown"}
    monkeypatch.setattr(pseudonymous, "protections", lambda: known | shown)
    pseudonymous.copy(shop / "published.duckdb")
    monkeypatch.undo()
    assert {("dim_customers", "email"), ("customer_timeline", "about")} <= set(found())
    pseudonymous.copy(shop / "published.duckdb")
    assert found() == [] and not set(before) & set(held())


def access(folder, email, **variables):
    """Run `make subject-access`'s program; return its result and where it writes."""
    path = folder / "access.json"
    path.unlink(missing_ok=True)
    build = Build(folder, folder / "landing")
    variables["SUBJECT_EMAIL"] = email
    return build.program("tools.subject_access", str(path), env=variables), path


def test_who_asks_is_told_of_every_row(shop):
    """Held against a search for their words in every table there is."""
    databases = [shop / "work.duckdb", shop / "state.duckdb"]
    before = [path.read_bytes() for path in databases]
    result, path = access(shop, f" {EMAIL.title()} ")
    assert result.returncode == 0, result.stderr
    assert [path.read_bytes() for path in databases] == before
    for words in (result.stdout, result.stderr):
        assert "@" not in words
    log = shop / "logs" / "dbt.log"
    assert EMAIL not in log.read_text().lower()
    assert oct(path.stat().st_mode)[-3:] == "600"
    answer = json.loads(path.read_text())
    told = {table["table"]: table for table in answer["tables"]}
    with duckdb.connect() as connection:
        for alias, database in zip(("work", "state"), databases, strict=True):
            connection.execute(f"attach '{database}' as {alias} (read_only)")
        tables = connection.execute(
            "select table_catalog, table_schema, table_name from information_schema.tables"
            " where table_type = 'BASE TABLE'"
        ).fetchall()
        key = answer["customer_keys"][0]
        searched = 0
        for catalog, schema, name in tables:
            (count,) = connection.execute(
                f"select count(*) from {catalog}.{schema}.{name} as t"
                " where regexp_matches(cast(t as varchar), ?)",
                [f"{EMAIL}|\\b(zoe|o9|l9)\\b|{key}"],
            ).fetchone()
            if count:
                searched += 1
                assert len(told[f"{schema}.{name}"]["rows"]) == count, (schema, name)
    assert searched > 20
    for name in ("landing.crm_customers", "landing.shop_order_lines", "core.fct_order_lines"):
        assert len(told[name]["rows"]) == 1
    assert told["core.dim_customers"]["purposes"]["email_marketing"] == "consent"
    assert "crm_customers" in told["core.dim_customers"]["made_from"]
    assert all(table["purposes"] and table["made_from"] for table in told.values())
    for other in ("ann@example.com", "bob@example.com"):
        assert other not in path.read_text()


def test_nobody_is_told_of_somebody_else(shop, monkeypatch):
    result, path = access(shop, EMAIL, SUBJECT_KEY="another")
    assert result.returncode != 0 and "customer key" in result.stderr and not path.exists()
    result, path = access(shop, "no address")
    assert result.returncode != 0 and "EMAIL=" in result.stderr and not path.exists()
    result, path = access(shop, "nobody@example.com")
    assert result.returncode == 0 and json.loads(path.read_text())["tables"] == []
    monkeypatch.setenv("LETTERSHOP_LANDING", str(shop / "landing"))
    monkeypatch.setenv("LETTERSHOP_DUCKDB", str(shop / "work.duckdb"))
    monkeypatch.setenv("LETTERSHOP_STATE", str(shop / "state.duckdb"))
    known = json.loads((shop / "target" / "manifest.json").read_text())
    monkeypatch.setattr(subject_access, "manifest", lambda: known)
    # No build was made at this path, and what is left out is never left out silently.
    with pytest.raises(SystemExit, match="run `make build` first"):
        subject_access.everything("nobody@example.com")
    told = json.dumps(subject_access.everything("ann@example.com"), default=str)
    assert "ann@example.com" in told and EMAIL not in told and "bob@example.com" not in told


def test_what_is_told_is_for_its_owner_whatever_stood_there(tmp_path, monkeypatch):
    monkeypatch.setattr(subject_access, "everything", lambda email, key: {"tables": []})
    monkeypatch.setenv("SUBJECT_EMAIL", "ann@example.com")
    path = tmp_path / "access.json"
    path.write_text("")
    path.chmod(0o644)
    monkeypatch.setattr("sys.argv", ["subject_access", str(path)])
    subject_access.main()
    assert path.stat().st_mode & 0o777 == 0o600 and json.loads(path.read_text())
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_shared_address_no_key_is_printed():
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema core;
            create table core.dim_identifiers as
            select
                'main' as store, 'email' as identifier_type, 'ann@example.com' as identifier,
                true as is_shared, unnest(['key_1', 'key_2']) as customer_key;
            create table core.dim_customers as select '' as customer_key, '' as email limit 0;
            create table core.dim_customer_records as select '' as own_key, '' as customer_key
            limit 0;
            """
        )
        with pytest.raises(SystemExit) as ended:
            subject_access.person(connection, "ann@example.com", None)
        said = str(ended.value)
        assert "2 people" in said and "key_1" not in said and "ann@" not in said
        # The query that it names shows them.
        query = said.partition("\n")[2].replace("<address>", "ann@example.com")
        assert connection.execute(query).fetchall() == [("key_1",), ("key_2",)]
        assert subject_access.person(connection, "ann@example.com", "key_2").keys == ["key_2"]


def test_who_is_no_customer_is_found_by_what_is_linked_to_the_address():
    """In every store, in the queue too, and not through what others have."""
    never, shared = "timestamp '9999-12-31'", "timestamp '2024-01-01'"
    chain = [(f"a{number}", f"a{number + 1}") for number in range(9)]
    links = [("b", "email", "gone@example.com", "customer_id", "17", never)]
    links += [("b", "customer_id", "17", "esp_contact_id", "x17", never)]
    links += [("b", "customer_id", "17", "phone", "555", shared)]
    links += [("b", "customer_id", "17", "email", "ann@example.com", never)]
    links += [("b", "email", "ann@example.com", "anonymous_id", "hers", never)]
    links += [("main", "customer_id", "17", "esp_contact_id", "another", never)]
    links += [("c", "email", "gone@example.com", "anonymous_id", "a0", never)]
    links += [("c", "anonymous_id", left, "anonymous_id", right, never) for left, right in chain]
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create schema core;
            create schema staging;
            create schema activation;
            create table core.dim_identifiers as
            select
                'b' as store, 'email' as identifier_type, 'ann@example.com' as identifier,
                false as is_shared, 'key_1' as customer_key;
            create table core.dim_customers as select '' as customer_key, '' as email limit 0;
            create table core.dim_customer_records as select '' as own_key, '' as customer_key
            limit 0;
            create table staging.base_consent__identifier_links (
                store varchar, left_type varchar, left_identifier varchar, right_type varchar,
                right_identifier varchar, shared_since timestamp,
                linked_at timestamp default timestamp '1900-01-01'
            );
            insert into staging.base_consent__identifier_links
            (store, left_type, left_identifier, right_type, right_identifier, shared_since) values
                {", ".join(f"({str(one[:5])[1:-1]}, {one[5]})" for one in links)};
            create table activation.esp_erasure_queue as
            select 'c' as store, 'anonymous_id' as identifier_type, 'a1' as identifier
            union all select 'c', 'email', 'gone@example.com';
            create table attributes as
            select unnest(['b', 'main', null]) as store, '17' as customer_id;
            """
        )
        queue, attributes = (
            subject_access.Table(name, relation, {}, {}, [])
            for name, relation in (
                ("activation.esp_erasure_queue", "activation.esp_erasure_queue"),
                ("landing.customer_attributes", "attributes"),
            )
        )
        stores = subject_access.stores_of(connection, [queue, attributes])
        assert stores == {"b", "c", "main"}
        whom = subject_access.person(connection, "gone@example.com", None, stores)
        found = set(whom.identifiers)
        assert {one for one in found if one[0] == "b"} == {
            ("b", "email", "gone@example.com"),
            ("b", "customer_id", "17"),
            ("b", "esp_contact_id", "x17"),
        }
        # Eight steps, and no more.
        assert {who for store, kind, who in found if kind == "anonymous_id"} == {
            f"a{number}" for number in range(8)
        }
        assert {one for one in found if one[0] == "main"} == {("main", "email", "gone@example.com")}
        connection.execute("create table identifiers (store varchar, type varchar, id varchar)")
        connection.executemany("insert into identifiers values (?, ?, ?)", whom.identifiers)
        told = subject_access.rows(connection, attributes, whom)
        assert told == [{"store": "b", "customer_id": "17"}]
        assert len(subject_access.rows(connection, queue, whom)) == 2
        # Lines name nothing but their order; another store's order of the number is not theirs.
        connection.execute(
            """
            create table orders as
            select unnest(['b', 'c']) as store, 9 as order_id, unnest(['17', '18']) as customer_id;
            create table lines as select unnest(['b', 'c', null]) as store, 9 as order_id;
            """
        )
        orders, lines = (
            subject_access.Table(f"landing.shop_{name}", name, {}, {}, [])
            for name in ("orders", "lines")
        )
        whom.owned = subject_access.owned(connection, [queue, orders, lines], whom)
        assert whom.owned == {"order_id": [("b", "9")]}
        assert subject_access.rows(connection, lines, whom) == [{"store": "b", "order_id": 9}]


def test_who_came_back_is_told_of_what_their_erasure_covered():
    """By the address and ids, as it was when it was asked for, and of nobody else."""
    never, asked, later = (f"{day}" for day in ("9999-12-31", "2024-02-01", "2024-03-01"))
    before = "2024-01-01"
    ids = "customer_id", "anonymous_id", "phone", "esp_contact_id", "email"
    customer, device, phone, contact, email = ids
    links = [(email, "back@example.com", customer, "17", before, later)]
    links += [(customer, "17", contact, "x17", before, never)]
    links += [(contact, "x17", device, "d17", before, never)]
    # Of the person whom they are by now; a guest; somebody who was erased too, and uses the device
    # since; a customer who has the old number by now; and a number that several had before.
    links += [(email, "back@example.com", customer, "18", later, later)]
    links += [(customer, "17", email, "guest@example.com", before, never)]
    links += [(device, "d17", customer, "19", later, never)]
    links += [(customer, "17", phone, "555", before, never)]
    links += [(phone, "555", customer, "21", before, never)]
    links += [(customer, "17", phone, "777", before, before)]
    links += [(customer, "23", device, "shared", before, never)]
    gone = [(email, "back@example.com"), (customer, "17"), (contact, "x17"), (device, "d17")]
    gone += [(customer, "19"), (phone, "555"), (customer, "21"), (phone, "777")]
    gone += [(device, "shared"), (customer, "23")]
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema core;
            create schema staging;
            attach ':memory:' as state;
            create schema state.activation;
            create table state.activation.esp_erasure_queue (key_check varchar);
            create table core.dim_identifiers as
            select
                'main' as store, type as identifier_type, id as identifier, false as is_shared, key
                as customer_key
            from (values
                ('email', 'back@example.com', 'key_18'), ('customer_id', '18', 'key_18'),
                ('anonymous_id', 'shared', 'key_18'), ('phone', '555', 'key_22')
            ) as rows (type, id, key);
            create table core.dim_customers as select '' as customer_key, '' as email limit 0;
            create table core.dim_customer_records as select '' as own_key, '' as customer_key
            limit 0;
            create table core.fct_erasures (
                store varchar, identifier_type varchar, identifier_hash varchar,
                requested_at timestamp
            );
            """
        )

        def remember(key):
            """Hash as the project does."""
            for kind, identifier in gone:
                said = "\x1f".join((key, kind, "main", identifier))
                connection.execute(
                    "insert into core.fct_erasures values ('main', ?, ?, ?)",
                    [kind, hashlib.md5(said.encode()).hexdigest(), asked],
                )
            said = "\x1f".join((key, "key_check", "", ""))
            connection.execute(
                "insert into state.activation.esp_erasure_queue values (?)",
                [hashlib.md5(said.encode()).hexdigest()],
            )

        def person():
            subject_access.require_key(connection)
            whom = subject_access.person(connection, "back@example.com", None)
            return (
                whom.keys,
                {one[1:] for one in whom.identifiers},
                {one[1:] for one in whom.former},
            )

        # Nobody was erased: no link is looked at, so that there need not be any.
        now = {(email, "back@example.com"), (customer, "18"), (device, "shared")}
        assert person() == (["key_18"], now, set())
        with mock.patch.dict(os.environ, {"LETTERSHOP_ERASURE_KEY": "ours, isn't it"}):
            remember("ours, isn't it")
            with pytest.raises(SystemExit, match="run `make build` first"):
                person()
            connection.execute(
                "create table staging.base_consent__identifier_links (store varchar, left_type"
                " varchar, left_identifier varchar, right_type varchar, right_identifier varchar,"
                " linked_at timestamp, shared_since timestamp)"
            )
            for left, left_id, right, right_id, *since in links:
                for ends in ((left, left_id, right, right_id), (right, right_id, left, left_id)):
                    connection.execute(
                        "insert into staging.base_consent__identifier_links"
                        " values ('main', ?, ?, ?, ?, ?, ?)",
                        [*ends, *since],
                    )
            former = {(customer, "17"), (contact, "x17"), (device, "d17")}
            assert person() == (["key_18"], now | former, former)
        with pytest.raises(SystemExit, match="LETTERSHOP_ERASURE_KEY is not the key"):
            person()


# --- Explained ------------------------------------------------------------------------------------


def explained(folder, customer):
    """Run `make explain`'s program; return its result."""
    environment = os.environ | {
        "EXPLAIN_CUSTOMER": customer,
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
    }
    for name in ("LETTERSHOP_LANDING", "LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
        environment[name] = "/nowhere"
    return subprocess.run(
        [sys.executable, "-m", "tools.explain"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_customer_is_explained_from_what_is_published(shop):
    """By address, id, key and the beginning of a key, alike; and as the tables say."""
    before = (shop / "published.duckdb").read_bytes()
    said = explained(shop, " Ann@Example.com ")
    assert said.returncode == 0, said.stderr
    with duckdb.connect(str(shop / "published.duckdb"), read_only=True) as connection:
        (key,) = connection.execute(
            "select customer_key from core.dim_customers where customer_id = 'c1'"
        ).fetchone()
        memberships = connection.execute(
            "select segment_id, reason, exit_rule from marts.segment_memberships"
            " where customer_key = ?",
            [key],
        ).fetchall()
    assert len(memberships) > 3
    for words in memberships:
        for word in words:
            assert word in said.stdout
    for words in (
        "email                             ann@example.com",
        "custom_attributes.loyalty_tier    gold",
        "evidence: granted at 2024-01-05 00:00:00 UTC, event k1",
        "email_marketing                   yes: granted (opt_in)",
        "buys_30d                          unknown: not trained",
        "nothing was ever written for the platform",
    ):
        assert words in said.stdout
    assert "bob@" not in said.stdout
    for named in ("c1", key, key[:8]):
        assert explained(shop, named).stdout == said.stdout
    assert (shop / "published.duckdb").read_bytes() == before


def test_who_is_unknown_or_several_is_said_without_naming_them(shop):
    for named in ("nobody@example.com", ""):
        said = explained(shop, named)
        assert said.returncode != 0 and said.stdout == ""
        assert "nobody" not in said.stderr and len(said.stderr.strip().splitlines()) == 1
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema core")
        connection.execute(
            "create table marts.customer_profiles as select 'twelve_letters' || n as customer_key,"
            " 'x' as email, 'y' as customer_id from range(2) as numbers (n);"
            "create table marts.customer_identifiers (own_key varchar, record_id varchar,"
            " identifier_type varchar, identifier varchar, customer_key varchar);"
            "create table core.dim_esp_contacts (customer_key varchar, esp_contact_id varchar,"
            " external_id varchar)"
        )
        with pytest.raises(SystemExit, match=r"2 customers .*: twelve_letters0, twelve_letters1"):
            explain.customer_key(connection, "twelve_l")
        with pytest.raises(SystemExit, match="Nobody"):
            explain.customer_key(connection, "twelve_")


def test_what_was_sent_and_what_waits_is_told_by_the_cursors_of_the_sync(tmp_path, monkeypatch):
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", str(tmp_path))
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema activation; create schema core;
            create table activation.esp_outbox as select * from (values
                ('k1', 3, timestamp '2024-03-01', 'upsert', 'new', '{"email": "a@b.cd"}'),
                ('k1', 7, timestamp '2024-03-02', 'upsert', 'changed', '{"email": "e@b.cd"}'),
                ('k1', 8, timestamp '2024-03-03', 'suppress', 'withdrawn', '{}'),
                ('k2', 9, timestamp '2024-03-03', 'upsert', 'new', '{}')
            ) as rows (customer_key, change_seq, changed_at, op, reason, payload);
            create table core.dim_esp_contacts (customer_key varchar, esp_contact_id varchar)
            """
        )
        assert "not known" in list(explain.told(connection, "k1"))[-1]
        state = tmp_path / "klaviyo" / ".drt" / "state.json"
        state.parent.mkdir(parents=True)
        run = {"last_run_at": "2024-03-02T06:00:00", "last_cursor_value": "6"}
        aside = {"last_run_at": "2024-03-02T06:00:00", "last_cursor_value": "2,6"}
        kept = {"klaviyo_upsert": run, "klaviyo_upsert.refused": aside}
        state.write_text(json.dumps(kept))
        assert list(explain.told(connection, "k1")) == [
            "change 8 of 2024-03-03 00:00:00: suppress (withdrawn)",
            "    waits for make sync ESP=klaviyo",
            "change 7 of 2024-03-02 00:00:00: upsert (changed)",
            "    waits for make sync ESP=klaviyo",
            "    email                         e@b.cd",
            "change 3 of 2024-03-01 00:00:00: upsert (new)",
            "    sent to klaviyo by 2024-03-02T06:00:00, unless a later change overtook it",
        ]
        aside["last_cursor_value"] = "2,3"
        state.write_text(json.dumps(kept))
        assert list(explain.told(connection, "k1"))[-1].startswith("    set aside, since klaviyo")


def test_a_request_beside_a_change_is_enough_only_for_an_erasure():
    """Of Braze: whoever it never knew by our id is erased by its own alone."""
    went = (9, "2024-03-02T06:00:00", set())
    for op, beside, words in (
        ("erase", "erase_contact", "sent to braze by 2024-03-02T06:00:00"),
        ("upsert", "identify", "waits for make sync ESP=braze"),
        ("suppress", "suppress_address", "waits for make sync ESP=braze"),
    ):
        change = {"op": op, "change_seq": 9}
        (said,) = explain.sent(change, {("braze", beside): went})
        assert said.startswith(words)
        (said,) = explain.sent(change, {("braze", op): went})
        assert said.startswith("sent to braze")
        refused = {("braze", op): went, ("braze", beside): (9, "", {"9"})}
        (said,) = explain.sent(change, refused)
        assert said.startswith("set aside, since braze")


# --- Edited, previewed and built ------------------------------------------------------------------


def edit(project, name, *rows, replaced=()):
    """Add rows to a seed of a project, and replace words in it."""
    (path,) = project.glob(f"seeds/*/{name}.csv")
    text = path.read_text()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + "".join(f"{row}\n" for row in rows))


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A copy of the project with a threshold, a rule and a model that the original does not have.

    Customers are new for 10 days instead of 30. The model is as a shop's own would be: it names a
    customer who may not be profiled too.
    """
    project = tmp_path_factory.mktemp("edited")
    for name in ("macros", "models", "python_models", "seeds", "profiles", "tools"):
        shutil.copytree(ROOT / name, project / name)
    (project / "tests").mkdir()
    shutil.copytree(ROOT / "tests" / "generic", project / "tests" / "generic")
    shutil.copytree(ROOT / "tests" / "singular", project / "tests" / "singular")
    for name in ("profiles.yml", ".dbtignore"):
        shutil.copy(ROOT / name, project / name)
    config = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    config["vars"]["custom_segment_models"] = ["wine_club"]
    config["models"]["lettershop"]["marts"]["custom_members"] = {
        "+pre_hook": ["{% do ref('wine_club') %}"]
    }
    (project / "dbt_project.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    (project / "models" / "core" / "wine_club.sql").write_text(
        "{{ config(contract={'enforced': false}) }}\nselect customer_key, 'own_club' as segment_id,"
        " 'Signed the list' as reason from {{ ref('dim_customers') }}"
    )
    edit(project, "lifecycle_thresholds", replaced=[("new_customer,30,", "new_customer,10,")])
    edit(
        project,
        "own_segments",
        "own_gold,Gold members,Have the best tier,,crm,0",
        "own_club,Wine club,Signed the list,,crm,0",
        "own_store,Have a store,Named a store as theirs,,crm,0",
    )
    edit(
        project,
        "segment_rules",
        "own_gold,1,custom_attributes.loyalty_tier,equals,Gold",
        "own_gold,1,order_count,at_least,1",
        "own_store,1,custom_attributes.home_store,is_known,",
    )
    (project / "macros" / "faults.sql").write_text(
        "{% macro faults(relations) %}{% for relation in relations %}"
        "{% do print(custom_segment_problem(relation)) %}{% endfor %}{% endmacro %}"
    )
    return project


@pytest.fixture(scope="module")
def parsed(edited):
    """What runs dbt and programs of the edited project."""
    return Parsed(edited)


def previewed(folder, project=ROOT, parsed=None):
    """Run `make preview`'s program in a project; return its result."""
    return Build(folder, folder / "landing", project, parsed).program("tools.preview")


@pytest.fixture(scope="module")
def preview(shop, edited, parsed):
    """What the preview says; and that it leaves every file as it was."""
    databases = [shop / f"{name}.duckdb" for name in ("work", "state", "published")]
    before = [path.read_bytes() for path in databases]
    listed = sorted(path.name for path in shop.iterdir())
    results = (shop / "target" / "run_results.json").read_bytes()
    result = previewed(shop, edited, parsed)
    assert result.returncode == 0, result.stdout + result.stderr
    assert [path.read_bytes() for path in databases] == before
    assert sorted(path.name for path in shop.iterdir()) == listed
    assert (shop / "target" / "run_results.json").read_bytes() == results
    return result.stdout


@pytest.fixture(scope="module")
def rebuilt(shop, edited, parsed, preview, builds):
    """The edited project built whole, up to what is sent; with own columns besides."""
    edit(
        edited,
        "attribute_catalog",
        "points,Number,TRUE,FALSE,Points",
        "diet,text,false,true,What they eat",
    )
    edit(
        edited,
        "esp_field_map",
        "generic,custom_attributes.loyalty_tier,tier,text,field,none,profiling,crm,*",
        "generic,custom_attributes.points,points,number,field,0,email_marketing,crm,*",
    )
    said = yaml.safe_load((shop / "landing" / "vars.yml").read_text())
    return Build(builds / "edited", shop / "landing", edited, parsed).run(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+esp_payloads", "+segment_sizes", "+rejected_rows"),
        vars=said,
    )


def members(rows) -> dict[str, set]:
    """Return customer keys by segment, of rows of both."""
    found = {}
    for segment, key in rows:
        found.setdefault(segment, set()).add(key)
    return found


MEMBERS = "select segment_id, customer_key from marts.segment_memberships"


def test_the_preview_says_what_two_builds_differ_in(shop, preview, rebuilt):
    with duckdb.connect(str(shop / "work.duckdb"), read_only=True) as connection:
        before = members(connection.execute(MEMBERS).fetchall())
    after = members(rebuilt.query(MEMBERS))
    expected = {}
    for segment in before.keys() | after.keys():
        was, now = before.get(segment, set()), after.get(segment, set())
        if was != now:
            expected[segment] = (len(was), len(now), len(now - was), len(was - now))
    found = {
        segment: tuple(int(number) for number in numbers)
        for segment, *numbers in re.findall(
            r"^(\w+) +(\d+) → (\d+) members, \+(\d+) -(\d+)$", preview, re.MULTILINE
        )
    }
    assert found == expected
    assert {"active", "new_customer", "own_gold", "own_club"} <= found.keys()
    assert f"{len(before.keys() | after.keys()) - len(found)} segments with members stay" in preview
    assert "Edited: lifecycle_thresholds, own_segments, segment_rules." in preview


def test_examples_of_the_preview_are_masked(shop, preview):
    with duckdb.connect(str(shop / "work.duckdb"), read_only=True) as connection:
        people = connection.execute("select customer_key, email from core.dim_customers").fetchall()
    examples = re.findall(
        r"^  (?:enters|leaves)  (\w{8})(?: (\S+@\S+))?  .+", preview, re.MULTILINE
    )
    assert len(examples) > 3 and any(email for _, email in examples)
    assert {key for key, _ in examples} <= {key[:8] for key, _ in people}
    for key, email in people:
        assert key not in preview and (email is None or email not in preview)
    assert "  enters  " in preview and "  leaves  " in preview and "loyalty_tier gold" in preview


def test_of_many_who_enter_or_leave_five_are_shown(tmp_path, capsys):
    for name, segment in (("before", "was"), ("after", "is")):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute(
                f"""
                create schema marts; create schema core;
                create table core.dim_customers as
                select 'a_long_key_of_' || n as customer_key, n || '@example.com' as email
                from range(9) as numbers (n);
                create table marts.segment_memberships as
                select '{segment}' as segment_id, customer_key, 'because ' || '{segment}' as reason
                from core.dim_customers
                """
            )
    show(moves(tmp_path / "before.duckdb", tmp_path / "after.duckdb"))
    said = capsys.readouterr().out
    assert re.findall(r"^(\w+) +(\d+) → (\d+) members, \+(\d+) -(\d+)$", said, re.MULTILINE) == [
        ("is", "0", "9", "9", "0"),
        ("was", "9", "0", "0", "9"),
    ]
    assert said.count("  enters  ") == said.count("  leaves  ") == 5
    assert "@example.com" not in said


def test_without_an_edit_there_is_nothing_to_preview(shop, preview):
    result = previewed(shop)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("No file in seeds/ differs")


def test_edited_seeds_that_break_a_rule_are_named_by_the_preview(shop, edited, parsed, rebuilt):
    """Nothing is left behind, and the words are those that a build would have."""
    paths = [
        edited / "seeds" / name
        for name in ("own/segment_rules.csv", "segments/lifecycle_thresholds.csv")
    ]
    texts = [path.read_text() for path in paths]
    edit(edited, "segment_rules", "own_gold,1,order_cuont,at_least,1")
    edit(edited, "lifecycle_thresholds", replaced=[("\nactive,30,", "\n\nactive,ten,")])
    listed = sorted(path.name for path in shop.iterdir())
    result = previewed(shop, edited, parsed)
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert "seeds/own/segment_rules.csv, line 5" in result.stderr
    assert "seeds/segments/lifecycle_thresholds.csv, line 5: fixed_days is 'ten'" in result.stderr
    assert "Nothing was changed" in result.stderr
    assert sorted(path.name for path in shop.iterdir()) == listed


def test_own_columns_reach_the_profile_the_rules_and_the_payload(rebuilt):
    profiles = dict(
        rebuilt.query(
            "select customer_id, custom_attributes from marts.customer_profiles"
            " where customer_id is not null"
        )
    )
    assert profiles == {
        "c1": '{"diet": "vegan", "loyalty_tier": "gold", "points": 120.5}',
        "c2": '{"loyalty_tier": "gold", "points": 7}',
        "c3": f'{{"home_store": "{WRITTEN}", "loyalty_tier": "silver"}}',
        "zoe": None,
    }
    payloads = {
        email: json.loads(payload)
        for email, payload in rebuilt.query("select email, payload from activation.esp_payloads")
    }
    ann, bob = payloads["ann@example.com"], payloads["bob@example.com"]
    assert (ann["tier"], ann["points"]) == ("gold", 120.5)
    # The tier is for profiling, which Bob objected to; the points are for any e-mail.
    assert (bob["tier"], bob["points"]) == ("none", 7)
    assert {"own_gold", "own_club"} <= set(ann["segments"]) and bob["segments"] == []
    for relation in rebuilt.query(
        "select table_catalog, table_schema, table_name from information_schema.tables"
        " where table_schema in ('features', 'scoring', 'predictions', 'activation')"
    ):
        name = ".".join(relation)
        assert rebuilt.query(
            f"select count(*) from {name} as t where cast(t as varchar) like '%vegan%'"
        ) == [(0,)], name
    assert rebuilt.query(
        "select count(*) from marts.rule_members where figures like '%vegan%'"
    ) == [(0,)]


def test_a_value_of_another_type_is_a_counted_reject(rebuilt):
    assert rebuilt.query("select landing_table, reject_reason from monitoring.rejected_rows") == [
        (
            "customer_attributes",
            "attribute_value is not of the type that attribute_catalog says (points: number)",
        )
    ]


def test_own_segments_are_memberships_with_reasons_of_people_who_may_be_profiled(rebuilt):
    found = rebuilt.query(
        """
        select p.customer_id, m.segment_id, m.family, m.reason, m.exit_rule
        from marts.segment_memberships as m
        inner join marts.customer_profiles as p using (customer_key)
        where m.family = 'own' and p.customer_id in ('c1', 'c2', 'c3')
        order by all
        """
    )
    club = (
        "own_club",
        "own",
        "Signed the list",
        "Leaves when wine_club no longer names the customer",
    )
    assert found == [
        ("c1", *club),
        (
            *("c1", "own_gold", "own", "loyalty_tier gold, order_count 2 (at least 1)"),
            "Leaves when loyalty_tier is no longer Gold or order_count is no longer at least 1",
        ),
        ("c3", *club),
        (
            *("c3", "own_store", "own", f"home_store {WRITTEN} (known)"),
            "Leaves when home_store is no longer known",
        ),
    ]
    sizes = rebuilt.query(
        "select segment_id, customer_count from marts.segment_sizes where family = 'own' order by 1"
    )
    assert sizes == [("own_club", 3), ("own_gold", 1), ("own_store", 1)]


def test_the_pseudonymous_copy_has_no_words_that_a_shop_wrote(rebuilt, tmp_path, monkeypatch):
    """Of own segments; the reasons of our own families stay. The check would find them out."""
    whole = tmp_path / "whole.duckdb"
    part = pseudonymous.beside(whole)
    monkeypatch.setenv("LETTERSHOP_DUCKDB", str(rebuilt.folder / "work.duckdb"))
    monkeypatch.setenv("LETTERSHOP_STATE", str(rebuilt.folder / "state.duckdb"))
    monkeypatch.setenv("DBT_TARGET_PATH", str(rebuilt.folder / "target"))
    publish(whole)
    assert leaks(whole, part) == []
    own = "select count(*), count(reason), count(figures), count(exit_rule) from marts.{} where {}"
    with duckdb.connect(str(part), read_only=True) as connection:

        def counts(table, rows):
            return connection.execute(own.format(table, rows)).fetchone()

        assert counts("segment_memberships", "family = 'own'") == (5, 0, 0, 0)
        assert counts("rule_members", "true") == (2, 0, 0, 0)
        assert counts("custom_members", "true") == (3, 0, 0, 0)
        ours = counts("segment_memberships", "family <> 'own'")
        assert ours[0] > 3 and set(ours) == {ours[0]}
    monkeypatch.setattr(pseudonymous, "written", dict)
    pseudonymous.copy(whole, part)
    found = leaks(whole, part)
    for table in ("segment_memberships", "rule_members"):
        assert {(table, "reason"), (table, "figures")} <= set(found)


# What a model of the shop's own may get wrong, and what the build says then.
EVERYBODY = "from core.dim_customers"
FAULTS = {
    "'x' as customer_key, 'own_club' as segment_id": "has no column reason",
    "'x' as customer_key, 'own_club' as segment_id, 'r' as reason": "1 row whose customer_key",
    f"customer_key, 'own_club' as segment_id, null as reason {EVERYBODY} limit 1": "1 row without",
    f"customer_key, 'own_club' as segment_id, 'r' as reason {EVERYBODY}, range(2)": "rows too many",
    f"customer_key, 'own_x' as segment_id, 'r' as reason {EVERYBODY}": (
        "names the segment own_x, which has no row in own_segments"
    ),
    f"customer_key, 'own_gold' as segment_id, 'r' as reason {EVERYBODY}": (
        "names the segment own_gold, which has rows in segment_rules too"
    ),
}


def test_a_model_that_gives_no_members_stops_before_it_is_read(shop, rebuilt):
    """Each fault is said; and one of them, built, leaves the memberships as they were."""
    before = rebuilt.query(MEMBERS + " order by all")
    said = yaml.safe_load((shop / "landing" / "vars.yml").read_text())
    relations = [f"(select {fault})" for fault in FAULTS]
    rebuilt.run(
        "run-operation", "faults", "--args", json.dumps({"relations": relations}), vars=said
    )
    for words in FAULTS.values():
        assert words in rebuilt.result.stdout
    # As if the model named everybody twice.
    with duckdb.connect(str(rebuilt.folder / "work.duckdb")) as connection:
        connection.execute("insert into core.wine_club from core.wine_club")
    rebuilt.run("run", "--select", "custom_members+", vars=said, passes=False)
    assert rebuilt.result.returncode != 0
    stopped = " ".join(rebuilt.result.stdout.split())
    assert "The model wine_club of the var custom_segment_models has 4 rows too many" in stopped
    assert rebuilt.query(MEMBERS + " order by all") == before


def test_a_database_held_elsewhere_stops_the_build_with_one_message(shop):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]);"
            " print('held', flush=True); sys.stdin.read()",
            str(shop / "work.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        result = subprocess.run(
            [sys.executable, "-m", "tools.build"],
            cwd=ROOT,
            env=os.environ | Build(shop, shop / "landing").environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        holder.communicate("")
    assert result.returncode == 3
    assert result.stdout == ""
    for words in (
        "LETTERSHOP_DUCKDB",
        str(shop / "work.duckdb"),
        str(holder.pid),
        "Close it",
        str(shop / "published.duckdb"),
    ):
        assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_failed_build_leaves_the_published_marts_as_they_were(shop):
    before = (shop / "published.duckdb").read_bytes()
    orders = shop / "landing" / "shop_orders.parquet"
    landed = orders.read_bytes()
    orders.unlink()
    result = build(shop)
    elsewhere = {"LETTERSHOP_PUBLISHED": str(shop / "never.duckdb")}
    first = Build(shop, shop / "landing").program("tools.build", env=elsewhere)
    orders.write_bytes(landed)
    assert first.returncode != 0
    assert "Nothing was published, and nothing had been before." in first.stderr
    assert result.returncode != 0
    assert "shop_orders" in result.stdout and "stays as it was" in result.stderr
    assert (shop / "published.duckdb").read_bytes() == before


def test_readers_keep_what_they_have_open_and_erased_bytes_are_gone(shop):
    published = shop / "published.duckdb"
    assert EMAIL.encode() in published.read_bytes()
    with duckdb.connect(str(published), read_only=True) as reader:
        erasures(shop / "landing")
        came_back(shop / "landing")
        result = build(shop)
        assert result.returncode == 0, result.stdout[-4000:]
        count = "select count(*) from core.dim_customers where email = ?"
        assert reader.execute(count, [EMAIL]).fetchone() == (1,)
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute(count, [EMAIL]).fetchone() == (0,)
    assert EMAIL.encode() not in published.read_bytes()
    assert b"zoe" not in published.read_bytes()
    # Her rows still stand in the landing, and who asks is told of them all.
    result, path = access(shop, EMAIL)
    assert result.returncode == 0, result.stderr
    answer = json.loads(path.read_text())
    told = {table["table"]: table["rows"] for table in answer["tables"]}
    assert answer["customer_keys"] == []
    for name in ("crm_customers", "erasure_requests", "shop_orders"):
        assert [row["customer_id"] for row in told[f"landing.{name}"]] == ["zoe"]
    # Of Yan what he has now, and what still stands there of before.
    result, path = access(shop, "yan@example.com")
    assert result.returncode == 0, result.stderr
    answer = json.loads(path.read_text())
    told = {table["table"]: table["rows"] for table in answer["tables"]}
    assert len(answer["customer_keys"]) == 1
    (now,) = told["core.dim_customers"]
    assert now["customer_id"] == "yan_now"
    for name in ("erasure_requests", "shop_orders", "consent_events", "customer_attributes"):
        assert [row["customer_id"] for row in told[f"landing.{name}"]] == ["yan_before"], name
    assert [row["order_line_id"] for row in told["landing.shop_order_lines"]] == ["l7"]
    assert len(told["landing.crm_customers"]) == 2
    for other in ("zoe", EMAIL, "ann@example.com", "bob@example.com"):
        assert other not in path.read_text()
