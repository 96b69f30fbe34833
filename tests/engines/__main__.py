"""The same small shop on DuckDB and on the emulator, day after day: `make test-snowflake`.

    python -m tests.engines [--tests] [--customers 100]
    python -m tests.engines --landing <folder> <vars.yml> [--people 250]

Two days arrive one after the other, so that the second build is incremental on both engines. After
each the tables are compared. At the end every data test and unit test runs on the emulator, and
what was built is published there. Exits with 1 where a build, a comparison or a test fails, or
where the emulator passed over a statement that it is not known to pass over.
"""

import argparse
import contextlib
import io
import json
import os
import re
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
from tests.engines import dialect, live, published
from tests.engines.foreign import problems_in

ROOT = Path(__file__).parents[2]
CUSTOMERS, SEED, DAYS = 100, 11, 120
PUBLISHED = "lettershop_published"
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
        rows = f"select * from '{path}' where {condition if loaded_at else 'true'}"
        if path.stem == "esp_contacts":
            # An export: whole every day, an hour before the build.
            exported_at = f"timestamp '{clock - timedelta(hours=1)}'"
            rows = (
                f"select * replace ({exported_at} as loaded_at, {exported_at} as updated_at)"
                f" from '{path}' where created_at < {exported_at}"
            )
        duckdb.execute(f"copy ({rows}) to '{folder}/{path.name}' (format parquet)")
    return folder


def of_some(whole: Path, folder: Path, people: int) -> Path:
    """Write what a landing has of some of its customers, and return the folder.

    Args:
        whole: the landing.
        folder: to be made.
        people: how many, those whose ids have the smallest hash; the same in every run.
    """
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table people as
            select customer_id, email from '{whole}/crm_customers.parquet'
            order by md5(customer_id) limit {people}
            """
        )
        connection.execute(
            f"""
            create table orders as
            select order_id from '{whole}/shop_orders.parquet'
            where customer_id in (select customer_id from people)
            """
        )
        owners = {"customer_id": "people", "order_id": "orders", "email": "people"}
        for path in sorted(whole.glob("*.parquet")):
            described = connection.execute(f"describe from '{path}'").fetchall()
            owned_by = [name for name in owners if name in {row[0] for row in described}]
            condition = "true"
            if owned_by:
                condition = f"{owned_by[0]} in (select {owned_by[0]} from {owners[owned_by[0]]})"
            connection.execute(
                f"copy (from '{path}' where {condition}) to '{folder}/{path.name}' (format parquet)"
            )
    return folder


def acknowledged(landing: Path, state: Path) -> None:
    """Let the e-mail platform's export say which change of the outbox it has of each contact.

    Of every other one it is an earlier change.

    Args:
        landing: of the next day; its contacts get the column synced_change_seq.
        state: DuckDB's state database, whose outbox is the emulator's too, as was compared.
    """
    contacts = landing / "esp_contacts.parquet"
    if not contacts.exists():
        return
    with duckdb.connect(str(state), read_only=True) as connection:
        connection.execute(
            f"""
            create temp table contacts as
            select
                contacts.*,
                case when told.change_seq > 1 then told.change_seq - told.change_seq % 2 end
                    as synced_change_seq
            from '{contacts}' as contacts
            left join (
                select email, max(change_seq) as change_seq from activation.esp_outbox
                where op = 'upsert' group by email
            ) as told on lower(trim(contacts.email)) = told.email
            """
        )
        found = connection.execute("select count(synced_change_seq) from contacts").fetchone()[0]
        if not found:
            raise RuntimeError("the outbox of the first day has none of the platform's contacts")
        connection.execute(f"copy contacts to '{contacts}' (format parquet)")


def newest_change(state: Path) -> int:
    """Return the greatest number of the outbox, which is the emulator's too, as was compared.

    Args:
        state: DuckDB's state database.
    """
    with duckdb.connect(str(state), read_only=True) as connection:
        return connection.execute(
            "select coalesce(max(change_seq), 0) from activation.esp_outbox"
        ).fetchone()[0]


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Emulator:
    """The emulator as a process of its own.

    Attributes:
        port: where it listens.
        pid: its process.
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
        self.pid = self._process.pid
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


