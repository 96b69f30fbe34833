"""Models in a build: trained, kept, and where there is nothing to learn from."""

import json
import sys

import duckdb
import numpy as np
import pytest
from conftest import OPTIONAL_TABLES, ROOT, Build
from shop import VARS as SHOP_VARS
from shop import write_shop

sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import lifetime, lifetime_trainer

SELECTED = ("--select", "+path:models/predictions", "+path:models/training")
BUILD = ("build", "--resource-type", "seed", "--resource-type", "model", *SELECTED)
# What is built when the features are there.
SLICE = ("run", "--select", "path:models/training", "path:python_models", "path:models/predictions")
TESTS = ("test", "--select", "path:models/predictions", "path:models/training", "model_fits")
TESTS += ("--indirect-selection", "cautious")
ORDERS = """
    select
        'o' || n as order_id, 'c' || n % {customers} as customer_id, 'paid' as order_status,
        timestamp '2024-02-01' - to_hours(cast(hash(n) % 6000 as integer)) as ordered_at,
        'EUR' as currency, 10.00 as total_amount
    from range(0, {orders}) as orders (n)
"""
TABLES = {
    "crm_customers": "select 'c' || n as customer_id, 'c' || n || '@example.com' as email,"
    " timestamp '2023-01-01' as signed_up_at from range(0, {customers}) as people (n)",
    "shop_products": "select 'p1' as product_id, 'Tea' as product_name, 'Tea' as category",
    "shop_orders": ORDERS,
    "shop_order_lines": "select 'l' || n as order_line_id, 'o' || n as order_id,"
    " 'p1' as product_id, 1 as quantity, 10.00 as line_amount"
    " from range(0, {orders}) as orders (n)",
}
VARS = {
    "as_of_at": "2024-02-01 09:00:00",
    "base_currency": "EUR",
    "profiling_basis": "legitimate_interest",
} | {f"using_{name}": False for name in OPTIONAL_TABLES}


def shop_of(builds, write_tables, name: str, customers: int, orders: int) -> Build:
    """Return a build, not yet run, on a shop of four tables."""
    tables = {
        table: query.format(customers=customers, orders=orders) for table, query in TABLES.items()
    }
    return Build(builds / name, write_tables(builds / f"{name}_landing", **tables))


@pytest.mark.parametrize(("name", "orders"), [("fifty_customers", 200), ("no_purchases", 0)])
def test_where_there_is_nothing_to_learn_from_nothing_is_invented(
    builds, write_tables, name, orders
):
    build = shop_of(builds, write_tables, name, 50, orders).run(*BUILD, vars=VARS)
    decisions = build.query(
        "select model_name, decision, reason from training.retraining_decisions"
    )
    assert len(decisions) >= 8
    assert {decision for _, decision, _ in decisions} == {"not_trained"}
    assert all(reason.startswith("not trained: ") for *_, reason in decisions)
    assert build.query(
        """
        select count(*) > 0, bool_and(score is null and decile is null and band = 'unknown'
            and unknown_reason is not null)
        from scoring.propensity_logits
        """
    ) == [(True, True)]
    assert build.query("select count(*) from predictions.score_reasons") == [(0,)]
    assert build.query(
        "select count(*), bool_and(predicted_value_amount is null and band = 'unknown')"
        " from predictions.lifetime_values"
    ) == [(100, True)]
    assert build.query(
        "select count(*), bool_and(persona_name = 'unknown') from predictions.customer_personas"
    ) == [(50, True)]
    assert build.query("select count(*) from predictions.predicted_members") == [(0,)]


def test_what_happens_to_everybody_teaches_nothing(builds, write_tables):
    """Who buys every third day is never away for 30: a label that all share is no label."""
    build = shop_of(builds, write_tables, "one_class", 300, 300 * 60)
    path = build.landing / "shop_orders.parquet"
    duckdb.execute(
        f"""
        copy (
            select * replace (
                timestamp '2024-02-01 00:00:00'
                - to_hours(1 + 72 * (cast(substr(order_id, 2) as integer) // 300)) as ordered_at
            ) from '{path}'
        ) to '{path}.new' (format parquet)
        """
    )
    path.with_name(f"{path.name}.new").replace(path)
    build.run(*BUILD, vars=VARS)
    decisions = {
        name: (decision, reason)
        for name, decision, reason in build.query(
            "select model_name, decision, reason from training.retraining_decisions"
        )
    }
    for name, why in (
        ("buys_30d", "not trained: 0 negative labels; 30 are the minimum"),
        ("lapses_30d", "not trained: 0 positive labels; 30 are the minimum"),
    ):
        assert decisions[name] == ("not_trained", why)
    assert build.query(
        """
        select count(*) > 0, bool_and(score is null and band = 'unknown')
        from scoring.propensity_logits where model_name in ('buys_30d', 'lapses_30d')
        """
    ) == [(True, True)]


@pytest.fixture(scope="module")
def trained(builds):
    """A shop that is large enough to learn from, built on a day; and its registry then."""
    landing = write_shop(builds / "models_landing", customers=500)
    build = Build(builds / "models", landing).run(*BUILD, vars=SHOP_VARS)
    return build, landing, registry(build)


def registry(build: Build) -> list[tuple]:
    """Return all rows of the registry."""
    return build.query("select * from state.training.model_fits order by all")


