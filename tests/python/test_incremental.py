"""Days that arrive one by one, in builds that are killed, end as one build from scratch would.

The simulated shop brings what makes that hard: rows that arrive late or twice, orders updated
later, people recognised after the fact, people erased. Its rows are shuffled besides.
"""

import os
import random
import shutil
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import ROOT, Build, differing

from demo.simulator.__main__ import CLOCK, write_landing
from tools.publish import publish

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
DAYS, KILLS = (30, 10) if THOROUGH else (4, 3)
CUSTOMERS, SEED = 600, 11
# Tables without loaded_at: what happened by then is there.
EVENT_TIMES = {"social_interactions": "occurred_at", "fx_rates": "rate_date"}
SCHEMAS = ("staging", "intermediate", "core", "segments", "marts", "activation")


def arrived_by(whole: Path, folder: Path, clock: datetime) -> Path:
    """Write what of a landing was loaded before a time, in an order of chance."""
    folder.mkdir(parents=True)
    for path in sorted(whole.glob("*.parquet")):
        columns = [row[0] for row in duckdb.execute(f"describe from '{path}'").fetchall()]
        loaded_at = "loaded_at" if "loaded_at" in columns else EVENT_TIMES.get(path.stem)
        condition = f"{loaded_at} is null or {loaded_at} < timestamp '{clock}'"
        duckdb.execute(
            f"copy (from '{path}' as landed where {condition if loaded_at else 'true'}"
            f" order by hash(cast(landed as varchar) || '{clock}'))"
            f" to '{folder}/{path.name}' (format parquet)"
        )
    return folder


def vars_at(clock: datetime) -> dict:
    """Return the simulated shop's vars with another clock."""
    return yaml.safe_load((ROOT / "demo/simulator/vars.yml").read_text()) | {
        "as_of_at": str(clock),
        # Small tables: a few bad rows are a large part of them.
        "max_rejected_rate": 0.5,
    }


@pytest.fixture(scope="module")
def arrivals(builds):
    """The last day twice from the same state: incremental, and with --full-refresh."""
    whole = builds / "simulated" / "landing"
    write_landing(whole, CUSTOMERS, SEED, days=150)
    last = datetime.fromisoformat(CLOCK)
    clocks = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    chance = random.Random(SEED)
    killed = set(chance.sample(range(1, DAYS), KILLS))
    daily = Build(builds / "daily", builds / "arrived")
    refreshed = Build(builds / "refreshed", builds / "arrived")
    published = daily.folder / "published.duckdb"
    readings, seconds, kills = [], None, []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            with duckdb.connect(str(published), read_only=True) as connection:
                readings.append(
                    connection.execute("select count(*) from core.dim_customers").fetchone()[0]
                )
            time.sleep(0.2)

    for number, clock in enumerate(clocks):
        shutil.rmtree(daily.landing, ignore_errors=True)
        arrived_by(whole, daily.landing, clock)
        if number == DAYS - 1:
            for name in ("work.duckdb", "state.duckdb"):
                shutil.copy(daily.folder / name, refreshed.folder / name)
        if number in killed:
            daily.run(vars=vars_at(clock), passes=False, killed_after=seconds * chance.random())
            kills.append(daily.result.returncode)
        started = time.monotonic()
        daily.run(vars=vars_at(clock))
        seconds = time.monotonic() - started
        if number == 0:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in daily.environment().items():
                    patch.setenv(name, value)
                publish()
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
    stop.set()
    reader.join()
    refreshed.run(
        *("build", "--resource-type", "seed", "--resource-type", "model", "--full-refresh"),
        vars=vars_at(clocks[-1]),
    )
    return daily, refreshed, readings, kills


def test_incremental_equals_full_refresh(arrivals):
    daily, refreshed, *_ = arrivals
    left, right = daily.contents(SCHEMAS), refreshed.contents(SCHEMAS)
    assert len(left) > 100
    assert differing(left, right) == []


def test_builds_were_killed(arrivals):
    *_, kills = arrivals
    assert len(kills) == KILLS
    # A late kill may come after the end; most must not.
    assert kills.count(-9) >= KILLS - 1


def test_the_published_copy_was_readable_all_the_time(arrivals):
    _, _, readings, _ = arrivals
    assert len(readings) > 20
    assert set(readings) == {readings[0]}


def test_the_days_brought_what_makes_it_hard(arrivals):
    """Late rows, versions, merges, erasures: without them the equality shows little."""
    daily, *_ = arrivals
    counts = dict(
        daily.query(
            """
            select 'late', count(*) from staging.base_web__events
            where loaded_at > occurred_at + interval '5 days'
            union all
            select 'superseded', count(*) from staging.base_web__events
            where row_status = 'superseded'
            union all
            select 'withheld', count(*) from staging.base_web__events
            where row_status = 'withheld'
            union all
            select 'merged', count(*) from intermediate.int_records_linked where is_merged
            union all
            select 'stitched', count(*) from core.fct_web_events
            where customer_key is not null and anonymous_id is not null
            union all
            select 'anonymous', count(*) from core.fct_web_events where customer_key is null
            union all
            select 'triggered', count(*) from state.activation.trigger_log
            """
        )
    )
    assert all(counts.values()), counts
