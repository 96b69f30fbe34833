"""What dbt adds to DuckDB, and RFM against lifetimes, on the Complete Journey data.

- wall: `dbt build` of the project, seeds, models, data tests and unit tests, parsing included, into
  an empty database; a build before it has trained the models, which this one keeps;
- inside DuckDB: what DuckDB took for dbt's statements, as dbt logged it, summed over its threads;
- bare DuckDB: the same statements, one after the other, without dbt; what Python models made is
  there before they begin;
- floor: `dbt build` of the same DAG and tests with every body replaced by `select 1`;
- RFM: our statements over the orders against lifetimes' summary of the same orders;
- delta: what of the time of the activation models esp_outbox took, its guards and hooks included;
  everybody is new in this build, so that it writes as much as it ever does.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path

import duckdb

from demo.complete_journey.__main__ import write_landing
from tools.bench.runs import THREADS, bare_duckdb, dbt_build, logged_statements, write_floor
from tools.places import ROOT


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


def delta_share(target: Path) -> float:
    """Return the part of the time of all activation models that esp_outbox took.

    Args:
        target: of a build.
    """
    results = json.loads((target / "run_results.json").read_text())["results"]
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    seconds = {
        result["unique_id"]: result["execution_time"]
        for result in results
        if result["unique_id"].startswith("model.lettershop.")
        and nodes[result["unique_id"]]["fqn"][1] == "activation"
    }
    return seconds["model.lettershop.esp_outbox"] / sum(seconds.values())


def measure() -> None:
    """Measure and print, with the targets beside the ratios."""
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name:
        folder = Path(name)
        landing = folder / "landing"
        print("Writing the landing ...", flush=True)
        write_landing(landing)
        print("Training the models ...", flush=True)
        project = folder / "project"
        kinds = ("--resource-type", "seed", "--resource-type", "model")
        dbt_build(ROOT, project, landing, *kinds, "--select", "+model_fits")
        (folder / "bare").mkdir()
        shutil.copy(project / "state.duckdb", folder / "bare")
        for made in ("work.duckdb", "dbt.log"):
            (project / made).unlink()
        shutil.rmtree(project / "target")
        print("Building the project ...", flush=True)
        wall = dbt_build(ROOT, project, landing).seconds
        manifest = json.loads((project / "target" / "manifest.json").read_text())
        in_python = [
            node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["language"] == "python"
        ]
        statements, inside = logged_statements(
            project / "dbt.log", {node["unique_id"] for node in in_python}
        )
        print("Running the same statements in bare DuckDB ...", flush=True)
        made = [f"{one['schema']}.{one['name']}" for one in in_python if one["database"] == "work"]
        bare = bare_duckdb(statements, folder / "bare", project / "work.duckdb", made)
        print("Building the same DAG with empty bodies ...", flush=True)
        counts = write_floor(manifest, folder / "floor")
        floor = dbt_build(folder / "floor", folder / "floor_build", landing).seconds
        print("RFM against lifetimes ...", flush=True)
        best, orders = rfm_against_lifetimes(project)
        delta = delta_share(project / "target")
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
    print(f"\n  delta / activation models          {delta:7.1%}      target: at most 15%")
