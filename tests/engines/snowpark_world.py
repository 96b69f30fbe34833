"""A few customers with features, models that serve, and two engines that hold them.

The files of python_models are run as they are: `run` hands them what dbt would.
"""

import importlib.util
import json
import os
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import engine, metrics, terms  # noqa: E402 - found by the path above

TODAY = date(2024, 7, 1)
CUSTOMERS = 60
FEATURES = ("visits", "log_spend", "rfm_score")
FAMILIES = {"visits": "visits", "log_spend": "value", "rfm_score": "rfm"}

# Columns of each table, with their types in the words of `engine.typed`.
RAW = {
    "customer_key": "varchar",
    "purchased_before": "double",
    "recency_days": "double",
    "age_days": "double",
    "repeat_count": "integer",
    "order_count_90d": "double",
    **dict.fromkeys(FEATURES, "double"),
    "as_of_date": "date",
}
ITEMS = {"customer_key": "varchar", "item_id": "varchar", "visits": "double", "as_of_date": "date"}
COLUMNS = {
    "customer_features": RAW,
    "customer_category_features": ITEMS,
    "customer_send_features": ITEMS,
    "training_requests": {
        "model_name": "varchar",
        "model_kind": "varchar",
        "output": "varchar",
        "as_of_date": "date",
        "target_grain": "varchar",
        "target_min_purchased_before": "integer",
        "target_min_orders_90d": "integer",
    },
    "model_versions": {
        "model_name": "varchar",
        "model_version": "varchar",
        "is_serving": "boolean",
        "payload": "varchar",
    },
    "model_terms": {
        "model_name": "varchar",
        "model_version": "varchar",
        "is_serving": "boolean",
        "feature": "varchar",
        "family": "varchar",
        "lower_bound": "double",
        "upper_bound": "double",
        "intercept": "double",
        "slope": "double",
    },
    "retraining_decisions": {
        "model_name": "varchar",
        "reason": "varchar",
        "is_last_decision": "boolean",
    },
    "persona_centroids": {
        "model_version": "varchar",
        "is_serving": "boolean",
        "persona_id": "varchar",
        "feature": "varchar",
        "feature_mean": "double",
        "feature_scale": "double",
        "clip": "double",
        "half_square": "double",
        "weight": "double",
    },
    "score_bands": {"output": "varchar", "band": "varchar", "from_decile": "integer"},
    "lifetime_value_horizons": {"horizon_days": "integer"},
}


def features() -> pd.DataFrame:
    """Return customer_features: every tenth never bought, and one lies on a cut of the boosting."""
    draws = np.random.default_rng(5)
    age = draws.integers(1, 700, CUSTOMERS).astype(float)
    table = pd.DataFrame(
        {
            "customer_key": [f"key_{number:02d}" for number in range(CUSTOMERS)],
            "purchased_before": (np.arange(CUSTOMERS) % 10 > 0).astype(float),
            "recency_days": np.floor(age * draws.random(CUSTOMERS)),
            "age_days": age,
            "repeat_count": draws.integers(0, 12, CUSTOMERS),
            "order_count_90d": draws.integers(0, 5, CUSTOMERS).astype(float),
            "visits": np.round(draws.normal(size=CUSTOMERS), 6),
            "log_spend": np.round(draws.normal(size=CUSTOMERS), 6),
            "rfm_score": draws.integers(3, 16, CUSTOMERS).astype(float),
            "as_of_date": TODAY,
        }
    )
    table.loc[1, "visits"] = 0.5
    return table[list(RAW)]


def model() -> terms.Additive:
    """Return a model with slopes and steps, among them numbers that a decimal cannot hold."""
    return terms.Additive(
        -1.25,
        {
            "visits": terms.Piecewise((-0.5, 0.5), (-0.3, 1e-40, 1 / 3), 0.0),
            "log_spend": terms.Piecewise((), (0.1,), -0.7123456789012345),
            "rfm_score": terms.Piecewise((9.0,), (-1 / 7, 2 / 7), 0.01),
        },
    )


