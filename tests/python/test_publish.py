"""The published database: whole or as it was, readable all the time, free of what was erased.

And what a person who asks is told of it.
"""

import csv
import json
import os
import subprocess
import sys
from unittest import mock

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, ROOT, TABLES

from tools import pseudonymous, subject_access
from tools.sync import permit

EMAIL = "very.personal.address@example.com"


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
        },
    )
    switches = "".join(
        f"using_{name}: false\n" for name in OPTIONAL_TABLES if name != "erasure_requests"
    )
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


def build(folder, *arguments):
    """Run `make build`'s program."""
    environment = os.environ | {
        "LETTERSHOP_LANDING": str(folder / "landing"),
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.build",
            "--resource-type",
            "seed",
            "--resource-type",
            "model",
            *arguments,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


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


def leaks(shop) -> list[tuple[str, str]]:
    """Return the columns of the pseudonymous copy that hold what names or reaches a person."""
    rows = csv.reader(pseudonymous.COLUMNS.read_text().splitlines())
    naming = {name for name, kind in rows if kind in ("identifier", "contact", "identity")}
    naming |= {"customer_key", "own_key", "order_id"}
    # What many people share says nothing about one.
    naming -= {"gender", "language"}
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{shop / 'published.duckdb'}' as whole (read_only)")
        connection.execute(f"attach '{shop / 'published_pseudonymous.duckdb'}' as part (read_only)")
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
        connection.execute(f"create temp table secrets as {secrets}")
        assert connection.execute("select count(*) from secrets").fetchone()[0] > 5
        for catalog, schema, table, name in columns:
            held = f'from part."{schema}"."{table}" as held semi join secrets'
            same = f"on held.\"{name}\" = secret and secret <> ''"
            if catalog == "part" and (
                connection.execute(f"select count(*) {held} {same}").fetchone()[0]
                or connection.execute(
                    f'select count(*) from part."{schema}"."{table}" where "{name}" like \'%@%\''
                ).fetchone()[0]
            ):
                found.append((table, name))
    return found


def test_the_pseudonymous_copy_names_nobody_and_still_joins(shop):
    assert leaks(shop) == []
    path = shop / "published_pseudonymous.duckdb"
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

    before, known = held(), pseudonymous.protections()
    monkeypatch.setattr(pseudonymous, "protections", lambda: known | {"email": "shown"})
    pseudonymous.copy(shop / "published.duckdb")
    monkeypatch.undo()
    assert ("dim_customers", "email") in leaks(shop)
    pseudonymous.copy(shop / "published.duckdb")
    assert leaks(shop) == [] and not set(before) & set(held())


def access(folder, email, **variables):
    """Run `make subject-access`'s program; return its result and where it writes."""
    path = folder / "access.json"
    path.unlink(missing_ok=True)
    environment = os.environ | {
        "SUBJECT_EMAIL": email,
        "LETTERSHOP_LANDING": str(folder / "landing"),
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "DBT_LOG_PATH": str(folder / "logs"),
        **variables,
    }
    command = [sys.executable, "-m", "tools.subject_access", str(path)]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return result, path


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
    monkeypatch.setenv("LETTERSHOP_LANDING", str(shop / "landing"))
    monkeypatch.setenv("LETTERSHOP_DUCKDB", str(shop / "work.duckdb"))
    monkeypatch.setenv("LETTERSHOP_STATE", str(shop / "state.duckdb"))
    known = json.loads((shop / "target" / "manifest.json").read_text())
    monkeypatch.setattr(subject_access, "manifest", lambda: known)
    assert subject_access.everything("nobody@example.com")["tables"] == []
    told = json.dumps(subject_access.everything("ann@example.com"), default=str)
    assert "ann@example.com" in told and EMAIL not in told and "bob@example.com" not in told


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
        result = build(shop)
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
    orders.write_bytes(landed)
    assert result.returncode != 0
    assert "shop_orders" in result.stdout and "stays as it was" in result.stderr
    assert (shop / "published.duckdb").read_bytes() == before


def test_readers_keep_what_they_have_open_and_erased_bytes_are_gone(shop):
    published = shop / "published.duckdb"
    assert EMAIL.encode() in published.read_bytes()
    with duckdb.connect(str(published), read_only=True) as reader:
        erasures(shop / "landing")
        result = build(shop)
        assert result.returncode == 0, result.stdout[-4000:]
        count = "select count(*) from core.dim_customers where email = ?"
        assert reader.execute(count, [EMAIL]).fetchone() == (1,)
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute(count, [EMAIL]).fetchone() == (0,)
    assert EMAIL.encode() not in published.read_bytes()
    assert b"zoe" not in published.read_bytes()
