"""lettershop_ml: terms, metrics, fits and policy, against scikit-learn and published figures."""

import json
import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

# Before scikit-learn is imported: two OpenMP threads on shared cores are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.append(str(Path(__file__).parents[2] / "python_models"))

from lettershop_ml import (
    engine,
    lifetime,
    lifetime_trainer,
    metrics,
    persona_trainer,
    personas,
    policy,
    propensity,
    propensity_trainer,
    registry,
    scoring,
    serving,
    terms,
    trainer,
)


def made_up(rows: int = 3000, seed: int = 1) -> propensity.Sample:
    """Return rows of six cutoffs with a label that depends on three of five features."""
    draws = np.random.default_rng(seed)
    columns = {name: np.round(draws.normal(size=rows), 6) for name in "abcde"}
    columns["rfm_score"] = np.round(3 + 2 * columns["a"] + draws.normal(size=rows))
    logit = columns["a"] - 2 * (columns["b"] > 0.5) + 0.5 * np.abs(columns["c"]) - 1
    labels = (draws.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    month = draws.integers(1, 7, rows)
    cutoffs = np.array([f"2024-{number:02d}-01" for number in month])
    ends = np.array([f"2024-{number + 1:02d}-01" for number in month])
    return propensity.Sample(columns, labels, cutoffs, ends, np.arange(rows))


NAMES = list("abcde")
FEW_TREES = propensity.Settings(iterations=20)


def test_metrics_equal_those_of_scikit_learn():
    from scipy.stats import spearmanr
    from sklearn import metrics as theirs

    draws = np.random.default_rng(3)
    labels = draws.integers(0, 2, 500)
    logits = np.round(draws.normal(size=500) + labels, 1)
    chances = 1 / (1 + np.exp(-logits))
    found = metrics.classification(labels, logits)
    assert found["auc"] == pytest.approx(theirs.roc_auc_score(labels, logits), abs=1e-12)
    assert found["pr_auc"] == pytest.approx(
        theirs.average_precision_score(labels, logits), abs=1e-12
    )
    assert found["log_loss"] == pytest.approx(theirs.log_loss(labels, chances), abs=1e-12)
    assert found["brier"] == pytest.approx(theirs.brier_score_loss(labels, chances), abs=1e-12)
    assert metrics.spearman(labels, logits) == pytest.approx(spearmanr(labels, logits)[0])
    groups = draws.integers(0, 4, 500)
    assert metrics.adjusted_rand(labels, groups) == pytest.approx(
        theirs.adjusted_rand_score(labels, groups)
    )


def test_a_constant_score_has_lift_1_whatever_the_order_of_rows():
    labels = np.array([1] * 50 + [0] * 950)
    assert metrics.lift(labels, np.zeros(1000)) == pytest.approx(1)
    assert metrics.auc(labels, np.zeros(1000)) == 0.5
    assert metrics.calibration_error(labels, np.full(1000, 0.05)) == pytest.approx(0)
    assert metrics.lift(labels, labels, 0.05) == pytest.approx(20)


BANDS = pd.read_csv(Path(__file__).parents[2] / "seeds" / "models" / "score_bands.csv")


def test_ties_share_the_decile_of_their_middle_rank():
    def found(values, asked=None):
        limits = registry.rounded(metrics.deciles(values).tolist())
        assert limits == sorted(limits)
        asked = np.unique(values) if asked is None else asked
        return [1 + sum(value >= limit for limit in limits) for value in asked]

    assert found(np.arange(10) / 3) == list(range(1, 11))
    assert found(np.arange(100) / 3, np.array([9, 10, 89, 90]) / 3) == [1, 2, 9, 10]
    # Equal but for the last digits; and whoever comes later is with the nearest.
    assert set(found(0.1 + np.arange(250) * 1e-17)) == {6}
    assert found(np.full(250, -37.2), [-38, -37.2, -36]) == [6, 6, 6]
    # One group of most, and a few above or below it, however large.
    assert found([0.0] * 95 + [1.0] * 5) == [5, 10]
    assert found([0.0] * 5 + [1.0] * 95) == [1, 6]
    assert found([0.0] * 50 + [1.0] * 50, [-1, 0, 0.49, 0.51, 1, 2]) == [3, 3, 3, 8, 8, 8]
    # A limit is as far as can be from both of its neighbours.
    assert metrics.deciles([1.0, 3.0])[4] == 2


def test_most_people_are_not_the_likeliest_tenth_whatever_the_twelfth_digit():
    """A ranking in which 95 of 100 are equal, of ten shops: by SQL and the registry's limits."""
    for seed in range(10):
        draws = np.random.default_rng(seed)
        count = np.where(np.arange(1000) < 950, 0.0, draws.integers(1, 6, 1000))
        labels = (draws.random(1000) < np.where(count > 0, 0.5, 0.05)).astype(float)
        days = np.full(1000, "2024-01-01")
        sample = propensity.Sample({"a": count}, labels, days, days, np.arange(1000))
        model = terms.centred(propensity.fit_ranking(sample, "a"), sample.columns)
        limits = registry.rounded(metrics.deciles(model.logit(sample.columns)).tolist())
        table = pd.DataFrame({"customer_key": "c", "as_of_date": "2024-07-01", "a": count})
        found = scoring.scored(
            duckdb.connect().from_df(table),
            {"model_name": "m", "target_grain": "customer"},
            {"model_version": "v", "model": model},
            {},
            limits,
            serving.band_limits(BANDS, "propensity", limits),
        ).df()
        assert set(zip(count > 0, found["decile"], found["band"], strict=True)) == {
            (False, 5, "low"),
            (True, 10, "high"),
        }


def test_terms_equal_scikit_learn_within_1e_12_in_numpy_and_in_sql():
    sample = made_up()
    matrix = sample.matrix(NAMES)
    boosting = propensity.fit_boosting(sample, NAMES, 40, seed=7)
    exact = boosting.decision_function(matrix)
    steps = terms.of_boosting(NAMES, boosting, 40)
    assert np.abs(steps.logit(sample.columns) - exact).max() < 1e-12

    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.3, solver="newton-cholesky", max_iter=50, tol=1e-8)
    ).fit(matrix, sample.labels)
    linear = propensity.fit_logistic(sample, NAMES, 0.3)
    assert np.abs(linear.logit(sample.columns) - pipeline.decision_function(matrix)).max() < 1e-12

    both = terms.centred(terms.combined([linear, steps], [0.5, 0.5]), sample.columns)
    expected = (exact + pipeline.decision_function(matrix)) / 2
    # Values on the cuts, next to them, and far outside.
    cuts = [cut for piece in both.pieces.values() for cut in piece.cuts]
    edge = np.array([*cuts, *np.nextafter(cuts, np.inf), -1e6, 1e6])
    wide = {name: np.concatenate([sample.columns[name], edge]) for name in NAMES}
    edges = np.column_stack([edge] * len(NAMES))
    expected = np.concatenate(
        [expected, (boosting.decision_function(edges) + pipeline.decision_function(edges)) / 2]
    )
    relation = duckdb.connect().from_df(pd.DataFrame(wide))
    parts = " + ".join(terms.piece_sql(piece, name) for name, piece in both.pieces.items())
    found = relation.project(f"{terms.number(both.intercept)} + {parts} as logit").df()["logit"]
    scale = np.maximum(1, np.abs(expected))
    assert (np.abs(found.to_numpy() - expected) / scale).max() < 1e-12


