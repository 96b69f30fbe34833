"""The training file on Snowpark: the same decisions and the same bytes of the fit as on DuckDB."""

import json
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd

from tests.engines import snowpark_emulated
from tests.engines.snowpark_world import ROOT, Dbt, engine, run

TODAY = date(2024, 7, 1)
CUSTOMERS = 240
CUTOFFS = [TODAY - timedelta(days=30 * number) for number in range(5, 0, -1)]
KEYS = {"customer_key": "varchar", "item_id": "varchar", "as_of_date": "date"}
FEATURES = {"purchased_before": "double", "rfm_score": "double", "visits": "double"}
LABELS = KEYS | {"target_id": "varchar", "label_window_end": "date", "label": "double"}
REQUEST = {
    "model_name": "buys_30d",
    "model_kind": "probability",
    "output": "propensity",
    "as_of_date": TODAY,
    "is_forced": 0,
    "rollback_version": None,
    "minimum_age_days": 7,
    "maximum_age_days": 28,
    "drift_limit": 0.25,
    "metric_floor_rate": 0.9,
    "minimum_customers": 200,
    "minimum_rows": 300,
    "minimum_of_each_class": 30,
    "test_cutoffs": 2,
    "maximum_rows": 20000,
    "operating_rate": 0.1,
    "target_grain": "customer",
    "target_horizon_days": 30,
    "target_label_rule": "buys",
    "target_min_purchased_before": 1,
}
CATALOG = [
    ("customer", name, name, "none", "0", "*", "false") for name in ("purchased_before", "visits")
]


def kind_of(value) -> str:
    """Return the type of a column by one of its values."""
    kinds = {int: "integer", float: "double", date: "date"}
    return kinds.get(type(value), "varchar")


def tables() -> dict[str, tuple[dict, pd.DataFrame]]:
    """Return every table that training reads: columns with types, and rows."""
    draws = np.random.default_rng(11)
    past, labels = [], []
    for cutoff in CUTOFFS:
        for number in range(CUSTOMERS):
            visits = round(float(draws.normal()), 6)
            keys = (f"key_{number:03d}", "", cutoff)
            past.append((*keys, 1.0, float(draws.integers(3, 16)), visits))
            bought = float(draws.random() < 1 / (1 + np.exp(-2 * visits)))
            labels.append((*keys, "buys_30d", cutoff + timedelta(days=29), bought))
    features = KEYS | FEATURES
    history = pd.DataFrame(past, columns=list(features))
    now = history[history["as_of_date"] == CUTOFFS[-1]].assign(as_of_date=TODAY)
    catalog = ("grain", "feature", "family", "transform", "missing_rule", "used_by", "is_forbidden")
    rules = pd.read_csv(ROOT / "seeds" / "models" / "persona_rules.csv").astype(str)
    found = {
        "training_features": (features, history),
        "customer_features": (features, now),
        "training_labels": (LABELS, pd.DataFrame(labels, columns=list(LABELS))),
        "training_requests": (
            {name: kind_of(value) for name, value in REQUEST.items()},
            pd.DataFrame([REQUEST]),
        ),
        "feature_catalog": (
            dict.fromkeys(catalog, "varchar"),
            pd.DataFrame(CATALOG, columns=list(catalog)),
        ),
        "persona_rules": (
            {name: kind_of(value) for name, value in rules.iloc[0].items()},
            rules,
        ),
        "lifetime_value_horizons": (
            {"horizon_days": "integer"},
            pd.DataFrame({"horizon_days": [90]}),
        ),
    }
    for grain in ("customer_category", "customer_send"):
        found[f"{grain}_features"] = found["customer_features"]
        found[f"{grain}_training_features"] = found["training_features"]
    return found


def rows(relation) -> list[dict]:
    """Return rows of the registry, dates as text."""
    table = engine.frame(relation).astype(object)
    for name in ("as_of_date", "trained_to"):
        table[name] = table[name].astype(str).str[:10]
    return table.where(table.notna(), None).to_dict("records")


def test_training_on_snowpark_gives_the_bytes_of_duckdb():
    connection = duckdb.connect()
    for name, (columns, table) in tables().items():
        engine.typed(connection, table, columns).create(name)
    expected = rows(run("training/model_fits.py", Dbt(connection.table), connection))
    assert expected[0]["decision"] == "promoted" and json.loads(expected[0]["payload"])["terms"]
    with snowpark_emulated.server() as place, snowpark_emulated.session(place) as session:
        for name, (columns, table) in tables().items():
            engine.typed(session, table, columns).write.mode("overwrite").save_as_table(name)
        first = run("training/model_fits.py", Dbt(session.table), session)
        assert first.columns[0] == "MODEL_NAME"
        found = rows(first)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours == theirs
        # The next build reads its own rows, and keeps what serves.
        first.write.mode("overwrite").save_as_table("model_fits")
        dbt = Dbt(session.table, this="model_fits")
        assert rows(run("training/model_fits.py", dbt, session)) == []
        session.sql("update training_requests set as_of_date = date '2024-07-02'").collect()
        (kept,) = rows(run("training/model_fits.py", dbt, session))
        assert (kept["decision"], kept["decision_number"]) == ("kept", 2)
        assert kept["model_version"] == found[0]["model_version"]
        # What was evaluated for training is gone.
        left = session.sql("show tables").collect()
        assert not [row for row in left if "LETTERSHOP_LABELS" in str(row).upper()]


def test_large_fits_are_written_row_by_row():
    from lettershop_ml import on_snowpark

    table = pd.DataFrame({"number": [1, 2, 3], "payload": ["x" * 400_000] * 3})
    columns = {"number": "integer", "payload": "varchar"}
    with snowpark_emulated.server() as place, snowpark_emulated.session(place) as session:
        relation = engine.typed(session, table, columns)
        assert on_snowpark.ROWS in on_snowpark.sql_of(relation).lower()
        found = engine.frame(relation).sort_values("number")
        assert found["number"].tolist() == [1, 2, 3]
        assert found["payload"].str.len().tolist() == [400_000] * 3
