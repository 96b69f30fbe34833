"""esp_outbox: applied in order it gives the wanted state, and never holds what it must not."""

import json
import os
import shutil
from datetime import datetime, timedelta

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build
from outbox_statements import CLOCK, ORDER, History, live_through
from outbox_world import Esp, World

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
OUTBOX = "state.activation.esp_outbox"
# People to whom nothing happens, so that an ordinary day stays below the guards.
STEADY, MOVERS = 30, ["ann", "bob", "cat", "dan", "eve", "flo", "gus", "hal"]
PERMITTED = "nobody_is_in_the_outbox_without_permission"
# What the outbox reads of the day; segments and predictions stay as the first build left them.
OF_THE_DAY = [
    *(
        "run",
        "--select",
        "+esp_outbox",
        "esp_latest_ops",
        "esp_erasure_queue",
        "sync_reconciliation",
    ),
    *("--exclude", "path:models/segments", "path:models/features", "path:models/training"),
    *("path:models/predictions", "path:python_models", "segment_memberships", "segment_spells"),
    *("rule_members", "custom_members"),
]


def vars_of(world: World) -> dict:
    """Return the vars of a landing."""
    there = world.tables()
    return {
        "profiling_basis": "legitimate_interest",
        "sync_scope": "all",
        "max_rejected_rate": 0.5,
    } | {f"using_{name}": name in there for name in OPTIONAL_TABLES}


@pytest.fixture(scope="module")
def land():
    """A function that writes a landing anew and returns its folder."""

    def write(folder, world):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, query in world.tables().items():
            duckdb.execute(f"copy ({query}) to '{folder}/{name}.parquet' (format parquet)")
        return folder

    return write


# --- Histories of chance over the statements ----------------------------------------------------


@pytest.fixture(scope="module")
def statements(builds, land):
    """What dbt compiles of the model, its hook and what is shown of it, at CLOCK."""
    world = World(["anybody"])
    build = Build(builds / "outbox_compiled", land(builds / "outbox_compiled_landing", world))
    vars = vars_of(world) | {"as_of_at": str(CLOCK)}
    build.run(
        *("compile", "--quiet", "--select", "esp_outbox", "esp_latest_ops", "sync_reconciliation"),
        PERMITTED,
        vars=vars,
    )
    statement, view = (
        (build.target / f"compiled/lettershop/models/activation/{name}.sql").read_text()
        for name in ("esp_outbox", "esp_latest_ops")
    )
    hook = (
        "-- depends_on: {{ ref('fct_erasures') }}\n{{ scrub_outbox(ref('esp_outbox')) }}"
        "\n;COUNTS;\n{{ outbox_counts(ref('esp_outbox')) }}"
    )
    build.run("compile", "--quiet", "--inline", hook, vars=vars)
    lines = build.result.stdout.splitlines()
    hook, _, counts = "\n".join(
        line for line in lines if not line.strip().startswith("--")
    ).partition(";COUNTS;")
    return statement, hook, view, counts


def test_what_may_not_be_told_is_looked_for_under_the_names_of_the_map(statements, builds):
    """Renamed fields, and other fallbacks, are no behaviour; a value under any name is."""
    path = f"tests/singular/activation/{PERMITTED}.sql"
    query = (builds / "outbox_compiled/target/compiled/lettershop" / path).read_text()
    with duckdb.connect() as connection:
        connection.execute(
            """
            attach ':memory:' as work;
            create schema work.core; create schema work.activation; create schema work.seeds;
            create table work.seeds.esp_field_map as
            select * from (values
                ('generic', 'rfm_segment', 'tier', 'text', 'no "tier"', 'profiling'),
                ('generic', 'is_buyer', 'buys', 'boolean', 'false', 'profiling'),
                ('generic', 'language', 'language', 'text', 'unknown', 'email_marketing')
            ) as map (esp, column_name, property_name, property_type, fallback, purpose);
            create table work.core.fct_permissions as
            select 'c' as customer_key, 'email_marketing' as purpose, true as is_permitted;
            create table work.core.fct_suppressions as select '' as email limit 0;
            create table work.core.dim_customers as select 'c' as customer_key;
            create table work.activation.esp_latest_ops as
            select * from (values
                (1, 'upsert', 'c', 'a@example.com',
                    '{"buys": false, "language": "de", "tier": "no \\"tier\\""}'),
                (2, 'upsert', 'c', 'a@example.com',
                    '{"buys": false, "language": "de", "tier": "none"}'),
                (3, 'upsert', 'c', 'a@example.com',
                    '{"buys": true, "language": "de", "tier": "no \\"tier\\""}')
            ) as ops (change_seq, op, customer_key, email, payload);
            """
        )
        assert sorted(connection.execute(query).fetchall()) == [(2, "upsert"), (3, "upsert")]


