"""How good the models are, out of time, on real shopping data, beside what else could be used.

    python -m tools.evaluate [complete_journey] [cdnow]

Writes the landings of the Complete Journey and of CDNOW (from the lifetimes wheel), builds the
features at the days of each task with the project's own SQL, and lets every candidate predict each
day from what was known before it. Printed are mean and spread over the days: of ours (the
candidate that would be published), of rankings by recency and RFM score, of a constant, of
gradient boosting that is not additive, and of LightGBM, all on the same rows. Exits with 1 where a
target is missed.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import duckdb
import numpy as np
import pandas as pd
import yaml

from demo.complete_journey.__main__ import write_landing
from tools.bench.runs import dbt_build
from tools.places import ROOT

sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import engine, lifetime, metrics, propensity, trainer
from lettershop_ml.propensity_trainer import RANKINGS, sample_of

ROWS_TO_FIT = 60000
PRINTED = ("auc", "pr_auc", "lift_10", "log_loss", "calibration_error")
NAMES = {
    "rfm_score": "RFM score",
    "recency_days": "recency",
    "redemption_count_before": "past redemptions",
}


@dataclass(frozen=True)
class Task:
    """One question, and what must come out.

    Attributes:
        title: what is printed.
        target: target_id.
        grain: of the target.
        tests: days to predict from; of sends, first days of periods.
        fits: earlier days to fit on.
        targets: metric to its least value, or its greatest for calibration_error.
        end: of sends, the day before which the last period's begin.
    """

    title: str
    target: str
    grain: str
    tests: list[str]
    fits: list[str]
    targets: dict[str, float]
    end: str | None = None
    selected: dict = field(default_factory=dict)


def firsts(first: str, last: str) -> list[str]:
    """Return the first days of months, from one ISO date to another."""
    return [str(day)[:10] for day in pd.date_range(first, last, freq="MS")]


def grid(first: str, last: str, days: int) -> list[str]:
    """Return every so many days, from one ISO date to another."""
    return [str(day)[:10] for day in pd.date_range(first, last, freq=f"{days}D")]


FORTNIGHTS = grid("2017-03-05", "2017-12-24", 14)
COMPLETE_JOURNEY = [
    Task(
        "No purchase in 30 days, of who bought in the last 60",
        "lapses_30d",
        "customer",
        firsts("2017-08-01", "2017-12-01"),
        firsts("2017-03-01", "2017-07-01"),
        {"auc": 0.852, "pr_auc": 0.43},
    ),
    Task(
        "Buys in 7 days",
        "buys_7d",
        "customer",
        FORTNIGHTS[-6:],
        FORTNIGHTS[:-6],
        {"auc": 0.832},
    ),
    Task(
        "Soft churn: spends under half of the own rate",
        "soft_churn_30d",
        "customer",
        grid("2017-08-06", "2017-11-26", 28),
        FORTNIGHTS[:10],
        {"auc": 0.705},
    ),
    Task(
        "Buys in a category within 14 days",
        "buys_category_14d",
        "customer_category",
        ["2017-09-24", "2017-10-22", "2017-11-19", "2017-12-10"],
        ["2017-06-04", "2017-07-02", "2017-07-30", "2017-08-27"],
        {"auc": 0.788},
    ),
    Task(
        "Redeems a coupon of a campaign that is sent",
        "redeems_send",
        "customer_send",
        ["2017-07-01", "2017-08-15", "2017-10-01", "2017-11-05"],
        [],
        {"auc": 0.80},
        end="2018-01-01",
    ),
]
CDNOW = [
    Task(
        "Buys in 30 days",
        "buys_30d",
        "customer",
        firsts("1998-01-01", "1998-05-01"),
        firsts("1997-08-01", "1997-12-01"),
        {"auc": 0.828, "pr_auc": 0.35, "lift_10": 4.6, "calibration_error": 0.02},
    )
]


class Shop:
    """A landing with its features built at the days of its tasks."""

    def __init__(self, folder: Path, landing: Path, vars: dict, tasks: list[Task]):
        """Build.

        Args:
            folder: for databases and dbt's target.
            landing: the landing tables; its vars.yml is written.
            vars: of the build.
            tasks: whose days are wanted.
        """
        days = sorted({day for task in tasks for day in (*task.fits, *task.tests)})
        said = vars | {"training_cutoffs": days}
        (landing / "vars.yml").write_text(json.dumps(said))
        views = [f"customer{grain}_training_features" for grain in ("_category", "_send")]
        names = ["training_labels", "training_features", *views, "feature_catalog"]
        options = ["--select", *(f"+{name}" for name in names)]
        options += ["--resource-type", "seed", "--resource-type", "model"]
        dbt_build(ROOT, folder, landing, *options)
        self.connection = duckdb.connect(str(folder / "work.duckdb"))
        relation = self.connection.table
        features = {
            "customer": ("features.training_features",) * 2,
            "customer_category": ("features.customer_category_training_features",) * 2,
            "customer_send": ("features.customer_send_training_features",) * 2,
        }
        self.inputs = trainer.Inputs(
            self.connection,
            relation("features.training_labels"),
            {grain: tuple(relation(name) for name in pair) for grain, pair in features.items()},
            engine.frame(relation("seeds.feature_catalog")),
        )

    def sample(self, task: Task) -> tuple[propensity.Sample, list[str], list[str]]:
        """Return the rows of a task's days, the features and the rankings."""
        names = self.inputs.names(task.target, task.grain)
        there = self.inputs.columns(task.grain)
        rankings = [name for name in RANKINGS if name in there]
        columns = list(dict.fromkeys([*names, *rankings]))
        table = self.inputs.rows(task.target, task.grain, columns, 10**7)
        if task.end is None:
            table = table[table["label_cutoff"].isin([*task.fits, *task.tests])]
        else:
            # Sends of a period are predicted together, from its first day.
            for start, end in zip(task.tests, [*task.tests[1:], task.end], strict=True):
                within = (table["label_cutoff"] >= start) & (table["label_cutoff"] < end)
                table.loc[within, "label_cutoff"] = start
        early = table["label_cutoff"] < task.tests[0]
        table = pd.concat([table[early].head(ROWS_TO_FIT), table[~early]]).sort_index()
        names = [name for name in names if np.ptp(table[name].to_numpy(float)) > 0]
        return sample_of(table, columns), names, rankings


