"""Every rule of staging, broken once: the verdict on each raw row and the accounting of all."""

import pytest
from conftest import Build

CLOCK = "2024-06-01 00:00:00"
VARS = {
    "as_of_at": CLOCK,
    "base_currency": "EUR",
    "max_rejected_rate": 1,
}
# Per table: the columns, and rows of a verdict (a reason where it is a rejection) with values.
# What a row does not say is as in the table's first row, which is accepted.
CASES = {
    "crm_customers": (
        "customer_id",
        [
            (
                "accepted",
                dict(
                    customer_id="c1",
                    email=" Ann@Example.COM ",
                    gender="W",
                    country="Deutschland",
                    birth_date="1980-02-29",
                    timezone="Europe/Berlin",
                    signed_up_at="2024-01-01",
                    merged_into_customer_id=None,
                    updated_at="2024-01-01",
                    loaded_at="2024-01-02",
                    deleted_at=None,
                    store=None,
                ),
            ),
            ("superseded", dict(updated_at="2023-12-31", email="old@example.com")),
            ("superseded", dict(updated_at=None, loaded_at="2025-01-01")),
            (
                "accepted",
                dict(
                    customer_id="c2",
                    email="not an address",
                    gender="?",
                    country="Atlantis",
                    birth_date="1799-01-01",
                    timezone="Berlin Time (GMT+1)",
                ),
            ),
            ("accepted", dict(customer_id="c1", store="second")),
            ("superseded", dict(customer_id="c3", deleted_at="2024-05-31")),
            ("accepted", dict(customer_id="c4", deleted_at=CLOCK)),
            ("withheld", dict(customer_id="gone", email="gone@example.com")),
            ("withheld", dict(customer_id="gone_by_address", email="Gone2@Example.com")),
            # Who shares an address with somebody that is erased by id stays.
            ("withheld", dict(customer_id="leaves", email="both@example.com")),
            ("accepted", dict(customer_id="stays", email="both@example.com")),
            (
                "accepted",
                dict(customer_id="came_back", email="gone@example.com", signed_up_at="2024-05-15"),
            ),
            ("customer_id is missing", dict(customer_id="  ")),
            (
                "customer is merged into itself",
                dict(customer_id="c5", merged_into_customer_id="c5"),
            ),
        ],
    ),
    "shop_products": (
        "product_id",
        [
            (
                "accepted",
                dict(
                    product_id="p1",
                    product_type="Gift Card",
                    list_price="10",
                    unit_cost=None,
                    updated_at="2024-01-01",
                ),
            ),
            ("accepted", dict(product_id="p2", product_type="nobody knows")),
            ("product_id is missing", dict(product_id=None)),
            ("a price is negative", dict(product_id="p3", list_price="-1")),
            ("unit_cost is absurd", dict(product_id="p4", unit_cost="1e9")),
        ],
    ),
    "shop_orders": (
        "order_id",
        [
            (
                "accepted",
                dict(
                    order_id="o1",
                    customer_id="c1",
                    email=None,
                    order_status="Completed",
                    ordered_at="2024-02-01 10:00:00",
                    cancelled_at=None,
                    currency="eur",
                    total_amount="100",
                    tax_amount=None,
                    shipping_amount=None,
                    updated_at="2024-02-01",
                    loaded_at=None,
                    deleted_at=None,
                ),
            ),
            ("superseded", dict(updated_at="2024-01-31", total_amount="90")),
            # A bad version does not displace a good one, nor does one that is not yet.
            ("total_amount is negative", dict(updated_at="2024-03-01", total_amount="-5")),
            ("not_yet", dict(updated_at="2024-03-02", ordered_at=CLOCK)),
            ("accepted", dict(order_id="o2", ordered_at="2024-05-31 23:59:59")),
            ("superseded", dict(order_id="deleted", deleted_at="2024-03-01")),
            # Many loaders send a deletion as a row with nothing but its key.
            ("superseded", dict(order_id="deleted_by_key")),
            (
                "superseded",
                dict(
                    order_id="deleted_by_key",
                    customer_id=None,
                    order_status=None,
                    ordered_at=None,
                    currency=None,
                    total_amount=None,
                    updated_at=None,
                    deleted_at="2024-03-01",
                ),
            ),
            ("accepted", dict(order_id="of_the_erased", customer_id="gone")),
            ("accepted", dict(order_id="in_dollars", currency="USD")),
            ("order_id is missing", dict(order_id=None)),
            ("ordered_at is missing or no time", dict(order_id="x1", ordered_at="yesterday")),
            ("ordered_at is before 1990", dict(order_id="x2", ordered_at="0001-01-01")),
            ("not_yet", dict(order_id="x3", ordered_at="9999-01-01")),
            ("order_status is missing or unknown", dict(order_id="x4", order_status="lost")),
            ("currency is missing", dict(order_id="x5", currency="")),
            ("currency is no ISO 4217 code", dict(order_id="x6", currency="€")),
            ("total_amount is missing or no number", dict(order_id="x7", total_amount="NaN")),
            ("an amount is negative", dict(order_id="x8", tax_amount="-0.01")),
            ("total_amount is absurd", dict(order_id="x9", total_amount="1000000000")),
            ("accepted", dict(order_id="x10", total_amount="999999999.99")),
            (
                "order is cancelled before it is placed",
                dict(order_id="x11", cancelled_at="2024-01-31"),
            ),
            (
                "no exchange rate for the currency on that day",
                dict(order_id="x12", currency="USD", ordered_at="2023-12-31 22:00:00"),
            ),
            ("no exchange rate for the currency on that day", dict(order_id="x13", currency="CHF")),
        ],
    ),
    "shop_order_lines": (
        "order_line_id",
        [
            (
                "accepted",
                dict(
                    order_line_id="l1",
                    order_id="o1",
                    product_id="p1",
                    quantity="1",
                    unit_price=None,
                    line_amount="100",
                    discount_amount=None,
                    loaded_at="2024-02-01",
                ),
            ),
            ("superseded", dict(loaded_at="2024-01-31")),
            ("superseded", dict(order_line_id="l2", order_id="deleted")),
            ("not_yet", dict(order_line_id="l3", order_id="x3")),
            ("accepted", dict(order_line_id="l4", quantity="0", line_amount="0")),
            ("accepted", dict(order_line_id="l5", quantity="89638")),
            ("order_line_id is missing", dict(order_line_id=None)),
            ("order_id is missing", dict(order_line_id="y1", order_id=None)),
            ("order is not in shop_orders", dict(order_line_id="y2", order_id="nowhere")),
            ("order is rejected", dict(order_line_id="y3", order_id="x4")),
            ("quantity is missing or no number", dict(order_line_id="y4", quantity="some")),
            ("quantity is negative", dict(order_line_id="y5", quantity="-1")),
            ("quantity is absurd", dict(order_line_id="y6", quantity="10000000")),
            ("line_amount is missing or no number", dict(order_line_id="y7", line_amount=None)),
            ("an amount is negative", dict(order_line_id="y8", line_amount="-1")),
            (
                "unit_price is absurd",
                dict(order_line_id="y9", quantity="9999999", unit_price="1000"),
            ),
        ],
    ),
    "shop_refunds": (
        "refund_id",
        [
            (
                "accepted",
                dict(
                    refund_id="r1",
                    order_id="o1",
                    order_line_id="l1",
                    refund_type="line_item",
                    refunded_at="2024-03-01",
                    refund_amount="10",
                    tax_amount=None,
                ),
            ),
            ("accepted", dict(refund_id="r2", order_line_id="another order's")),
            ("not_yet", dict(refund_id="r3", refunded_at=CLOCK)),
            ("not_yet", dict(refund_id="r4", order_id="x3", order_line_id=None)),
            ("superseded", dict(refund_id="r5", order_id="deleted", order_line_id=None)),
            ("refund_id is missing", dict(refund_id=None)),
            ("order is not in shop_orders", dict(refund_id="z1", order_id="nowhere")),
            ("order is rejected", dict(refund_id="z2", order_id="x4")),
            ("refunded_at is missing or no time", dict(refund_id="z3", refunded_at="?")),
            ("refund_amount is missing or no number", dict(refund_id="z4", refund_amount=None)),
            ("an amount is negative", dict(refund_id="z5", refund_amount="-10")),
            ("more tax than refund", dict(refund_id="z6", tax_amount="10.01")),
        ],
    ),
    "coupon_redemptions": (
        "redemption_id",
        [
            (
                "accepted",
                dict(
                    redemption_id="k1",
                    customer_id="c1",
                    order_id=None,
                    coupon_code="SAVE",
                    redeemed_at="2024-02-01",
                ),
            ),
            ("accepted", dict(redemption_id="k2", customer_id=None, order_id="o1")),
            ("withheld", dict(redemption_id="k3", customer_id="gone")),
            ("withheld", dict(redemption_id="k4", customer_id=None, order_id="of_the_erased")),
            ("not_yet", dict(redemption_id="k5", redeemed_at=CLOCK)),
            ("redemption_id is missing", dict(redemption_id=None)),
            (
                "neither customer_id nor order_id is given",
                dict(redemption_id="k6", customer_id=None),
            ),
            ("coupon_code is missing", dict(redemption_id="k7", coupon_code=None)),
            ("redeemed_at is missing or no time", dict(redemption_id="k8", redeemed_at=None)),
        ],
    ),
    "esp_campaigns": (
        "campaign_id",
        [
            (
                "accepted",
                dict(
                    campaign_id="m1",
                    channel=None,
                    started_at="2024-01-01",
                    ended_at=None,
                    cost_amount=None,
                ),
            ),
            ("campaign_id is missing", dict(campaign_id=None)),
            ("cost_amount is negative", dict(campaign_id="m2", cost_amount="-1")),
            ("campaign ends before it starts", dict(campaign_id="m3", ended_at="2023-12-31")),
        ],
    ),
    "esp_events": (
        "event_id",
        [
            (
                "accepted",
                dict(
                    event_id="e1",
                    message_id="g1",
                    customer_id="c1",
                    email=None,
                    esp_contact_id=None,
                    event_type="send",
                    occurred_at="2024-02-01",
                    loaded_at="2024-02-02",
                ),
            ),
            ("superseded", dict(loaded_at="2024-02-01")),
            ("not_yet", dict(event_id="e2", event_type="opened", occurred_at=CLOCK)),
            ("accepted", dict(event_id="e3", event_type="unsubscribed", occurred_at="2025-01-01")),
            ("withheld", dict(event_id="e4", customer_id="gone")),
            ("withheld", dict(event_id="e5", customer_id=None, email="GONE@example.com")),
            ("withheld", dict(event_id="e6", customer_id=None, esp_contact_id="contact_of_gone")),
            (
                "accepted",
                dict(
                    event_id="e7",
                    customer_id=None,
                    email="gone@example.com",
                    occurred_at="2024-05-20",
                ),
            ),
            ("event_id is missing", dict(event_id=None)),
            ("message_id is missing", dict(event_id="f1", message_id=None)),
            ("no recipient is given", dict(event_id="f2", customer_id=None)),
            (
                "the only recipient is no e-mail address",
                dict(event_id="f3", customer_id=None, email="@"),
            ),
            ("event_type is missing or unknown", dict(event_id="f4", event_type="teleported")),
            ("occurred_at is missing or no time", dict(event_id="f5", occurred_at=None)),
        ],
    ),
    "web_events": (
        "event_id",
        [
            (
                "accepted",
                dict(
                    event_id="w1",
                    anonymous_id="d1",
                    customer_id=None,
                    email=None,
                    esp_contact_id=None,
                    event_type="view_item",
                    quantity="1",
                    unit_price="10",
                    is_tracking_allowed="true",
                    engaged_seconds="3",
                    occurred_at="2024-02-01",
                    loaded_at="2024-02-02",
                ),
            ),
            ("superseded", dict(loaded_at="2024-02-01")),
            ("not_yet", dict(event_id="w2", occurred_at=CLOCK)),
            ("withheld", dict(event_id="w3", anonymous_id="d2", customer_id="gone")),
            ("withheld", dict(event_id="w4", anonymous_id="d2", email="GONE@example.com")),
            # Nobody's: whoever allows no tracking has no identifier here.
            (
                "accepted",
                dict(event_id="w5", customer_id="gone", is_tracking_allowed="false"),
            ),
            ("accepted", dict(event_id="w6", anonymous_id="d3", engaged_seconds="-1")),
            ("event_id is missing", dict(event_id=None)),
            ("no visitor is given", dict(event_id="x1", anonymous_id=None)),
            (
                "the only visitor is no e-mail address",
                dict(event_id="x2", anonymous_id=None, email="@"),
            ),
            ("event_type is missing or unknown", dict(event_id="x3", event_type="danced")),
            ("occurred_at is missing or no time", dict(event_id="x4", occurred_at="soon")),
            ("quantity is negative", dict(event_id="x5", quantity="-1")),
            ("quantity is absurd", dict(event_id="x6", quantity="1e7")),
            ("unit_price is negative", dict(event_id="x7", unit_price="-1")),
            ("unit_price is absurd", dict(event_id="x8", unit_price="1e9")),
        ],
    ),
    "social_interactions": (
        "event_id",
        [
            (
                "accepted",
                dict(
                    event_id="y1",
                    customer_id="c1",
                    email=None,
                    interaction_type="likes",
                    occurred_at="2024-02-01",
                ),
            ),
            ("not_yet", dict(event_id="y2", occurred_at=CLOCK)),
            ("withheld", dict(event_id="y3", customer_id="gone")),
            ("event_id is missing", dict(event_id=None)),
            ("no person is given", dict(event_id="y4", customer_id=None)),
            (
                "the only identifier is no e-mail address",
                dict(event_id="y5", customer_id=None, email="@"),
            ),
            ("interaction_type is missing or unknown", dict(event_id="y6", interaction_type="nod")),
            ("occurred_at is missing or no time", dict(event_id="y7", occurred_at=None)),
        ],
    ),
    "service_interactions": (
        "interaction_id",
        [
            (
                "accepted",
                dict(
                    interaction_id="z1",
                    customer_id="c1",
                    email=None,
                    channel="phone",
                    opened_at="2024-02-01",
                    closed_at=None,
                ),
            ),
            ("not_yet", dict(interaction_id="z2", opened_at=CLOCK)),
            ("withheld", dict(interaction_id="z3", customer_id="gone")),
            ("interaction_id is missing", dict(interaction_id=None)),
            ("no person is given", dict(interaction_id="z4", customer_id=None)),
            (
                "the only identifier is no e-mail address",
                dict(interaction_id="z5", customer_id=None, email="@"),
            ),
            ("opened_at is missing or no time", dict(interaction_id="z6", opened_at=None)),
            ("opened_at is before 1990", dict(interaction_id="z7", opened_at="1989-12-31")),
            (
                "closed before it was opened",
                dict(interaction_id="z8", closed_at="2024-01-01"),
            ),
        ],
    ),
    "esp_contacts": (
        "esp_contact_id",
        [
            (
                "accepted",
                dict(
                    esp_contact_id="a1",
                    email="lead@example.com",
                    created_at="2024-01-01",
                    updated_at="2024-01-01",
                    synced_change_seq=None,
                ),
            ),
            # A property that anybody at the platform may write: no number of ours.
            ("accepted", dict(esp_contact_id="a2", synced_change_seq=2**63 - 1)),
            ("accepted", dict(esp_contact_id="a3", synced_change_seq=-1)),
            ("accepted", dict(esp_contact_id="a4", synced_change_seq=10**12)),
            ("superseded", dict(updated_at="2023-01-01")),
            ("withheld", dict(esp_contact_id="contact_of_gone", email="gone@example.com")),
            ("esp_contact_id is missing", dict(esp_contact_id=None)),
        ],
    ),
    "consent_events": (
        "event_id",
        [
            (
                "accepted",
                dict(
                    event_id="s1",
                    customer_id="c1",
                    email=None,
                    purpose="email",
                    action="subscribed",
                    occurred_at="2024-01-01",
                ),
            ),
            ("accepted", dict(event_id="s2", occurred_at="2025-01-01")),
            ("withheld", dict(event_id="s3", customer_id="gone")),
            ("event_id is missing", dict(event_id=None)),
            ("no person is given", dict(event_id="t1", customer_id=None)),
            (
                "the only identifier is no e-mail address",
                dict(event_id="t2", customer_id=None, email="nobody"),
            ),
            ("purpose is missing or unknown", dict(event_id="t3", purpose="fun")),
            ("action is missing or unknown", dict(event_id="t4", action="shrugged")),
            ("occurred_at is missing or no time", dict(event_id="t5", occurred_at="soon")),
            ("occurred_at is before 1990", dict(event_id="t6", occurred_at="1989-12-31")),
            # A no counts, whenever it was said.
            ("accepted", dict(event_id="t7", action="opt-out", occurred_at="2024-13-45")),
        ],
    ),
    "customer_attributes": (
        "attribute_name",
        [
            (
                "accepted",
                dict(
                    customer_id="c1",
                    email=None,
                    attribute_name="Loyalty_Tier ",
                    attribute_value="gold",
                    updated_at="2024-05-01",
                    loaded_at="2024-05-02",
                ),
            ),
            ("superseded", dict(attribute_value="silver", updated_at="2024-04-30")),
            ("accepted", dict(attribute_name="home_store", attribute_value=None)),
            # An entity's newest version counts, whatever the clock.
            ("accepted", dict(customer_id="c2", updated_at="2024-06-02")),
            ("accepted", dict(customer_id=None, email=" Ann@example.com")),
            # A reload is no activity: an erased person stays away.
            ("withheld", dict(customer_id="gone", updated_at="2024-05-30")),
            ("withheld", dict(customer_id=None, email="Gone2@example.com", updated_at=None)),
            ("no person is given", dict(customer_id=None)),
            ("the only identifier is no e-mail address", dict(customer_id=None, email="x")),
            ("attribute_name is missing", dict(attribute_name=" ")),
            ("updated_at is missing or no time", dict(updated_at="lately")),
            ("updated_at is before 1990", dict(updated_at="1989-12-31")),
        ],
    ),
    "erasure_requests": (
        "request_id",
        [
            (
                "accepted",
                dict(request_id="q1", customer_id="gone", email=None, requested_at="2024-05-01"),
            ),
            ("accepted", dict(request_id="q2", customer_id=None, email="gone2@example.com ")),
            ("accepted", dict(request_id="q3", customer_id="leaves")),
            ("request_id is missing", dict(request_id=None, customer_id="nobody")),
            ("neither customer_id nor email is given", dict(request_id="u1", customer_id=None)),
            (
                "the only identifier is no e-mail address",
                dict(request_id="u2", customer_id=None, email="x"),
            ),
            # A request counts, whenever it was made.
            ("accepted", dict(request_id="u3", customer_id="nobody", requested_at=None)),
        ],
    ),
    "fx_rates": (
        "currency",
        [
            (
                "accepted",
                dict(
                    currency="usd",
                    rate_date="2024-01-01",
                    rate_to_base="0.9",
                    loaded_at="2024-01-02",
                ),
            ),
            ("superseded", dict(loaded_at="2024-01-01", rate_to_base="0.8")),
            ("not_yet", dict(rate_date="2024-06-02")),
            ("currency is missing", dict(currency=None)),
            ("currency is no ISO 4217 code", dict(currency="Dollar")),
            ("rate_date is missing or no date", dict(rate_date="never")),
            (
                "rate_to_base is missing or no number",
                dict(rate_date="2024-02-01", rate_to_base="par"),
            ),
            ("rate_to_base is not positive", dict(rate_date="2024-02-01", rate_to_base="0")),
            ("rate_to_base is absurd", dict(rate_date="2024-02-01", rate_to_base="1000000")),
        ],
    ),
}
STATUSES = ("accepted", "superseded", "not_yet", "withheld", "expired")
BASES = {
    "crm_customers": "base_crm__customers",
    "customer_attributes": "base_crm__customer_attributes",
    "shop_products": "base_shop__products",
    "shop_orders": "base_shop__orders",
    "shop_order_lines": "base_shop__order_lines",
    "shop_refunds": "base_shop__refunds",
    "coupon_redemptions": "base_shop__coupon_redemptions",
    "esp_campaigns": "base_esp__campaigns",
    "esp_events": "base_esp__events",
    "esp_contacts": "base_esp__contacts",
    "web_events": "base_web__events",
    "social_interactions": "base_social__interactions",
    "service_interactions": "base_service__interactions",
    "consent_events": "base_consent__events",
    "erasure_requests": "base_consent__erasure_requests",
    "fx_rates": "base_reference__fx_rates",
}