class Dbt:
    """dbt for one engine, as a process that stays and parses the project once."""

    def __init__(self, engine: str, env: dict[str, str], folder: Path, *parsed_with: str):
        """Start it; it parses while others do something else.

        Args:
            engine: what to call it; its target is duckdb, or else snowflake_emulated.
            env: environment variables on top.
            folder: of this run.
            parsed_with: options of dbt for parsing and for each run.
        """
        self.engine, self._folder = engine, folder
        target = "duckdb" if engine == "DuckDB" else "snowflake_emulated"
        # dbt's own files, which builds do not share.
        env = env | {
            "DBT_TARGET_PATH": str(folder / f"target_{engine}"),
            "DBT_LOG_PATH": str(folder / f"logs_{engine}"),
        }
        with (folder / f"parse_{engine}.txt").open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engines.dbt_worker", target, *parsed_with],
                cwd=ROOT,
                env=os.environ | env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._is_parsed = False

    def _answer(self) -> dict:
        """Return the next answer; of a process that ended, that it failed."""
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"code": 1, "cpu": 0.0}

    def run(self, title: str, *args: str) -> bool:
        """Run a command of dbt, say how long it took, and return whether it passed.

        Args:
            title: what to call it; its end is shown where it fails.
            args: what follows `dbt`.
        """
        started = time.monotonic()
        log = self._folder / f"{title}, {self.engine}.txt".replace(" ", "_")
        said = {"code": 0, "cpu": 0.0}
        if not self._is_parsed:
            said = self._answer()
            self._is_parsed = True
            log = log if said["code"] == 0 else self._folder / f"parse_{self.engine}.txt"
        if said["code"] == 0:
            self._process.stdin.write(json.dumps({"args": args, "log": str(log)}) + "\n")
            self._process.stdin.flush()
            answer = self._answer()
            said = answer | {"cpu": answer["cpu"] + said["cpu"]}
        return say(f"{title}, {self.engine}", started, said["code"] == 0, log, said["cpu"])

    def stop(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait(timeout=30)


def say(title: str, started: float, is_passed: bool, log: Path, cpu: float = 0.0) -> bool:
    """Print a line of the report, with the end of the log where something failed.

    Args:
        title: of what was done.
        started: by the monotonic clock.
        is_passed: returned.
        log: what it said.
        cpu: seconds of it that a processor worked.
    """
    seconds = f"{time.monotonic() - started:.0f} s" + (f", {cpu:.0f} s of CPU" if cpu else "")
    print(f"{title}: {'passed' if is_passed else 'FAILED'}, {seconds}", flush=True)
    if not is_passed:
        print(log.read_text()[-6000:], flush=True)
    return is_passed


def both(title: str, engines: list[Dbt], *args: str) -> list[bool]:
    """Run a command of dbt on both engines at once, and return whether each passed."""
    with ThreadPoolExecutor() as pool:
        return [each.result() for each in [pool.submit(dbt.run, title, *args) for dbt in engines]]


def compare(title: str, env: dict[str, str], folder: Path) -> bool:
    """Compare all tables of both engines, print the table, and return whether they are the same.

    Args:
        title: what to call it.
        env: environment variables on top.
        folder: of this run.
    """
    started = time.monotonic()
    log = folder / f"{title}.txt".replace(" ", "_")
    manifest = str(folder / "target_emulator" / "manifest.json")
    with log.open("w") as file:
        code = subprocess.run(
            [sys.executable, "-m", "tests.engines.parity", manifest],
            cwd=ROOT,
            env=os.environ | env,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code == 0:
        print(log.read_text(), flush=True)
    return say(title, started, code == 0, log)


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
    print(f"\nThe emulator worked {report['cpu']:.0f} s")
    print("\nPatches of the emulator, and how often each was needed")
    for name, (count, reason) in report["patches"].items():
        print(f"  {count:>8,}  {name}: {reason}")
    return not report["unexpected"]


class Beside:
    """A program that runs beside the builds."""

    def __init__(self, title: str, command: list[str], folder: Path):
        """Start it.

        Args:
            title: what to call it.
            command: the program and its arguments, in the project's root.
            folder: of this run.
        """
        self._title, self._started = title, time.monotonic()
        self._log = folder / re.sub(r"\W+", "_", f"{title}.txt")
        with self._log.open("w") as file:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )

    def is_passed(self) -> bool:
        """Wait for its end, and return whether it passed."""
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        return say(self._title, self._started, self._process.returncode == 0, self._log, cpu)

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)