def others(sample: propensity.Sample, names: list[str], tests: list[str]) -> list[dict]:
    """Return metrics of models that do not become SQL, fitted on the same rows.

    Args:
        sample: the rows.
        names: features.
        tests: days to predict from.
    """
    import lightgbm
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = []
    for cutoff in tests:
        train, test = propensity.before(sample, cutoff), sample.where(sample.cutoffs == cutoff)
        candidates = {
            "gradient boosting": HistGradientBoostingClassifier(
                max_iter=120,
                learning_rate=0.05,
                max_leaf_nodes=15,
                l2_regularization=1.0,
                random_state=7,
            ),
            "LightGBM": lightgbm.LGBMClassifier(
                n_estimators=150,
                learning_rate=0.04,
                num_leaves=15,
                min_child_samples=50,
                random_state=7,
                n_jobs=1,
                verbose=-1,
            ),
        }
        for name, model in candidates.items():
            model.fit(pd.DataFrame(train.matrix(names), columns=names), train.labels)
            frame = pd.DataFrame(test.matrix(names), columns=names)
            chances = np.clip(model.predict_proba(frame)[:, 1], 1e-9, 1 - 1e-9)
            found = metrics.classification(test.labels, np.log(chances / (1 - chances)))
            rows += [
                dict(cutoff=cutoff, candidate=name, metric=metric, value=value)
                for metric, value in found.items()
            ]
    return rows


def spread_of(rows: list[dict], candidate: str, metric: str) -> float:
    """Return the standard deviation of a metric over the days."""
    found = [
        row["value"] for row in rows if row["candidate"] == candidate and row["metric"] == metric
    ]
    return float(np.std(found))


