"""dbt on the emulator: `python -m tests.engines.dbt_emulated build ...`.

dbt sends a Python model to Snowflake as the body of a procedure, which nothing here can run. So
the body runs in this process, unchanged, in a Snowpark session on the emulator: what Snowpark makes
of it is sent to the emulator as SQL.
"""

import os
import sys
import time
from pathlib import Path

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.snowflake.impl import SnowflakeAdapter
from dbt.cli.main import dbtRunner

from tests.engines import snowpark_emulated

ROOT = Path(__file__).parents[2]


def submit(self, parsed_model: dict, compiled_code: str) -> AdapterResponse:
    """Run what dbt compiled of a Python model, from reading to writing the table.

    Args:
        self: the adapter.
        parsed_model: the node.
        compiled_code: the model and what dbt puts around it.
    """
    started = time.monotonic()
    names = {"__name__": "compiled"}
    exec(compile(compiled_code, parsed_model["original_file_path"], "exec"), names)
    connection = {
        "user": "emulated",
        "password": "emulated",
        "account": "fakesnow",
        "host": "127.0.0.1",
        "port": int(os.environ["LETTERSHOP_EMULATOR_PORT"]),
        "protocol": "http",
        "database": parsed_model["database"],
        "schema": parsed_model["schema"],
    }
    with snowpark_emulated.session(connection) as session:
        names["main"](session)
    return AdapterResponse(_message=f"OK in {time.monotonic() - started:.1f} s", code="OK")


def main() -> None:
    """Run dbt with the target snowflake_emulated; exit as dbt does."""
    sys.path.insert(0, str(ROOT / "python_models"))
    SnowflakeAdapter.submit_python_job = submit
    result = dbtRunner().invoke([*sys.argv[1:], "--target", "snowflake_emulated"])
    sys.exit(0 if result.success else 1)


if __name__ == "__main__":
    main()
