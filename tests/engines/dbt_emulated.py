"""dbt on the emulator: `python -m tests.engines.dbt_emulated build ...`."""

import sys
import os
import duckdb
import snowflake.connector

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.snowflake.impl import SnowflakeAdapter
from dbt.cli.main import dbtRunner

TYPES = {"BIGINT": "BIGINT", "HUGEINT": "BIGINT"}


def submit(self, parsed_model, compiled_code):
    """Put the rows that DuckDB's build has in the table of a Python model."""
    table = f"{parsed_model['schema']}.{parsed_model['alias']}"
    with duckdb.connect(os.environ["LETTERSHOP_DUCKDB"], read_only=True) as local:
        local.execute(f"attach if not exists '{os.environ['LETTERSHOP_STATE']}' as state (read_only)")
        where = f"state.{table}" if parsed_model["alias"] == "model_fits" else table
        rows = local.execute(f"select * from {where}")
        columns = [(name[0], str(name[1])) for name in rows.description]
        rows = rows.fetchall()
    connection = snowflake.connector.connect(
        user="emulated", password="emulated", account="fakesnow", host="127.0.0.1",
        port=int(os.environ.get("LETTERSHOP_EMULATOR_PORT", 64616)), protocol="http",
        database=parsed_model["database"], schema=parsed_model["schema"], network_timeout=5,
    )
    cursor = connection.cursor()
    name = f"{parsed_model['database']}.{table}"
    cursor.execute(
        f"create or replace transient table {name} ("
        + ", ".join(f"{column} {type}" for column, type in columns) + ")"
    )
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        marks = ", ".join("(" + ", ".join(["%s"] * len(columns)) + ")" for _ in part)
        cursor.execute(
            f"insert into {name} values {marks}", [value for row in part for value in row]
        )
    connection.close()
    return AdapterResponse(_message="OK", code="OK")


SnowflakeAdapter.submit_python_job = submit


def main() -> None:
    """Run dbt with the target snowflake_emulated; exit as dbt does."""
    result = dbtRunner().invoke([*sys.argv[1:], "--target", "snowflake_emulated"])
    sys.exit(0 if result.success else 1)


if __name__ == "__main__":
    main()