def reading(folder: Path) -> Beside:
    """Start sqlfluff over the SQL of models as it was compiled for Snowflake.

    Args:
        folder: of this run.
    """
    place = folder / "target_emulator" / "compiled" / "lettershop" / "models"
    # Beside the models stand their tests, each in a folder called after its YAML.
    files = [path for path in sorted(place.rglob("*.sql")) if ".yml" not in str(path)]
    if len(files) < 150:
        raise RuntimeError(f"only {len(files)} compiled models are in {place}")
    command = [str(ROOT / ".venv" / "bin" / "sqlfluff"), "lint", "--ignore-local-config"]
    command += [f"--config={Path(__file__).with_name('compiled.sqlfluff')}"]
    command += ["--disable-progress-bar", *map(str, files)]
    return Beside(f"sqlfluff in Snowflake's dialect, {len(files)} models", command, folder)


def against_the_gate(folder: Path) -> list[str]:
    """Return what is wrong with SQL that tests/engines/test_dialects.py cannot compile.

    That is the SQL of incremental models, which ask the database what is there.

    Args:
        folder: of this run.
    """
    found = []
    for engine, target in (("duckdb", "target_DuckDB"), ("snowflake", "target_emulator")):
        place = folder / target
        manifest = json.loads((place / "manifest.json").read_text())
        for node in manifest["nodes"].values():
            is_sql = node["resource_type"] == "model" and node["language"] == "sql"
            if is_sql and node["config"]["materialized"] == "incremental":
                path = place / "compiled" / "lettershop" / node["original_file_path"]
                wrong = dialect.problems(path.read_text(), engine)
                found += [f"{engine}, {path.name}: {each.kind} {each.text}" for each in wrong]
    return found


def publish(emulated: Dbt, emulator: Emulator, folder: Path) -> bool:
    """Publish twice on the emulator, the second time over the first, and read what is there.

    Args:
        emulated: dbt on the emulator.
        emulator: where it is.
        folder: of this run.
    """
    is_passed = True
    for title in ("publishing", "publishing again"):
        arguments = json.dumps({"published": PUBLISHED})
        is_passed &= emulated.run(title, "run-operation", "publish", "--args", arguments)
    manifest = json.loads((folder / "target_emulator" / "manifest.json").read_text())
    there = emulator.ask(f"/tables?database={PUBLISHED}")
    found = published.problems(emulator.port, there, manifest, PUBLISHED)
    if emulator.ask(f"/tables?database={PUBLISHED}_next"):
        found.append(f"{PUBLISHED}_next is left over")
    print(f"published and not as in the working database: {len(found)}", *found, sep="\n  ")
    return is_passed and not found


def keep_current(env: dict[str, str], said: dict, folder: Path) -> bool:
    """Make the dynamic tables, which are plain ones on the emulator, and read how.

    Args:
        env: environment variables on top.
        said: the vars of the landing.
        folder: of this run.
    """
    vars = said | {"as_of_at": None, "trigger_target_lag": live.LAG}
    dbt = Dbt("dynamic tables", env, folder, "--vars", json.dumps(vars))
    try:
        is_passed = dbt.run("triggers", "run", "--select", *live.NAMES)
    finally:
        dbt.stop()
    found = live.problems(folder / "target_dynamic tables") if is_passed else []
    print(f"wrong with dynamic tables: {len(found)}", *found, sep="\n  ")
    return is_passed and not found


def landing_of(options: argparse.Namespace, folder: Path) -> tuple[Path, dict]:
    """Return the whole landing and its vars; a simulated one is written.

    Args:
        options: of the command line.
        folder: of this run.
    """
    if options.landing:
        whole, said = map(Path, options.landing)
        if options.people:
            whole = of_some(whole, folder / "whole", options.people)
        return whole, yaml.safe_load(said.read_text())
    with contextlib.redirect_stdout(io.StringIO()):
        write_landing(folder / "whole", options.customers, SEED, DAYS)
    said = yaml.safe_load((ROOT / "demo/simulator/vars.yml").read_text())
    return folder / "whole", said | {"max_rejected_rate": 0.5}