def test_histories_of_chance_end_in_the_wanted_state(statements):
    """Every row in order, or each profile's newest, and not every day: the ESP ends the same.

    An upsert carries what may be sent of who may be written to, and what differs from it waits for
    the customer's day of the week. The same build again writes nothing. The guard counts the
    profiles that each build writes for. Whoever refused is not mailed, whoever was erased is not
    there, and nobody takes an address that has a profile.
    """
    counts = {}
    kinds = ((True, True), (True, False), (False, True), (False, False))
    if THOROUGH:
        lives = [(kind, seed, 12) for kind in kinds for seed in range(100)]
    else:
        # In the first two somebody swaps addresses while no sync runs; in the others somebody is
        # erased whose profile has become another's, by a merge, under the id at the ESP, and by a
        # merge after which an address of before is all that is left to erase.
        lives = [(kind, seed, 8) for kind in kinds for seed in (8, 12)]
        lives += [(kinds[0], 15, 12), (kinds[0], 29, 12), (kinds[2], 122, 12)]
    for (has_exports, in_order), seed, days in lives:
        history = History(statements, seed, has_exports, in_order)
        for op, count in live_through(history, days, THOROUGH or not in_order).items():
            counts[op] = counts.get(op, 0) + count
    # Otherwise the histories show little.
    assert all(counts[op] for op in ORDER), counts
    assert counts["waited"] and counts["held"]


def test_who_swap_addresses_while_no_sync_runs_are_told_so_in_the_end(statements):
    """Without an export a day passes for a deletion, and then the profile's newest row hides it.

    At the platform neither can have the other's address before both deletions are carried out: they
    are still shown, and what follows them waits for the next night.
    """
    history = History(statements, 0, has_exports=False, in_order=False)
    told = []

    def day(has_sync: bool = True) -> None:
        told.append([row["op"] for row in history.build() if row["op"] != "event"])
        if has_sync:
            history.sync()
        history.now += timedelta(days=1)

    day()
    first, second = history.people["key01"], history.people["key02"]
    first["email"], second["email"] = second["email"], first["email"]
    day(has_sync=False)
    day(has_sync=False)
    assert told[1:] == [["delete"] * 2, ["upsert"] * 2]
    before = history.esp.state()
    day()
    assert history.esp.state().keys() == before.keys() - {"key01", "key02"}
    # At once again nothing follows.
    history.now -= timedelta(hours=23)
    history.sync()
    assert history.esp.state().keys() == before.keys() - {"key01", "key02"}
    history.now += timedelta(hours=23)
    day()
    held = {email for email, _ in history.esp.state().values()}
    assert history.esp.state()["key01"][0] == first["email"] == before["key02"][0]
    assert history.esp.state()["key02"][0] == second["email"] == before["key01"][0]
    assert len(held) == len(before) and history.counts["refused"] == 0


def test_the_guard_does_not_count_who_only_waits(statements):
    """Two who swap addresses are deleted; until an export shows it nothing is written of them."""
    history = History(statements, 0, has_exports=True, in_order=False)
    for number in range(3):
        if number == 1:
            first, second = history.people["key01"], history.people["key02"]
            first["email"], second["email"] = second["email"], first["email"]
        ops = [row["op"] for row in history.build() if row["op"] != "event"]
        history.now += timedelta(minutes=1)
    assert ops == []
    *_, changed = history.connection.execute(history.now_in(statements[3])).fetchone()
    assert changed == 0 and "key01" in history.wanted


def test_a_profile_that_gets_another_key_is_one_change(statements):
    """A merge and an upsert: as many of them would stop a build if they counted twice."""
    history = History(statements, 0, has_exports=False, in_order=False)
    for number in range(34):
        history.join(f"more{number}@example.com")
    history.build()
    history.now += timedelta(days=2)
    for key in list(history.people)[10:17]:
        history.people[key]["is_gone"] = True
        history.join(history.people[key]["email"])
    ops = [row["op"] for row in history.build() if row["op"] != "event"]
    assert ops == ["merge"] * 7 + ["upsert"] * 7
    written = history.rows("op <> 'event'")
    history.connection.execute(
        f"delete from {OUTBOX} where change_seq >= {written[-14]['change_seq']}"
    )
    counts = history.connection.execute(history.now_in(statements[3])).fetchone()
    assert counts[2:] == (40, 40, 0, 7)


