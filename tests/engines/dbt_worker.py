"""dbt as a process that stays: `python -m tests.engines.dbt_worker <target> [option ...]`.

Parses the project once, then runs every line of its input, `{"args": [...], "log": "<file>"}`, in a
fork of itself, and answers with `{"code": ..., "cpu": ...}`. Nothing in the project but triggers
on Snowflake reads a var while it is parsed, so that one manifest serves runs with any; options of
dbt go with parsing and with every run.

dbt sends a Python model to Snowflake as the body of a procedure, which nothing here can run. So
the body runs in this process, unchanged, in a Snowpark session on the emulator: what Snowpark makes
of it is sent to the emulator as SQL.
"""

import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 600


def submit(self, parsed_model: dict, compiled_code: str):
    """Run what dbt compiled of a Python model, from reading to writing the table.

    Args:
        self: the adapter.
        parsed_model: the node.
        compiled_code: the model and what dbt puts around it.
    """
    from dbt.adapters.contracts.connection import AdapterResponse

    from tests.engines import snowpark_emulated

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
        "network_timeout": PATIENCE_SECONDS,
        "socket_timeout": PATIENCE_SECONDS,
        "database": parsed_model["database"],
        "schema": parsed_model["schema"],
    }
    with snowpark_emulated.session(connection) as session:
        names["main"](session)
    return AdapterResponse(_message=f"OK in {time.monotonic() - started:.1f} s", code="OK")


def forked(args: list[str], log: Path, manifest) -> dict:
    """Run dbt in a fork, and return its exit code and the seconds of CPU that it took.

    Args:
        args: what follows `dbt`.
        log: the file for what it says.
        manifest: of the project.
    """
    child = os.fork()
    if child == 0:
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        from dbt.cli.main import dbtRunner

        result = dbtRunner(manifest=manifest).invoke(args)
        if result.exception:
            print(result.exception)
        sys.stdout.flush()
        os._exit(0 if result.success else 1)
    _, status, usage = os.wait4(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime}


def main() -> None:
    """Parse, then serve what comes in."""
    target, *options = sys.argv[1:]
    # The threads of the static parser do not live on in a fork.
    os.environ["DBT_STATIC_PARSER"] = "false"
    os.environ["DBT_USE_EXPERIMENTAL_PARSER"] = "false"
    os.chdir(ROOT)
    from dbt.cli.main import dbtRunner

    if target != "duckdb":
        import snowflake.connector.network
        from dbt.adapters.snowflake.impl import SnowflakeAdapter

        # After it the connector asks again, while the emulator is still at the first answer.
        snowflake.connector.network.DEFAULT_SOCKET_CONNECT_TIMEOUT = PATIENCE_SECONDS

        sys.path.insert(0, str(ROOT / "python_models"))
        SnowflakeAdapter.submit_python_job = submit
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    result = dbtRunner().invoke(["--quiet", "parse", "--target", target, *options])
    gc.collect()
    gc.freeze()
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer = {"code": 0 if result.success else 1, "cpu": used.ru_utime + used.ru_stime}
    print(json.dumps(answer), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        args = [*asked["args"], "--target", target, *options]
        answer = forked(args, Path(asked["log"]), result.result)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
