"""Rows of `model_fits`: one per decision about a model, kept ones too.

A row is a function of data, seeds and policy: no time of the run is in it, so that a replay gives
the same bytes. The version names the content: day of training and a hash of what was published.
"""

import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd

# Columns of every table of fits, with their types on DuckDB.
COLUMNS = {
    "model_name": "varchar",
    "decision_number": "integer",
    "as_of_date": "date",
    "decision": "varchar",
    "cause": "varchar",
    "reason": "varchar",
    "model_version": "varchar",
    "algorithm": "varchar",
    "data_hash": "varchar",
    "definition_hash": "varchar",
    "row_count": "bigint",
    "trained_to": "date",
    "features": "varchar",
    "parameters": "varchar",
    "metrics": "varchar",
    "payload": "varchar",
}
# What a row may say. Of `promoted` and `rolled_back` the version serves from then on, of
# `withdrawn` no longer; `rejected` keeps the challenger's metrics.
DECISIONS = ("promoted", "kept", "rejected", "rolled_back", "withdrawn", "not_trained")
# After which another version serves, or none.
CHANGES = ("promoted", "rolled_back", "withdrawn")


def rounded(thing):
    """Return the same structure with floats at 12 significant digits, and nan and inf as None."""
    if isinstance(thing, dict):
        return {str(key): rounded(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple, np.ndarray)):
        return [rounded(value) for value in thing]
    if isinstance(thing, (bool, np.bool_)):
        return bool(thing)
    if isinstance(thing, (int, np.integer)):
        return int(thing)
    if isinstance(thing, (float, np.floating)):
        return float(f"{thing:.12g}") if np.isfinite(thing) else None
    return thing


def as_json(thing) -> str:
    """Return JSON with sorted keys, the same bytes for the same content."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*things) -> str:
    """Return 12 hexadecimal digits that stand for the content."""
    text = "\n".join(thing if isinstance(thing, str) else as_json(thing) for thing in things)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def data_hash(columns: dict[str, np.ndarray]) -> str:
    """Return a hash of training rows: names, order and bits of every column."""
    found = hashlib.sha256()
    for name in sorted(columns):
        values = np.asarray(columns[name])
        if values.dtype.kind in "OU":
            content = "\n".join(map(str, values.tolist())).encode()
        else:
            # Of -0.0 and 0.0 the bits differ, though nothing else does.
            content = np.ascontiguousarray(values.astype("<f8") + 0.0).tobytes()
        found.update(f"{name}:{len(values)}:".encode() + content)
    return found.hexdigest()[:32]


def version(as_of_date: str, payload: str) -> str:
    """Return the name of a version: the day of training and what was published.

    Args:
        as_of_date: ISO date.
        payload: the fit as JSON.
    """
    return f"{as_of_date.replace('-', '')}-{digest(payload)[:8]}"


def decision(model_name: str, earlier: pd.DataFrame, as_of_date: str, said: str, **values) -> dict:
    """Return a row of the registry.

    Args:
        model_name: which model.
        earlier: the model's rows so far.
        as_of_date: ISO date of the run.
        said: one of DECISIONS.
        values: further columns; structures become JSON.

    Raises:
        ValueError: of an unknown decision or column.
    """
    if said not in DECISIONS or not values.keys() <= COLUMNS.keys():
        raise ValueError(f"{said}, {sorted(values)}: not what a row of the registry holds.")
    number = 1 if earlier.empty else int(earlier["decision_number"].max()) + 1
    row = dict.fromkeys(COLUMNS) | {
        "model_name": model_name,
        "decision_number": number,
        "as_of_date": as_of_date,
        "decision": said,
    }
    for name, value in values.items():
        row[name] = as_json(rounded(value)) if isinstance(value, (dict, list)) else value
    return row


def frame(rows: list[dict]) -> pd.DataFrame:
    """Return rows as a table with every column of the registry, also where there are none."""
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(object)
    table = table.where(table.notna(), None)
    for name in ("as_of_date", "trained_to"):
        days = [None if day is None else date.fromisoformat(str(day)[:10]) for day in table[name]]
        table[name] = pd.Series(days, dtype=object, index=table.index)
    return table


def champion(rows: pd.DataFrame) -> dict | None:
    """Return the row of the version that serves a model, with `served_since`, or None.

    Args:
        rows: all decisions about one model.
    """
    rows = rows.sort_values("decision_number")
    changes = rows[rows["decision"].isin(CHANGES)]
    if changes.empty or changes.iloc[-1]["decision"] == "withdrawn":
        return None
    last = changes.iloc[-1]
    trained = rows[
        (rows["model_version"] == last["model_version"]) & rows["decision"].isin(["promoted"])
    ]
    if trained.empty:
        return None
    return trained.iloc[-1].to_dict() | {"served_since": str(last["as_of_date"])[:10]}


def relation(session, table: pd.DataFrame):
    """Return rows of the registry as a relation whose types do not depend on what is in them.

    Args:
        session: what dbt hands to a Python model.
        table: of `frame`.
    """
    from lettershop_ml import engine

    return engine.typed(session, table, COLUMNS)
