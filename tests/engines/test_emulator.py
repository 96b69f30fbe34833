"""The patches of the emulator: each is needed, and does what it says and no more."""

from datetime import datetime

import duckdb
import fakesnow.server
import pytest
import snowflake.connector.errors
import sqlglot
from sqlglot.errors import ParseError

from tests.engines import emulator


@pytest.fixture(scope="module")
def cursor():
    """A cursor of a session on the patched fakesnow, without its server."""
    emulator.install()
    emulator.create_databases()
    connection = fakesnow.server.shared_fs.connect(emulator.WORK, "PUBLIC")
    yield connection.cursor()
    connection.close()


def value(cursor, expression: str, rows: str = "(select 1 as one)"):
    """Return what a SQL expression gives over one row."""
    return cursor.execute(f"select {expression} as found from {rows} as given").fetchone()[0]


@pytest.mark.parametrize(
    ("patch", "expression", "rows", "wanted"),
    [
        # Snowflake's own examples: six digits more than the dividend has, at most twelve.
        ("division_as_on_snowflake", "1 / 3", None, 0.333333),
        ("division_as_on_snowflake", "cast(1 as decimal(18, 4)) / 3", None, 0.3333333333),
        ("division_as_on_snowflake", "cast(1 as double) / 3", None, 1 / 3),
        ("hash_is_signed", "hash('a') between 0 and 9223372036854775807", None, True),
        (
            "nulls_by_others_order",
            "min_by(a, b)",
            "(select null as a, 1 as b union all select 2, 2)",
            None,
        ),
        (
            "times_as_text",
            "to_char(a, 'YYYY-MM-DD HH24:MI:SS')",
            "(select timestamp '2024-01-02 03:04:05.678' as a)",
            "2024-01-02 03:04:05",
        ),
        (
            "times_as_text",
            "rtrim(rtrim(to_char(a, 'YYYY-MM-DD HH24:MI:SS.FF6'), '0'), '.')",
            "(select timestamp '2024-01-02 03:04:00' as a)",
            "2024-01-02 03:04:00",
        ),
        (
            "times_as_text",
            "rtrim(rtrim(to_char(a, 'YYYY-MM-DD HH24:MI:SS.FF6'), '0'), '.')",
            "(select timestamp '2024-01-02 03:04:05.678' as a)",
            "2024-01-02 03:04:05.678",
        ),
        ("trying_times", "try_cast(a as timestamp)", "(select 'no time' as a)", None),
        (
            "elements_as_text",
            'cast(get(parse_json(\'["a", "b"]\'), n) as varchar)',
            "(select 1 as n)",
            "b",
        ),
        ("bytes_of_text", "octet_length(a)", "(select 'é' as a)", 2),
        (
            "text_of_nothing_is_empty",
            "listagg(a, ',') within group (order by a)",
            "(select cast(null as varchar) as a)",
            "",
        ),
        (
            "whole_numbers_as_declared",
            "to_char(day + cast(n as integer), 'YYYY-MM-DD HH24:MI:SS')",
            "(select date '2024-01-01' as day, 2 as n)",
            "2024-01-03 00:00:00",
        ),
        (
            "sums_of_decimals",
            "cast(sum(a) as varchar)",
            "(select cast(n as decimal(18, 4)) as a from (values (0.1), (0.2)) as t (n))",
            "0.3000",
        ),
        ("trims_as_told", "rtrim('a,b,,', ',')", None, "a,b"),
    ],
)
def test_a_patch_does_as_snowflake_does(cursor, patch, expression, rows, wanted):
    before = emulator.used[patch]
    assert value(cursor, expression, rows or "(select 1 as one)") == wanted
    assert emulator.used[patch] > before


def test_division_by_zero_stops(cursor):
    with pytest.raises(snowflake.connector.errors.Error, match="Division by zero"):
        value(cursor, "1 / a", "(select 0 as a)")


def test_nulls_are_the_largest_and_spoil_greatest(cursor):
    # No patch: what a missing `nulls last` or a null in greatest() does on Snowflake shows here.
    rows = "(select 1 as a union all select null)"
    assert value(cursor, "first_value(a) over (order by a desc)", rows) is None
    assert value(cursor, "greatest(1, null)") is None


def test_temporary_tables_are_found_by_their_full_name(cursor):
    cursor.execute("create temporary table LETTERSHOP.public.passing as select 1 as a")
    assert cursor.execute("select a from LETTERSHOP.public.passing").fetchall() == [(1,)]


def test_keys_are_not_enforced(cursor):
    cursor.execute("create table LETTERSHOP.public.keyed (a integer, primary key (a))")
    cursor.execute("insert into LETTERSHOP.public.keyed values (1), (1)")
    assert cursor.execute("select count(*) from LETTERSHOP.public.keyed").fetchall() == [(2,)]