def test_terms_survive_the_registry_to_the_last_bit():
    sample = made_up()
    fit = propensity.train(sample, NAMES, ["rfm_score"], propensity.Settings())
    rows = json.loads(registry.as_json(fit.model.rows()))
    back = terms.from_rows(list(reversed(rows)))
    assert back.intercept == fit.model.intercept and back.pieces == fit.model.pieces
    means = {name: part.mean() for name, part in back.contributions(sample.columns).items()}
    assert max(map(abs, means.values())) < 1e-12
    with pytest.raises(ValueError, match="cover every value once"):
        terms.from_rows([row for row in rows if row["lower"] is not None or not row["feature"]])


def scores(model: terms.Additive, columns: dict, request: dict) -> pd.DataFrame:
    """Return what the engine makes of a model."""
    table = pd.DataFrame(columns).assign(
        customer_key=[str(number) for number in range(len(columns["a"]))],
        as_of_date=pd.Timestamp("2024-07-01"),
    )
    served = {"model_version": "v", "model": model}
    families = {"a": "first", "b": "first", "c": "second", "d": "third", "e": "fourth"}
    bands = [("low", -np.inf), ("high", 0)]
    deciles = metrics.deciles(model.logit(columns)).tolist()
    relation = scoring.scored(
        duckdb.connect().from_df(table), request, served, families, deciles, bands
    )
    return relation.df()


def test_reasons_are_the_greatest_families_and_add_up():
    sample = made_up()
    fit = propensity.train(sample, NAMES, ["rfm_score"], propensity.Settings())
    request = {"model_name": "m", "target_grain": "customer", "target_min_orders_90d": 0}
    columns = sample.columns | {"order_count_90d": np.where(np.arange(3000) < 10, -1.0, 1.0)}
    found = scores(fit.model, columns, request)
    unknown, known = found.iloc[:10], found.iloc[10:]
    assert unknown["logit"].isna().all() and unknown["family_1"].isna().all()
    assert set(unknown["band"]) == {"unknown"}
    assert set(unknown["unknown_reason"]) == {"fewer than 0 orders in 90 days"}
    logits = fit.model.logit(sample.columns)[10:]
    assert np.abs(known["logit"] - logits).max() < 1e-12
    assert ((known["band"] == "high") == (known["logit"] >= 0)).all()
    assert known["decile"].value_counts(normalize=True).between(0.08, 0.12).all()
    parts = fit.model.contributions(sample.columns)
    families = {
        "first": parts["a"] + parts["b"],
        "second": parts["c"],
        "third": parts.get("d", np.zeros(3000)),
        "fourth": parts.get("e", np.zeros(3000)),
    }
    table = pd.DataFrame(families).iloc[10:].reset_index(drop=True)
    greatest = table.abs().idxmax(axis=1)
    clear = table.abs().max(axis=1) - table.abs().apply(lambda row: row.nlargest(2).iloc[1], axis=1)
    agree = (greatest.to_numpy() == known["family_1"].to_numpy()) | (clear.to_numpy() < 2e-9)
    assert agree.all()
    first = table.to_numpy()[np.arange(len(table)), table.columns.get_indexer(known["family_1"])]
    assert np.abs(first - known["contribution_1"]).max() < 1e-9
    total = known["intercept"] + known["other_contribution"]
    total = total + known["contribution_1"] + known["contribution_2"] + known["contribution_3"]
    assert np.abs(total - known["logit"]).max() < 1e-9


def test_without_any_question_nobody_is_scored():
    """Every target switched off, or `dbt build --empty`, which reads no row of any seed."""
    columns = "'c' as customer_key, date '2024-06-10' as as_of_date, 1 as order_count_90d"
    relations = {"customer": duckdb.sql(f"select {columns}")}
    none_asked = pd.DataFrame(columns=["model_kind", "model_name", "output", "target_grain"])
    asked = pd.DataFrame([["probability", "m", "m", "customer"]], columns=none_asked.columns)
    words = pd.DataFrame([["m", "too few rows"]], columns=["model_name", "reason"])
    rest = pd.DataFrame(columns=["model_name"]), pd.DataFrame(columns=["model_name"]), words, None
    some = serving.probabilities(relations, asked, *rest)
    none = serving.probabilities(relations, none_asked, *rest)
    assert none.columns == some.columns and none.types == some.types
    assert none.fetchall() == [] and len(some.fetchall()) == 1


def test_training_knows_only_what_lies_before_and_beats_the_ranking():
    sample = made_up()
    fit = propensity.train(sample, NAMES, ["rfm_score"], propensity.Settings())
    assert fit.algorithm in propensity.CANDIDATES
    assert fit.parameters["tests"] == ["2024-05-01", "2024-06-01"]
    ours = propensity.mean_of(fit.metrics, fit.published, "log_loss")
    assert ours < propensity.mean_of(fit.metrics, "rfm_score", "log_loss")
    assert propensity.mean_of(fit.metrics, "constant", "lift_10") == pytest.approx(1)
    # Labels whose windows end after a cutoff are not known at it.
    late = replace(sample, ends=np.full(3000, "2024-09-01"))
    with pytest.raises(propensity.NotTrainableError, match="one class is missing"):
        propensity.train(late, NAMES, ["rfm_score"], propensity.Settings())


