"""Monitoring of models: what moved is flagged, what did not is not, and the past is replayed."""

import importlib
import json
import os
import sys
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from conftest import OPTIONAL_TABLES, ROOT, Build

sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import metrics, policy

CUSTOMERS, ORDERS = 800, 8000
# The second build comes a fortnight after the first: a cutoff of buys_7d is the day of the first.
DAYS = (date(2024, 1, 18), date(2024, 2, 1))
VARS = {"base_currency": "EUR", "profiling_basis": "legitimate_interest"} | {
    f"using_{name}": False for name in OPTIONAL_TABLES
}
TABLES = {
    "crm_customers": "select 'c' || n as customer_id, 'c' || n || '@example.com' as email,"
    " case when n % 2 = 0 then 'female' else 'male' end as gender,"
    f" timestamp '2022-01-01' as signed_up_at from range(0, {CUSTOMERS}) as people (n)",
    "shop_products": "select 'p1' as product_id, 'Tea' as product_name, 'Tea' as category",
    # Some customers buy much more often than others, at a steady rate.
    "shop_orders": f"""
        select
            'o' || n as order_id,
            'c' || cast(floor({CUSTOMERS} * power(hash(n, 'who') % 10000 / 1e4, 2)) as integer)
                as customer_id,
            'paid' as order_status,
            timestamp '2024-02-01' - to_hours(cast(hash(n) % 12000 as integer)) as ordered_at,
            'EUR' as currency, 10.00 as total_amount
        from range(0, {ORDERS}) as orders (n)
    """,
    "shop_order_lines": "select 'l' || n as order_line_id, 'o' || n as order_id,"
    " 'p1' as product_id, 1 as quantity, 10.00 as line_amount"
    f" from range(0, {ORDERS}) as orders (n)",
}
# What of monitoring looks at models, with what it reads; of the landing nothing is new.
LATER = (
    *("+feature_drift", "+score_drift", "+segment_outcomes", "+bias_audit"),
    *("+model_performance", "alerts"),
)
DRIFT = ("run", "--select", "drift_bins", "feature_drift", "score_drift", "alerts")
TESTS = ("test", "--select", "alerts,test_type:data", "feature_drift,test_type:data")
FEATURE = "log_recency_days"


def clock(day: date) -> dict:
    """Return the vars of a build in the morning of a day."""
    return VARS | {"as_of_at": f"{day} 09:00:00"}


@pytest.fixture(scope="module")
def shop(builds, write_tables):
    """Two builds on one state, and the scores that the first of them published."""
    build = Build(builds / "monitored", write_tables(builds / "monitored_landing", **TABLES))
    models = ("build", "--resource-type", "seed", "--resource-type", "model", "--select")
    models = (*models, "+alerts", "propensity_scores")
    build.run(*models, vars=clock(DAYS[0]))
    build.empty = build.query("select count(*) from monitoring.scored_outcomes")
    build.published = build.query(
        "select model_version, customer_key, score from predictions.propensity_scores"
        " where model_name = 'buys_7d' and score is not null order by all"
    )
    build.run(*models[:-2], *LATER, "+score_reasons", "model_features", vars=clock(DAYS[1]))
    return build


def indices(build: Build) -> dict:
    """Return the stability index of the shifted feature, by model."""
    return dict(
        build.query(
            "select model_name, stability_index from monitoring.feature_drift"
            f" where feature = '{FEATURE}' order by all"
        )
    )


def alarms(build: Build) -> set:
    """Return the models for which the shifted feature is an alert."""
    rows = build.query(
        "select subject from monitoring.alerts"
        f" where check_name = 'feature_drift' and part = '{FEATURE}'"
    )
    return {name for (name,) in rows}


def test_half_a_standard_deviation_is_flagged_and_a_twentieth_is_not(shop):
    """The shift goes into the table of today's features; the model stays as it was."""
    spread = float(
        shop.query(f"select stddev_pop({FEATURE}) from features.customer_features")[0][0]
    )
    before = indices(shop)
    assert before and not alarms(shop)
    seen = {}
    for shift in (0.05, 0.5):
        with duckdb.connect(str(shop.folder / "work.duckdb")) as connection:
            connection.execute("create table kept as from features.customer_features")
            connection.execute(
                f"update features.customer_features set {FEATURE} = {FEATURE} + {shift * spread}"
            )
        shop.run(*DRIFT, vars=clock(DAYS[1]))
        seen[shift] = alarms(shop)
        tests = shop.run(*TESTS, vars=clock(DAYS[1]), passes=False).result
        with duckdb.connect(str(shop.folder / "work.duckdb")) as connection:
            connection.execute("delete from features.customer_features")
            connection.execute("insert into features.customer_features from kept")
            connection.execute("drop table kept")
    assert seen[0.05] == set(), indices(shop)
    assert {"buys_7d", "buys_30d"} <= seen[0.5]
    # A warning passes; it would fail had the seed a limit of an error.
    assert tests.returncode == 0 and "WARN" in tests.stdout
    shop.run(*DRIFT, vars=clock(DAYS[1]))
    assert indices(shop) == before


