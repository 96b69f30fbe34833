"""What stops a run, and what it says: where the fault is, and what to do.

Every run here that fails must leave the published database as it is.
"""

import json
import os

import duckdb
import pytest
from conftest import ROOT, TABLES, VARS

# One set of vars for several tests: dbt parses anew for each.
WITH_OPTIONAL = VARS | {
    "using_consent_events": True,
    "using_erasure_requests": True,
    "using_esp_campaigns": True,
}


@pytest.fixture(autouse=True)
def published(place):
    """The database that analysts read; no test may touch it."""
    path = place / "published.duckdb"
    path.write_bytes(b"what analysts read")
    before = path.stat().st_mtime_ns
    yield
    assert path.read_bytes() == b"what analysts read"
    assert path.stat().st_mtime_ns == before


@pytest.fixture(autouse=True)
def no_state(place):
    """Every test begins without databases."""
    for path in place.glob("*.duckdb*"):
        if path.name != "published.duckdb":
            path.unlink()


def stops(result, *words):
    """Assert that a run failed, and that what it said has all the words, white space aside."""
    assert result.returncode != 0, result.stdout
    said = " ".join(result.stdout.split())
    for word in words:
        assert word in said, f"{word!r} is not in:\n{result.stdout}"


def test_valid_landing_passes(landing, dbt):
    landing()
    assert dbt("seed").returncode == 0


# --- Where the landing is -------------------------------------------------------------------------


def test_no_landing_builds_nothing(place, dbt):
    """The whole project stops before its first model, and within it nothing is half done."""
    result = dbt("build", project=ROOT, vars={}, env={"LETTERSHOP_LANDING": "/nowhere/landing"})
    assert "Traceback" not in result.stdout
    stops(result, "Nothing was built", "'/nowhere/landing'", "LETTERSHOP_LANDING", "make demo")
    with duckdb.connect(place / "work.duckdb", read_only=True) as connection:
        assert connection.sql("from duckdb_tables()").fetchall() == []
        assert connection.sql("from duckdb_views() where not internal").fetchall() == []


def test_landing_without_parquet(landing, dbt):
    folder = landing(**dict.fromkeys(TABLES))
    (folder / "shop_orders.csv").write_text("order_id\n")
    stops(dbt("seed"), "There is no landing", str(folder), "holds no parquet", "LETTERSHOP_LANDING")


def test_unreadable_file_is_named(landing, dbt):
    folder = landing()
    (folder / "shop_orders.parquet").write_bytes(b"half a file" * 10)
    stops(dbt("seed"), "shop_orders.parquet")


# --- Vars -----------------------------------------------------------------------------------------


def test_vars_file_must_be_passed(landing, dbt):
    folder = landing()
    (folder / "vars.yml").write_text(json.dumps(VARS | {"shop_timezone": "Europe/Berlin"}))
    stops(
        dbt("seed"),
        "shop_timezone: 'Europe/Berlin' (this run: 'UTC')",
        'dbt build --vars "$(cat $LETTERSHOP_LANDING/vars.yml)"',
    )


def test_vars_file_may_be_overruled_and_repeat_defaults(landing, dbt):
    folder = landing()
    overruled = VARS | {"as_of_at": "2024-02-15 00:00:00", "base_currency": "USD"}
    (folder / "vars.yml").write_text(json.dumps(overruled))
    assert dbt("seed").returncode == 0


def test_vars_file_that_is_no_mapping(landing, dbt):
    folder = landing()
    (folder / "vars.yml").write_text("as_of_at")
    stops(dbt("seed"), "vars.yml", "name: value")


UNKNOWN_VALUES = {
    "shop_timezone": ("Berlin", "'Europe/Berlin'"),
    "base_currency": ("usd", "ISO 4217"),
    "profiling_basis": ("consent", "'legitimate_interest'"),
    "minimum_age": (0, "from 1 to 120"),
    "rfm_window_days": (0, "whole number"),
    "lifecycle_days": ("rhythmic", "'fixed' or 'rhythm'"),
    "max_rejected_rate": (1.5, "from 0 to 1"),
    "max_unexplained_rate": ("none", "from 0 to 1"),
    "accept_landing_changes": ("yes", "true or false"),
    "esp": ("mailer", "'klaviyo', 'braze', 'customerio' or 'generic'"),
    "sync_scope": ("some", "'existing_contacts' or 'all'"),
    "approve_esp_changes": ("yes", "the number that the guard of esp_outbox named"),
    "using_web_events": ("no way", "true or false"),
    "using_refunds": (False, "no optional landing table refunds"),
}


def test_unknown_values_are_all_named(landing, dbt):
    landing()
    result = dbt("seed", vars=VARS | {name: value for name, (value, _) in UNKNOWN_VALUES.items()})
    for name, (value, allowed) in UNKNOWN_VALUES.items():
        shown = f"'{value}'" if isinstance(value, str) else str(value).lower()
        expected = f"{name} switches" if name == "using_refunds" else f"The var {name} is {shown}."
        stops(result, expected, allowed)


# --- Tables and columns ---------------------------------------------------------------------------


def test_missing_required_tables(landing, dbt):
    landing(crm_customers=None, shop_order_lines=None, orderlines="select 1 as order_line_id")
    stops(
        dbt("seed"),
        "Required tables are missing",
        "crm_customers, shop_order_lines.",
        "/<table>.parquet",
        "perhaps misspelt: orderlines",
    )


def test_folder_without_files_is_a_missing_table(landing, dbt):
    folder = landing(shop_orders=None)
    (folder / "shop_orders.parquet").mkdir()
    stops(dbt("seed"), "Required tables are missing", "shop_orders.")


