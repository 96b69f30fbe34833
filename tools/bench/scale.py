"""What a simulated shop costs: a full build, the day after, and how both grow with the shop.

- copy: `create table as select *` of every landing table in bare DuckDB, same threads, before the
  full build and after it: a shared machine is not always as fast. The mean counts, both are shown;
- models: `dbt run` of everything but training into empty databases, in two runs, before training
  and after it, dbt's starts included; training and data tests are runs of their own, the tests
  after the next day;
- a shop of LARGE or more customers as the README says: one model at a time, and more memory;
- next day: one day's rows more and the clock a day on. The share is that of the incremental
  models alone, against what the same models took in the full build. State is reported apart: no
  full build makes it, and the first writes what the others compare.
"""

import json
import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import yaml

from demo.simulator.__main__ import CLOCK, write_landing
from tools.bench.runs import THREADS, Run, dbt_build
from tools.places import ROOT

SEED, DAYS = 7, 730
LAST_DAY = datetime.fromisoformat(CLOCK)
SLOWEST = 12
LARGE, LARGE_MEMORY = 500_000, "10GB"


@dataclass(frozen=True)
class Cost:
    """Seconds of one shop, and the peak of memory in bytes.

    `incremental` and `incremental_next` are sums over the incremental models, `state` and
    `state_next` over those in the state's database; `slowest` are the models that took longest in
    the full build, `slowest_next` the incremental ones that did the next day.
    """

    customers: int
    rows: int
    copies: tuple[float, float]
    models: float
    training: float
    data_tests: float
    next_day: float
    training_next: float
    incremental: float
    incremental_next: float
    state: float
    state_next: float
    peak_bytes: int
    slowest: list[tuple[str, float]]
    slowest_next: list[tuple[str, float]]

    @property
    def copy(self) -> float:
        """Seconds of a copy of the landing, of both the mean."""
        return sum(self.copies) / len(self.copies)


def table_path(path: Path) -> str:
    """Return what read_parquet reads of a landing table, one file or a folder of parts."""
    return str(path / "*.parquet") if path.is_dir() else str(path)


def write_day(landing: Path, day: Path, clock: str) -> None:
    """Write the landing as it was at a clock: what had been loaded by then.

    The simulator exports the ESP's contacts twice in all; a shop does it every night. The newest
    export, without whoever was created later, stands for that of the night before the clock.

    Args:
        landing: of the whole shop.
        day: the folder to write.
        clock: UTC, also the day's as_of_at.
    """
    day.mkdir(parents=True)
    for path in sorted(landing.glob("*.parquet")):
        columns = duckdb.execute(f"describe from '{table_path(path)}'").fetchall()
        if path.stem == "esp_contacts":
            duckdb.execute(
                f"copy (select * replace (least(loaded_at, timestamp '{clock}' - interval 2 hours)"
                f" as loaded_at) from '{table_path(path)}' qualify loaded_at < timestamp '{clock}'"
                f" or (loaded_at = max(loaded_at) over () and created_at < timestamp '{clock}'))"
                f" to '{day / path.name}' (format parquet)"
            )
        elif any(name == "loaded_at" for name, *_ in columns):
            duckdb.execute(
                f"copy (from '{table_path(path)}' where loaded_at < timestamp '{clock}')"
                f" to '{day / path.name}' (format parquet)"
            )
        else:
            (day / path.name).symlink_to(path)
    said = yaml.safe_load((landing / "vars.yml").read_text()) | {"as_of_at": clock}
    (day / "vars.yml").write_text(yaml.safe_dump(said))


def copy_seconds(landing: Path, database: Path) -> tuple[float, int]:
    """Copy every landing table into a native table, and return the seconds and the rows.

    Args:
        landing: the landing tables.
        database: the file to write, removed afterwards.
    """
    with duckdb.connect(str(database), config={"threads": THREADS}) as connection:
        started = time.perf_counter()
        for path in sorted(landing.glob("*.parquet")):
            connection.execute(f"create table {path.stem} as from '{table_path(path)}'")
        connection.execute("checkpoint")
        seconds = time.perf_counter() - started
        tables = [path.stem for path in landing.glob("*.parquet")]
        rows = sum(
            connection.execute(f"select count(*) from {name}").fetchone()[0] for name in tables
        )
    database.unlink()
    return seconds, rows


