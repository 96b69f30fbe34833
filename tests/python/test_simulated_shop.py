"""The simulated shop: its days arrive one by one, and what is found out is held against the truth.

Builds are killed on the way, rows arrive late, twice and shuffled, orders are updated later, people
are recognised after the fact or erased; the end must be as one build from scratch would have it.
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
import truth
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


def ask_for_erasure(landing: Path, requested_at: datetime) -> None:
    """Add the requests of three people who were busy on the site."""
    path = landing / "erasure_requests.parquet"
    duckdb.execute(
        f"""
        copy (
            from '{path}'
            union all by name
            select 'late request of ' || customer_id as request_id, customer_id,
                timestamp '{requested_at}' as requested_at, timestamp '{requested_at}' as loaded_at
            from (
                select customer_id from '{landing}/web_events.parquet' where customer_id is not null
                group by customer_id order by count(*) desc, customer_id limit 3
            )
        ) to '{path}.new' (format parquet)
        """
    )
    Path(f"{path}.new").replace(path)


@pytest.fixture(scope="module")
def arrivals(builds):
    """The last day twice from the same state: incremental, and with --full-refresh."""
    whole = builds / "simulated" / "landing"
    write_landing(whole, CUSTOMERS, SEED, days=150)
    last = datetime.fromisoformat(CLOCK)
    ask_for_erasure(whole, last - timedelta(hours=36))
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
            # With what a database has not written into its file yet.
            for path in daily.folder.glob("*.duckdb*"):
                shutil.copy(path, refreshed.folder)
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
    refreshed.run("--full-refresh", vars=vars_at(clocks[-1]))
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


# --- Against the truth ---------------------------------------------------------------------------
# The shop of the days above; thoroughly: three shops of 20,000 customers.
SHOPS = [(20_000, 1), (20_000, 2), (20_000, 3)] if THOROUGH else [(CUSTOMERS, SEED)]


@pytest.fixture(scope="module", params=SHOPS)
def known(request, builds):
    """A build on the last day, its landing, and the truth about it."""
    if not THOROUGH:
        request.getfixturevalue("arrivals")
        return (
            Build(builds / "refreshed", builds / "arrived"),
            builds / "arrived",
            builds / "simulated" / "truth",
        )
    customers, seed = request.param
    place = builds / f"shop_{customers}_{seed}"
    write_landing(place / "landing", customers, seed, days=730)
    build = Build(place / "build", place / "landing").run(
        vars=vars_at(datetime.fromisoformat(CLOCK))
    )
    return build, place / "landing", place / "truth"


def test_identifiers_are_given_to_whom_they_belong(known):
    build, _, true = known
    with build.connect() as connection:
        figures = truth.identity(connection, true)
    print(figures)
    assert figures["pairs linkable"] > 3000
    assert figures["precision"] >= 0.999
    # Of the few days' shop some rows arrive after the last day.
    assert figures["recall"] >= 0.97


def test_carts_left_are_exactly_those(known):
    build, landing, true = known
    expected = truth.open_carts(landing, true, CLOCK)
    with build.connect() as connection:
        people = truth.whole_people(connection, true)
    found = {}
    for key, cart in build.query(
        "select customer_key, cart_id from core.fct_carts"
        " where is_open and cart_id is not null and customer_key is not null"
    ):
        found.setdefault(key, set()).add(cart)
    wrong = [
        person
        for person, key in people.items()
        if expected.get(person, set()) != found.get(key, set())
    ]
    print(f"{len(people)} people are whole, of {len(expected)} with carts; {len(wrong)} wrong")
    assert sum(len(expected.get(person, ())) for person in people) > 50
    assert wrong == []


def test_products_viewed_and_not_bought_are_exactly_those(known):
    build, landing, true = known
    expected = truth.unbought_products(landing, true, datetime.fromisoformat(CLOCK))
    with build.connect() as connection:
        people = truth.whole_people(connection, true)
    followed = {
        row[0] for row in build.query("select customer_key from segments.trackable_customers")
    }
    people = {person: key for person, key in people.items() if key in followed}
    found = {}
    for key, product in build.query(
        "select customer_key, product_id from segments.unbought_products"
    ):
        found.setdefault(key, set()).add(product)
    wrong = [
        person
        for person, key in people.items()
        if expected.get(person, set()) != found.get(key, set())
    ]
    print(f"{len(people)} people are whole and may be followed; {len(wrong)} wrong")
    assert sum(len(expected.get(person, ())) for person in people) > 20
    assert wrong == []


def test_machines_are_told_from_people(known):
    """The confusion matrix is printed; the bounds only say that it is worth something."""
    build, _, true = known
    with build.connect() as connection:
        matrix = truth.open_kinds(connection, true)
        correlation = truth.interest(connection, true)
    print(matrix, f"rank correlation of the e-mail score with true interest {correlation:.3f}")

    def share(true_kind, kind):
        total = sum(count for (first, _), count in matrix.items() if first == true_kind)
        return matrix.get((true_kind, kind), 0) / total

    assert share("human", "likely_human") > 0.85
    assert share("privacy_proxy", "privacy_proxy") > 0.9
    assert share("scanner", "likely_human") < 0.2
    assert correlation > 0.3
