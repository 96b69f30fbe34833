"""Scoring in the warehouse against the way it is usually done, and the memory of training.

The usual way: pull the features out, predict with the equivalent scikit-learn pipelines, take
contributions as coefficient x value in numpy and steps by lookup, and write the result back.
"""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from demo.complete_journey.__main__ import write_landing
from tools.bench.runs import THREADS, dbt_build
from tools.places import ROOT

sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import engine, lifetime, personas, propensity, serving, terms, trainer
from lettershop_ml.propensity_trainer import sample_of, settings_of

# What DuckDB may hold of its own: the engine's memory is a setting, not a matter of Python.
MEMORY = "300MB"
PREDICTIONS = ("lifetime_values",)


class Memory:
    """Watches how far this process grows, in MB."""

    def __enter__(self) -> "Memory":
        """Start watching."""
        self.before = self.most = self._now()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join()

    @staticmethod
    def _now() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _watch(self) -> None:
        while not self._stopped.wait(0.02):
            self.most = max(self.most, self._now())

    @property
    def growth(self) -> float:
        """Return the most it grew."""
        return self.most - self.before


def connect(folder: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """Open a build's databases.

    Args:
        folder: of the build.
        memory: what DuckDB may hold.
    """
    connection = duckdb.connect(
        str(folder / "work.duckdb"), config={"threads": 2, "memory_limit": memory}
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"attach '{folder / 'state.duckdb'}' as state (read_only)")
    return connection


def enlarge(connection, customers: int) -> None:
    """Make the table of features as large as wanted, no two customers quite alike.

    Args:
        connection: to the working database.
        customers: how many.
    """
    columns = connection.table("features.customer_features").columns
    raw = {"purchased_before", "recency_days", "age_days", "repeat_count", "rfm_score"}
    parts = []
    for name in columns:
        if name == "customer_key":
            parts.append("features.customer_key || '-' || copies.copy as customer_key")
        elif name == "as_of_date" or name in raw:
            parts.append(f"features.{name}")
        else:
            jitter = f"(1 + (hash(customer_key, copies.copy, '{name}') % 1000) / 100000.0)"
            parts.append(f"cast(round(features.{name} * {jitter}, 6) as double) as {name}")
    count = connection.execute("select count(*) from features.customer_features").fetchone()[0]
    copies = -(-customers // count)
    connection.execute(
        f"create or replace table features.larger as select {', '.join(parts)}"
        f" from features.customer_features as features cross join range({copies}) as copies (copy)"
        f" limit {customers}"
    )
    connection.execute("drop table features.customer_features")
    connection.execute("alter table features.larger rename to customer_features")
    for grain in ("category", "send"):
        connection.execute(f"delete from features.customer_{grain}_features")
    connection.execute("checkpoint")


def read(connection, name: str, where: str = "true") -> pd.DataFrame:
    """Return a small table."""
    return engine.frame(connection.query(f"select * from {name} where {where}"))


def ours(connection, folder: Path) -> None:
    """Run what dbt runs: the scoring models, then the SQL of what is a table over them."""
    features = {
        grain: connection.table(f"features.{name}_features")
        for grain, name in (
            ("customer", "customer"),
            ("customer_category", "customer_category"),
            ("customer_send", "customer_send"),
        )
    }
    versions = read(connection, "training.model_versions", "is_serving")
    decisions = read(connection, "training.retraining_decisions", "is_last_decision")
    bands = read(connection, "seeds.score_bands")
    relations = {
        "propensity_logits": serving.probabilities(
            features,
            read(connection, "training.training_requests"),
            versions,
            read(connection, "training.model_terms", "is_serving"),
            decisions,
            bands,
        ),
        "persona_assignments": serving.clusters(
            features["customer"],
            read(connection, "training.persona_centroids", "is_serving"),
            decisions,
        ),
        "lifetime_cells": serving.lifetimes(
            connection,
            features["customer"],
            versions,
            read(connection, "seeds.lifetime_value_horizons"),
            bands,
        ),
        "lifetime_boosts": serving.lifetime_boosts(connection, features["customer"], versions),
    }
    for name, relation in relations.items():
        connection.execute(f"drop table if exists scoring.{name}")
        relation.create(f"scoring.{name}")
    compiled = folder / "target" / "compiled" / "lettershop" / "models" / "predictions"
    for name in PREDICTIONS:
        sql = (compiled / f"{name}.sql").read_text()
        connection.execute(f"create or replace table predictions.{name} as {sql}")


class Pipelines:
    """The scikit-learn pipelines that say the same as the versions that serve."""

    def __init__(self, connection):
        """Fit them on the rows that the versions were fitted on."""
        from sklearn.cluster import KMeans
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        relation = connection.table
        inputs = trainer.Inputs(
            connection,
            relation("features.training_labels"),
            {"customer": (relation("features.training_features"),) * 2},
            engine.frame(relation("seeds.feature_catalog")),
        )
        requests = trainer.plain(read(connection, "training.training_requests"))
        versions = read(connection, "training.model_versions", "is_serving")
        versions = versions.set_index("model_name")
        catalog = read(connection, "seeds.feature_catalog", "grain = 'customer'")
        self.families = dict(zip(catalog["feature"], catalog["family"], strict=True))
        self.models = {}
        for request in requests:
            name = request["model_name"]
            if request["target_grain"] != "customer" or name not in versions.index:
                continue
            names = inputs.names(name, "customer")
            rows = inputs.rows(name, "customer", names, int(request["maximum_rows"]))
            names = [one for one in names if np.ptp(rows[one].to_numpy()) > 0]
            sample = sample_of(rows, names)
            chosen = json.loads(versions.loc[name, "parameters"])
            linear = make_pipeline(
                StandardScaler(),
                LogisticRegression(C=chosen["strength"], solver="newton-cholesky"),
            ).fit(sample.matrix(names), sample.labels)
            boosting = propensity.fit_boosting(
                sample, names, chosen["iterations"], settings_of(request).seed
            )
            steps = terms.of_boosting(names, boosting, chosen["iterations"])
            self.models[name] = (names, linear, boosting, steps)
        payload = json.loads(versions.loc["personas", "payload"])
        centroids = pd.DataFrame(payload["centroids"])
        self.persona_names = sorted(centroids["feature"].unique())
        table = relation("features.customer_features").limit(10000).df()
        scaler = StandardScaler().fit(table[self.persona_names])
        count = centroids["persona_id"].nunique()
        clusters = KMeans(count, n_init=1, random_state=7)
        points = np.clip(scaler.transform(table[self.persona_names]), -personas.CLIP, personas.CLIP)
        self.scaler, self.clusters = scaler, clusters.fit(points)
        self.lifetime = json.loads(versions.loc["lifetime_value", "payload"])

    def run(self, connection) -> None:
        """Pull out, predict, explain, write back."""
        table = connection.table("features.customer_features").df()
        keys = table[["customer_key", "as_of_date"]]
        for name, (names, linear, boosting, steps) in self.models.items():
            frame = table[names].to_numpy()
            logits = (linear.decision_function(frame) + boosting.decision_function(frame)) / 2
            scores = 1 / (1 + np.exp(-logits))
            scaled = linear[0].transform(frame) * linear[1].coef_[0]
            parts: dict[str, np.ndarray] = {}
            for place, feature in enumerate(names):
                part = scaled[:, place] / 2
                if feature in steps.pieces:
                    part = part + steps.pieces[feature].at(frame[:, place]) / 2
                family = self.families[feature]
                parts[family] = parts[family] + part if family in parts else part
            families = np.array(sorted(parts))
            matrix = np.column_stack([parts[family] for family in families])
            matrix -= matrix.mean(axis=0)
            best = np.argsort(-np.abs(matrix), axis=1)[:, :3]
            result = keys.assign(model_name=name, logit=logits, score=scores)
            result["decile"] = 1 + (10 * (pd.Series(scores).rank(method="min") - 1) // len(scores))
            result["band"] = np.select(
                [scores >= np.quantile(scores, 0.9), scores >= np.median(scores)],
                ["high", "medium"],
                "low",
            )
            for number in range(best.shape[1]):
                result[f"family_{number + 1}"] = families[best[:, number]]
                result[f"contribution_{number + 1}"] = np.take_along_axis(
                    matrix, best[:, [number]], axis=1
                )[:, 0]
            write_back(connection, f"usual_{name}", result)
        points = self.scaler.transform(table[self.persona_names])
        points = np.clip(points, -personas.CLIP, personas.CLIP)
        result = keys.assign(persona=self.clusters.predict(points))
        write_back(connection, "usual_personas", result)
        fit, values = self.lifetime["purchases"], self.lifetime["values"]
        x = table["repeat_count"].to_numpy(float)
        t_x = ((table["age_days"] - table["recency_days"]) / 7).to_numpy()
        age = (table["age_days"] / 7).to_numpy()
        own = table["mean_repeat_value"].to_numpy()
        for limits in self.lifetime["limits"]:
            weeks = limits["horizon_days"] / 7
            expected = lifetime.expected_purchases(fit, weeks, x, t_x, age)
            low, high = lifetime.purchase_interval(fit, weeks, x, t_x, age)
            low, high = lifetime.value_interval(values, low, high, x, own)
            amount = expected * lifetime.expected_value(values, x, own)
            result = keys.assign(
                purchases=expected,
                alive=lifetime.chance_alive(fit, x, t_x, age),
                value=amount,
                low=low,
                high=high,
                decile=1 + (10 * (pd.Series(amount).rank(method="min") - 1) // len(x)),
            )
            write_back(connection, f"usual_value_{limits['horizon_days']}", result)


def write_back(connection, name: str, result: pd.DataFrame) -> None:
    """Write a data frame to the warehouse."""
    connection.register("result", result)
    connection.execute(f"create or replace table predictions.{name} as select * from result")
    connection.unregister("result")


def compare(folder: Path, customers: int) -> dict[str, float]:
    """Score the same customers both ways.

    Args:
        folder: of a build: work.duckdb, state.duckdb, target.
        customers: how many to score.

    Returns:
        Seconds and growth in MB of ours and of the usual way, and the number of models.
    """
    with engine.single_threaded():
        connection = connect(folder, "8GB")
        pipelines = Pipelines(connection)
        enlarge(connection, customers)
        connection.close()
        found: dict[str, float] = {"models": len(pipelines.models) + 2}
        for name in ("ours", "usual"):
            connection = connect(folder, MEMORY if name == "ours" else "8GB")
            with Memory() as memory:
                started = time.perf_counter()
                if name == "ours":
                    ours(connection, folder)
                else:
                    pipelines.run(connection)
                found[f"{name}_seconds"] = time.perf_counter() - started
            found[f"{name}_growth"] = memory.growth
            connection.close()
    return found


def training_memory(rows: int) -> tuple[float, float]:
    """Train a probability on made-up rows.

    Args:
        rows: how many; 60 features, six cutoffs.

    Returns:
        Seconds, and growth of this process in MB.
    """
    draws = np.random.default_rng(7)
    names = [f"feature_{number}" for number in range(60)]
    with Memory() as memory, engine.single_threaded():
        started = time.perf_counter()
        columns = {name: np.round(draws.normal(size=rows), 6) for name in names}
        columns["rfm_score"] = np.round(columns["feature_0"] * 3)
        logit = columns["feature_0"] + np.abs(columns["feature_1"]) - 2
        month = draws.integers(1, 7, rows)
        sample = propensity.Sample(
            columns,
            (draws.random(rows) < 1 / (1 + np.exp(-logit))).astype(float),
            np.array([f"2024-{number:02d}-01" for number in range(1, 8)])[month - 1],
            np.array([f"2024-{number:02d}-01" for number in range(1, 8)])[month],
            np.arange(rows) // 5,
        )
        propensity.train(sample, names, ["rfm_score"], propensity.Settings())
        seconds = time.perf_counter() - started
    return seconds, memory.growth


def measure(customers: int) -> None:
    """Measure scoring and the memory of training, and print it.

    Args:
        customers: how many to score.
    """
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name:
        folder = Path(name)
        write_landing(folder / "landing")
        print("Building features and models ...", flush=True)
        dbt_build(
            ROOT,
            folder / "project",
            folder / "landing",
            *("--select", "+path:models/predictions"),
            *("--resource-type", "seed", "--resource-type", "model"),
        )
        print("Scoring both ways ...", flush=True)
        found = compare(folder / "project", customers)
    ratio = found["usual_seconds"] / found["ours_seconds"]
    print(f"\n{customers:,} customers, {found['models']} models with reasons; {THREADS} threads\n")
    print(f"  in the engine                      {found['ours_seconds']:7.1f} s")
    print(f"  pulled out, predicted, written     {found['usual_seconds']:7.1f} s")
    print(f"  usual / ours                       {ratio:7.2f}    target: at least 3")
    print(f"  growth of Python, in the engine    {found['ours_growth']:7.0f} MB target: below 500")
    print(f"  growth of Python, pulled out       {found['usual_growth']:7.0f} MB")
    seconds, growth = training_memory(500_000)
    print(f"  training on 500,000 rows           {seconds:7.1f} s")
    print(f"  growth of Python, training         {growth:7.0f} MB target: below 4,096")
