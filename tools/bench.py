"""Where the time of a build goes, measured in one run on the Complete Journey data.

    python -m tools.bench
    python -m tools.bench triggers LANDING
    python -m tools.bench scoring [CUSTOMERS]

- wall: `dbt build` of the project, seeds, models, data tests and unit tests, parsing included;
- inside DuckDB: what DuckDB took for dbt's statements, as dbt logged it, summed over its threads;
- bare DuckDB: the same statements, one after the other, without dbt;
- floor: `dbt build` of the same DAG and tests with every body replaced by `select 1`;
- RFM: our statements over the orders against lifetimes' summary of the same orders.

With `triggers` only the selector of that name is measured, on a landing of your own choice: a run
of it on a shop that is built, against the same nodes with every body replaced by `select 1`.

With `scoring` a million customers (or as many as said) are scored with all models, reasons
included, in the engine and the usual way, on the models of the Complete Journey and its features,
multiplied; and a model is trained on 500,000 rows.

Ratios of one run compare; seconds depend on the machine and on who else uses it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from demo.complete_journey.__main__ import write_landing
from tools.places import ROOT

THREADS = 2
# Transactions of interleaved connections mean nothing to a single one.
SKIPPED = ("begin", "commit", "rollback")


def dbt_build(project: Path, folder: Path, landing: Path, *options: str) -> float:
    """Run `dbt build` with everything of its own in `folder`, and return its seconds.

    Args:
        project: the dbt project.
        folder: for databases, target and log; dbt.log holds JSON events.
        landing: the landing tables, with vars.yml beside or among them.
        options: what else follows `dbt build`.
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
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "build"]
    command += ["--threads", str(THREADS), "--vars", (landing / "vars.yml").read_text(), *options]
    started = time.perf_counter()
    result = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if result.returncode != 0:
        sys.exit(f"dbt build of {project} failed:\n{result.stdout[-4000:]}")
    return seconds


