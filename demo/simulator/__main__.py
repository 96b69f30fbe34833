"""Write the landing tables of a simulated shop, and the truth about it beside them.

    python -m demo.simulator data/demo/simulated/landing --customers 20000 --seed 7 [--days 730]

README.md in this folder says what is simulated. Everything is DuckDB SQL: `steps/` make the shop
in a temporary database, `landing/` and `truth/` hold one query per table written. The same seed,
number of customers and days give the same content, whatever the number of threads.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
# Midnight in Berlin after the last simulated day.
CLOCK = "2024-12-31 23:00:00"
CLOCK_DATE = "2025-01-01"
CATEGORIES = 12
# Rows sorted and written at once: beyond this many customers a large table becomes a folder.
CUSTOMERS_PER_FILE = 100_000
IN_PARTS = {"landing/web_events", "landing/esp_events"}


def fingerprint(customers: int, seed: int, days: int) -> str:
    """Return one line that changes when the content of the landing may change."""
    program = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.suffix in (".sql", ".csv", ".py", ".yml"):
            program.update(path.read_bytes())
    return f"# {customers} customers, seed {seed}, {days} days, by {program.hexdigest()[:16]}\n"


def connect(folder: Path, customers: int, seed: int, days: int, threads: int):
    """Open a temporary database with the settings of this run as variables.

    Args:
        folder: where the database lies.
        customers: people with an account.
        seed: of every draw.
        days: how long the shop has been there.
        threads: of DuckDB; they change no byte.
    """
    connection = duckdb.connect(
        str(folder / "simulator.duckdb"),
        config={"threads": threads, "memory_limit": "5GB", "temp_directory": str(folder)},
    )
    settings = {
        "seed": seed,
        "customers": customers,
        "days": days,
        "categories": CATEGORIES,
        # Slowly more products with more customers; whole brands of eight.
        "products_per_category": 8 * max(3, round(customers**0.25 * 1.2)),
        "clock_date": CLOCK_DATE,
    }
    for name, value in settings.items():
        connection.execute(f"set variable {name} = {value!r}")
    connection.execute(f"set variable clock = timestamp '{CLOCK}'")
    connection.execute(f"set variable opening = timestamp '{CLOCK}' - interval {days} days")
    connection.execute(f"create table truth_parameters as from '{HERE}/parameters.csv'")
    for name, value in connection.execute("select name, value from truth_parameters").fetchall():
        connection.execute(f"set variable parameter_{name} = cast({value} as double)")
    return connection


def write_table(connection, query: Path, folder: Path, parts: int) -> None:
    """Write one table as parquet: one file, or a folder where it has parts.

    Args:
        connection: the finished shop.
        query: its file's name is the table's.
        folder: where to write.
        parts: files that the time of loading is cut into.
    """
    target = folder / f"{query.stem}.parquet"
    sql = query.read_text().rstrip().rstrip(";")
    if target.is_dir():
        for old in target.iterdir():
            old.unlink()
        target.rmdir()
    target.unlink(missing_ok=True)
    if parts > 1:
        target.mkdir()
    for part in range(parts):
        # The queries of large tables ask for these: the share of loading time that a part covers.
        connection.execute("set variable part_from = $1::double", [part / parts])
        connection.execute("set variable part_until = $1::double", [(part + 1) / parts])
        path = target / f"part_{part:03}.parquet" if parts > 1 else target
        # Ids hardly repeat: a dictionary of them costs much and saves nothing.
        connection.execute(
            f"copy ({sql}) to '{path}' (format parquet, compression snappy,"
            " string_dictionary_page_size_limit 65536)"
        )


def write_landing(landing: Path, customers: int, seed: int, days: int, threads: int = 2) -> None:
    """Write the landing tables, `vars.yml` among them, and the truth in `<landing>/../truth`.

    Nothing is done where the same program wrote the same already. A folder with tables that this
    program did not write is refused.

    Args:
        landing: the folder, created where missing.
        customers: people with an account.
        seed: of every draw.
        days: how long the shop has been there, at the clock.
        threads: of DuckDB.
    """
    vars_text = (HERE / "vars.yml").read_text()
    title = vars_text.splitlines()[0]
    truth = landing.parent / "truth"
    landed = landing / "vars.yml"
    made_by = fingerprint(customers, seed, days)
    if landed.exists() and landed.read_text().splitlines()[:1] == [title]:
        if landed.read_text() == vars_text + made_by:
            return
    elif any(landing.glob("*.parquet")) or any(truth.glob("*.parquet")):
        sys.exit(
            f"{landing} or {truth} holds tables that this demo did not write; it would overwrite"
            " them. Unset LETTERSHOP_LANDING (and the other three variables), or name an empty"
            " folder."
        )
    landing.mkdir(parents=True, exist_ok=True)
    truth.mkdir(exist_ok=True)
    # Ours from now on, and not complete before the last line is written.
    landed.write_text(title + "\n")
    with tempfile.TemporaryDirectory(dir=landing.parent, prefix=".simulator-") as folder:
        connection = connect(Path(folder), customers, seed, days, threads)
        for step in sorted((HERE / "steps").glob("*.sql")):
            started = time.monotonic()
            connection.execute(step.read_text())
            print(f"  {step.stem[3:]} ({time.monotonic() - started:.1f} s)", flush=True)
        for name, target in (("landing", landing), ("truth", truth)):
            for query in sorted((HERE / name).glob("*.sql")):
                started = time.monotonic()
                is_large = f"{name}/{query.stem}" in IN_PARTS
                parts = 1 + (customers - 1) // CUSTOMERS_PER_FILE if is_large else 1
                write_table(connection, query, target, parts)
                seconds = time.monotonic() - started
                print(f"  wrote {name}/{query.stem} ({seconds:.1f} s)", flush=True)
        connection.close()
    landed.write_text(vars_text + made_by)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.simulator", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("landing", type=Path, help="folder of the landing tables")
    parser.add_argument("--customers", type=int, default=20_000, help="people with an account")
    parser.add_argument("--seed", type=int, default=7, help="of every draw")
    parser.add_argument("--days", type=int, default=730, help="from the opening to the clock")
    parser.add_argument("--threads", type=int, default=2, help="of DuckDB")
    options = parser.parse_args()
    # Ids are 32 bits and a person takes 2,048 of them, 1.42 people to a customer;
    # messages are numbered for up to 110 newsletters.
    if not 100 <= options.customers <= 1_400_000 or not 60 <= options.days <= 760:
        parser.error("--customers goes from 100 to 1,400,000, --days from 60 to 760")
    write_landing(options.landing, options.customers, options.seed, options.days, options.threads)
