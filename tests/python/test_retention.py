"""Rows of events expire as the clock moves, in increments as in a full refresh."""

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build
from test_money import rows

ON = ("esp_events", "web_events")
MODELS = ("base_web__events", "base_esp__events")
COLUMNS = "event_id, anonymous_id, email, event_type, occurred_at, loaded_at"


def vars_on(day: str) -> dict:
    """Return the vars of a build at midday of a day."""
    return {"as_of_at": f"{day} 12:00:00", "shop_timezone": "America/New_York"} | {
        f"using_{name}": name in ON for name in OPTIONAL_TABLES
    }


def verdicts(build) -> dict[str, set]:
    """Return the verdicts and what is kept of the events, by table."""
    return {
        model: set(
            build.query(
                f"select row_status, event_id, email, count(*) from staging.{model} group by all"
            )
        )
        for model in MODELS
    }


@pytest.fixture(scope="module")
def said(builds, write_tables):
    """What was said on two days, in increments and in a full refresh."""
    # Thirty days before the 1st of June in New York begin at 04:00 UTC on the 2nd of May.
    times = ["2024-05-02 03:59:59", "2024-05-02 04:00:00", "2024-05-03 04:00:00", None]
    sent = [
        ("opened", "2024-05-02 03:59:59"),
        ("complained", "2024-05-02 03:59:59"),
        ("unsubscribed", "2024-05-02 03:59:59"),
        ("opened", "2024-05-02 04:00:00"),
    ]
    landing = write_tables(
        builds / "retention_landing",
        crm_customers=rows("customer_id", [("c",)]),
        shop_products=rows("product_id", [("p",)]),
        shop_orders=rows(
            "order_id, order_status, ordered_at, currency, total_amount",
            [("o", "paid", "2024-01-01", "USD", 1)],
        ),
        shop_order_lines=rows("order_line_id, order_id, quantity, line_amount", [("l", "o", 1, 1)]),
        web_events=rows(
            COLUMNS,
            [
                *(
                    (f"w{n}", f"d{n}", None, "login", at, "2024-05-04")
                    for n, at in enumerate(times)
                ),
                # Has no key, is refused, and expires like any other.
                (None, "d", "nobody@example.com", "login", times[0], "2024-05-04"),
                # The newest load, which every build reads again.
                ("w_new", "d", None, "login", "2024-05-20", "2024-05-21"),
            ],
        ),
        esp_events=rows(
            "event_id, message_id, email, event_type, occurred_at, loaded_at",
            [
                *(
                    (f"e{n}", f"m{n}", f"p{n}@example.com", kind, at, "2024-05-04")
                    for n, (kind, at) in enumerate(sent)
                ),
                ("e_new", "m", "p@example.com", "opened", "2024-05-20", "2024-05-21"),
            ],
        ),
    )
    build = Build(builds / "retention", landing)
    build.run(
        *("--select", "+base_web__events", "+base_esp__events"),
        vars=vars_on("2024-06-01"),
    )
    said = {"kept": verdicts(build)}
    with duckdb.connect(str(build.folder / "work.duckdb")) as connection:
        connection.execute("update seeds.retention set days = 30")
    build.run("run", "--select", *MODELS, vars=vars_on("2024-06-01"))
    said["first day"] = verdicts(build)
    build.run("run", "--select", *MODELS, vars=vars_on("2024-06-02"))
    said["next day"] = verdicts(build)
    build.run("run", "--full-refresh", "--select", *MODELS, vars=vars_on("2024-06-02"))
    said["full refresh"] = verdicts(build)
    return said


def test_nothing_expires_as_delivered(said):
    assert not any(row[0] == "expired" for table in said["kept"].values() for row in table)


def test_a_row_expires_on_its_day_and_keeps_nothing(said):
    assert said["first day"] == {
        "base_web__events": {
            ("expired", None, None, 2),
            ("accepted", "w_new", None, 1),
            ("accepted", "w1", None, 1),
            ("accepted", "w2", None, 1),
            ("rejected", "w3", None, 1),
        },
        # What decides on permission and suppression for good is kept.
        "base_esp__events": {
            ("expired", None, None, 1),
            ("accepted", "e_new", "p@example.com", 1),
            ("accepted", "e1", "p1@example.com", 1),
            ("accepted", "e2", "p2@example.com", 1),
            ("accepted", "e3", "p3@example.com", 1),
        },
    }
    assert ("expired", None, None, 3) in said["next day"]["base_web__events"]
    assert ("expired", None, None, 2) in said["next day"]["base_esp__events"]


def test_increments_expire_what_a_full_refresh_does(said):
    assert said["next day"] == said["full refresh"]