def logged_statements(log: Path) -> tuple[list[str], float]:
    """Return dbt's statements in the order they began, and the seconds DuckDB took for them.

    Args:
        log: dbt.log with JSON events.
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
                if text and not text.startswith(SKIPPED):
                    statements.append(sql)
            elif name == "SQLQueryStatus":
                seconds += event["data"]["elapsed"]
    return statements, seconds


def bare_duckdb(statements: list[str], folder: Path) -> float:
    """Run statements on one connection in fresh databases, and return the seconds.

    Args:
        statements: SQL as dbt sent it.
        folder: for the databases.
    """
    folder.mkdir(parents=True)
    connection = duckdb.connect(str(folder / "work.duckdb"), config={"threads": THREADS})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach '{folder / 'state.duckdb'}' as state")
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


def triggers_latency(landing: Path, folder: Path, times: int = 3) -> tuple[float, float, int]:
    """Time a run of the selector `triggers` on a built shop, and the same nodes as `select 1`.

    Both are `dbt build` in a process of its own that finds its parsed project, as they are every
    few minutes: the landing has not changed since, so that nothing new is read in.

    Args:
        landing: the landing tables, with vars.yml.
        folder: for both projects.
        times: how often each is measured, one after the other; the fastest counts.

    Returns:
        Seconds of the project and of its floor, and how many nodes each ran.
    """
    dbt_build(ROOT, folder / "project", landing, "--exclude-resource-type", "unit_test")
    manifest = json.loads((folder / "project" / "target" / "manifest.json").read_text())
    write_floor(manifest, folder / "floor")
    dbt_build(folder / "floor", folder / "floor_build", landing)
    wall = floor = float("inf")
    for _ in range(times):
        seconds = dbt_build(ROOT, folder / "project", landing, "--selector", "triggers")
        wall = min(wall, seconds)
        results = json.loads((folder / "project" / "target" / "run_results.json").read_text())
        keys = {result["unique_id"] for result in results["results"]} & manifest["nodes"].keys()
        names = {manifest["nodes"][key]["name"] for key in keys}
        seconds = dbt_build(
            folder / "floor",
            folder / "floor_build",
            landing,
            *("--indirect-selection", "empty", "--select", *sorted(names)),
        )
        floor = min(floor, seconds)
    return wall, floor, len(names)


def rfm_against_lifetimes(folder: Path) -> tuple[dict[str, float], int]:
    """Time our statements and lifetimes' summary over the same orders: customer, day and amount.

    Ours start from a table in DuckDB, theirs from a data frame in memory. The best of five runs
    each.

    Args:
        folder: of a build: its databases and its target.

    Returns:
        Seconds of RFM (boundaries and scores), of the purchase summaries that lifetimes gives too
        (purchase days and summaries), and of lifetimes; and the number of orders.
    """
    from lifetimes.utils import summary_data_from_transaction_data

    compiled = folder / "target" / "compiled" / "lettershop" / "models" / "segments"
    with duckdb.connect(str(folder / "work.duckdb"), config={"threads": THREADS}) as connection:
        orders = connection.execute(
            "select customer_key, order_date, cast(net_revenue_amount as double) as amount"
            " from segments.customer_orders"
        ).df()

        def run(*models: str) -> None:
            for model in models:
                sql = (compiled / f"{model}.sql").read_text()
                connection.execute(f"create or replace temp table {model} as {sql}")

        candidates = {
            "rfm": lambda: run("rfm_boundaries", "rfm_scores"),
            "summaries": lambda: run("customer_purchase_days", "customer_purchase_summaries"),
            "lifetimes": lambda: summary_data_from_transaction_data(
                orders,
                "customer_key",
                "order_date",
                "amount",
                observation_period_end="2018-01-01",
                freq="D",
            ),
        }
        best = {}
        for name, work in candidates.items():
            for _ in range(5):
                started = time.perf_counter()
                work()
                seconds = time.perf_counter() - started
                best[name] = min(best.get(name, seconds), seconds)
    return best, len(orders)


def print_triggers(landing: Path) -> None:
    """Measure the latency of triggers and print it.

    Args:
        landing: the landing tables, with vars.yml.
    """
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name:
        wall, floor, nodes = triggers_latency(landing.absolute(), Path(name))
    print(f"\n{nodes} nodes of the selector triggers; {THREADS} threads\n")
    print(f"  dbt build --selector triggers      {wall:7.1f} s")
    print(f"  dbt's floor, every body select 1   {floor:7.1f} s")
    print(f"  triggers / floor                   {wall / floor:7.2f}    target: at most 3")


def print_scoring(customers: int) -> None:
    """Measure scoring and the memory of training, and print it.

    Args:
        customers: how many to score.
    """
    from tools import bench_scoring

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
        found = bench_scoring.compare(folder / "project", customers)
    ratio = found["usual_seconds"] / found["ours_seconds"]
    print(f"\n{customers:,} customers, {found['models']} models with reasons; {THREADS} threads\n")
    print(f"  in the engine                      {found['ours_seconds']:7.1f} s")
    print(f"  pulled out, predicted, written     {found['usual_seconds']:7.1f} s")
    print(f"  usual / ours                       {ratio:7.2f}    target: at least 3")
    print(f"  growth of Python, in the engine    {found['ours_growth']:7.0f} MB target: below 500")
    print(f"  growth of Python, pulled out       {found['usual_growth']:7.0f} MB")
    seconds, growth = bench_scoring.training_memory(500_000)
    print(f"  training on 500,000 rows           {seconds:7.1f} s")
    print(f"  growth of Python, training         {growth:7.0f} MB target: below 4,096")


def main() -> None:
    """Measure and print, with the targets beside the ratios."""
    if sys.argv[1:2] == ["triggers"] and len(sys.argv) == 3:
        print_triggers(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["scoring"] and len(sys.argv) <= 3:
        print_scoring(int(sys.argv[2]) if sys.argv[2:] else 1_000_000)
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name:
        folder = Path(name)
        landing = folder / "landing"
        print("Writing the landing ...", flush=True)
        write_landing(landing)
        print("Building the project ...", flush=True)
        wall = dbt_build(ROOT, folder / "project", landing)
        statements, inside = logged_statements(folder / "project" / "dbt.log")
        print("Running the same statements in bare DuckDB ...", flush=True)
        bare = bare_duckdb(statements, folder / "bare")
        print("Building the same DAG with empty bodies ...", flush=True)
        manifest = json.loads((folder / "project" / "target" / "manifest.json").read_text())
        counts = write_floor(manifest, folder / "floor")
        floor = dbt_build(folder / "floor", folder / "floor_build", landing)
        print("RFM against lifetimes ...", flush=True)
        best, orders = rfm_against_lifetimes(folder / "project")
    nodes = ", ".join(f"{count} {kind}s" for kind, count in sorted(counts.items()))
    print(f"\n{nodes}; {THREADS} threads\n")
    print(f"  dbt build, wall                    {wall:7.1f} s")
    print(f"  inside DuckDB, summed over threads {inside:7.1f} s")
    print(f"  bare DuckDB, {len(statements):5} statements      {bare:7.1f} s")
    print(f"  dbt's floor, every body select 1   {floor:7.1f} s")
    print(
        f"  wall / (floor + bare)              {wall / (floor + bare):7.2f}    target: at most 1.5"
    )
    print(f"\n  over {orders:,} orders")
    print(f"  RFM, boundaries and scores         {best['rfm']:9.3f} s")
    print(f"  purchase days and summaries        {best['summaries']:9.3f} s")
    print(f"  lifetimes' summary                 {best['lifetimes']:9.3f} s")
    ratio = best["lifetimes"] / best["rfm"]
    print(f"  lifetimes / RFM                    {ratio:7.1f}      target: at least 4")


if __name__ == "__main__":
    main()
