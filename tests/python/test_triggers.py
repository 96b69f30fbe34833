"""trigger_log over a morning: what fires, once, and what must not."""

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build

NOON, LATER = "2024-03-01 12:00:00", "2024-03-01 14:00:00"
USED = ("web_events", "consent_events", "erasure_requests")
VARS = {"shop_timezone": "UTC", "profiling_basis": "legitimate_interest"} | {
    f"using_{name}": name in USED for name in OPTIONAL_TABLES
}
# Who puts something in the cart on that day, and when; a cart is due an hour later.
CARTS = {
    "left": "10:00",
    "merges": "10:00",
    "objects_after": "10:00",
    "erased_after": "10:00",
    "waits": "11:30",
    "orders": "11:30",
    "withdraws": "11:30",
    "objects": "11:30",
    "stops_tracking": "11:30",
    "left_it_last_year": "2023-03-01 10:00",
}
# Rows that a loader brings only after noon.
LATE_CARTS = {"late": "11:45", "too_late": "2024-02-28 10:00"}
PEOPLE = [*CARTS, *LATE_CARTS, "original"]
LOG = "select trigger_type, customer_key, fired_at from state.activation.trigger_log"


def rows(*values: tuple, columns: str) -> str:
    """Return the SQL of rows; every value is text or null."""
    lines = [
        "(" + ", ".join("null" if value is None else f"'{value}'" for value in row) + ")"
        for row in values
    ]
    return f"select * from (values {', '.join(lines)}) as rows ({columns})"


def tables(is_later: bool) -> dict[str, str]:
    """Return the landing at noon, or two hours later, when more is known.

    Args:
        is_later: whether it is later.
    """
    carts = CARTS | (LATE_CARTS if is_later else {})
    signed_up = "2022-01-01 09:00:00"
    customers = [
        (
            name,
            f"{name}@example.com",
            signed_up,
            "original" if is_later and name == "merges" else None,
        )
        for name in PEOPLE
    ]
    customers.append(("new", "new@example.com", "2024-03-01 08:00:00", None))
    events = [
        (
            f"{name}-{event}",
            name,
            "add_to_cart",
            "p1",
            f"cart-{name}",
            time if len(time) > 5 else f"2024-03-01 {time}",
        )
        for name, time in carts.items()
        for event in ("a", "b")
    ]
    consent = [
        (f"{name}-mail", name, "email_marketing", "granted", "2022-01-01 10:00:00")
        for name in [*PEOPLE, "new"]
    ]
    orders = [("old", "left", "2023-01-01 10:00:00")]
    if is_later:
        consent += [
            ("no-mail", "withdraws", "email_marketing", "withdrawn", "2024-03-01 12:10:00"),
            ("no-profile", "objects", "profiling", "objected", "2024-03-01 12:10:00"),
            ("no-profile-after", "objects_after", "profiling", "objected", "2024-03-01 12:10:00"),
            ("no-tracking", "stops_tracking", "tracking", "withdrawn", "2024-03-01 12:10:00"),
        ]
        orders.append(("new", "orders", "2024-03-01 12:20:00"))
    erasures = (
        "'e1' as request_id, 'erased_after' as customer_id, '2024-03-01 12:10' as requested_at"
    )
    return {
        "crm_customers": rows(
            *customers, columns="customer_id, email, signed_up_at, merged_into_customer_id"
        ),
        "shop_products": "select 'p1' as product_id, 'Tea' as product_name, 10.00 as list_price",
        "shop_orders": rows(*orders, columns="order_id, customer_id, ordered_at").replace(
            "select *", "select *, 'paid' as order_status, 'USD' as currency, 10 as total_amount"
        ),
        "shop_order_lines": rows(*((row[0],) for row in orders), columns="order_id").replace(
            "select *", "select *, order_id as order_line_id, 1 as quantity, 10 as line_amount"
        ),
        "web_events": rows(
            *events, columns="event_id, customer_id, event_type, product_id, cart_id, occurred_at"
        ),
        "consent_events": rows(
            *consent, columns="event_id, customer_id, purpose, action, occurred_at"
        ),
        "erasure_requests": f"select {erasures}" + ("" if is_later else " limit 0"),
    }


@pytest.fixture(scope="module")
def morning(builds):
    """The log after: noon, noon again, two hours later, a full refresh then."""
    landing = builds / "triggers_landing"
    landing.mkdir()

    def land(is_later: bool) -> None:
        for name, query in tables(is_later).items():
            path = landing / f"{name}.parquet"
            duckdb.execute(f"copy ({query}) to '{path}' (format parquet)")

    build = Build(builds / "triggers", landing)

    def run(clock: str, *args: str) -> dict[tuple, str]:
        build.run(*args, vars=VARS | {"as_of_at": clock})
        return {row[:2]: str(row[2]) for row in build.query(LOG)}

    land(False)
    build.run("seed", vars=VARS | {"as_of_at": NOON})
    with duckdb.connect(str(build.folder / "work.duckdb")) as connection:
        connection.execute("update seeds.trigger_rules set is_enabled = true")
    # The selector leaves segments as the last build made them; here it made none.
    with duckdb.connect(str(build.folder / "state.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.segment_spells"
            " (customer_key varchar, segment_id varchar, entered_date date, left_date date)"
        )
    logs = [run(NOON, "run", "--selector", "triggers")]
    logs.append(run(NOON, "run", "--select", "product_prices", "trigger_events", "trigger_log"))
    land(True)
    logs.append(run(LATER, "build", "--selector", "triggers"))
    logs.append(run(LATER, "run", "--select", "trigger_log", "product_prices", "--full-refresh"))
    with build.connect() as connection:
        keys = dict(
            connection.execute(
                "select md5('crm' || chr(31) || 'main' || chr(31) || name), name"
                " from (select unnest(?) as name)",
                [[*PEOPLE, "new"]],
            ).fetchall()
        )
    named = [{(kind, keys[key]): at for (kind, key), at in log.items()} for log in logs]
    return build, named


def carts(log: dict) -> dict[str, str]:
    """Return who got a cart message, and when."""
    return {name: at for (kind, name), at in log.items() if kind == "cart_abandoned"}


def test_what_is_due_fires_and_history_does_not(morning):
    noon = morning[1][0]
    assert carts(noon) == dict.fromkeys(["left", "merges", "objects_after", "erased_after"], NOON)
    assert noon[("signed_up", "new")] == NOON
    assert len(noon) == 5


def test_the_same_clock_again_fires_nothing(morning):
    _, (noon, again, *_) = morning
    assert noon == again


def test_later_the_rest_fires_and_nothing_twice(morning):
    """Fired under a key that was merged into another since; ordered, objected or lost meanwhile."""
    later = morning[1][2]
    assert carts(later) == {"left": NOON, "merges": NOON, "waits": LATER, "late": LATER}


def test_what_is_known_of_erased_and_objecting_people_is_gone(morning):
    assert not {"erased_after", "objects_after"} & {name for _, name in morning[1][2]}


def test_a_full_refresh_fires_nothing_and_forgets_nothing(morning):
    _, (*_, later, refreshed) = morning
    assert later == refreshed


def test_an_earlier_clock_is_refused(morning):
    build, _ = morning
    build.run("run", "--selector", "triggers", vars=VARS | {"as_of_at": NOON}, passes=False)
    assert "The state has been built up to 2024-03-01 14:00:00" in build.result.stdout