def test_what_does_not_beat_the_ranking_is_not_published():
    sample = made_up()
    columns = sample.columns | {"rfm_score": -2 * sample.labels + sample.columns["d"]}
    sample = replace(sample, columns=columns)
    fit = propensity.train(sample, NAMES, ["rfm_score"], propensity.Settings())
    assert fit.algorithm == "ranking" and "no model beats the ranking by RFM" in fit.reason
    assert list(fit.model.pieces) == ["rfm_score"]


def test_what_tells_days_apart_and_not_customers_is_no_feature():
    """All were signed up by one import, and everybody buys in June."""
    sample = made_up()
    month = np.array([float(cutoff[5:7]) for cutoff in sample.cutoffs])
    sample = replace(sample, columns=sample.columns | {"tenure": month, "flat": month * 0})
    assert propensity.telling(sample, [*NAMES, "tenure", "flat"]) == NAMES
    sample.columns["tenure"][0] += 1
    assert propensity.telling(sample, ["tenure"]) == ["tenure"]


def test_the_better_of_two_rankings_is_the_bar():
    sample = made_up()
    told = -2 * sample.labels + sample.columns["d"]
    for better, worse in (
        ("redemption_count_before", "rfm_score"),
        ("rfm_score", "redemption_count_before"),
    ):
        columns = sample.columns | {better: told, worse: sample.columns["d"]}
        known = replace(sample, columns=columns)
        fit = propensity.train(known, NAMES, ["rfm_score", "redemption_count_before"], FEW_TREES)
        assert fit.algorithm == "ranking" and list(fit.model.pieces) == [better]
        assert {"rfm_score", "redemption_count_before"} <= {row["candidate"] for row in fit.metrics}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.zeros(3000), "0 positive labels"),
        (np.ones(3000), "0 negative labels"),
    ],
)
def test_one_class_only_is_not_trained(labels, why):
    sample = replace(made_up(), labels=labels)
    with pytest.raises(propensity.NotTrainableError, match=why):
        propensity.train(sample, NAMES, ["rfm_score"], propensity.Settings())


def test_training_twice_gives_the_same_bytes():
    with engine.single_threaded():
        payloads = [
            registry.as_json(
                propensity.train(
                    made_up(), NAMES, ["rfm_score"], propensity.Settings()
                ).model.rows()
            )
            for _ in range(2)
        ]
    assert payloads[0] == payloads[1]


