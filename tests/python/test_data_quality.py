"""Freshness, changes of the landing, reconciliation: each passes and fails as it should."""

import re
import shutil

import duckdb
import pytest
from conftest import Build
from shop import VARS as SHOP_VARS
from shop import write_shop

VARS = SHOP_VARS | {"max_unexplained_rate": 0.01}
MODELS = ["--resource-type", "seed", "--resource-type", "model"]
CHECKS = ["landing_columns", "source_freshness", "landing_history", "data_quality_alerts"]
# Built, then changed: what of it a test asks for.
RECONCILIATION = """
    select landing_table, raw_count, accepted_count, combined_count, after_clock_count, core_count,
        unexplained_count, unexplained_amount, severity
    from monitoring.source_reconciliation
"""
TAMPERED = [
    # Lost on the way to core: many, and one.
    "delete from core.fct_coupon_redemptions where redemption_id > 'k4'",
    "delete from core.fct_order_lines where order_line_id ="
    " (select min(order_line_id) from core.fct_order_lines)",
    # Doubled in core.
    "insert into core.dim_campaigns select * from core.dim_campaigns",
    # A row lost its verdict, and core has it all the same: twice unexplained, not never.
    "delete from staging.base_shop__refunds where row_status = 'accepted' and refund_id ="
    " (select min(refund_id) from core.fct_refunds)",
    # All rows are there, and a fiftieth of their money is not.
    "update core.fct_orders set total_amount = round(total_amount * 0.98, 4)",
]


def rewrite(landing, table: str, query: str) -> None:
    """Replace a landing table by a query over it (as `rows`)."""
    path = landing / f"{table}.parquet"
    before = path.rename(path.with_suffix(".before"))
    duckdb.execute(
        f"copy (with rows as (select * from read_parquet('{before}')) {query})"
        f" to '{path}' (format parquet)"
    )
    before.unlink()


def seen(build: Build) -> dict:
    """Return what a build said: its exit code, its verdicts, its line and its alerts."""
    said = build.result.stdout
    return {
        "exit": build.result.returncode,
        # The test for errors, then the test for warnings.
        "tests": re.findall(r"(PASS|WARN|FAIL)[ \d]* no_limit_of_an_error", said)
        + re.findall(r"(PASS|WARN|FAIL)[ \d]* no_limit_of_a_warning", said),
        "lines": re.findall("Data quality: .*", said),
        "alerts": build.query(
            "select check_name, landing_table, column_name, severity"
            " from monitoring.data_quality_alerts order by all"
        ),
    }


@pytest.fixture(scope="module")
def days(builds):
    """Builds on one state, in order: what each said, by name; and the reconciliations."""
    landing = write_shop(builds / "quality_landing")
    # Where the shop's loader says nothing newer, it ran just before the clock.
    for table in ("crm_customers", "shop_order_lines"):
        rewrite(landing, table, "select * replace (timestamp '2024-06-10' as loaded_at) from rows")
    # This shop gives back 60.00 for orders of 25.00, which is an alert of its own.
    back = "select * replace (least(refund_amount, 5.00) as refund_amount) from rows"
    rewrite(landing, "shop_refunds", back)
    whole = shutil.copytree(landing, builds / "quality_whole")
    build = Build(builds / "quality", landing)
    days = {}

    def run(*args: str) -> dict:
        build.run(*args, vars=VARS, passes=False)
        return seen(build)

    checks = ["build", "--exclude-resource-type", "unit_test", "--select", *CHECKS]
    days["first"] = run("build", *MODELS, "--select", "+data_quality_alerts")
    days["reconciled"] = {row[0]: row[1:] for row in build.query(RECONCILIATION)}
    days["steps"] = build.query(
        "select raw_amount = superseded_amount + rejected_amount + not_yet_amount"
        " + withheld_amount + accepted_amount and accepted_amount = core_amount"
        " and superseded_amount > 0 and not_yet_amount > 0"
        " from monitoring.source_reconciliation where landing_table = 'shop_orders'"
    )

    days["same"] = run(*checks)

    rewrite(landing, "shop_orders", "select * from rows where hash(order_id) % 2 = 0")
    rewrite(landing, "crm_customers", "select * exclude (email) from rows")
    rewrite(
        landing,
        "shop_order_lines",
        "select * from rows union all by name select 'new' || n as order_line_id, '' as product_id"
        " from range(120) as numbers (n)",
    )
    days["broken"] = run(*checks)

    old = "ordered_at - interval 70 days as ordered_at, loaded_at - interval 70 days as loaded_at"
    rewrite(landing, "shop_orders", f"select * replace ({old}) from rows")
    days["broken_and_stale"] = run(*checks)

    shutil.copytree(whole, landing, dirs_exist_ok=True)
    with duckdb.connect(str(build.folder / "work.duckdb")) as connection:
        for statement in TAMPERED:
            connection.execute(statement)
    days["tampered"] = run(
        *("run", "--select", *CHECKS, "landing_accounting", "source_reconciliation")
    )
    days["unreconciled"] = {row[0]: row[1:] for row in build.query(RECONCILIATION)}
    return days