def evaluate(shop: Shop, task: Task) -> list[str]:
    """Evaluate and print one task.

    Returns:
        What was missed, in words.
    """
    started = time.monotonic()
    sample, names, rankings = shop.sample(task)
    settings = propensity.Settings()
    with engine.single_threaded():
        found = propensity.compete(sample, names, rankings, task.tests, settings)
        rows = found.metrics + others(sample, names, task.tests)
    ours = propensity.published_of(found)
    print(
        f"\n{task.title} ({task.target}): {len(sample.labels):,} rows, {len(names)} features,"
        f" {sample.labels.mean():.1%} positive, {len(task.tests)} days, {found.chosen},"
        f" {time.monotonic() - started:.0f} s"
    )
    print(f"  {'':24}" + "".join(f"{metric:>20}" for metric in PRINTED))
    printed = [ours, *(name for name in ("logistic", "boosting", "mean") if name != ours)]
    printed += [*rankings, "constant", "gradient boosting", "LightGBM"]
    for name in printed:
        label = f"ours: {name}" if name == ours else NAMES.get(name, name)
        figures = [
            f"{propensity.mean_of(rows, name, metric):.4f} ± {spread_of(rows, name, metric):.4f}"
            for metric in PRINTED
        ]
        print(f"  {label:24}" + "".join(f"{figure:>20}" for figure in figures))
    missed = []
    for metric, bound in task.targets.items():
        value = propensity.mean_of(rows, ours, metric)
        if (value > bound) if metric == "calibration_error" else (value < bound):
            missed.append(f"{task.target}: {metric} {value:.4f}, target {bound}")
    best = max(
        propensity.mean_of(rows, name, "auc")
        for name in ("gradient boosting", "LightGBM", *rankings)
    )
    behind = best - propensity.mean_of(rows, ours, "auc")
    if behind > 0.003:
        missed.append(f"{task.target}: AUC {behind:.4f} behind the best other")
    constant = propensity.mean_of(rows, "constant", "lift_10")
    if abs(constant - 1) > 0.05:
        missed.append(f"{task.target}: a constant score has lift {constant:.3f}")
    return missed


def cdnow_purchases() -> pd.DataFrame:
    """Return CDNOW's purchases: who, day, units, amount; from files of the lifetimes wheel."""
    package = Path(find_spec("lifetimes").submodule_search_locations[0])
    purchases = pd.read_csv(
        package / "datasets/CDNOW_master.txt",
        sep=r"\s+",
        header=0,
        names=["who", "day", "units", "amount"],
    )
    purchases["day"] = pd.to_datetime(purchases["day"], format="%Y%m%d")
    purchases["number"] = range(len(purchases))
    return purchases


def write_cdnow(landing: Path) -> dict:
    """Write CDNOW as a landing and return its vars."""
    landing.mkdir(parents=True)
    connection = duckdb.connect()
    connection.register("purchases", cdnow_purchases())
    for name, query in {
        "crm_customers": "select distinct 'c' || who as customer_id from purchases",
        "shop_products": "select 'cd' as product_id",
        "shop_orders": "select 'o' || number as order_id, 'c' || who as customer_id, 'paid' as"
        " order_status, day as ordered_at, 'USD' as currency, amount as total_amount"
        " from purchases",
        "shop_order_lines": "select 'l' || number as order_line_id, 'o' || number as order_id,"
        " 'cd' as product_id, units as quantity, amount as line_amount from purchases",
    }.items():
        connection.execute(f"copy ({query}) to '{landing}/{name}.parquet' (format parquet)")
    optional = [
        table["name"]
        for path in ROOT.glob("models/staging/*/_*__sources.yml")
        for source in yaml.safe_load(path.read_text())["sources"]
        if source["name"] != "state"
        for table in source["tables"]
        if not table["config"]["meta"]["is_required"]
    ]
    return {f"using_{name}": False for name in optional} | {"as_of_at": "1998-07-01 00:00:00"}