def tables() -> dict[str, pd.DataFrame]:
    """Return every table that the scoring files read."""
    customers, fit = features(), model()
    logits = fit.logit({name: customers[name].to_numpy() for name in FEATURES})
    found = [
        {"model_name": "buys_30d", "model_version": "v1", "is_serving": True, **row}
        for row in fit.rows()
    ]
    rows = pd.DataFrame(found).rename(columns={"lower": "lower_bound", "upper": "upper_bound"})
    rows["family"] = rows["feature"].map(FAMILIES)
    lifetimes = {
        "purchases": {"r": 1.4, "alpha": 1.38, "a": 0.3, "b": 4.3},
        "values": {"p": 0.45, "q": 3.86, "v": 236.0},
        "margins": {"rate": None, "weight": 1.0},
        "limits": [{"horizon_days": 90, "edges": list(range(10, 100, 10))}],
        "boosts": [{"horizon_days": 90, "terms": fit.rows()}],
    }
    items = customers[["customer_key", "visits", "as_of_date"]].assign(item_id="item")[list(ITEMS)]
    middles = {"persona_1": (0.4, -0.2), "persona_2": (-0.6, 0.9)}
    requests = [
        ("buys_30d", "propensity", "customer", 1, 2),
        ("buys_category_14d", "propensity", "customer_category", None, None),
        ("clicks_send", "propensity", "customer_send", None, None),
    ]
    return {
        "customer_features": customers,
        "customer_category_features": items,
        "customer_send_features": items,
        "training_requests": pd.DataFrame(
            [(name, "probability", output, TODAY, *rest) for name, output, *rest in requests],
            columns=list(COLUMNS["training_requests"]),
        ),
        "model_versions": pd.DataFrame(
            [
                (
                    "buys_30d",
                    "v1",
                    True,
                    json.dumps({"scores": {"deciles": metrics.deciles(logits).tolist()}}),
                ),
                ("lifetime_value", "l1", True, json.dumps(lifetimes)),
                ("buys_30d", "v0", False, "{}"),
            ],
            columns=list(COLUMNS["model_versions"]),
        ),
        "model_terms": rows[list(COLUMNS["model_terms"])],
        "retraining_decisions": pd.DataFrame(
            [("clicks_send", "not trained: nobody's clicks are known", True)],
            columns=list(COLUMNS["retraining_decisions"]),
        ),
        "persona_centroids": pd.DataFrame(
            [
                ("p1", True, persona, name, 0.1, 1.3, 4.0, sum(x * x for x in middle) / 2, weight)
                for persona, middle in middles.items()
                for name, weight in zip(("visits", "log_spend"), middle, strict=True)
            ],
            columns=list(COLUMNS["persona_centroids"]),
        ),
        "score_bands": pd.DataFrame(
            [
                (output, band, place)
                for output in ("propensity", "lifetime_value")
                for band, place in (("low", 0), ("medium", 5), ("high", 9))
            ],
            columns=list(COLUMNS["score_bands"]),
        ),
        "lifetime_value_horizons": pd.DataFrame({"horizon_days": [90, 365]}),
    }


class Dbt:
    """What dbt hands to a Python model, as far as ours use it.

    Attributes:
        is_incremental: whether the model's table is there.
        this: the model's table.
    """

    def __init__(self, read, this: str | None = None):
        """Take how a table is read, and the name of the model's own where it is there."""
        self._read, self.this, self.is_incremental = read, this, this is not None

    def ref(self, name: str):
        """Return the relation of a model or seed."""
        return self._read(name)


def run(path: str, dbt: Dbt, session):
    """Return what a file of python_models returns.

    Args:
        path: of the file, in python_models.
        dbt: what dbt would hand over.
        session: a connection of DuckDB, or a session of Snowpark.
    """
    place = ROOT / "python_models" / path
    spec = importlib.util.spec_from_file_location(place.stem, place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.model(dbt, session)


def rows_of(relation) -> pd.DataFrame:
    """Return a relation's rows in an order of their own, comparable between engines."""
    table = engine.frame(relation)
    for name in table:
        if table[name].dtype.kind == "M" or name.endswith("_date"):
            table[name] = pd.to_datetime(table[name]).dt.strftime("%Y-%m-%d")
    known = table.astype(object)
    table = known.where(known.notna(), None)
    keys = [
        name
        for name in ("model_name", "customer_key", "item_id", *list(table)[:4])
        if name in table
    ]
    return table.sort_values(list(dict.fromkeys(keys)), ignore_index=True)


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame, tolerance: float = 1e-12) -> None:
    """Compare every column: numbers within a tolerance, everything else to the letter."""
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected) > 0
    for name in expected:
        left, right = found[name], expected[name]
        assert left.isna().tolist() == right.isna().tolist(), name
        numbers = [value for value in right if isinstance(value, (int, float))]
        if numbers:
            pairs = zip(left[left.notna()], right[right.notna()], strict=True)
            worst = max(
                abs(float(a) - float(b)) / max(1, abs(float(b))) if a != b else 0 for a, b in pairs
            )
            assert worst <= tolerance, (name, worst)
        else:
            assert left.tolist() == right.tolist(), name
