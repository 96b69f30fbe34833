"""Compare what DuckDB and the emulator built, table by table, by key and column, types included.

    python -m tests.engines.parity <manifest.json>

Prints a table of relations, columns, rows and differences; exits with 1 where anything differs. The
places of DuckDB's build are named by the project's environment variables.
"""

import json
import math
import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import snowflake.connector

STATE = "LETTERSHOP_STATE"

LAYERS = (
    "staging",
    "intermediate",
    "core",
    "segments",
    "features",
    "training",
    "scoring",
    "predictions",
    "marts",
    "activation",
    "monitoring",
)
# Relative to the larger of 1 and the number. Everything else is equal to the last digit.
TOLERANCE = 1e-9
# Columns that cannot be the same, and why.
UNLIKE = {
    "run_id": "names the run",
    "built_at": "is when the run began",
    "fingerprint": "is a hash of the engine's own, compared with its own past only",
    "event_hash": "is one too",
    "message_hash": "is one too",
    "visitor_hash": "is one too",
}


def connect(port: int):
    """Return a connection to the emulator."""
    return snowflake.connector.connect(
        user="emulated",
        password="emulated",
        account="fakesnow",
        host="127.0.0.1",
        port=port,
        protocol="http",
        database="LETTERSHOP",
        schema="PUBLIC",
        network_timeout=600,
        socket_timeout=600,
    )


def type_on_snowflake(type_on_duckdb: str) -> str:
    """Return the type that Snowflake should have for one of DuckDB's.

    The emulator's types go through it too: it keeps whole numbers in DuckDB's.
    """
    if type_on_duckdb in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"):
        return "NUMBER(38,0)"
    if type_on_duckdb.startswith("DECIMAL"):
        return type_on_duckdb.replace("DECIMAL", "NUMBER").replace(" ", "")
    return {"DOUBLE": "FLOAT", "TIMESTAMP": "TIMESTAMP_NTZ(9)", "VARCHAR": "VARCHAR(16777216)"}.get(
        type_on_duckdb, type_on_duckdb
    )


def keys_of(manifest: dict) -> dict[str, list[str]]:
    """Return the columns that are the key of each model, by its tests.

    Args:
        manifest: dbt's.
    """
    keys = {}
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_combination":
            keys[node["attached_node"]] = test["kwargs"]["columns"]
        elif test.get("name") == "unique" and node["attached_node"]:
            keys.setdefault(node["attached_node"], [test["kwargs"]["column_name"]])
    return keys


def is_same(left, right) -> bool:
    """Whether two values are equal; floats within TOLERANCE."""
    if left is None or right is None:
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right or abs(left - right) <= TOLERANCE * max(1.0, abs(left))
    return left == right


def sortable(value) -> tuple:
    """Return what a value is sorted by, whatever engine it came from."""
    if value is None:
        return (0, "")
    if isinstance(value, bool):
        return (1, str(value))
    if isinstance(value, int | Decimal | float):
        return (1, f"{Decimal(value):.6f}")
    return (1, str(value))


def differences(mine: dict, other: dict, key: list[str]) -> list[str]:
    """Return how two tables differ, a sentence each; no value of a row is part of one.

    Args:
        mine: columns (name to type) and rows (list of dict) of DuckDB.
        other: the same of the emulator.
        key: columns. Where the model has none, or one that cannot be the same, all columns that are
            no floats sort it.
    """
    found = []
    for column in sorted(mine["columns"].keys() ^ other["columns"].keys()):
        found.append(f"column {column} is on one side only")
    names = [name for name in mine["columns"] if name in other["columns"]]
    for name in names:
        wanted, has = (type_on_snowflake(side["columns"][name]) for side in (mine, other))
        if wanted != has:
            found.append(f"{name} is {has}, not {wanted}")
    if len(mine["rows"]) != len(other["rows"]):
        found.append(f"{len(mine['rows'])} rows, {len(other['rows'])} on the emulator")
        return found
    by = key
    if not by or UNLIKE.keys() & set(by):
        by = [name for name in names if mine["columns"][name] != "DOUBLE" and name not in UNLIKE]
    sides = [
        sorted(side["rows"], key=lambda row: [sortable(row[name]) for name in by])
        for side in (mine, other)
    ]
    for name in names:
        if name in UNLIKE:
            continue
        wrong = sum(
            not is_same(left[name], right[name]) for left, right in zip(*sides, strict=True)
        )
        if wrong:
            found.append(f"{name} differs in {wrong} rows")
            if os.environ.get("LETTERSHOP_SHOW_DIFFERENCES"):
                pairs = [
                    (left[name], right[name])
                    for left, right in zip(*sides, strict=True)
                    if not is_same(left[name], right[name])
                ]
                found.append(f"    {pairs[:3]}")
    return found


def local_table(connection, relation: str) -> dict:
    """Return columns and rows of a relation on DuckDB."""
    columns = {
        name: kind
        for name, kind, *_ in connection.execute(f"describe select * from {relation}").fetchall()
    }
    rows = connection.execute(f"select * from {relation}").fetchall()
    return {"columns": columns, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}


def emulated_table(cursor, relation: str, is_view: bool) -> dict:
    """Return columns and rows of a relation on the emulator, names in lower case."""
    described = cursor.execute(f"describe {'view' if is_view else 'table'} {relation}").fetchall()
    columns = {row[0].lower(): row[1] for row in described}
    rows = cursor.execute(f"select * from {relation}").fetchall()
    return {"columns": columns, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}


def main() -> None:
    """Compare every model, print the table, exit."""
    manifest = json.loads(Path(sys.argv[1]).read_text())
    keys = keys_of(manifest)
    local = duckdb.connect(os.environ["LETTERSHOP_DUCKDB"], read_only=True)
    local.execute(f"attach '{os.environ['LETTERSHOP_STATE']}' as state (read_only)")
    local.execute("set TimeZone = 'UTC'")
    cursor = connect(int(os.environ.get("LETTERSHOP_EMULATOR_PORT", "64616"))).cursor()
    totals = {layer: [0, 0, 0, 0] for layer in LAYERS}
    complaints = []
    for unique_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] != "model":
            continue
        layer, name = node["fqn"][1], node["name"]
        is_state = node["database"].upper() == STATE
        try:
            relation = re.sub('"', "", node["relation_name"])
            mine = local_table(local, f"{'state.' if is_state else ''}{layer}.{name}")
            other = emulated_table(cursor, relation, node["config"]["materialized"] == "view")
            found = differences(mine, other, keys.get(unique_id, []))
        except Exception as error:
            mine, found = {"columns": {}, "rows": []}, [f"cannot be compared: {error}"[:300]]
        total = totals[layer]
        total[0] += 1
        total[1] += len(mine["columns"])
        total[2] += len(mine["rows"])
        total[3] += len(found)
        complaints += [f"{layer}.{name}: {each}" for each in found]
    print(f"{'layer':<14}{'relations':>10}{'columns':>9}{'rows':>13}{'differences':>13}")
    for layer, total in totals.items():
        print(f"{layer:<14}{total[0]:>10}{total[1]:>9}{total[2]:>13,}{total[3]:>13}")
    sums = [sum(total[n] for total in totals.values()) for n in range(4)]
    print(f"{'all':<14}{sums[0]:>10}{sums[1]:>9}{sums[2]:>13,}{sums[3]:>13}")
    print("\nNot compared: " + "; ".join(f"{name} {why}" for name, why in UNLIKE.items()) + ".")
    if complaints:
        print("\n" + "\n".join(complaints))
        sys.exit(1)


if __name__ == "__main__":
    main()