def evaluate_lifetime() -> list[str]:
    """Evaluate BG/NBD and Gamma-Gamma on CDNOW, and print.

    Returns:
        What was missed, in words.
    """
    missed = []
    package = Path(find_spec("lifetimes").submodule_search_locations[0]) / "datasets"
    published = pd.read_csv(package / "cdnow_customers_summary.csv")
    fit = lifetime.fit_purchases(published["frequency"], published["recency"], published["T"])
    sample = pd.read_csv(
        package / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["master", "who", "day", "units", "amount"],
    )
    sample["day"] = pd.to_datetime(sample["day"], format="%Y%m%d")
    held = sample[sample["day"] >= "1997-10-01"].groupby("who")["day"].nunique()
    held = held.reindex(published["ID"]).fillna(0).to_numpy()
    expected = lifetime.expected_purchases(
        fit, 39, published["frequency"], published["recency"], published["T"]
    )
    correlation = float(np.corrcoef(expected, held)[0, 1])
    print("\nBG/NBD on the published sample of CDNOW, 2,357 customers")
    for name, value in {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}.items():
        print(f"  {name:8} {fit[name]:.4f}   published {value}")
        if abs(fit[name] - value) > 0.005:
            missed.append(f"BG/NBD {name} {fit[name]:.4f}, published {value}")
    print(f"  correlation with the 39 weeks held out {correlation:.4f}   target .62 to .64")
    if not 0.62 <= correlation <= 0.64:
        missed.append(f"BG/NBD correlation {correlation:.4f}")

    start, end = date(1997, 10, 1), date(1997, 10, 1) + timedelta(days=273)
    purchases = cdnow_purchases()
    known = purchases[purchases["day"] < str(start)]
    days = known.groupby(["who", "day"])["amount"].sum().reset_index()
    seen = days.groupby("who")["day"]
    first, last, count = seen.min(), seen.max(), seen.size()
    repeats = days[days["day"] > days["who"].map(first)].groupby("who")["amount"].mean()
    x = (count - 1).to_numpy(float)
    t_x = ((last - first).dt.days / 7).to_numpy()
    age = ((pd.Timestamp(start) - first).dt.days / 7).to_numpy()
    value = repeats.reindex(count.index).fillna(0).to_numpy()
    later = purchases[(purchases["day"] >= str(start)) & (purchases["day"] < str(end))]
    actual = later.groupby("who")["amount"].sum().reindex(count.index).fillna(0).to_numpy()
    fit, values = lifetime.fit_purchases(x, t_x, age), lifetime.fit_values(x, value)
    # As it is scored: rounded to weeks.
    weekly = (x, np.round(t_x), np.round(age))
    each = lifetime.expected_value(values, x, value)
    predicted = lifetime.expected_purchases(fit, 39, *weekly) * each
    low, high = lifetime.value_interval(
        values, *lifetime.purchase_interval(fit, 39, *weekly), x, value
    )
    spent = known.groupby("who")["amount"].sum().reindex(count.index).to_numpy()
    print(f"\nValue of 39 weeks from 39 weeks, CDNOW, {len(x):,} customers")
    for name, guess in {
        "ours: BG/NBD + GG": predicted,
        "spend so far": spent,
        "mean": np.full(len(x), actual.mean()),
    }.items():
        found = metrics.regression(actual, guess)
        figures = "  ".join(f"{key} {number:.3f}" for key, number in found.items() if key != "rows")
        print(f"  {name:20} {figures}")
    inside = float(((actual >= low) & (actual <= high)).mean())
    print(f"  within the interval {inside:.3f}")
    found = metrics.regression(actual, predicted)
    if found["mae"] > 33:
        missed.append(f"39 weeks: MAE {found['mae']:.2f}, target 33")
    if found["top_decile_capture"] < 0.51:
        missed.append(f"39 weeks: top decile {found['top_decile_capture']:.3f}, target .51")
    return missed


def main() -> None:
    """Evaluate what was asked for, print, and exit with 1 where a target is missed."""
    asked = sys.argv[1:] or ["complete_journey", "cdnow"]
    if not set(asked) <= {"complete_journey", "cdnow"}:
        sys.exit(__doc__)
    missed = []
    with tempfile.TemporaryDirectory(prefix="lettershop-evaluate-") as name:
        folder = Path(name)
        if "complete_journey" in asked:
            print("Building the features of the Complete Journey ...", flush=True)
            landing = folder / "journey"
            write_landing(landing)
            vars = yaml.safe_load((landing / "vars.yml").read_text())
            # After the last campaign has ended; no redemption is later than 2017.
            vars["as_of_at"] = "2018-03-15 05:00:00"
            shop = Shop(folder / "journey_build", landing, vars, COMPLETE_JOURNEY)
            for task in COMPLETE_JOURNEY:
                missed += evaluate(shop, task)
        if "cdnow" in asked:
            missed += evaluate_lifetime()
            print("\nBuilding the features of CDNOW ...", flush=True)
            vars = write_cdnow(folder / "cdnow")
            shop = Shop(folder / "cdnow_build", folder / "cdnow", vars, CDNOW)
            for task in CDNOW:
                missed += evaluate(shop, task)
    print("\nEvery target is met." if not missed else "\nMissed:")
    for text in missed:
        print(f"  {text}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