def test_a_shop_that_buys_has_models_scores_and_reasons(trained):
    build, *_ = trained
    serving = {
        name
        for (name,) in build.query(
            "select model_name from training.model_versions where is_serving"
        )
    }
    assert {"buys_30d", "lifetime_value", "personas"} <= serving
    build.run(*TESTS, vars=SHOP_VARS)
    assert build.query(
        "select count(*) from duckdb_tables() where contains(table_name, '__dbt_tmp')"
    ) == [(0,)]
    # Beside what is published stands the RFM ranking on the same cutoff, where there is one.
    assert build.query(
        """
        select count(*) from training.model_metrics as ours
        left join training.model_metrics as baselines
            on ours.model_name = baselines.model_name
            and ours.cutoff_date = baselines.cutoff_date and ours.metric = baselines.metric
            and baselines.candidate = 'rfm_score'
        where ours.is_published and ours.metric = 'auc' and baselines.candidate is null
        """
    ) == [(0,)]


def test_values_and_margins_of_the_engine_are_those_of_numpy(trained):
    build, *_ = trained
    ((payload,),) = build.query(
        "select payload from training.model_versions"
        " where model_name = 'lifetime_value' and is_serving"
    )
    fit = json.loads(payload)
    boosts = lifetime_trainer.boosts_of(fit)
    with build.connect() as connection:
        table = connection.execute(
            """
            select features.*, found.horizon_days, found.predicted_value_amount as found_value,
                found.predicted_value_low_amount as low, found.predicted_value_high_amount as high,
                found.predicted_margin_amount as found_margin, found.margin_unknown_reason
            from predictions.lifetime_values as found
            inner join features.customer_features as features using (customer_key)
            where features.purchased_before = 1
            """
        ).df()
    # Some have no cost, and some are told in dollars.
    costed = table["costed_revenue_before"].sum() / table["net_revenue_before"].sum()
    assert 0.9 <= costed < 0.99 and table["margin_unknown_reason"].isna().all()
    for horizon, rows in table.groupby("horizon_days"):
        x = rows["repeat_count"].to_numpy(float)
        weeks = [
            np.floor(days / 7 + 0.5)
            for days in (rows["age_days"] - rows["recency_days"], rows["age_days"])
        ]
        expected = lifetime.expected_purchases(fit["purchases"], horizon / 7, x, *weeks)
        expected *= lifetime.expected_value(fit["values"], x, rows["mean_repeat_value"])
        if horizon in boosts:
            columns = {name: rows[name].to_numpy(float) for name in boosts[horizon].pieces}
            expected = (expected + np.exp(boosts[horizon].logit(columns))) / 2
        assert np.abs(expected - rows["found_value"].astype(float)).max() < 2e-4
        margin = expected * lifetime.margin_rate(
            fit["margins"], x + 1, rows["costed_revenue_before"], rows["margin_before"]
        )
        assert np.abs(margin - rows["found_margin"].astype(float)).max() < 2e-4
        assert (rows["low"] <= rows["found_value"]).all()
        assert (rows["found_value"] <= rows["high"]).all()
    assert table["found_margin"].nunique() > 50


def test_models_are_kept_and_the_same_data_give_the_same_bytes(trained):
    build, _, rows = trained
    contents = build.contents(("predictions", "scoring"))
    build.run(*SLICE, vars=SHOP_VARS)
    assert registry(build) == rows
    assert build.contents(("predictions", "scoring")) == contents
    # Forced, a model is trained again, and the champion has nothing to fear from the same data.
    build.run(*SLICE, vars=SHOP_VARS | {"retrain_models": ["buys_30d", "personas"]})
    said = build.query(
        "select model_name, decision, cause, reason from training.retraining_decisions"
        " where is_last_decision and decision_number > 1 order by model_name"
    )
    assert [row[:3] for row in said] == [
        ("buys_30d", "kept", "forced"),
        ("personas", "kept", "forced"),
    ]
    assert all(row[3].startswith("kept, because training gave the same result") for row in said)
    # Without its registry a shop trains anew: byte for byte the same, on one thread too.
    with duckdb.connect(str(build.folder / "state.duckdb")) as connection:
        connection.execute("drop table training.model_fits")
    build.run(*SLICE, vars=SHOP_VARS, threads=1)
    assert registry(build) == rows
    assert build.query(
        "select count(*) from duckdb_tables() where contains(table_name, '__dbt_tmp')"
    ) == [(0,)]


def test_a_rollback_serves_until_the_next_promotion(trained):
    build, *_ = trained
    ((version, number),) = build.query(
        "select model_version, decision_number from training.model_versions"
        " where model_name = 'buys_30d' and is_serving"
    )
    older = "20230101-00000000"
    with duckdb.connect(str(build.folder / "state.duckdb")) as connection:
        connection.execute(
            "insert into training.model_fits by name"
            " select * replace (? as model_version, decision_number - 1 as decision_number)"
            " from training.model_fits where model_name = 'buys_30d' and decision_number = ?",
            [older, number],
        )
    serving = (
        "select distinct scores.model_version, versions.model_version"
        " from predictions.propensity_scores as scores inner join training.model_versions"
        " as versions on scores.model_name = versions.model_name and versions.is_serving"
        " where scores.model_name = 'buys_30d' and scores.score is not null"
    )
    assert build.query(serving) == [(version, version)]
    unknown = {"rollback_models": {"buys_30d": "20220101-99999999"}}
    build.run(*SLICE, vars=SHOP_VARS | unknown, passes=False)
    # Refused before anything is built.
    assert build.result.returncode == 2
    assert "has no version '20220101-99999999'" in build.result.stdout
    assert older in build.result.stdout and version in build.result.stdout
    build.run(*SLICE, vars=SHOP_VARS | {"rollback_models": {"buys_30d": older}})
    assert build.query(serving) == [(older, older)]
    build.run(*SLICE, vars=SHOP_VARS)
    assert build.query(serving) == [(older, older)]
    assert build.query(
        "select decision, cause, model_version from training.retraining_decisions"
        " where model_name = 'buys_30d' and decision = 'rolled_back'"
    ) == [("rolled_back", "forced", older)]