def arrive(number: int, whole: Path, clock: datetime, emulator: Emulator, folder: Path) -> None:
    """Let a day's landing arrive on both engines.

    Args:
        number: of the day.
        whole: everything that ever arrives.
        clock: of the day's build.
        emulator: where it arrives too; the first day as docs/snowflake.md says, from nothing.
        folder: of this run.
    """
    landing = arrived_by(whole, folder / f"landing_{number}", clock)
    if number == 1:
        done = emulator.ask(f"/guide?folder={landing}")
        said = ", ".join(f"{count} statements for the {name}" for name, count in done.items())
        print(f"docs/snowflake.md, from an empty account: {said}", flush=True)
    else:
        acknowledged(landing, folder / "state.duckdb")
        emulator.ask(f"/landing?folder={landing}")
    link = folder / "landing"
    link.unlink(missing_ok=True)
    link.symlink_to(landing)


def main() -> None:
    """Build both days on both engines, compare, test, publish, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--landing", nargs=2, metavar=("FOLDER", "VARS"))
    parser.add_argument("--people", type=int, help="of a landing, only so many customers")
    parser.add_argument(
        "--keep", type=Path, help="where everything stays, the emulator too, to look at it"
    )
    parser.add_argument("--tests", action="store_true", help="run tests/engines beside it")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="lettershop_engines_"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    whole, said = landing_of(options, folder)
    last = datetime.fromisoformat(str(said.get("as_of_at") or CLOCK))
    passed, running, newest = [], [], [0]
    emulator = Emulator(folder / "emulator.txt")
    try:
        places = {
            "DBT_PROFILES_DIR": str(ROOT / "profiles"),
            "DBT_USE_COLORS": "false",
            "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
            "LETTERSHOP_STATE": str(folder / "state.duckdb"),
            "LETTERSHOP_LANDING": str(folder / "landing"),
            "LETTERSHOP_EMULATOR_PORT": str(emulator.port),
            # Nothing is published without one.
            "LETTERSHOP_ERASURE_KEY": "lettershop",
        }
        engines = [Dbt(engine, places, folder) for engine in ("DuckDB", "emulator")]
        running += engines
        emulated, beside = engines[1], []
        if options.tests:
            command = [sys.executable, "-m", "pytest", "-q", "--durations=5", "tests/engines"]
            beside.append(Beside("pytest tests/engines", command, folder))
            running += beside
        for number, clock in enumerate((last - timedelta(days=1), last), start=1):
            arrive(number, whole, clock, emulator, folder)
            vars = json.dumps(said | {"as_of_at": str(clock)})
            passed += both(f"day {number}", engines, *MODELS, "--vars", vars)
            passed.append(compare(f"day {number}, parity", places, folder))
            newest.append(newest_change(folder / "state.duckdb"))
            print(f"changes in the outbox: {newest[-1]:,}, of them new {newest[-1] - newest[-2]:,}")
            passed.append(newest[-1] > newest[-2])
        beside.append(reading(folder))
        running.append(beside[-1])
        passed.append(emulated.run("data tests and unit tests", "test", "--vars", vars))
        for title, found in (
            ("foreign to Snowflake", problems_in(folder / "target_emulator" / "compiled")),
            ("of the other engine, or not the same on both", against_the_gate(folder)),
        ):
            print(f"{title}, in compiled SQL: {len(found)}", *found, sep="\n  ", flush=True)
            passed.append(not found)
        passed.append(publish(emulated, emulator, folder))
        passed.append(keep_current(places, said, folder))
        passed += [each.is_passed() for each in beside]
        passed.append(print_report(emulator.ask("/report")))
    finally:
        for each in running:
            each.stop()
        if options.keep:
            print(f"The emulator listens on at {emulator.port}; its process is {emulator.pid}.")
        else:
            emulator.stop()
            shutil.rmtree(folder)
    verdict = "passed" if all(passed) else "FAILED"
    print(f"\nBoth engines: {verdict}, {time.monotonic() - started:.0f} s")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