def test_calibration_repairs_scale_and_shift():
    draws = np.random.default_rng(5)
    logits = draws.normal(size=20000)
    labels = (draws.random(20000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    shift, weight = propensity.calibration(labels, logits)
    assert shift == pytest.approx(-1, abs=0.06) and weight == pytest.approx(0.5, abs=0.06)
    # A ranking is never turned around.
    assert propensity.calibration(labels, -logits) == (0.0, 1.0)


def test_bg_nbd_has_the_published_parameters():
    package = Path(find_spec("lifetimes").submodule_search_locations[0])
    table = pd.read_csv(package / "datasets/cdnow_customers_summary.csv")
    fit = lifetime.fit_purchases(table["frequency"], table["recency"], table["T"])
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    for name, value in published.items():
        assert fit[name] == pytest.approx(value, abs=0.005)
    points = [table[name].to_numpy(float) for name in ("frequency", "recency", "T")]
    # Cells that stand for several customers say the same.
    cells = table.groupby(["frequency", "recency", "T"]).size().reset_index(name="n")
    again = lifetime.fit_purchases(cells["frequency"], cells["recency"], cells["T"], cells["n"])
    assert again["r"] == pytest.approx(fit["r"], abs=1e-6)
    assert lifetime.log_likelihood(fit, *points) == pytest.approx(fit["log_likelihood"], abs=1e-3)
    alive = lifetime.chance_alive(fit, *points)
    assert (alive[points[0] == 0] == 1).all() and ((alive > 0) & (alive <= 1)).all()
    expected = lifetime.expected_purchases(fit, 39, *points)
    low, high = lifetime.purchase_interval(fit, 39, *points)
    assert (low <= high).all() and (expected >= 0).all()
    # Of a short time, the expected rate of who is alive.
    soon = lifetime.expected_purchases(fit, 1e-3, *points)
    rate = alive * (fit["r"] + points[0]) / (fit["alpha"] + points[2])
    assert np.abs(soon / (1e-3 * rate) - 1).max() < 1e-3


def test_the_expected_value_lies_between_the_own_mean_and_everybodys():
    draws = np.random.default_rng(2)
    x = draws.integers(1, 8, 2000)
    own = draws.gamma(5, 10, 2000)
    fit = lifetime.fit_values(x, own)
    expected = lifetime.expected_value(fit, x, own)
    everybody = lifetime.expected_value(fit, np.zeros(1), np.zeros(1))[0]
    assert ((expected - own) * (expected - everybody) <= 1e-9).all()
    few = lifetime.fit_values([1, 2], [10.0, 40.0])
    assert lifetime.expected_value(few, [0], [0])[0] == pytest.approx(30, rel=1e-5)


def test_a_tail_too_heavy_for_the_model_makes_nobody_worth_a_fortune():
    """Half of the shop spends under 20, a few spend thousands: no Gamma-Gamma fits that."""
    draws = np.random.default_rng(1)
    own = np.exp(draws.normal(3, 2.5, 400))
    fit = lifetime.fit_values(draws.integers(1, 4, 400), own)
    everybody, small = lifetime.expected_value(fit, [0, 5], [0, 20])
    assert everybody == pytest.approx(own.mean(), rel=1e-6)
    assert 20 < small < everybody


def test_one_huge_customer_leaves_values_finite_and_those_of_the_others_alone():
    """A wholesale buyer on most days of two years, and 3,000 others of whom 150 bought again."""
    draws = np.random.default_rng(1)
    x, t_x, age = np.zeros(3001), np.zeros(3001), draws.uniform(1, 104, 3001)
    x[:150], t_x[:150] = draws.integers(1, 6, 150), age[:150] * draws.random(150)
    own = np.where(x > 0, draws.uniform(10, 70, 3001), 0)
    alone = lifetime.fit_values(x[:-1], own[:-1])
    x[-1], t_x[-1], age[-1], own[-1] = 620, 103.9, 104, 300000
    fit, values = lifetime.fit_purchases(x, t_x, age), lifetime.fit_values(x, own)
    for weeks in (13, 52, 104):
        expected = lifetime.expected_purchases(fit, weeks, x, t_x, age)
        low, high = lifetime.purchase_interval(fit, weeks, x, t_x, age)
        assert np.isfinite([expected, low, high]).all()
        # Nobody is expected to buy more often than on every day.
        assert (expected >= 0).all() and (expected <= weeks * 7).all()
    worth = lifetime.expected_value(values, x, own)
    assert worth[-1] == pytest.approx(300000, rel=0.01)
    assert worth[200] < 2 * lifetime.expected_value(alone, [0], [0])[0]


def test_an_own_margin_rate_counts_with_its_purchases():
    draws = np.random.default_rng(6)
    purchases = draws.integers(1, 12, 20000)
    # Customers differ by .05, purchases of one by .1: four purchases count as much as everybody.
    own = 0.4 + 0.05 * draws.normal(size=20000)
    rates = own + 0.1 * draws.normal(size=20000) / np.sqrt(purchases)
    revenue = draws.gamma(5, 10, 20000)
    fit = lifetime.fit_margins(purchases, revenue, rates * revenue)
    assert fit["rate"] == pytest.approx(0.4, abs=0.002)
    assert fit["weight"] == pytest.approx(4, rel=0.15)
    expected = lifetime.margin_rate(fit, purchases, revenue, rates * revenue)
    assert ((expected - rates) * (expected - fit["rate"]) <= 1e-12).all()
    # Nearer to the truth than either of the two it lies between.
    error = np.abs(expected - own).mean()
    assert error < np.abs(rates - own).mean() and error < np.abs(fit["rate"] - own).mean()
    # Without revenue of a known cost, everybody's; with absurd margins, no more than all of it.
    assert lifetime.margin_rate(fit, [9], [0.0], [-5.0])[0] == pytest.approx(fit["rate"])
    assert lifetime.margin_rate(fit, [1e9], [1.0], [-50.0])[0] == pytest.approx(-1, abs=1e-6)
    assert lifetime.fit_margins(purchases[:19], revenue[:19], revenue[:19])["rate"] is None
    # Where all are alike, the weight is the greatest there is.
    alike = lifetime.fit_margins(purchases, revenue, 0.3 * revenue)
    assert lifetime.margin_rate(alike, [5], [10.0], [3.0])[0] == pytest.approx(0.3)


def spenders(seed: int = 3) -> pd.DataFrame:
    """Return past cutoffs of customers whose spend depends on a feature that BG/NBD ignores."""
    draws, parts = np.random.default_rng(seed), []
    for month in range(1, 7):
        rows = 1000
        rate = draws.gamma(0.7, 0.03, rows)
        age = draws.integers(60, 400, rows)
        repeats = draws.poisson(rate * age)
        visits = draws.random(rows) < 0.5
        later = draws.poisson(rate * 30 * np.where(visits, 1.7, 0.3))
        part = pd.DataFrame(
            {
                "label_cutoff": f"2024-0{month}-01",
                "label_end": f"2024-0{month + 1}-01",
                "repeat_count": repeats,
                "age_days": age,
                "recency_days": np.where(
                    repeats > 0,
                    age * (1 - draws.random(rows) ** (1 / np.maximum(repeats, 1))),
                    age,
                ),
                "mean_repeat_value": np.where(repeats > 0, draws.gamma(5, 10, rows), 0),
                "net_revenue_90d": 50.0 * later,
                "net_revenue_before": 50.0 * (1 + repeats),
                "costed_revenue_before": 50.0 * (1 + repeats),
                "margin_before": 20.0 * (1 + repeats),
                "visits": visits.astype(float),
                "noise": draws.normal(size=rows),
                "log_repeats": np.round(np.log1p(repeats), 6),
                "label": later * draws.gamma(5, 10, rows),
            }
        )
        parts.append(part.assign(margin=0.4 * part["label"]))
    return pd.concat(parts, ignore_index=True)


def test_a_boosting_is_blended_in_where_it_tells_more_and_only_there():
    past = spenders()
    with engine.single_threaded():
        found = lifetime_trainer.evaluate(past, 30, ["log_repeats", "visits"], 200)
        blind = lifetime_trainer.evaluate(past, 30, ["noise"], 200)
        early = lifetime_trainer.evaluate(past, 30, ["log_repeats", "visits"], 100000)
    assert found.wins and "mean with a boosting" in found.reason
    published = {row["candidate"] for row in found.rows if row["is_published"]}
    assert published == {"mean_of_both, 30 days", "margin, 30 days"}
    # At a cutoff it knew only what had ended before: there is none for the first.
    cutoffs = {row["cutoff"] for row in found.rows if row["candidate"] == "boosting, 30 days"}
    assert cutoffs == {f"2024-0{month}-01" for month in range(2, 7)}
    coverage = [row["value"] for row in found.rows if row["metric"] == "interval_coverage"]
    assert len(coverage) == 6 + 5 + 6 and min(coverage) > 0.7
    assert not blind.wins and "not better by more than chance" in blind.reason
    assert not early.wins and "too few windows had ended" in early.reason
    assert {row["candidate"] for row in early.rows if row["is_published"]} == {
        "bg_nbd_gamma_gamma, 30 days",
        "margin, 30 days",
    }
    margins = [row for row in early.rows if row["candidate"] == "margin, 30 days"]
    values = [row for row in early.rows if row["candidate"] == "bg_nbd_gamma_gamma, 30 days"]
    ratios = [
        [row["value"] for row in rows if row["metric"] == "total_ratio"]
        for rows in (margins, values)
    ]
    assert ratios[0] == pytest.approx(ratios[1])


def test_customers_who_are_alike_are_worth_neither_least_nor_most():
    """Their histories are no whole weeks, and scoring looks at whole weeks."""
    fit = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5}
    values = {"p": 6.0, "q": 4.0, "v": 15.0}
    table = pd.DataFrame({"repeat_count": [3], "recency_days": [17], "age_days": [101]})
    table = table.assign(mean_repeat_value=20.0).loc[[0] * 250]
    # Of the quarter a boosting expects more than BG/NBD of the year.
    limits = lifetime_trainer._limits(fit, values, table, {90: np.full(250, 900.0), 365: None})
    found = serving.cells_of(
        {
            "purchases": fit,
            "values": values,
            "margins": {"rate": None, "weight": None},
            "limits": registry.rounded(limits),
        },
        pd.DataFrame({"repeat_count": [3], "recency_weeks": [12], "age_weeks": [14]}),
        pd.DataFrame({"horizon_days": [365, 90, 30]}),
        BANDS,
        "v",
    ).set_index("horizon_days")
    assert [limit["shares"] for limit in limits] == [[0] * 5 + [1] + [0] * 4] * 2
    bought = found["expected_purchases"].to_dict()
    assert bought[30] < bought[90] < bought[365]
    worth = lifetime.expected_value(values, 3, 20.0)
    quarter = (bought[90] * worth + 900) / 2
    for horizon in (90, 365):
        assert bought[365] * worth < quarter
        assert found.at[horizon, "decile_6_from"] <= quarter < found.at[horizon, "decile_7_from"]
        assert found.at[horizon, "medium_from"] <= quarter < found.at[horizon, "high_from"]
    # Of a horizon that the version was not trained for, nothing is said.
    assert found.loc[30, ["decile_2_from", "medium_from", "high_from"]].isna().all()


def test_what_is_better_by_chance_only_is_not_better():
    assert lifetime_trainer.verdict([(-0.21, 0.1)])[0]
    assert not lifetime_trainer.verdict([(-0.19, 0.1)])[0]
    # Of the same customers: more cutoffs do not make the error smaller.
    assert not lifetime_trainer.verdict([(-0.19, 0.1)] * 4)[0]
    assert not lifetime_trainer.verdict([])[0]


def test_the_engine_boosts_as_scikit_learn_does():
    past = spenders()
    names = ["log_repeats", "visits"]
    columns = trainer.arrays(past, names)
    with engine.single_threaded():
        model = lifetime.fit_boosting(columns, names, past["label"])
    payload = {"boosts": [{"horizon_days": 30, "terms": model.rows()}]}
    versions = pd.DataFrame(
        [{"model_name": "lifetime_value", "payload": registry.as_json(payload)}]
    )
    table = pd.DataFrame(columns).assign(
        customer_key=[f"c{number}" for number in range(len(past))], purchased_before=1.0
    )
    table.loc[0, "purchased_before"] = 0.0
    connection = duckdb.connect()
    relation = connection.from_df(table)
    found = serving.lifetime_boosts(connection, relation, versions).df()
    assert found["value_log"].isna().sum() == 1 and (found["horizon_days"] == 30).all()
    found = found.set_index("customer_key").loc[table["customer_key"][1:], "value_log"]
    assert np.abs(found - model.logit(columns)[1:]).max() < 1e-12
    from sklearn.ensemble import HistGradientBoostingRegressor

    settings = {}

    class Remembering(HistGradientBoostingRegressor):
        def fit(self, matrix, labels):
            settings["fitted"] = super().fit(matrix, labels)
            return self

    with pytest.MonkeyPatch.context() as patch, engine.single_threaded():
        patch.setattr("sklearn.ensemble.HistGradientBoostingRegressor", Remembering)
        again = lifetime.fit_boosting(columns, names, past["label"])
    theirs = settings["fitted"].predict(np.column_stack([columns[name] for name in names]))
    assert np.abs(np.exp(again.logit(columns)) / theirs - 1).max() < 1e-12
    # What is not there any more, or was never trained, is scored by nobody.
    less = connection.from_df(table.drop(columns="visits"))
    assert serving.lifetime_boosts(connection, less, versions).df().empty
    assert serving.lifetime_boosts(connection, relation, versions[:0]).df().empty
    assert lifetime.fit_boosting(columns, names, np.zeros(len(past))) is None


def three_groups(seed: int = 1, rows: int = 900) -> dict[str, np.ndarray]:
    """Return five clear groups of customers in three features."""
    draws = np.random.default_rng(seed)
    middles = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6], [6, 6, 6]])
    group = draws.integers(0, 5, rows)
    points = middles[group] + draws.normal(size=(rows, 3)) * 0.5
    return {f"feature_{number}": points[:, number] for number in range(3)}