def as_query(cases) -> str:
    """Write a table's rows as a query; every value is text, as in the worst of landings."""
    first = cases[0][1]

    def text(value):
        if value is None:
            return "cast(null as varchar)"
        return "'" + str(value).replace("'", "''") + "'"

    return " union all ".join(
        "select " + ", ".join(f"{text(value)} as {name}" for name, value in (first | row).items())
        for _, row in cases
    )


@pytest.fixture(scope="module")
def build(builds, write_tables):
    landing = write_tables(
        builds / "dirty_landing", **{name: as_query(cases) for name, (_, cases) in CASES.items()}
    )
    # Totals of these orders mean nothing: the models alone, without the tests of their sums.
    return Build(builds / "dirty", landing).run(vars=VARS)


def test_the_accounting_closes(build):
    counts = build.query(
        """
        select landing_table, raw_count, accepted_count + superseded_count + rejected_count
            + not_yet_count + withheld_count + expired_count
        from monitoring.landing_accounting
        """
    )
    assert {table: raw for table, raw, _ in counts} == {
        table: len(cases) for table, (_, cases) in CASES.items()
    }
    assert all(raw == judged for _, raw, judged in counts)


@pytest.mark.parametrize("table", CASES)
def test_the_verdict_on_every_row(build, table):
    expected = sorted(
        (verdict, "") if verdict in STATUSES else ("rejected", verdict)
        for verdict, _ in CASES[table][1]
    )
    found = build.query(
        f"select row_status, coalesce(reject_reason, '') from staging.{BASES[table]} order by all"
    )
    assert found == expected


