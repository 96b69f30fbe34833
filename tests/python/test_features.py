"""Inputs of models are what was known on their day, and nothing else.

Whatever happens at or after a cutoff, links between identifiers included, changes no row of that
cutoff and no label whose window had ended by then.
"""

import csv

import duckdb
import pytest
import yaml
from conftest import ROOT, Build
from shop import VARS, truncated, write_shop

# Midnight of 1 April in Berlin.
CUTOFF = "2024-04-01"
CUTOFF_AT = "2024-03-31 22:00:00"
CUTOFFS = ["2024-01-10", "2024-02-14", "2024-03-01", "2024-03-17", CUTOFF]
TRAINING = [
    "training_features",
    "customer_category_training_features",
    "customer_send_training_features",
]
# What tells late who did what before: on devices, by guests, under addresses of others.
LATE = {
    "web_events": """
        select * replace (
            'late ' || event_id as event_id,
            'c' || 1 + hash(anonymous_id) % 140 as customer_id,
            timestamp '{at}' + interval 1 hour as occurred_at
        )
        from '{path}' where anonymous_id is not null and hash(event_id) % 5 = 0
    """,
    "shop_orders": """
        select * replace (
            'late ' || order_id as order_id,
            'c' || 1 + hash(order_id) % 140 as customer_id,
            timestamp '{at}' + interval 2 hour as ordered_at,
            null as cancelled_at
        )
        from '{path}' where email is not null and hash(order_id) % 5 = 0
    """,
    "service_interactions": """
        select * replace (
            'late ' || interaction_id as interaction_id,
            timestamp '{at}' + interval 3 hour as opened_at
        )
        from '{path}'
    """,
}


@pytest.fixture(scope="module")
def shops(builds):
    """The shop as it was at the cutoff, and with all that came later and told who was who."""
    whole = write_shop(builds / "features_shop" / "landing")
    early = truncated(whole, builds / "features_early" / "landing", CUTOFF_AT)
    for name, query in LATE.items():
        path = whole / f"{name}.parquet"
        rows = query.format(path=path, at=CUTOFF_AT)
        duckdb.execute(
            f"create or replace temp table united as"
            f" select * from '{path}' union all by name ({rows})"
        )
        duckdb.execute(f"copy united to '{path}' (format parquet)")
    # An order that was cancelled later was not cancelled yet.
    path = early / "shop_orders.parquet"
    duckdb.execute(
        f"""
        create or replace temp table united as
        select * replace (
            case when cancelled_at >= timestamp '{CUTOFF_AT}' then 'paid' else order_status end
                as order_status,
            case when cancelled_at < timestamp '{CUTOFF_AT}' then cancelled_at end as cancelled_at
        )
        from '{path}'
        """
    )
    duckdb.execute(f"copy united to '{path}' (format parquet)")
    select = [f"+{name}" for name in [*TRAINING, "training_labels", "customer_features"]]
    return [
        Build(builds / f"features_{landing.parent.name}", landing).run(
            "--select",
            *select,
            vars=VARS | {"training_cutoffs": CUTOFFS},
        )
        for landing in (early, whole)
    ]


@pytest.mark.parametrize("table", TRAINING)
def test_what_happens_later_changes_no_feature(shops, table):
    # A send of the day itself is later than its midnight.
    last = "<" if "send" in table else "<="
    query = f"select * from features.{table} where as_of_date {last} '{CUTOFF}' order by all"
    early, late = (build.query(query) for build in shops)
    assert len(early) > 50
    assert set(early) == set(late)


def test_what_happens_later_changes_no_label_whose_window_had_ended(shops):
    query = f"select * from features.training_labels where label_window_end <= '{CUTOFF}'"
    early, late = (build.query(f"{query} order by all") for build in shops)
    assert {row[0] for row in early} >= {"buys_7d", "buys_30d", "lapses_30d", "goes_silent"}
    assert early == late


def test_the_later_events_do_tell_who_did_what_before(shops):
    """The two tests above would be empty if customers were the same in both shops."""
    query = f"""
        select sum(product_view_count), sum(order_count) from core.fct_customer_days
        where activity_date < '{CUTOFF}'
    """
    early, late = (build.query(query)[0] for build in shops)
    assert early[0] != late[0] and early[1] != late[1]
    late_links = shops[1].query(
        f"select count(*) from core.dim_identifiers where linked_at >= '{CUTOFF_AT}'"
    )
    assert late_links[0][0] > 20


def contract(name: str) -> list[tuple[str, str]]:
    """Return the columns of a model of features, and their types, as its YAML has them."""
    described = yaml.safe_load((ROOT / "models" / "features" / f"{name}.yml").open())
    return [(column["name"], column["data_type"]) for column in described["models"][0]["columns"]]


def test_the_run_and_its_training_have_the_same_columns():
    assert contract("customer_features") == contract("training_features")
    for grain in ("customer_category", "customer_send"):
        assert contract(f"{grain}_features") == contract(f"{grain}_training_features")


def test_no_feature_is_ever_missing(shops):
    for table in TRAINING:
        columns = [row[0] for row in shops[1].query(f"describe features.{table}")]
        nulls = " + ".join(f"count(case when {column} is null then 1 end)" for column in columns)
        assert shops[1].query(f"select count(*) > 0, {nulls} from features.{table}") == [(True, 0)]


def test_the_catalogue_lists_every_column_and_nothing_forbidden():
    with (ROOT / "seeds" / "models" / "feature_catalog.csv").open() as file:
        catalog = list(csv.DictReader(file))
    keys = {"customer_key", "item_id", "as_of_date"}
    for grain in ("customer", "customer_category", "customer_send"):
        columns = {name for name, _ in contract(f"{grain}_features")} - keys
        listed = {row["feature"] for row in catalog if row["grain"] == grain}
        forbidden = {row["feature"] for row in catalog if row["is_forbidden"] == "true"}
        assert columns == listed - forbidden
        assert not columns & forbidden