def model_seconds(target: Path) -> dict[str, float]:
    """Return the seconds of each model in the last run.

    Args:
        target: dbt's, with run_results.json.
    """
    results = json.loads((target / "run_results.json").read_text())["results"]
    return {
        result["unique_id"]: result["execution_time"]
        for result in results
        if result["unique_id"].startswith("model.")
    }


def run_models(project: Path, landing: Path, threads: int) -> tuple[Run, Run, dict[str, float]]:
    """Run every model, training apart from the others, which two threads would do beside it.

    Args:
        project: the folder of the build.
        landing: with vars.yml.
        threads: models at once.

    Returns:
        What all models but training took, what training took, and the seconds of each model.
    """
    runs, seconds = [], {}
    for selection in (
        ("--exclude", "model_fits+"),
        ("--select", "model_fits"),
        ("--select", "model_fits+", "--exclude", "model_fits"),
    ):
        runs.append(dbt_build(ROOT, project, landing, *selection, command="run", threads=threads))
        seconds |= model_seconds(project / "target")
    before, training, after = runs
    others = Run(before.seconds + after.seconds, max(before.peak_bytes, after.peak_bytes))
    return others, training, seconds


@contextmanager
def memory_for(customers: int) -> Iterator[None]:
    """Give builds of a large shop the memory that the README says, unless the environment does.

    Args:
        customers: of the shop.
    """
    is_ours = customers >= LARGE and "LETTERSHOP_MEMORY" not in os.environ
    if is_ours:
        os.environ["LETTERSHOP_MEMORY"] = LARGE_MEMORY
    try:
        yield
    finally:
        if is_ours:
            del os.environ["LETTERSHOP_MEMORY"]


def cost(customers: int, folder: Path) -> Cost:
    """Simulate a shop and measure what it costs.

    Args:
        customers: people with an account.
        folder: for everything written.
    """

    @contextmanager
    def step(words: str) -> Iterator[None]:
        started = time.perf_counter()
        print(f"{customers:,} customers: {words} ...", end=" ", flush=True)
        yield
        print(f"{time.perf_counter() - started:.0f} s", flush=True)

    before, after, project = folder / "before", folder / "after", folder / "project"
    threads = 1 if customers >= LARGE else THREADS
    with step("writing the shop"):
        write_landing(folder / "landing", customers, SEED, DAYS)
        write_day(folder / "landing", before, str(LAST_DAY - timedelta(days=1)))
        write_day(folder / "landing", after, str(LAST_DAY))
    with step("copying the landing"):
        copied, rows = copy_seconds(before, folder / "copy.duckdb")
    with step("the models of a full build"):
        # Seeds first: `dbt run` leaves them out, and they cost the same whatever the shop's size.
        dbt_build(ROOT, project, before, command="seed")
        full, training, full_models = run_models(project, before, threads)
    with step("copying the landing again"):
        copied_again, _ = copy_seconds(before, folder / "copy.duckdb")
    with step("the next day's models"):
        next_day, training_next, next_models = run_models(project, after, threads)
    with step("its data tests"):
        tests = dbt_build(
            *(ROOT, project, after, "--exclude-resource-type", "unit_test"),
            command="test",
            threads=threads,
        )
    nodes = json.loads((project / "target" / "manifest.json").read_text())["nodes"]
    kept = {
        key
        for key in full_models
        if nodes[key]["config"]["materialized"] == "incremental" and nodes[key]["language"] == "sql"
    }
    # `full_refresh: false` is what makes a model state.
    state = {key for key in kept if nodes[key]["config"]["full_refresh"] is False}
    incremental = kept - state

    def longest(seconds: dict[str, float], count: int) -> list[tuple[str, float]]:
        found = sorted(seconds.items(), key=lambda item: -item[1])[:count]
        return [(key.split(".")[-1], took) for key, took in found]

    return Cost(
        customers=customers,
        rows=rows,
        copies=(copied, copied_again),
        models=full.seconds,
        training=training.seconds,
        data_tests=tests.seconds,
        next_day=next_day.seconds,
        training_next=training_next.seconds,
        incremental=sum(full_models[key] for key in incremental),
        incremental_next=sum(next_models[key] for key in incremental),
        state=sum(full_models[key] for key in state),
        state_next=sum(next_models[key] for key in state),
        peak_bytes=max(run.peak_bytes for run in (full, training, tests, next_day, training_next)),
        slowest=longest(full_models, SLOWEST),
        slowest_next=longest({key: next_models[key] for key in incremental}, SLOWEST // 2),
    )


def exponent(costs: list[Cost]) -> float:
    """Return the slope of log(seconds of a full build's models) over log(landing rows).

    Least squares over the shops; 1 is linear. dbt's fixed start flattens it for small shops.
    """
    xs = [math.log(one.rows) for one in costs]
    ys = [math.log(one.models) for one in costs]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return slope / sum((x - x_mean) ** 2 for x in xs)


def measure(sizes: list[int]) -> None:
    """Measure shops of several sizes and print what they cost, targets beside.

    Args:
        sizes: customers of each.
    """
    costs = []
    for customers in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name,
            memory_for(customers),
        ):
            costs.append(cost(customers, Path(name)))
        report(costs)