@pytest.mark.parametrize("has_exports", [True, False])
def test_an_erasure_reaches_every_address_that_was_sent(statements, has_exports):
    """An ESP that deletes by address has somebody under an old one, where no sync told of the move.

    Not where somebody else lives by now. Once it is confirmed no address is left.
    """
    history = History(statements, 0, has_exports, in_order=False)

    def day() -> set[tuple]:
        rows = history.build()
        history.now += timedelta(days=1)
        return {(row["esp_id"], row["email"]) for row in rows if row["op"] == "erase"}

    day()
    history.sync()
    history.export()
    mover, other = history.people["key03"], history.people["key04"]
    first = mover["email"]
    for email in ("theirs@example.com", "left@example.com", "last@example.com"):
        mover["email"] = email
        assert day() == set()
    other["email"] = "theirs@example.com"
    day()
    day()
    assert history.rows("email = 'theirs@example.com' and customer_key = 'key04'")
    mover["is_erased"] = True
    erasure = {"key": "key03", "emails": ["last@example.com"], "confirmed_at": None}
    erasure["at"] = history.now - timedelta(minutes=1)
    history.erasures.append(erasure)
    expected = {
        ("key03", "last@example.com"),
        (first, first),
        ("left@example.com", "left@example.com"),
    }
    # Where exports are read, the ids of the request too.
    assert {row for row in day() if row[1]} == expected
    shown = history.rows("op = 'erase'", f"({history.now_in(history.view)})")
    assert {(row["esp_id"], row["email"]) for row in shown if row["email"]} == expected
    assert day() == set()
    history.sync()
    history.export()
    history.now += timedelta(days=1 if has_exports else 30)
    assert day() == set() and erasure["confirmed_at"]
    assert not history.rows("op = 'erase' and esp_id is not null")


def test_an_older_outbox_is_seen_and_numbers_go_on_after_what_the_esp_was_told(statements):
    """Else a sync would take what is new for what it has sent, and the guard ask every night."""
    history = History(statements, 0, has_exports=True, in_order=False)

    def ahead() -> int:
        return history.connection.execute(history.now_in(statements[3])).fetchone()[1]

    history.build()
    history.sync()
    history.export()
    history.now += timedelta(days=1)
    history.build()
    greatest = max(row[4] for row in history.exported)
    history.connection.execute(f"delete from {OUTBOX} where change_seq > {greatest}")
    assert ahead() == 0
    history.connection.execute(f"delete from {OUTBOX} where change_seq > {greatest - 2}")
    assert ahead() == 2
    new = history.build()
    assert [row["change_seq"] for row in new][:2] == [greatest + 1, greatest + 2]
    assert ahead() == 0
    history.connection.execute(f"delete from {OUTBOX}")
    assert ahead() == len(history.exported)


def test_a_suppression_that_was_passed_over_is_told_once_more(statements):
    """Who was written and refused before any sync came to the ESP by a form of its own."""
    history = History(statements, 0, has_exports=True, in_order=False)
    person = history.people["key05"]

    def day() -> list[str]:
        rows = [row["op"] for row in history.build() if row["customer_key"] == "key05"]
        history.now += timedelta(days=1)
        history.export()
        return [op for op in rows if op != "event"]

    assert day() == ["upsert"]
    person["has_refused"] = True
    assert day() == ["suppress"]
    # As no sync ran, nobody has a number of ours yet: who heard what cannot be known.
    form = {"number": "k form", "at": "2024-01-01T00:00:00Z", "payload": {}, "seq": None}
    form |= {"email": person["email"], "is_suppressed": False}
    history.esp.profiles["key05"] = form
    history.export()
    assert day() == [] and day() == []
    history.esp.profiles["theirs0"]["seq"] = 1
    history.export()
    assert [day() for _ in range(4)] == [["suppress"], [], [], []]
    # Who was told as what they are is not told again.
    history.connection.execute(
        f"delete from {OUTBOX} where op = 'suppress' and change_seq ="
        f" (select max(change_seq) from {OUTBOX} where op = 'suppress')"
    )
    form["seq"] = 1
    history.export()
    assert day() == []
    form["seq"] = None
    history.export()
    assert day() == ["suppress"]