def test_a_first_build_has_nothing_to_compare_with_and_the_same_landing_passes(days):
    assert days["first"] == {"exit": 0, "tests": [], "lines": [], "alerts": []}
    assert days["same"] == {"exit": 0, "tests": ["PASS", "PASS"], "lines": [], "alerts": []}


BROKEN = {
    ("new_nulls_rise", "shop_order_lines", "product_id", "warn"),
    ("nulls_rise", "crm_customers", "email", "error"),
    ("rows_fall", "shop_orders", "*", "error"),
}


def test_half_the_rows_and_a_column_without_values_fail(days):
    assert set(days["broken"]["alerts"]) >= BROKEN
    assert (days["broken"]["exit"], days["broken"]["tests"]) == (1, ["FAIL", "WARN"])
    (line,) = days["broken"]["lines"]
    assert "limits are crossed, 2 of them errors" in line
    assert "crm_customers.email: Values went missing: " in line


def test_a_broken_landing_does_not_pass_by_building_it_again(days):
    again = {alert for alert in days["broken_and_stale"]["alerts"] if alert[3] == "error"}
    assert again >= {alert for alert in BROKEN if alert[3] == "error"}
    assert days["broken_and_stale"]["exit"] == 1


def test_a_landing_put_right_has_no_errors(days):
    """It is compared with the last build that had none, which it equals."""
    found = [alert for alert in days["tampered"]["alerts"] if alert[0] != "reconciliation"]
    # The lines that had come on top broke no limit of an error, and are gone again.
    assert found == [("rows_fall", "shop_order_lines", "*", "warn")]


def test_stale_tables_fail(days):
    stale = [a for a in days["broken_and_stale"]["alerts"] if a[0].startswith("freshness")]
    assert stale == [
        ("freshness_event", "shop_orders", "ordered_at", "error"),
        ("freshness_loading", "shop_orders", "loaded_at", "error"),
    ]


def test_every_row_and_amount_is_explained(days):
    rows = days["reconciled"]
    assert all(row[5] == 0 and row[-1] is None for row in rows.values()), rows
    # Merges, messages of several events, and what comes after the clock must occur.
    assert rows["crm_customers"][2] > 0
    assert rows["esp_events"][2] > 0 and rows["esp_events"][3] > 0
    assert days["steps"] == [(True,)]


def test_what_is_lost_or_doubled_is_unexplained(days):
    """Within max_unexplained_rate it warns, beyond it it fails."""
    rows = days["unreconciled"]
    assert {table: row[-1] for table, row in rows.items() if row[-1]} == {
        "coupon_redemptions": "error",
        "shop_order_lines": "warn",
        "esp_campaigns": "error",
        # A view: a campaign that stands twice doubles its messages.
        "esp_events": "error",
        "shop_refunds": "error",
        "shop_orders": "error",
    }
    assert rows["shop_order_lines"][5] == 1
    assert rows["esp_campaigns"][5] == 1
    assert rows["shop_refunds"][5] == 2
    assert rows["shop_orders"][5] == 0 and rows["shop_orders"][6] > 0
