"""The same small shop on DuckDB and on the emulator, day after day: `make test-snowflake`.

    python -m tests.engines [--customers 100] [--landing <folder> <vars.yml>]

Two days arrive one after the other, so that the second build is incremental on both engines. After
each the tables are compared; at the end every data test and unit test runs on the emulator. Exits
with 1 where a build, a comparison or a test fails, or where the emulator passed over a statement
that it is not known to pass over.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import yaml

from demo.simulator.__main__ import CLOCK, write_landing
from tests.engines.foreign import problems_in

ROOT = Path(__file__).parents[2]
SEED, DAYS = 11, 120
# Tables without loaded_at: what happened by then is there.
EVENT_TIMES = {"social_interactions": "occurred_at", "fx_rates": "rate_date"}
MODELS = ("build", "--exclude-resource-type", "test", "unit_test")


def arrived_by(whole: Path, folder: Path, clock: datetime) -> Path:
    """Write what of a landing was loaded before a time, and return the folder.

    Args:
        whole: the landing.
        folder: to be made.
        clock: the time, UTC.
    """
    folder.mkdir(parents=True)
    for path in sorted(whole.glob("*.parquet")):
        columns = [row[0] for row in duckdb.execute(f"describe from '{path}'").fetchall()]
        loaded_at = "loaded_at" if "loaded_at" in columns else EVENT_TIMES.get(path.stem)
        condition = f"{loaded_at} is null or {loaded_at} < timestamp '{clock}'"
        duckdb.execute(
            f"copy (from '{path}' where {condition if loaded_at else 'true'})"
            f" to '{folder}/{path.name}' (format parquet)"
        )
    return folder


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Emulator:
    """The emulator as a process of its own.

    Attributes:
        port: where it listens.
    """

    def __init__(self, log: Path):
        """Start it, and wait until it listens.

        Args:
            log: the file for what it says.
        """
        self.port = free_port()
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engines.emulator", str(self.port)],
                cwd=ROOT,
                stdout=file,
                stderr=file,
            )
        for _ in range(1500):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"The emulator does not listen: {log.read_text()[-2000:]}")

    def ask(self, path: str) -> dict:
        """Return what it answers to a request of ours, beside Snowflake's own."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=120) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=30)


def run(title: str, module: tuple[str, ...], env: dict[str, str], log: Path) -> bool:
    """Run a Python module, say how long it took, and return whether it passed.

    Args:
        title: what to call it.
        module: its name and arguments.
        env: environment variables on top.
        log: the file for what it says; its end is shown where it fails.
    """
    started = time.monotonic()
    with log.open("w") as file:
        process = subprocess.run(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=os.environ | env,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    is_passed = process.returncode == 0
    said = log.read_text()
    print(f"{title}: {'passed' if is_passed else 'FAILED'}, {time.monotonic() - started:.0f} s")
    if not is_passed or "parity" in module[0]:
        print(said[-6000:] if not is_passed else said, flush=True)
    return is_passed


def target_of(engine: str, folder: Path) -> dict[str, str]:
    """Return the environment variables that name dbt's own files, which builds do not share.

    Args:
        engine: DuckDB or emulator.
        folder: of this run.
    """
    return {
        "DBT_TARGET_PATH": str(folder / f"target_{engine}"),
        "DBT_LOG_PATH": str(folder / f"logs_{engine}"),
    }


def both(number: int, vars: str, env: dict[str, str], folder: Path) -> list[bool]:
    """Build a day on both engines at once, and return whether each passed.

    Args:
        number: of the day.
        vars: dbt's, as JSON.
        env: environment variables on top.
        folder: of this run.
    """
    modules = {"DuckDB": "dbt.cli.main", "emulator": "tests.engines.dbt_emulated"}
    with ThreadPoolExecutor() as pool:
        running = [
            pool.submit(
                run,
                f"day {number}, {engine}",
                (module, *MODELS, "--vars", vars),
                env | target_of(engine, folder),
                folder / f"day_{number}_{engine}.txt",
            )
            for engine, module in modules.items()
        ]
        return [each.result() for each in running]


def print_report(report: dict) -> bool:
    """Print what the emulator did, and return whether all of it was expected.

    Args:
        report: see emulator.report.
    """
    for title, name in [
        ("Statements executed", "executed"),
        ("Statements accepted and not executed", "accepted"),
        ("Statements passed over that nobody expected", "unexpected"),
        ("Statements that ended in an error", "failed"),
    ]:
        print(f"\n{title}: {sum(report[name].values()):,}")
        for kind, count in report[name].items():
            print(f"  {count:>8,}  {kind.lower()}")
    print("\nPatches of the emulator, and how often each was needed")
    for name, (count, reason) in report["patches"].items():
        print(f"  {count:>8,}  {name}: {reason}")
    return not report["unexpected"]


def main() -> None:
    """Build both days on both engines, compare, test, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--landing", nargs=2, metavar=("FOLDER", "VARS"))
    parser.add_argument("--keep", type=Path, help="where everything stays, to look at it")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="lettershop_engines_"))
    folder.mkdir(parents=True, exist_ok=True)
    if options.landing:
        whole, said = Path(options.landing[0]), yaml.safe_load(Path(options.landing[1]).read_text())
    else:
        whole = folder / "whole"
        write_landing(whole, options.customers, SEED, DAYS)
        said = yaml.safe_load((ROOT / "demo/simulator/vars.yml").read_text())
        said |= {"max_rejected_rate": 0.5}
    last = datetime.fromisoformat(str(said.get("as_of_at") or CLOCK))
    emulator = Emulator(folder / "emulator.txt")
    places = {
        "DBT_PROFILES_DIR": str(ROOT / "profiles"),
        "DBT_USE_COLORS": "false",
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "LETTERSHOP_EMULATOR_PORT": str(emulator.port),
    }
    passed = []
    try:
        for number, clock in enumerate((last - timedelta(days=1), last), start=1):
            landing = arrived_by(whole, folder / f"landing_{number}", clock)
            emulator.ask(f"/landing?folder={landing}")
            vars = json.dumps(said | {"as_of_at": str(clock)})
            env = places | {"LETTERSHOP_LANDING": str(landing)}
            passed += both(number, vars, env, folder)
            manifest = str(folder / "target_emulator" / "manifest.json")
            module = ("tests.engines.parity", manifest)
            passed.append(
                run(f"day {number}, parity", module, env, folder / f"parity_{number}.txt")
            )
        env |= target_of("emulator", folder)
        foreign = problems_in(folder / "target_emulator" / "compiled")
        print(f"foreign to Snowflake in compiled SQL: {len(foreign)}", *foreign, sep="\n  ")
        passed.append(not foreign)
        module = ("tests.engines.dbt_emulated", "test", "--vars", vars)
        passed.append(run("data tests and unit tests, emulator", module, env, folder / "tests.txt"))
        passed.append(print_report(emulator.ask("/report")))
    finally:
        emulator.stop()
        if not options.keep:
            shutil.rmtree(folder)
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