def test_personas_are_found_named_and_keep_their_ids():
    columns = three_groups()
    names = sorted(columns)
    fit = personas.train(columns, names, personas.Settings())
    assert len(fit.shares) == 5 and "best silhouette" in fit.reason
    ids = personas.matched(fit, None)
    assert sorted(ids) == [f"persona_{number}" for number in range(1, 6)]
    rules = [
        dict(persona_name="High", portrait="high", conditions=[("feature_0", "high", 0.5)]),
        dict(persona_name="Rest", portrait="rest", conditions=[]),
    ]
    called = personas.named(fit, rules, {}, ids)
    assert len({name for name, _ in called}) == 5 and "High" in {name for name, _ in called}
    earlier = [
        dict(
            persona_id=persona_id,
            typical=dict(zip(fit.names, fit.means + fit.scales * centre, strict=True)),
        )
        for persona_id, centre in zip(ids, fit.centroids, strict=True)
    ]
    again = personas.train(three_groups(seed=2), names, personas.Settings(seed=11))
    matched = personas.matched(again, earlier)
    matrix = np.column_stack([columns[name] for name in names])
    before = np.array(ids)[personas.assign(fit, matrix)]
    after = np.array(matched)[personas.assign(again, matrix)]
    assert (before == after).mean() > 0.99
    kept = dict(zip(ids, called, strict=True))
    assert personas.named(again, rules, kept, matched) == [kept[one] for one in matched]


def test_nobody_is_called_loyal_who_bought_once():
    """In a shop of one-time buyers who bought lately stands above the mean, and is not loyal."""
    draws = np.random.default_rng(6)
    group = draws.integers(0, 4, 1200)
    # Bought lately, longer ago, at two values; whose rate is high because they are new.
    late, dear = group % 2, group // 2
    columns = {
        "log_recency_days": 5 - 2.5 * late + draws.normal(size=1200) * 0.2,
        "log_yearly_rate": 0.7 + 1.2 * late + draws.normal(size=1200) * 0.1,
        "log_order_value": 3 + dear + draws.normal(size=1200) * 0.1,
    }
    names = sorted(columns)
    fit = personas.train(columns, names, personas.Settings())
    seed = Path(__file__).parents[2] / "seeds" / "models" / "persona_rules.csv"
    rules = persona_trainer.rules_of(pd.read_csv(seed))
    for share, are_loyal in ((0.05, False), (0.95, True)):
        repeated = draws.random(1200) < share
        payload = persona_trainer.payload_of(fit, columns, repeated, rules, None)
        called = {row["persona_name"] for row in payload["centroids"]}
        assert any(name.startswith("Loyal") for name in called) == are_loyal, called
        assert ("First order lately" in called) != are_loyal, called