def test_an_error_leaves_the_session_usable(cursor):
    cursor.execute("begin")
    with pytest.raises(snowflake.connector.errors.Error):
        cursor.execute("select * from nowhere")
    assert cursor.execute("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("alter session", "alter session set query_tag = 'x'"),
        ("grants", "grant select on all tables in schema core to role analyst"),
        ("policies", "create masking policy hidden as (v varchar) returns varchar -> '***'"),
        ("tags", "alter table t set tag pii = 'email'"),
        ("clustering", "alter table t cluster by (a)"),
        ("comments", "comment on table t is 'x'"),
        ("warehouses and roles", "create role if not exists analyst"),
        ("use role or warehouse", "use warehouse wh"),
    ],
)
def test_statements_without_effect_on_results_are_accepted_and_counted(cursor, kind, statement):
    before = emulator.accepted[kind]
    cursor.execute(statement)
    assert emulator.accepted[kind] == before + 1


def test_what_is_passed_over_and_not_named_is_unexpected(cursor, monkeypatch):
    monkeypatch.setattr(emulator, "NO_OPS", {})
    monkeypatch.setattr(emulator, "unexpected", type(emulator.unexpected)())
    cursor.execute("create tag pii")
    assert emulator.report()["unexpected"] == {"CREATE TAG": 1}


def test_everything_else_stops(cursor):
    with pytest.raises(snowflake.connector.errors.Error):
        cursor.execute("select asof_something(1)")


def test_tables_of_other_databases_are_described(cursor):
    cursor.execute(f"create table {emulator.STATE}.public.kept (a integer, b varchar)")
    described = cursor.execute(f"describe table {emulator.STATE}.public.kept").fetchall()
    assert [row[0] for row in described] == ["A", "B"]


def test_what_is_accepted_is_not_parsed():
    statement = "create row access policy if not exists p as (v varchar) returns boolean -> true"
    with pytest.raises(ParseError):
        sqlglot.parse_one(statement, read="snowflake")
    before = emulator.used["policies_are_not_parsed"]
    assert fakesnow.server.parse_one(statement).sql().lower() == emulator.SUCCESS.lower()
    assert fakesnow.server.parse_one("select 1 as a").sql().lower() == "select 1 as a"
    assert emulator.used["policies_are_not_parsed"] == before + 1


@pytest.mark.parametrize(
    "command",
    ["drop database a", "  drop database a;", '/* a */ drop database a /* {"b": "c * d"} */\n'],
)
def test_comments_around_a_statement_are_no_part_of_it(command):
    assert emulator.bare(command) == "drop database a"


def test_dynamic_tables_are_made_renamed_and_dropped(cursor):
    before = emulator.used["dynamic_tables_are_tables"]
    cursor.execute(
        "create dynamic table LETTERSHOP.public.live target_lag = '5 minutes' warehouse = wh"
        " refresh_mode = FULL as (select 1 as a)"
    )
    cursor.execute("alter dynamic table LETTERSHOP.public.live rename to live_before")
    assert cursor.execute("select a from LETTERSHOP.public.live_before").fetchall() == [(1,)]
    cursor.execute("/* a */ drop dynamic table if exists LETTERSHOP.public.live_before")
    with pytest.raises(snowflake.connector.errors.Error):
        cursor.execute("select a from LETTERSHOP.public.live_before")
    assert emulator.used["dynamic_tables_are_tables"] == before + 2


def test_databases_change_places_and_go(cursor):
    before = emulator.used["databases_swapped_and_dropped"]
    for name, number in (("first", 1), ("second", 2)):
        cursor.execute(f'create or replace transient database {name} /* {{"app": "dbt"}} */')
        cursor.execute(f"create schema {name}.a")
        cursor.execute(f"create table {name}.a.b as select {number} as c")
    cursor.execute("alter database second swap with first")
    assert cursor.execute("select c from first.a.b").fetchall() == [(2,)]
    assert cursor.execute("select c from second.a.b").fetchall() == [(1,)]
    cursor.execute("drop database second")
    with pytest.raises(snowflake.connector.errors.Error):
        cursor.execute("select c from second.a.b")
    # Twice: what was there before is gone.
    cursor.execute("create or replace transient database first")
    with pytest.raises(snowflake.connector.errors.Error):
        cursor.execute("select c from first.a.b")
    assert emulator.used["databases_swapped_and_dropped"] > before


def test_the_guide_loads_files_by_copy(cursor, tmp_path):
    duckdb.execute(
        "copy (select 1 as order_id, timestamp '2024-01-02 03:04:05' as ordered_at"
        f" union all select 2, null) to '{tmp_path}/orders.parquet' (format parquet)"
    )
    before = emulator.used["tables_by_template"]
    done = emulator.follow(tmp_path)
    # USE of role, warehouse and schema, a file format and a stage; then PUT, the table and COPY.
    assert done["landing"] == 8 and done["account"] > 30
    assert emulator.used["tables_by_template"] == before + 1
    found = cursor.execute(f"select * from {emulator.LANDING}.landing.orders order by order_id")
    assert found.fetchall() == [(1, datetime(2024, 1, 2, 3, 4, 5)), (2, None)]
