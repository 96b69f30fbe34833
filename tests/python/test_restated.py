"""Changes that cancel each other out in a sum of fingerprints, unless those are made with care.

Of each customer two rows change alike: what they have in common, before and after, must not hide
it. One build on top of another then is as one from scratch.
"""

import shutil

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build, differing
from test_money import rows

ON = ("web_events", "esp_events", "esp_contacts", "social_interactions", "fx_rates")
VARS = {
    "as_of_at": "2024-06-01 05:00:00",
    "base_currency": "EUR",
    "accept_landing_changes": True,
} | {f"using_{name}": name in ON for name in OPTIONAL_TABLES}
CUSTOMERS = ("repriced", "moved", "mailed", "judged", "elsewhere", "social")
ONCE, LATER = "2024-03-01 10:00:00", "2024-03-08 10:00:00"
LOADED, LOADED_LATER = "2024-05-01", "2024-05-30"


def visits(customer: str, moments: list[str], loaded_at: str) -> list[tuple]:
    """Return a page view of a customer per moment."""
    return [
        (f"{customer}_{number}", customer, "page_view", moment, loaded_at)
        for number, moment in enumerate(moments)
    ]


def mails(customer: str, moment: str, reaction: str, loaded_at: str) -> list[tuple]:
    """Return two events of one message at one moment."""
    return [
        (
            f"{customer}_{event}",
            f"to_{customer}",
            customer,
            event,
            "GoogleImageProxy",
            moment,
            loaded_at,
        )
        for event in ("delivered", reaction)
    ]


def tables(is_later: bool) -> dict[str, str]:
    """Return the landing before and after the changes."""
    # In Tokyo it is the next day.
    evenings = ["2024-03-01 20:00:00", "2024-03-08 20:00:00"]
    seen = [
        *visits("moved", [ONCE, ONCE], LOADED),
        *visits("elsewhere", evenings, LOADED),
        *visits("nobody", [ONCE], LOADED_LATER),
    ]
    told = [
        *mails("mailed", ONCE, "sent", LOADED),
        *mails("judged", ONCE, "opened", LOADED),
        *mails("nobody", ONCE, "sent", LOADED_LATER),
    ]
    if is_later:
        seen += visits("moved", [LATER, LATER], LOADED_LATER)
        told += mails("mailed", LATER, "sent", LOADED_LATER)
    return dict(
        crm_customers=rows("customer_id, email", [(c, f"{c}@example.com") for c in CUSTOMERS]),
        shop_products=rows("product_id", [("p",)]),
        shop_orders=rows(
            "order_id, customer_id, order_status, ordered_at, currency, total_amount",
            [(name, "repriced", "paid", ONCE, "USD", 20) for name in ("o1", "o2")],
        ),
        shop_order_lines=rows(
            "order_line_id, order_id, product_id, quantity, line_amount",
            [("l1", "o1", "p", 1, 20), ("l2", "o2", "p", 1, 20)],
        ),
        fx_rates=rows(
            "currency, rate_date, rate_to_base", [("USD", "2024-01-01", 1.1 if is_later else 1.0)]
        ),
        web_events=rows("event_id, customer_id, event_type, occurred_at, loaded_at", seen),
        esp_events=rows(
            "event_id, message_id, customer_id, event_type, user_agent, occurred_at, loaded_at",
            told,
        ),
        esp_contacts=rows("esp_contact_id, email", [("k", "nobody@example.com")]),
        social_interactions=rows(
            "event_id, customer_id, network, interaction_type, occurred_at",
            [(name, "social", "x", "like", LATER if is_later else ONCE) for name in ("f1", "f2")],
        ),
    )


@pytest.fixture(scope="module")
def changed(builds, write_tables):
    """A build on top of another, and one from scratch with the same state."""
    place = builds / "restated"
    before = write_tables(place / "before", **tables(is_later=False))
    after = write_tables(place / "after", **tables(is_later=True))
    daily, whole = Build(place / "daily", before), Build(place / "whole", after)
    ledger = ("--select", "+fct_customer_days")
    daily.run(*ledger, vars=VARS | {"shop_timezone": "UTC"})
    daily.days = daily.query("select count(*) from core.fct_customer_days")
    daily.landing = after
    with duckdb.connect(str(daily.folder / "work.duckdb")) as work:
        work.execute(
            "update seeds.user_agent_rules set kind = 'scanner' where pattern = 'googleimageproxy'"
        )
    for path in daily.folder.glob("*.duckdb*"):
        shutil.copy(path, whole.folder)
    for build, options in ((daily, ()), (whole, ("--full-refresh",))):
        build.run(*options, *ledger, vars=VARS | {"shop_timezone": "Asia/Tokyo"})
    return daily, whole


def test_changes_that_cancel_out_are_seen(changed):
    daily, whole = changed
    schemas = ("staging", "intermediate", "core")
    assert differing(daily.contents(schemas), whole.contents(schemas)) == []


def test_every_change_reaches_the_ledger(changed):
    daily, _ = changed
    assert daily.days == [(7,)]
    found = daily.query(
        """
        select identifiers.identifier, days.activity_date, days.net_revenue_base_amount,
            days.session_count, days.email_delivered_count, days.email_open_count,
            days.social_interaction_count
        from core.fct_customer_days as days
        inner join core.dim_identifiers as identifiers using (customer_key)
        where identifiers.identifier_type = 'customer_id'
        order by all
        """
    )
    assert [(name, str(day), float(money), *counts) for name, day, money, *counts in found] == [
        ("elsewhere", "2024-03-02", 0.0, 1, 0, 0, 0),
        ("elsewhere", "2024-03-09", 0.0, 1, 0, 0, 0),
        ("judged", "2024-03-01", 0.0, 0, 1, 0, 0),
        ("mailed", "2024-03-08", 0.0, 0, 1, 0, 0),
        ("moved", "2024-03-08", 0.0, 1, 0, 0, 0),
        ("repriced", "2024-03-01", 44.0, 0, 0, 0, 0),
        ("social", "2024-03-08", 0.0, 0, 0, 0, 2),
    ]