def test_a_change_number_that_cannot_be_ours_is_dropped_and_counted(build):
    assert build.query(
        "select esp_contact_id, synced_change_seq, unusable_columns from staging.base_esp__contacts"
        " where esp_contact_id > 'a1' and esp_contact_id < 'b' order by all"
    ) == [
        ("a2", None, "synced_change_seq,"),
        ("a3", None, "synced_change_seq,"),
        ("a4", 10**12, None),
    ]


def test_every_rule_is_broken_once(build):
    """The cases above know every reason that staging can give."""
    import re

    from conftest import ROOT

    # A rule may be written for several columns at once: these are tried on one of them.
    tried_on_another = {
        "list_price is absurd",
        "compare_at_price is absurd",
        "shipping_amount is absurd",
        "tax_amount is absurd",
        "line_amount is absurd",
        "discount_amount is absurd",
        "refund_amount is absurd",
        "cost_amount is absurd",
        "refunded_at is before 1990",
        "redeemed_at is before 1990",
        "occurred_at is before 1990",
    }
    # The catalogue as delivered has text alone: this is tried in test_publish.
    tried_on_another.add("attribute_value is not of the type that attribute_catalog says")
    known = {verdict for _, cases in CASES.values() for verdict, _ in cases} - set(STATUSES)
    stated = set()
    for model in BASES.values():
        (path,) = ROOT.glob(f"models/staging/*/base/{model}.sql")
        block = path.read_text().split("reject_reason([")[1].split("]) }} as reject_reason")[0]
        stated |= {
            reason
            for reason in re.findall(r"'([^'^]+)',?\s*(?:\"[^\"]*\",?\s*)?\),", block)
            if " " in reason and "*" not in reason
        }
    assert stated - known - tried_on_another == set()