def test_missing_optional_tables(landing, dbt):
    landing(
        erasure_requests="select 'r1' as request_id, 'c1' as customer_id, now() as requested_at"
    )
    stops(
        dbt("seed", vars=WITH_OPTIONAL),
        "Optional tables are missing",
        "consent_events, esp_campaigns.",
        "using_consent_events: false using_esp_campaigns: false",
        "make check",
    )


def test_missing_required_columns(landing, dbt):
    landing(
        shop_orders="select 'o1' as order_id, 'paid' as order_status, 'USD' as currency",
        shop_order_lines="select 'l1' as order_line_id, 'o1' as order_id, 1.00 as line_amount",
    )
    stops(
        dbt("seed"),
        "Required columns are missing",
        "shop_orders: ordered_at, total_amount",
        "shop_order_lines: quantity",
        "_<source>__sources.yml",
    )


def test_missing_identifier_and_unfitting_column(landing, dbt):
    """A table with no identifier at all, and one whose epoch seconds are no timestamp."""
    landing(
        erasure_requests="select 'r1' as request_id, timestamp '2024-02-01' as requested_at",
        consent_events="""
            select 'e1' as event_id, 'a@example.com' as email, 'profiling' as purpose,
                'granted' as action, 1706745600 as occurred_at, 'soon' as deleted_at
        """,
        esp_campaigns="select 'm1' as campaign_id",
    )
    result = dbt("seed", vars=WITH_OPTIONAL)
    stops(
        result,
        "erasure_requests: one of customer_id, email",
        "consent_events.occurred_at: is integer, must be timestamp (such as 2018-01-31 05:00:00",
        "consent_events.deleted_at: is varchar",
        "Convert them",
    )
    # Values may be personal: none is shown.
    assert "1706745600" not in result.stdout
    assert "soon" not in result.stdout


def test_single_bad_value_passes(landing, dbt):
    """Text is read as its type; the row with the bad value is staging's business."""
    landing(
        shop_orders=f"""
            select * replace (
                case when order_id = 'o1' then 'abc' else cast(total_amount as varchar) end
                as total_amount
            )
            from ({TABLES["shop_orders"]})
        """
    )
    assert dbt("seed").returncode == 0


def test_text_column_without_values_passes(landing, dbt):
    landing(shop_orders=f"select *, ' ' as cancelled_at from ({TABLES['shop_orders']})")
    assert dbt("seed").returncode == 0


# --- Rows and time --------------------------------------------------------------------------------


def test_no_customers(landing, dbt):
    folder = landing(crm_customers=f"from ({TABLES['crm_customers']}) limit 0")
    stops(dbt("seed"), "crm_customers has no rows", f"{folder}/crm_customers.parquet", "land them")


def test_other_empty_tables_pass(landing, dbt):
    """Required or optional, and in a folder of files."""
    folder = landing(
        shop_orders=f"from ({TABLES['shop_orders']}) limit 0",
        shop_products=None,
        esp_campaigns="select 'm1' as campaign_id limit 0",
        erasure_requests="select '' as request_id, '' as email, now() as requested_at limit 0",
        consent_events="""
            select '' as event_id, '' as phone, '' as purpose, '' as action, '' as occurred_at
            limit 0
        """,
    )
    (folder / "shop_products.parquet").mkdir()
    duckdb.execute(
        f"copy ({TABLES['shop_products']}) to '{folder}/shop_products.parquet/1.parquet'"
    )
    assert dbt("seed", vars=WITH_OPTIONAL).returncode == 0


def test_clock_that_is_no_time(landing, dbt):
    landing()
    stops(
        dbt("seed", vars=VARS | {"as_of_at": "yesterday"}),
        "The clock is not a time",
        "as_of_at is 'yesterday'",
        "'2018-01-01 05:00:00'",
    )


def test_clock_before_all_orders(landing, dbt):
    """An order at the clock is not known yet."""
    landing(
        shop_orders=f"""
            select * replace (ordered_at + interval '28 days 14 hours' as ordered_at)
            from ({TABLES["shop_orders"]})
        """
    )
    stops(
        dbt("seed"),
        "as_of_at is 2024-03-01 00:00:00",
        "shop_orders.ordered_at runs from 2024-03-01 00:00:00 to 2024-03-28 00:00:00",
        "Set the var as_of_at",
    )


# --- State and files ------------------------------------------------------------------------------


def test_state_newer_than_the_clock(landing, dbt, place):
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema monitoring")
        connection.execute(
            "create table monitoring.build_runs as"
            " select timestamp '2024-03-02 00:00:00' as as_of_at"
        )
    stops(
        dbt("seed"),
        "built up to 2024-03-02 00:00:00",
        "the clock is 2024-03-01 00:00:00",
        "LETTERSHOP_STATE=<new file>",
    )


def test_segments_newer_than_the_clock(landing, dbt, place):
    """What a build that failed half-way left: segments moved, and no record of the build."""
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.segment_spells as"
            " select date '2024-03-02' as entered_date, cast(null as date) as left_date"
        )
    stops(dbt("seed"), "built up to 2024-03-02", "LETTERSHOP_STATE=<new file>")


def test_state_at_the_clock_passes(landing, dbt, place):
    """A build of the same time can be repeated."""
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.segment_spells as"
            " select date '2024-02-28' as entered_date, date '2024-03-01' as left_date"
        )
    assert dbt("seed").returncode == 0


def test_database_in_use(landing, dbt, place):
    """Bare dbt has DuckDB's own words: which file, and which process holds it."""
    landing()
    with duckdb.connect(place / "work.duckdb"):
        stops(dbt("seed"), str(place / "work.duckdb"), "lock", str(os.getpid()))