def report(costs: list[Cost]) -> None:
    """Print what shops cost, targets beside.

    Args:
        costs: of the shops measured so far, by size.
    """
    cores = os.cpu_count()
    print(
        f"\nSimulated shops, seed {SEED}; {THREADS} threads on {cores} cores; from {LARGE:,}"
        f" customers on one model at a time, {os.environ.get('LETTERSHOP_MEMORY', LARGE_MEMORY)}\n"
    )
    lines = [
        ("customers", lambda one: f"{one.customers:,}", ""),
        ("landing rows", lambda one: f"{one.rows:,}", ""),
        (
            "copy of the landing, twice, s",
            lambda one: " ".join(f"{seconds:.1f}" for seconds in one.copies),
            "",
        ),
        ("full build, models, s", lambda one: f"{one.models:.1f}", ""),
        ("  / copy", lambda one: f"{one.models / one.copy:.1f}", "at most 10 at 1,000,000"),
        ("full build, training, s", lambda one: f"{one.training:.1f}", ""),
        ("data tests, s", lambda one: f"{one.data_tests:.1f}", ""),
        ("next day, models, s", lambda one: f"{one.next_day:.1f}", ""),
        ("next day, training, s", lambda one: f"{one.training_next:.1f}", ""),
        ("incremental models, full, s", lambda one: f"{one.incremental:.1f}", ""),
        ("incremental models, next day, s", lambda one: f"{one.incremental_next:.1f}", ""),
        (
            "  share",
            lambda one: f"{one.incremental_next / one.incremental:.1%}",
            "at most 10% at 1,000,000",
        ),
        ("  share of all models, full", lambda one: f"{one.incremental_next / one.models:.1%}", ""),
        ("state, full, s", lambda one: f"{one.state:.1f}", ""),
        ("state, next day, s", lambda one: f"{one.state_next:.1f}", ""),
        ("peak of memory, GB", lambda one: f"{one.peak_bytes / 1e9:.1f}", "under 12"),
    ]
    for name, text, target in lines:
        print(f"  {name:32}" + "".join(f"{text(one):>14}" for one in costs) + f"   {target}")
    if len(costs) > 1:
        print(f"\n  exponent of cost over rows        {exponent(costs):14.2f}   at most 1.05")
    print("\n  the slowest models of the largest shop, s:")
    for name, seconds in costs[-1].slowest:
        print(f"    {name:40}{seconds:8.1f}  {seconds / costs[-1].models:6.1%}")
    print("\n  the slowest incremental models of its next day, s:")
    for name, seconds in costs[-1].slowest_next:
        print(f"    {name:40}{seconds:8.1f}")