def test_keys_of_people_are_hashed_among_the_rejected(build):
    import hashlib

    def keys_of(table: str) -> set[str]:
        return {
            row[0]
            for row in build.query(
                "select row_key from monitoring.rejected_rows"
                f" where landing_table = '{table}' and row_key is not null"
            )
        }

    assert keys_of("crm_customers") == {hashlib.md5(b"c5").hexdigest()}
    assert "x4" in keys_of("shop_orders")


def test_values_that_could_not_be_used_are_counted(build):
    found = build.query(
        "select landing_table, column_names, row_count from monitoring.unusable_values order by all"
    )
    assert found == [
        ("consent_events", "occurred_at", 1),
        ("crm_customers", "email,gender,birth_date,country,timezone", 1),
        ("esp_contacts", "synced_change_seq", 2),
        ("shop_products", "product_type", 1),
        ("shop_refunds", "order_line_id", 1),
        ("web_events", "engaged_seconds", 1),
    ]


def test_what_standardising_makes_of_a_row(build):
    assert build.query(
        """
        select email, gender, country_code, birth_date is not null, timezone
        from staging.stg_crm__customers where customer_id in ('c1', 'c2') and store = 'main'
        order by customer_id
        """
    ) == [
        ("ann@example.com", "female", "DE", True, "Europe/Berlin"),
        (None, None, None, False, None),
    ]
    assert build.query(
        "select order_status, currency, cast(rate_to_base as double) from staging.stg_shop__orders"
        " where order_id in ('o1', 'in_dollars') order by order_id"
    ) == [("fulfilled", "USD", pytest.approx(0.9)), ("fulfilled", "EUR", 1)]


def test_an_erased_persons_order_stays_without_the_person(build):
    assert build.query(
        "select customer_key, is_anonymised, is_valid from core.fct_orders"
        " where order_id = 'of_the_erased'"
    ) == [(None, True, True)]


def test_no_identifier_of_an_erased_person_is_stored(build):
    """In no column of any table but those that say who is to be erased."""
    tables = build.query(
        "select table_catalog, table_schema, table_name from information_schema.tables"
        " where table_type = 'BASE TABLE' and table_name not in"
        " ('stg_consent__erasure_requests', 'fct_erasures', 'esp_erasure_queue')"
    )
    assert len(tables) > 40
    with build.connect() as connection:
        _assert_nothing_of_the_erased(connection, tables)


def _assert_nothing_of_the_erased(connection, tables) -> None:
    for catalog, schema, table in tables:
        found = connection.execute(
            f"""
            select count(*) from "{catalog}"."{schema}"."{table}" as row
            where cast(row as varchar) like '%gone2@%'
                or cast(row as varchar) like '%contact_of_gone%'
                or regexp_matches(cast(row as varchar), '[^a-z_]gone[^a-z_0-9@]')
            """
        ).fetchall()
        assert found == [(0,)], f"{schema}.{table}"