def test_the_engine_computes_the_index_that_numpy_does(shop):
    ((payload, rows),) = shop.query(
        "select payload, row_count from training.model_versions"
        " where model_name = 'buys_30d' and is_serving"
    )
    compared = 0
    for entry in json.loads(payload)["features"]:
        values = np.array(
            shop.query(
                f"select {entry['feature']} from features.customer_features"
                " where purchased_before >= 1"
            ),
            float,
        )[:, 0]
        actual = metrics.smeared_shares(values, entry["edges"], entry["width"])
        half = 0.5 * len(actual)
        now = (actual * len(values) + 0.5) / (len(values) + half)
        then = (np.array(entry["shares"]) * rows + 0.5) / (rows + half)
        expected = ((now - then) * np.log(now / then)).sum()
        found = shop.query(
            "select training_index from monitoring.feature_drift"
            f" where model_name = 'buys_30d' and feature = '{entry['feature']}'"
        )
        assert float(found[0][0]) == pytest.approx(expected, abs=2e-6)
        compared += 1
    assert compared > 20


def test_nothing_is_replayed_before_a_version_served(shop):
    assert shop.empty == [(0,)]


def test_what_is_replayed_is_what_was_published(shop):
    replayed = shop.query(
        "select model_version, customer_key, cast(score as decimal(6, 5))"
        " from monitoring.scored_outcomes where model_name = 'buys_7d'"
        f" and as_of_date = date '{DAYS[0]}' order by all"
    )
    assert len(replayed) > 500
    assert replayed == shop.published


def test_performance_is_that_of_numpy(shop):
    rows = shop.query(
        "select model_name, as_of_date, auc, brier, lift_10, base_rate"
        " from monitoring.model_performance order by all"
    )
    assert ("buys_7d", DAYS[0]) in {row[:2] for row in rows}
    for name, day, auc, brier, lift, base in rows:
        found = shop.query(
            "select label, score from monitoring.scored_outcomes"
            f" where model_name = '{name}' and as_of_date = date '{day}'"
        )
        labels, scores = np.array(found, float).T
        assert float(auc) == pytest.approx(metrics.auc(labels, scores), abs=1e-6)
        assert float(brier) == pytest.approx(metrics.brier(labels, scores), abs=1e-6)
        assert float(lift) == pytest.approx(metrics.lift(labels, scores), abs=1e-4)
        assert float(base) == pytest.approx(labels.mean(), abs=1e-6)


def test_only_the_audit_reads_protected_attributes(shop):
    groups = shop.query(
        "select distinct attribute_name, group_name from monitoring.bias_audit order by all"
    )
    assert groups == [
        ("age_band", "unknown"),
        *[("gender", "female"), ("gender", "male"), ("region", "unknown")],
    ]
    # What nobody's gender decides is no alarm.
    assert not shop.query("select 1 from monitoring.alerts where check_name = 'selection_ratio'")


def test_a_model_has_a_page(shop, monkeypatch, tmp_path):
    from tools import model_report, publish

    for name, value in shop.environment().items():
        monkeypatch.setenv(name, value)
    publish.publish()
    pages = model_report.write(tmp_path / "report")
    assert {page.stem for page in pages} >= {"buys_7d", "lapses_30d", "lifetime_value", "personas"}
    texts = {page.stem: page.read_text() for page in pages}
    assert texts["buys_7d"].count("<svg") == 5
    assert "log_recency_days</td><td>recency</td>" in texts["buys_7d"]
    assert all(text.count("<h2>") == 9 and "example.com" not in text for text in texts.values())
    assert [page.read_text() for page in model_report.write(tmp_path / "again")] == [
        page.read_text() for page in pages
    ]


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).normal(size=5000),
        # Counts, of which most are zero; a share; a flag that nearly everybody has.
        np.log1p(np.random.default_rng(2).poisson(0.3, 5000)),
        np.random.default_rng(3).beta(0.2, 2, 5000).round(2),
        (np.random.default_rng(4).random(5000) < 0.97).astype(float),
    ],
)
def test_a_shift_is_seen_by_its_size_whatever_values_have_in_common(values):
    bins = [{"feature": "x", **metrics.bins_of(values)}]

    def moved(by: float) -> float:
        return policy.drift(bins, {"x": values + by * values.std()})[1]

    assert moved(0) == 0
    assert max(moved(0.05), moved(-0.05)) < 0.12 < 0.15 < min(moved(0.5), moved(-0.5))


@pytest.mark.skipif("LETTERSHOP_THOROUGH" not in os.environ, reason="twelve builds take long")
def test_twelve_months_without_a_change_raise_one_alert_at_most(builds):
    landing = builds / "months_landing"
    simulator = importlib.import_module("demo.simulator.__main__")
    simulator.write_landing(landing, 6000, 11, 730)
    build = Build(builds / "months", landing)
    models = ["build", "--resource-type", "seed", "--resource-type", "model", "--select"]
    raised = []
    for month in range(12):
        day = date(2024 + (month + 1) // 12, (month + 1) % 12 + 1, 1)
        said = {
            "as_of_at": f"{day - timedelta(days=1)} 23:00:00",
            "shop_timezone": "Europe/Berlin",
            "base_currency": "EUR",
            "profiling_basis": "legitimate_interest",
            "max_rejected_rate": 0.005,
        }
        selected = LATER if month else ["+alerts"]
        build.run(*models, *selected, vars=said)
        raised += [
            (day, *row)
            for row in build.query("select * from monitoring.alerts where area = 'model'")
        ]
    assert len(raised) <= 1, raised


def test_nothing_reads_monitoring():
    """Monitoring only displays; what reads it stands in its folders."""
    for folder in ("models", "python_models"):
        for path in [*(ROOT / folder).rglob("*.sql"), *(ROOT / folder).rglob("*.py")]:
            if "monitoring" not in path.parts:
                text = path.read_text()
                for name in ("feature_drift", "scored_outcomes", "bias_audit", "model_performance"):
                    assert f"ref('{name}')" not in text and f'ref("{name}")' not in text, path