def test_a_suppression_names_the_address_that_the_platform_has_by_now(statements):
    """Some suppress by address. Not one that is somebody else's here."""
    history = History(statements, 0, has_exports=True, in_order=False)
    history.build()
    history.sync()
    theirs = history.people["key03"]["email"]
    moves = {"key05": "moved@example.com", "key06": theirs}
    for key, email in moves.items():
        history.esp.profiles[key]["email"] = email
    history.now += timedelta(days=1)
    history.export()
    for key in moves:
        history.people[key]["has_refused"] = True
    rows = {row["customer_key"]: row for row in history.build() if row["op"] == "suppress"}
    assert rows["key05"]["email"] == "moved@example.com"
    assert rows["key06"]["email"] == history.people["key06"]["email"] != theirs


# --- Builds ---------------------------------------------------------------------------------------


def count_of(build: Build) -> int:
    """Return how many rows the outbox has."""
    return build.query(f"select count(*) from {OUTBOX}")[0][0]


def send(build: Build, esp: Esp, after: int) -> list[dict]:
    """Send the rows of the outbox after a number, in order, and return them."""
    with build.connect() as connection:
        result = connection.execute(
            f"select * from {OUTBOX} where change_seq > {after} order by change_seq"
        )
        names = [column[0] for column in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    for row in rows:
        esp.apply(row)
    return rows


@pytest.fixture(scope="module")
def days(builds, land):
    """A shop over a few days, its ESP, and what was seen each day."""
    world, esp = World([*(f"p{number}" for number in range(STEADY)), *MOVERS]), Esp()
    build, seen = Build(builds / "outbox", builds / "outbox_landing"), []

    def go(*args: str, clock: datetime | None = None, **said) -> None:
        land(build.landing, world)
        vars = vars_of(world) | {"as_of_at": str(clock or world.now)} | said
        build.run(*args, vars=vars)
        rows = send(build, esp, seen[-1]["last"] if seen else 0)
        seen.append(
            {
                "rows": rows,
                "last": build.query(f"select coalesce(max(change_seq), 0) from {OUTBOX}")[0][0],
                "wanted": build.query("select email, payload from activation.esp_payloads"),
                "held": esp.state(),
                "forbidden": build.query(
                    "select email from marts.customer_contactability inner join core.dim_customers"
                    " using (customer_key) where not is_contactable and email is not null"
                    " and block_reason <> 'address_shared'"
                ),
            }
        )
        world.now += timedelta(days=1)
        world.exports = esp.export(world.now - timedelta(hours=2))

    everything = ("build", "--resource-type", "seed", "--resource-type", "model")
    # While nobody has declared a basis, nothing is sent; nor by an empty run.
    go(*everything, "--exclude", "path:models/monitoring", profiling_basis=None)
    undeclared = build.result.stdout
    go("run", "--select", "esp_payloads", "esp_outbox", "--empty")
    go(*OF_THE_DAY)
    people = world.people
    world.says("ann", "withdrawn")
    world.says("bob", "objected", "profiling")
    people["cat"].email, people["dan"].email = people["dan"].email, people["cat"].email
    people["eve"].merged_into = "flo"
    people["flo"].email = "eve@example.com"
    people["gus"].first_name = 'Gus "the" Öl\\'
    world.erase("hal")
    world.unsubscribes.append(("p1@example.com", None, world.now - timedelta(minutes=5)))
    world.unsubscribes.append(("p2@example.com", "news", world.now - timedelta(minutes=5)))
    world.bounces.append(("p3@example.com", world.now - timedelta(minutes=5)))
    world.complaints.append(("p4@example.com", world.now - timedelta(minutes=5)))
    # Who may be profiled is decided among the segments.
    go(*everything, "--exclude", "path:models/monitoring")
    world.says("ann", "granted")
    world.says("p1", "granted")
    world.says("p3", "granted")
    world.says("p4", "granted")
    people["eve"].merged_into = None
    people["flo"].email = "flo@example.com"
    go(*OF_THE_DAY)
    go(*everything, "--exclude", "path:models/monitoring")
    build.undeclared, build.world, build.days = undeclared, world, seen
    return build


def ops(build: Build, day: int) -> dict[str, list[str]]:
    """Return the addresses of each op of a day."""
    found = {}
    for row in build.days[day]["rows"]:
        found.setdefault(row["op"], []).append(row["email"])
    return {op: sorted(emails, key=str) for op, emails in found.items()}


def test_nothing_is_written_before_a_basis_is_declared_nor_by_an_empty_run(days):
    assert "profiling_basis is not set" in days.undeclared
    assert days.days[0]["rows"] == days.days[1]["rows"] == []


def test_the_first_build_sends_everybody(days):
    assert {op: len(emails) for op, emails in ops(days, 2).items()} == {
        "upsert": STEADY + len(MOVERS)
    }


def test_every_change_of_a_day_has_its_op(days):
    assert ops(days, 3) == {
        # The CRM's id and the contact's too, whichever the ESP knows.
        "erase": [None, None, "hal@example.com"],
        # Two swap addresses; of two records that are one person the older's key goes on.
        "delete": ["cat@example.com", "dan@example.com", "flo@example.com"],
        "suppress": [f"{name}@example.com" for name in ("ann", "p1", "p3", "p4")],
        # With the merged record's order.
        "upsert": ["bob@example.com", "eve@example.com", "gus@example.com"],
    }


def test_who_grants_again_comes_back_and_who_bounced_or_complained_does_not(days):
    later = ops(days, 4)
    assert {"ann@example.com", "p1@example.com"} <= set(later["upsert"])
    emails = {email for email, _ in days.days[-1]["held"].values()}
    assert not {"p3@example.com", "p4@example.com"} & emails and "p2@example.com" in emails


def test_the_esp_ends_with_the_wanted_state(days):
    held = sorted(days.days[-1]["held"].values(), key=str)
    wanted = [(email, json.loads(payload)) for email, payload in days.days[-1]["wanted"]]
    assert held == sorted(wanted, key=str)
    for day in days.days:
        forbidden = {email for (email,) in day["forbidden"]}
        assert not forbidden & {email for email, _ in day["held"].values()}


def test_who_may_not_be_profiled_is_sent_fallbacks(days):
    payloads = [
        json.loads(payload)
        for email, payload in days.days[-1]["wanted"]
        if email == "bob@example.com"
    ]
    assert [payload["first_name"] for payload in payloads] == ["Bob"]
    assert payloads[0]["may_be_profiled"] is payloads[0]["is_buyer"] is False
    assert payloads[0]["segments"] == []
    assert payloads[0]["lifecycle_stage"] == payloads[0]["last_order_date"] == "none"


def test_of_the_erased_the_number_alone_is_left(days):
    """The row that tells the ESP keeps the address until an export is without it."""
    assert days.query(
        f"select op, count(*) from {OUTBOX} where esp_id is null and email is null"
        " and customer_key is null and payload is null group by op order by op"
    ) == [("erase", 3), ("upsert", 1)]
    with days.connect() as connection:
        assert connection.execute(
            f"select count(*) from {OUTBOX} as outbox where cast(outbox as varchar) like '%hal%'"
        ).fetchone() == (0,)


def test_the_numbers_rise_by_one(days):
    assert days.query(
        f"select count(*), count(distinct change_seq), max(change_seq) from {OUTBOX}"
    ) == [(count_of(days),) * 3]


def again(days: Build, builds, name: str) -> Build:
    """Return a build on copies of the databases."""
    copy = Build(builds / name, days.landing)
    for path in days.folder.glob("*.duckdb*"):
        shutil.copy(path, copy.folder)
    return copy


QUICK = (
    "run",
    "--select",
    "esp_outbox",
    "esp_latest_ops",
    "esp_generic",
    "esp_klaviyo",
    "esp_braze",
)


def test_the_same_build_a_full_refresh_and_a_new_working_database_write_nothing(days, builds):
    copy = again(days, builds, "outbox_again")
    vars = vars_of(days.world) | {"as_of_at": str(days.world.now - timedelta(days=1))}
    before = count_of(days)
    copy.run(*QUICK, "--full-refresh", vars=vars)
    assert count_of(copy) == before
    # `make clean` takes the working database away, the state stays.
    (copy.folder / "work.duckdb").unlink()
    copy.run(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--exclude", "path:models/monitoring"),
        vars=vars,
    )
    assert count_of(copy) == before


def test_an_earlier_clock_is_refused(days, builds):
    copy = again(days, builds, "outbox_earlier")
    vars = vars_of(days.world) | {"as_of_at": "2024-03-01 00:00:00"}
    copy.run("run", "--select", "esp_outbox", vars=vars, passes=False)
    assert copy.result.returncode != 0
    assert "The state has been built up to" in copy.result.stdout


def test_a_run_without_rows_does_not_empty_the_state(days, builds):
    copy = again(days, builds, "outbox_empty")
    tables = {
        "esp_outbox": "activation",
        "esp_erasure_queue": "activation",
        "segment_spells": "marts",
        "product_prices": "marts",
    }

    def state():
        return {
            name: sorted(copy.query(f"from state.{schema}.{name}"), key=repr)
            for name, schema in tables.items()
        }

    before = state()
    assert before["segment_spells"] and before["esp_outbox"]
    vars = vars_of(days.world) | {"as_of_at": str(days.world.now)}
    for refresh in ([], ["--full-refresh"]):
        copy.run("run", "--select", *tables, "--empty", *refresh, vars=vars)
        assert state() == before


# What to do to the tables that the guard looks at; the beginning of what it says; the approval.
GUARDED = {
    "nobody_is_wanted": ("work", "delete from activation.esp_payloads", "nobody is to be written"),
    "many_go": (
        "work",
        "delete from activation.esp_payloads where email like 'p1%'",
        "profiles would be taken from the ESP, more than 20 %",
    ),
    "many_change": (
        "work",
        "update activation.esp_payloads set payload_hash = 'new', daily_hash = 'new'"
        " where email like 'p1%'"
        " or email like 'p2%'",
        "profiles would change, are new or go, more than 30 %",
    ),
    "the_state_is_new": ("state", "delete from activation.esp_outbox", "it has no rows, and"),
}


@pytest.mark.parametrize("name", GUARDED)
def test_a_guard_leaves_no_row_until_it_is_approved(days, builds, name):
    database, statement, said = GUARDED[name]
    copy = again(days, builds, f"outbox_{name}")
    with duckdb.connect(str(copy.folder / f"{database}.duckdb")) as connection:
        connection.execute(statement)
    before = count_of(copy)
    vars = vars_of(days.world) | {"as_of_at": str(days.world.now)}
    copy.run("run", "--select", "esp_outbox", vars=vars, passes=False)
    assert copy.result.returncode == 1 and said in copy.result.stdout
    assert count_of(copy) == before
    approved = int(copy.result.stdout.split("approve_esp_changes: ")[1].split(".")[0])
    if name == "nobody_is_wanted":
        copy.run("run", "--select", "esp_outbox", "--empty", vars=vars)
        wrong = vars | {"approve_esp_changes": approved + 1}
        copy.run("run", "--select", "esp_outbox", vars=wrong, passes=False)
        assert count_of(copy) == before
    copy.run("run", "--select", "esp_outbox", vars=vars | {"approve_esp_changes": approved})
    assert count_of(copy) > before


@pytest.mark.parametrize("esp", ["klaviyo", "braze"])
def test_each_esp_gets_its_own_json(days, builds, esp):
    copy = again(days, builds, f"outbox_{esp}")
    vars = vars_of(days.world) | {"as_of_at": str(days.world.now), "esp": esp}
    copy.run("run", "--select", "esp_payloads", vars=vars)
    # Names change with the ESP, and so does every payload: the guard asks.
    copy.run("run", "--select", "esp_outbox", vars=vars, passes=False)
    if copy.result.returncode:
        approved = int(copy.result.stdout.split("approve_esp_changes: ")[1].split(".")[0])
        vars |= {"approve_esp_changes": approved}
    copy.run(*QUICK, vars=vars)
    found = {}
    for op, payload in copy.query(f"select op, payload from activation.esp_{esp}"):
        found.setdefault(op, []).append(json.loads(payload))
    assert copy.query("select count(*) from activation.esp_generic") == [(0,)]
    bob = next(one for one in found["upsert"] if "bob@example.com" in json.dumps(one))
    if esp == "klaviyo":
        assert set(bob) == {"type", "attributes"} and bob["type"] == "profile"
        assert set(bob["attributes"]) == {"email", "external_id", "first_name", "properties"}
        assert bob["attributes"]["properties"]["synced_change_seq"] > 0
        assert found["suppress"][0]["attributes"].keys() == {"email"}
        attributes = found["delete"][0]["data"]["attributes"] if "delete" in found else None
        assert attributes is None or set(attributes) == {"profile"}
    else:
        assert bob["email"] == "bob@example.com" and bob["language_code"] == "unknown"
        assert found["suppress"][0]["email_subscribe"] == "unsubscribed"
