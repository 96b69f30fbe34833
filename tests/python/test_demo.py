"""`make demo` from landing to summary, on the whole of the real data."""

import os
import re
import subprocess

import duckdb
import pandas as pd
import pytest
from conftest import ROOT

from tools import picture
from tools.summary import QUERIES


def test_who_names_a_demo_looks_at_it(tmp_path):
    """And who names none, at the shop's own; what the environment says goes first."""
    told = tmp_path / "Makefile"
    told.write_text(
        f"include {ROOT / 'Makefile'}\n"
        "demo model-report explain sync:\n\t@echo published: $$LETTERSHOP_PUBLISHED\n"
    )

    def published(*arguments, **said):
        environment = {"PATH": os.environ["PATH"]} | said
        command = ["make", "-f", str(told), "-o", ".venv/.dev", *arguments]
        found = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        (line,) = (line for line in found.stdout.splitlines() if line.startswith("published:"))
        return line.removeprefix("published:").strip()

    simulated = "data/demo/simulated/published.duckdb"
    assert published("demo") == "data/demo/complete_journey/published.duckdb"
    for target in ("model-report", "explain"):
        assert published(target, "DATA=simulated") == simulated
        assert published(target) == published(target, DATA="simulated") == ""
    assert published("model-report", "DATA=simulated", LETTERSHOP_PUBLISHED="mine") == "mine"
    # A sync writes to other people's systems: it goes by what is set, and by nothing else.
    assert published("sync", "DATA=simulated", "ESP=generic") == ""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {
        "LETTERSHOP_LANDING": str(folder / "landing"),
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    environment.pop("MAKEFLAGS", None)
    result = subprocess.run(
        ["make", "demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    return folder, result.stdout


@pytest.fixture
def published(demo):
    with duckdb.connect(str(demo[0] / "published.duckdb"), read_only=True) as connection:
        yield connection


def test_the_summary_says_what_was_made(demo):
    _, said = demo
    assert "2,469 customers, 2,469 may be profiled, 2,469 may be written to" in said
    assert "155,848 valid orders with 1,469,307 lines" in said
    assert "4,596,039.58 net revenue" in said
    assert "0 of 1,733,611 raw rows rejected" in said
    assert 'dbt build --vars "$(cat $LETTERSHOP_LANDING/vars.yml)"' in said
    assert "rfm_champions" in said and "█" in said


def test_only_the_known_warnings_are_left(demo, published):
    """17 products were sold that the product file lacks; their 4,836 lines are kept."""
    _, said = demo
    assert "ERROR=0" in said
    assert set(re.findall(r"WARN (\d+) (\w+) \.", said)) == {("17", "sold_products_are_described")}
    assert published.execute("select count(*) from monitoring.alerts").fetchone() == (0,)


def test_net_revenue_is_what_the_retailer_received(demo, published):
    landing = demo[0] / "landing"
    received = published.execute(
        f"select sum(line_amount) from '{landing}/shop_order_lines.parquet'"
    ).fetchone()[0]
    for query in (
        "select sum(net_revenue_amount) from marts.revenue_bridge",
        "select sum(net_revenue_amount) from core.fct_orders",
        "select sum(net_revenue_amount) from segments.customer_purchase_summaries",
    ):
        assert published.execute(query).fetchone()[0] == received


def test_the_oddities_of_the_data_survive(published):
    assert published.execute("select max(quantity) from core.fct_order_lines").fetchone() == (
        89638,
    )
    # 11,226 in the data, and 20 that are worth less than a cent.
    assert published.execute(
        "select count(*) from core.fct_order_lines where line_amount = 0"
    ).fetchone() == (11246,)
    assert published.execute(
        "select count(*) from core.fct_order_lines where product_key is null"
    ).fetchone() == (4836,)
    # 86 baskets lie past midnight UTC of the last day, none past New York's.
    assert (
        published.execute(
            "select count(*), max(order_date) from core.fct_orders where ordered_at >= '2018-01-01'"
        ).fetchone()[0]
        == 86
    )


def test_the_queries_to_try_give_rows(published):
    for title, query in QUERIES:
        assert published.execute(query).fetchall(), title


def test_the_picture_is_drawn_the_same_each_time(demo, tmp_path):
    folder, _ = demo
    for name in ("one.svg", "two.svg"):
        picture.write(folder / "published.duckdb", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.svg").stat().st_size > 20_000


def test_every_published_schema_is_there(published):
    schemas = {
        row[0]
        for row in published.execute(
            "select distinct table_schema from information_schema.tables"
        ).fetchall()
    }
    assert schemas == {
        *("core", "segments", "features", "training", "scoring", "predictions"),
        *("marts", "activation", "monitoring"),
    }


def test_esp_attributes_follow_the_rules_of_esps(published):
    """Names, types and lengths that every ESP takes; no nulls: a null clears nothing there."""
    columns = published.execute("describe activation.esp_profiles").fetchall()
    names = [column[0] for column in columns]
    assert len(names) <= 30 and len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,49}", name) for name in names)
    assert {column[1] for column in columns} <= {"VARCHAR", "BOOLEAN", "BIGINT", "INTEGER"}
    for name, kind, *_ in columns:
        # `segments` is a list of short texts.
        is_text = kind == "VARCHAR" and name != "segments"
        longest = f"max(length({name}))" if is_text else "0"
        nulls, length = published.execute(
            f"select count(*) - count({name}), {longest} from activation.esp_profiles"
        ).fetchone()
        assert nulls == 0 and length <= 255, name


def test_purchase_summaries_equal_lifetimes_on_complete_journey(demo, published):
    from lifetimes.utils import summary_data_from_transaction_data

    landing = demo[0] / "landing"
    with_days = pd.DataFrame(
        published.execute(
            f"""
            select
                orders.customer_id,
                cast(
                    (orders.ordered_at at time zone 'UTC') at time zone 'America/New_York' as date
                ),
                cast(sum(lines.line_amount) as double)
            from '{landing}/shop_orders.parquet' as orders
            inner join '{landing}/shop_order_lines.parquet' as lines using (order_id)
            group by all
            """
        ).fetchall(),
        columns=["who", "day", "amount"],
    )
    theirs = summary_data_from_transaction_data(
        with_days, "who", "day", "amount", observation_period_end="2018-01-01", freq="D"
    )
    ours = pd.DataFrame(
        published.execute(
            """
            select customers.customer_id, repeat_count, recency_days, age_days,
                cast(mean_repeat_value as double)
            from segments.customer_purchase_summaries
            inner join core.dim_customers as customers using (customer_key)
            """
        ).fetchall(),
        columns=["who", "frequency", "recency", "T", "monetary_value"],
    ).set_index("who")
    assert len(ours) == len(theirs) == 2469
    ours = ours.loc[theirs.index]
    for column in ("frequency", "recency", "T"):
        assert (ours[column] == theirs[column]).all(), column
    # Without a repeat purchase theirs is 0, ours is not known.
    assert (ours["monetary_value"].isna() == (theirs["frequency"] == 0)).all()
    difference = (ours["monetary_value"].fillna(0) - theirs["monetary_value"]).abs()
    assert difference.max() <= 1e-9
