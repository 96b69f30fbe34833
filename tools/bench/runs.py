"""dbt builds in folders of their own, and the same project with nothing in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tools.places import ROOT

THREADS = 2
# Transactions of interleaved connections mean nothing to a single one.
SKIPPED = ("begin", "commit", "rollback")


@dataclass(frozen=True)
class Run:
    """What a dbt run took: seconds of wall time, and the process's peak of memory in bytes."""

    seconds: float
    peak_bytes: int


def dbt_build(
    project: Path,
    folder: Path,
    landing: Path,
    *options: str,
    command: str = "build",
    threads: int = THREADS,
) -> Run:
    """Run dbt with everything of its own in `folder`.

    Args:
        project: the dbt project.
        folder: for databases, target and log; dbt.log holds JSON events.
        landing: the landing tables, with vars.yml beside or among them.
        options: what else follows `dbt build`.
        command: of dbt: build, run, seed, test.
        threads: models at once; DuckDB has a thread per core in any case.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "LETTERSHOP_LANDING": str(landing),
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder),
        "DBT_LOG_FORMAT_FILE": "json",
        "DBT_LOG_LEVEL_FILE": "debug",
        "DBT_LOG_FILE_MAX_BYTES": "0",
        "DBT_PROFILES_DIR": str(ROOT / "profiles"),
    }
    arguments = [str(Path(sys.executable).parent / "dbt"), "--quiet", command]
    arguments += ["--threads", str(threads), "--vars", (landing / "vars.yml").read_text(), *options]
    output = folder / "output.txt"
    started = time.perf_counter()
    with output.open("w") as file:
        process = subprocess.Popen(
            arguments, cwd=project, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        sys.exit(f"dbt {command} of {project} failed:\n{output.read_text()[-4000:]}")
    # Linux counts in kB, macOS in bytes.
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def logged_statements(log: Path, without: set[str]) -> tuple[list[str], float]:
    """Return dbt's statements in the order they began, and the seconds DuckDB took for all.

    Args:
        log: dbt.log with JSON events.
        without: ids of the nodes whose statements are left out.
    """
    statements, seconds = [], 0.0
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            name = event["info"]["name"]
            if name == "SQLQuery":
                # dbt ends a seed's statement with dots, as if it had cut it.
                sql = event["data"]["sql"].strip().removesuffix("...")
                text = sql.split("*/", 1)[-1].strip().lower()
                node = (event["data"].get("node_info") or {}).get("unique_id")
                if text and not text.startswith(SKIPPED) and node not in without:
                    statements.append(sql)
            elif name == "SQLQueryStatus":
                seconds += event["data"]["elapsed"]
    return statements, seconds


def bare_duckdb(statements: list[str], folder: Path, built: Path, given: list[str]) -> float:
    """Run statements on one connection in a fresh working database, and return the seconds.

    Args:
        statements: SQL as dbt sent it.
        folder: for the working database; holds the state that the statements found.
        built: a working database in which dbt has run them.
        given: tables of it, with their schema, that are copied before the statements begin.
    """
    connection = duckdb.connect(str(folder / "work.duckdb"), config={"threads": THREADS})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach '{folder / 'state.duckdb'}' as state")
    connection.execute(f"attach '{built}' as built (read_only)")
    for name in given:
        connection.execute(f"create schema if not exists {name.split('.')[0]}")
        connection.execute(f"create table {name} as from built.{name}")
    connection.execute("detach built")
    started = time.perf_counter()
    for statement in statements:
        connection.execute(statement).fetchall()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def write_floor(manifest: dict, project: Path) -> dict[str, int]:
    """Write a project of the same nodes and edges, none of which does anything.

    Args:
        manifest: of the real project.
        project: the folder to write.

    Returns:
        How many nodes of each kind there are.
    """
    (project / "models").mkdir(parents=True)
    (project / "seeds").mkdir()
    (project / "tests").mkdir()
    shutil.copytree(ROOT / "macros" / "overrides", project / "macros" / "overrides")
    (project / "dbt_project.yml").write_text(
        "name: lettershop\nprofile: lettershop\n"
        "flags: {require_generic_test_arguments_property: true}\n"
    )
    nodes = manifest["nodes"]
    counts: dict[str, int] = {}

    def parents(node: dict) -> list[str]:
        return [nodes[key]["name"] for key in node["depends_on"]["nodes"] if key in nodes]

    def depends_on(node: dict) -> str:
        return "".join(f"-- depends_on: {{{{ ref('{name}') }}}}\n" for name in parents(node))

    for node in nodes.values():
        kind, name, config = node["resource_type"], node["name"], node["config"]
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "seed":
            (project / "seeds" / f"{name}.csv").write_text("one\n1\n")
        elif kind == "test":
            body = f"{depends_on(node)}select 1 as one where 1 = 0\n"
            (project / "tests" / f"{name}.sql").write_text(body)
        elif kind == "model":
            database = f", database='{node['database']}'" if node["database"] == "state" else ""
            (project / "models" / f"{name}.sql").write_text(
                f"{{{{ config(materialized='{config['materialized']}',"
                f" schema='{config['schema']}'{database}) }}}}\n"
                f"{depends_on(node)}select 1 as one\n"
            )
    units = []
    for unit in manifest["unit_tests"].values():
        counts["unit_test"] = counts.get("unit_test", 0) + 1
        model = next(
            node
            for node in nodes.values()
            if node["resource_type"] == "model" and node["name"] == unit["model"]
        )
        units.append(
            {
                "name": unit["name"],
                "model": unit["model"],
                "given": [{"input": f"ref('{name}')", "rows": []} for name in parents(model)],
                "expect": {"rows": [{"one": 1}]},
            }
        )
    (project / "models" / "unit_tests.yml").write_text(
        json.dumps({"version": 2, "unit_tests": units})
    )
    return counts