def test_personas_in_sql_are_those_of_scikit_learn():
    columns = three_groups()
    names = sorted(columns)
    fit = personas.train(columns, names, personas.Settings())
    offsets, weights = personas.linear(fit)
    served = {
        "model_version": "v",
        "clip": personas.CLIP,
        "features": [
            dict(feature=name, mean=mean, scale=scale)
            for name, mean, scale in zip(fit.names, fit.means, fit.scales, strict=True)
        ],
        "personas": [
            dict(persona_id=f"persona_{number}", offset=offsets[number], weights=weights[number])
            for number in range(len(offsets))
        ],
    }
    table = pd.DataFrame(columns).assign(
        customer_key="c", as_of_date=pd.Timestamp("2024-07-01"), purchased_before=1.0
    )
    table.loc[0, "purchased_before"] = 0.0
    found = scoring.personas(duckdb.connect().from_df(table), served).df()
    points = personas.standardised(table[fit.names].to_numpy(), fit.means, fit.scales)
    points = points if fit.axes is None else points @ fit.axes.T
    near = ((points[:, None] - fit.middles[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (found["persona_id"][1:] == [f"persona_{number}" for number in near[1:]]).all()
    assert found["persona_id"][0] is None and found["unknown_reason"][0] == "no order yet"
    with pytest.raises(ValueError, match="100 customers have bought; 200 are the minimum"):
        few = {name: values[:100] for name, values in columns.items()}
        personas.train(few, names, personas.Settings())


# --- The policy -----------------------------------------------------------------------------------


def request_on(day: str, **changed) -> dict:
    """Return a row of training_requests."""
    return {
        "model_name": "m",
        "as_of_date": day,
        "is_forced": False,
        "rollback_version": None,
        "definition_hash": "d",
        "minimum_age_days": 7,
        "maximum_age_days": 28,
    } | changed


class Imagined:
    """A trainer whose challengers and drift are given."""

    def __init__(self, loss=0.5, drifts=None, why=None, feature="a"):
        """Keep what it will say."""
        self.loss, self.drifts, self.why = loss, drifts, why
        self.terms = [{"feature": feature}]

    def definition(self, request):
        """Return the request's own."""
        return request["definition_hash"]

    def forbidden(self, request):
        """Return what no model may use."""
        return {"gender"}

    def worse_now(self, request, champion):
        """Return what was given."""
        return self.drifts

    def train(self, request, rows, champion, cause):
        """Return the decision about a challenger of the given loss."""
        if self.why:
            return trainer.refused(request, rows, champion, cause, self.why)
        payload = registry.as_json({"loss": self.loss, "terms": self.terms})
        return trainer.challenged(
            request,
            rows,
            champion,
            cause,
            payload,
            "trained",
            lambda: policy.replaces(self.loss, json.loads(champion["payload"])["loss"]),
            algorithm="mean",
            trained_to=request["as_of_date"],
        )


def test_a_model_is_trained_when_its_policy_says_so_and_never_gets_worse():
    rows = registry.frame([])

    def on(day, imagined, **changed):
        nonlocal rows
        added = trainer.decide(imagined, request_on(day, **changed), rows)
        rows = pd.concat([rows, registry.frame(added)], ignore_index=True)
        assert len(added) <= 1
        return (added[0]["decision"], added[0]["cause"], added[0]["reason"]) if added else None

    said, cause, reason = on("2023-12-26", Imagined(why="12 rows with a label"))
    assert (said, cause) == ("not_trained", "first_run")
    assert reason == "not trained: 12 rows with a label"
    # A day's decision is taken once, and what was too little is not looked at every day.
    assert on("2023-12-26", Imagined()) is None
    assert on("2024-01-01", Imagined()) is None
    said, cause, _ = on("2024-01-02", Imagined(0.5))
    assert (said, cause) == ("promoted", "first_run")
    first = registry.champion(rows)["model_version"]
    assert on("2024-01-02", Imagined(0.4)) is None
    said, cause, reason = on("2024-01-03", Imagined(0.4))
    assert (said, cause) == ("kept", "none")
    assert reason.startswith("kept, because it has served for 1 days")
    # Drift counts from the minimum age on.
    drifting = Imagined(0.6, drifts=("drift", "a has moved"))
    assert on("2024-01-08", drifting)[0] == "kept"
    said, cause, reason = on("2024-01-09", drifting)
    assert (said, cause) == ("rejected", "drift") and "worse out of time" in reason
    assert registry.champion(rows)["model_version"] == first
    # A rejected challenger starts the age anew: not every day trains.
    assert on("2024-01-10", drifting)[0] == "kept"
    said, cause, _ = on("2024-02-06", Imagined(0.4))
    assert (said, cause) == ("promoted", "age")
    second = registry.champion(rows)["model_version"]
    assert second != first
    said, cause, reason = on("2024-02-07", Imagined(0.4), is_forced=True)
    assert (said, cause) == ("promoted", "forced") or "same result" in reason
    assert on("2024-02-08", Imagined(0.4), definition_hash="other")[1] == "definition"
    # Going back is one decision, and holds.
    said, _, reason = on("2024-02-09", Imagined(), rollback_version=first)
    assert said == "rolled_back" and registry.champion(rows)["model_version"] == first
    assert on("2024-02-09", Imagined(), rollback_version=first) is None
    assert on("2024-02-10", Imagined())[0] in ("kept", "promoted")
    with pytest.raises(ValueError, match="has no version 'nonsense'"):
        on("2024-02-11", Imagined(), rollback_version="nonsense")


class Registry:
    """Decisions of one model, day after day."""

    def __init__(self):
        """Begin without a decision."""
        self.rows = registry.frame([])

    def on(self, day, imagined, **changed) -> str | None:
        """Return what was decided on a day, and keep it."""
        added = trainer.decide(imagined, request_on(day, **changed), self.rows)
        assert len(added) <= 1
        self.rows = pd.concat([self.rows, registry.frame(added)], ignore_index=True)
        return added[0]["decision"] if added else None

    def serving(self) -> str | None:
        """Return the payload that serves."""
        champion = registry.champion(self.rows)
        return champion and champion["payload"]

    def said(self) -> str:
        """Return the last reason."""
        return self.rows["reason"].iloc[-1]


def test_another_question_is_not_answered_by_the_old_version():
    week = policy.defined(policy.question({"target_horizon_days": 7}), ["a"])
    month = policy.defined(policy.question({"target_horizon_days": 30, "as_of_date": "x"}), ["a"])
    found = Registry()
    found.on("2024-01-01", Imagined(0.2), definition_hash=week)
    # The loss of another question is another: the old version is nothing to be compared with.
    assert found.on("2024-01-02", Imagined(0.6), definition_hash=month) == "promoted"
    assert "not compared" in found.said() and "another question" in found.said()
    # Of other features of the same question the worse is rejected.
    features = policy.defined(policy.question({"target_horizon_days": 30}), ["a", "b"])
    assert found.on("2024-01-03", Imagined(0.7), definition_hash=features) == "rejected"
    assert "0.6000 of the version that serves" in found.said()
    # With too little to train on nobody answers, and it is tried again in a week, or once asked.
    few, serving = Imagined(why="12 rows with a label"), found.serving()
    assert found.on("2024-01-04", few, definition_hash=week) == "withdrawn"
    assert found.serving() is None and serving
    assert found.said().startswith("withdrawn: 20240102-") and "12 rows" in found.said()
    assert found.on("2024-01-05", few, definition_hash=week) is None
    assert found.on("2024-01-06", Imagined(0.9), definition_hash=month) == "promoted"


def test_what_uses_a_forbidden_feature_does_not_answer_nor_come_back():
    found = Registry()
    found.on("2024-01-01", Imagined(0.1, feature="gender"))
    first = found.rows["model_version"].iloc[0]
    assert found.on("2024-01-02", Imagined(0.5), definition_hash="without") == "promoted"
    assert "uses gender, which no model may use" in found.said()
    with pytest.raises(ValueError, match="gender"):
        found.on("2024-01-03", Imagined(), rollback_version=first, definition_hash="without")
    other = Registry()
    other.on("2024-01-01", Imagined(0.1, feature="gender"))
    few = Imagined(why="12 rows with a label")
    assert other.on("2024-01-02", few, definition_hash="without") == "withdrawn"


def test_what_was_tried_is_not_tried_at_every_build():
    def world(second, **changed):
        found = Registry()
        found.on("2024-01-01", Imagined(0.5))
        assert found.on("2024-01-02", second, definition_hash="other", **changed) in (
            "rejected",
            "kept",
        )
        return found

    better = Imagined(0.1)
    # Worse; the same; too little to train on. On the day itself, and on the next.
    for second in (Imagined(0.6), Imagined(0.5), Imagined(why="12 rows with a label")):
        found = world(second)
        assert found.on("2024-01-02", better, definition_hash="other") is None
        assert found.on("2024-01-03", better, definition_hash="other") == "kept"
        assert "no limit of age" in found.said()
        # What serves was defined so; and what is defined anew is tried.
        assert found.on("2024-01-04", better) == "kept"
        assert found.on("2024-01-05", better, definition_hash="third") == "promoted"
    found = world(Imagined(why="12 rows with a label"))
    assert found.on("2024-01-30", better, definition_hash="other") == "promoted"


def test_a_rollback_holds_until_something_changes_after_it():
    found = Registry()
    found.on("2024-01-01", Imagined(0.5))
    first = found.rows["model_version"].iloc[0]
    found.on("2024-01-02", Imagined(0.4), definition_hash="edited")
    back = {"rollback_version": first}
    assert found.on("2024-01-03", Imagined(), definition_hash="edited", **back) == "rolled_back"
    for day in ("2024-01-03", "2024-01-04"):
        assert found.on(day, Imagined(0.3), definition_hash="edited") in (None, "kept")
        assert registry.champion(found.rows)["model_version"] == first
    assert found.on("2024-01-05", Imagined(0.3), definition_hash="anew") == "promoted"


def test_a_model_that_is_switched_off_is_withdrawn_once():
    found = Registry()
    found.on("2024-01-01", Imagined(0.5))
    asked = [request_on("2024-01-02", model_name="another")]
    added = trainer.switched_off(asked, found.rows)
    assert [(row["model_name"], row["decision"], row["cause"]) for row in added] == [
        ("m", "withdrawn", "switched_off")
    ]
    found.rows = pd.concat([found.rows, registry.frame(added)], ignore_index=True)
    assert found.serving() is None and trainer.switched_off(asked, found.rows) == []
    # Asked again, it is trained at once.
    assert found.on("2024-01-03", Imagined(0.6)) == "promoted"


def test_words_of_the_catalogue_and_other_grains_define_no_model():
    def catalog(**first):
        row = {"grain": "customer", "used_by": "*", "is_forbidden": False, "transform": "ln"}
        other = row | {"grain": "customer_send", "feature": "a"}
        return pd.DataFrame([row | {"feature": "a"} | first, row | {"feature": "b"}, other])

    class Relation:
        columns = ("customer_key", "as_of_date", "a", "b")

    def definition(table, **changed):
        inputs = trainer.Inputs(None, None, {"customer": (None, Relation())}, table)
        request = {"model_name": "m", "target_grain": "customer", "target_horizon_days": 7}
        return propensity_trainer.Trainer(inputs).definition(request | changed)

    as_it_was = definition(catalog())
    worded = {"transform": "logarithm", "missing_rule": "nought", "family": "x"}
    assert definition(catalog(**worded)) == as_it_was
    other = catalog()
    other.loc[2, ["transform", "used_by"]] = "none"
    assert definition(other) == as_it_was
    fewer = definition(catalog(is_forbidden=True))
    assert fewer != as_it_was and not policy.asks_otherwise(fewer, as_it_was)
    assert policy.asks_otherwise(definition(catalog(), target_horizon_days=30), as_it_was)
    assert definition(catalog(), maximum_age_days=1) == as_it_was


def test_windows_that_the_version_in_service_has_seen_do_not_judge():
    """Of a version that knows the labels by heart, its kind is asked, fitted on less."""
    sample = made_up(2000)
    sample = replace(sample, columns=sample.columns | {"seen": sample.labels + sample.columns["e"]})
    tests = ["2024-05-01", "2024-06-01"]
    by_heart = terms.Additive(0.0, {"seen": terms.Piecewise((0.5,), (-4.0, 4.0), 0.0)})

    def losses(known_to, algorithm="mean", names=NAMES, **more):
        parameters = {"strength": 0.03, "iterations": 20} | more
        served = propensity.Serving(by_heart, known_to, algorithm, names, parameters)
        found = propensity.compete(sample, NAMES, ["rfm_score"], tests, FEW_TREES, served)
        return {
            name: [
                row["value"]
                for row in found.metrics
                if (row["candidate"], row["metric"]) == (name, "log_loss")
            ]
            for name in ("champion", "mean")
        }

    itself = losses("2024-05-01")["champion"]
    half = losses("2024-05-02")["champion"]
    none = losses("2024-07-01")["champion"]
    assert half[0] == none[0] != itself[0] and half[1] == itself[1] != none[1]
    # Without what it knows by heart it is a model as any: the challenger may be no worse.
    assert none == pytest.approx(losses("2024-07-01")["mean"], rel=0.02)
    # Its calibration, and a ranking, are fitted anew as well; what is gone is left out.
    flat = losses("2024-07-01", calibration={"shift": 0.3, "weight": 1.0})["champion"]
    assert flat != none
    assert losses("2024-07-01", names=[*NAMES, "gone"])["champion"] == none
    ranking = losses("2024-07-01", algorithm="ranking")["champion"]
    assert all(np.isfinite(ranking))
    request = {"target_horizon_days": 60}
    served = {"trained_to": "2024-01-05", "as_of_date": "2024-03-20"}
    assert propensity_trainer.known_to(request, served) == "2024-03-05"
    assert propensity_trainer.known_to(request, served | {"as_of_date": "2024-03-01"}) == (
        "2024-03-01"
    )


def test_what_could_not_be_trained_is_tried_at_once_when_asked_or_when_it_asks_otherwise():
    few = Imagined(why="12 rows with a label")
    rows = registry.frame(trainer.decide(few, request_on("2024-01-01"), registry.frame([])))
    for changed in ({"is_forced": True}, {"definition_hash": "other"}):
        added = trainer.decide(Imagined(), request_on("2024-01-02", **changed), rows)
        assert added[0]["decision"] == "promoted", changed


def test_drift_sees_half_a_standard_deviation_and_not_a_twentieth():
    draws = np.random.default_rng(4)
    values = draws.normal(size=5000)
    edges = metrics.edges_of(values)
    shares = metrics.shares_of(values, edges).tolist()
    bins = [dict(feature="a", edges=edges.tolist(), shares=shares)]
    later = draws.normal(size=5000)
    assert policy.drift(bins, {"a": later + 0.05})[1] < 0.1
    feature, moved = policy.drift(bins, {"a": later + 0.5})
    assert feature == "a" and moved > 0.2
    # What had moved by the day of training is no drift; what has moved since is.
    day = bins[0] | {"day_shares": metrics.shares_of(later + 0.5, edges).tolist()}
    assert policy.drift([day], {"a": later + 0.5})[1] == 0
    assert policy.drift([day], {"a": later + 1})[1] > 0.2
    # A feature that had one value only.
    assert metrics.edges_of(np.zeros(10)).tolist() == []


def competed(gains, people, cutoffs) -> propensity.Competition:
    """Return a competition whose calibrated mean gained this on each row, all others nothing."""
    losses = {kind: np.full(len(gains), 0.5) for kind in propensity.KINDS}
    losses["mean_calibrated"] = 0.5 - np.asarray(gains, float)
    return propensity.Competition({}, [], {}, losses, np.asarray(people), np.asarray(cutoffs))


def test_the_mean_is_published_unless_another_is_surely_better():
    people, days = np.tile(np.arange(400), 2), np.repeat(["2024-05-01", "2024-06-01"], 400)
    # Per customer; its standard error over 400 of them is a hundredth.
    noise = np.tile([0.2, -0.2], 200) * np.sqrt(399 / 400)

    def published(first, second, people=people, cutoffs=days):
        return propensity.published_of(competed(np.append(first, second), people, cutoffs))

    surely, luck = propensity.SURELY / 100 + 1e-6, propensity.SURELY / 100 - 1e-6
    assert published(noise + surely, noise + surely) == "mean_calibrated"
    assert published(noise + luck, noise + luck) == "mean"
    assert published(noise - surely, noise - surely) == "mean"
    # The same rows of twice as many customers tell more than two rows of each.
    assert published(noise + luck, noise + luck, np.arange(800)) == "mean_calibrated"
    # As much on the whole, and nothing of it on one of the two days.
    assert published(noise + 2 * surely + 0.001, noise - 0.001) == "mean"
    assert published(noise + 2 * surely - 0.001, noise + 0.001) == "mean_calibrated"
    assert published(noise + 0.1, noise + 0.1, people, np.full(800, "2024-05-01")) == "mean"
    assert published(noise * 0, noise * 0) == "mean"


def test_a_gain_of_rows_of_the_same_customers_has_the_error_of_resampling():
    """Ten thousand draws of customers with all their rows, of whom some have many."""
    draws = np.random.default_rng(2)
    rows = draws.integers(1, 12, 300)
    people = np.repeat(np.arange(300), rows)
    gains = 0.02 + np.repeat(draws.normal(0, 0.1, 300), rows) + draws.normal(0, 0.1, len(people))
    cutoffs = draws.permutation(np.arange(len(people)) % 5)
    gain, by_people, by_days = propensity.gain_of(gains, people, cutoffs)
    assert gain == pytest.approx(gains.mean())
    sums = np.bincount(people, weights=gains)
    drawn = draws.integers(0, 300, (10000, 300))
    resampled = sums[drawn].sum(axis=1) / rows[drawn].sum(axis=1)
    assert by_people == pytest.approx(resampled.std(), rel=0.03)
    # Had it been taken for that of independent rows, it would be far too small.
    assert by_people > 1.8 * gains.std() / np.sqrt(len(gains))
    days = [gains[cutoffs == day].mean() for day in range(5)]
    assert by_days == pytest.approx(np.std(days, ddof=1) / np.sqrt(5))


def test_what_is_no_better_is_seldom_published():
    """Five candidates that differ from the mean by chance alone, in 400 shops of 300 customers."""
    draws = np.random.default_rng(3)
    people, days = np.tile(np.arange(300), 2), np.repeat(["2024-05-01", "2024-06-01"], 300)
    taken = 0
    for _ in range(400):
        losses = {kind: np.full(600, 0.5) for kind in propensity.KINDS}
        for kind in propensity.KINDS:
            if kind != "mean":
                own = np.tile(draws.normal(0, 0.1, 300), 2)
                losses[kind] = 0.5 - own - draws.normal(0, 0.1, 600)
        found = propensity.Competition({}, [], {}, losses, people, days)
        taken += propensity.published_of(found) != "mean"
    assert taken <= 400 * 0.05 + 2 * np.sqrt(400 * 0.05 * 0.95)
