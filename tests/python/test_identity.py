"""Who is one customer, who may be written to, who may be profiled: small cases, built through."""

import pytest
from conftest import OPTIONAL_TABLES, Build
from test_money import rows

CLOCK = "2024-06-01 00:00:00"
ON = ("consent_events", "esp_contacts", "esp_events")
VARS = {"as_of_at": CLOCK} | {f"using_{name}": name in ON for name in OPTIONAL_TABLES}

CUSTOMERS = [
    # customer_id, email, signed_up_at, merged_into_customer_id
    ("account", "ann@example.com", "2024-01-01", None),
    ("merged", "ann.old@example.com", "2023-01-01", "account"),
    ("younger", "shared@example.com", "2024-02-01", None),
    ("older", "shared@example.com", "2024-01-01", None),
    ("future", "future@example.com", "2024-06-01", None),
    ("future_but_bought", "eager@example.com", "2024-06-02", None),
    ("silent", "silent@example.com", "2024-01-01", None),
    ("withdrew_later", "later@example.com", "2024-01-01", None),
    ("grants_later", "soon@example.com", "2024-01-01", None),
    ("objected", "objected@example.com", "2024-01-01", None),
    ("unsubscribed", "unsubscribed@example.com", "2024-01-01", None),
    ("one_list", "one.list@example.com", "2024-01-01", None),
    ("bounced", "bounced@example.com", "2024-01-01", None),
    ("reimported", "reimported@example.com", "2024-01-01", None),
    ("no_address", None, "2024-01-01", None),
    ("says_something_unreadable", "unreadable@example.com", "2024-01-01", None),
    ("says_no_at_no_time", "no.time@example.com", "2024-01-01", None),
]
ORDERS = [
    # order_id, customer_id, email
    ("by_account", "account", None),
    ("by_merged_account", "merged", None),
    ("guest_with_the_accounts_address", None, "ANN@example.com"),
    ("guest", None, "guest@example.com"),
    ("same_guest", None, " Guest@Example.com"),
    ("unknown_customer", "not_in_the_crm", "stranger@example.com"),
    ("stranger_as_guest", None, "stranger@example.com"),
    ("nobody", None, None),
    ("by_future", "future_but_bought", None),
    ("guest_at_the_shared_address", None, "shared@example.com"),
    ("by_objected", "objected", None),
    ("before_signing_up", None, "future@example.com"),
]
STATEMENTS = [
    # customer_id, email, purpose, action, collected_via, occurred_at
    *[
        (name, None, "email_marketing", "granted", "form", "2024-03-01")
        for name in (
            "account",
            "younger",
            "older",
            "withdrew_later",
            "objected",
            "unsubscribed",
            "one_list",
            "bounced",
            "reimported",
            "no_address",
            "says_something_unreadable",
            "says_no_at_no_time",
        )
    ],
    ("withdrew_later", None, "email_marketing", "withdrawn", "form", "2024-07-01"),
    ("grants_later", None, "email_marketing", "granted", "form", "2024-06-01"),
    ("objected", None, "profiling", "objected", "form", "2024-07-01"),
    ("reimported", None, "email_marketing", "withdrawn", "form", "2024-04-01"),
    ("reimported", None, "email_marketing", "granted", "nightly sync", "2024-05-01"),
    # What nobody can read is taken as a no.
    ("says_something_unreadable", None, "letters", "no thanks", "form", "2024-04-01"),
    ("says_no_at_no_time", None, "email_marketing", "opt-out", "form", "2024-13-45"),
    (None, "guest@example.com", "email_marketing", "granted", "checkout", "2024-03-01"),
    (None, "lead@example.com", "email_marketing", "granted", "form", "2024-03-01"),
    (None, "shared@example.com", "email_marketing", "withdrawn", "form", "2024-05-01"),
]
EVENTS = [
    # customer_id, event_type, bounce_type, list_id
    ("unsubscribed", "unsubscribed", None, None),
    ("one_list", "unsubscribed", None, "sneakers"),
    ("bounced", "bounced", "hard", None),
]


@pytest.fixture(scope="module")
def build(builds, write_tables):
    landing = write_tables(
        builds / "identity_landing",
        crm_customers=rows("customer_id, email, signed_up_at, merged_into_customer_id", CUSTOMERS),
        shop_products=rows("product_id", [("p",)]),
        shop_orders=rows(
            "order_id, customer_id, email, order_status, ordered_at, currency, total_amount",
            [
                (*order, "paid", f"2024-05-{day:02} 12:00:00", "USD", 10)
                for day, order in enumerate(ORDERS, start=1)
            ],
        ),
        shop_order_lines=rows(
            "order_line_id, order_id, product_id, quantity, line_amount",
            [(f"line of {name}", name, "p", 1, 10) for name, *_ in ORDERS],
        ),
        consent_events=rows(
            "event_id, customer_id, email, purpose, action, collected_via, occurred_at",
            [(f"s{number}", *statement) for number, statement in enumerate(STATEMENTS)],
        ),
        esp_events=rows(
            "event_id, message_id, customer_id, event_type, bounce_type, list_id, occurred_at",
            [(f"e{n}", f"m{n}", *event, "2024-07-01") for n, event in enumerate(EVENTS)],
        ),
        esp_contacts=rows(
            "esp_contact_id, email, external_id, created_at",
            [
                ("contact_of_ann", "another@example.com", "account", "2024-01-01"),
                ("lead", "lead@example.com", None, "2024-04-01"),
                ("future_lead", "tomorrow@example.com", None, "2024-06-01"),
            ],
        ),
    )
    return Build(builds / "identity", landing).run(vars=VARS)


def customers_of(build) -> dict[str, set[str]]:
    """Return each customer's orders, by CRM id or else e-mail."""
    found = {}
    for name, order in build.query(
        """
        select coalesce(customers.customer_id, customers.email), orders.order_id
        from core.fct_orders as orders
        left join core.dim_customers as customers using (customer_key)
        """
    ):
        found.setdefault(name, set()).add(order)
    return found


def test_whose_order_it_is(build):
    assert customers_of(build) == {
        "account": {"by_account", "by_merged_account", "guest_with_the_accounts_address"},
        "guest@example.com": {"guest", "same_guest"},
        "not_in_the_crm": {"unknown_customer", "stranger_as_guest"},
        "older": {"guest_at_the_shared_address"},
        "future_but_bought": {"by_future"},
        "objected": {"by_objected"},
        "future@example.com": {"before_signing_up"},
        None: {"nobody"},
    }


def test_who_is_there(build):
    found = dict(build.query("select coalesce(customer_id, email), origin from core.dim_customers"))
    merged_or_not_there = {"merged", "future"}
    assert found == {
        **{name: "crm" for name, *_ in CUSTOMERS if name not in merged_or_not_there},
        "guest@example.com": "order",
        "future@example.com": "order",
        "not_in_the_crm": "order",
        "lead@example.com": "contact",
    }


def test_who_signs_up_after_buying_has_not_signed_up_yet(build):
    assert build.query(
        "select signed_up_at from core.dim_customers where customer_id = 'future_but_bought'"
    ) == [(None,)]


def test_who_may_be_written_to(build):
    found = dict(
        build.query(
            "select coalesce(customer_id, email), coalesce(block_reason, 'may')"
            " from marts.customer_profiles"
        )
    )
    assert found == {
        "account": "may",
        "guest@example.com": "may",
        "lead@example.com": "may",
        "one_list": "may",
        "objected": "may",
        # Signed up at the clock or later: a guest until then.
        "future@example.com": "never_asked",
        # A withdrawal that came by address binds everyone who has it.
        "older": "withdrawn",
        "younger": "withdrawn",
        "withdrew_later": "withdrawn",
        "unsubscribed": "withdrawn",
        "says_something_unreadable": "withdrawn",
        "says_no_at_no_time": "withdrawn",
        "reimported": "withdrawn",
        "bounced": "hard_bounced",
        "no_address": "no_email",
        "silent": "never_asked",
        "grants_later": "never_asked",
        "future_but_bought": "never_asked",
        "not_in_the_crm": "never_asked",
    }
    handed_over = {row[0] for row in build.query("select email from activation.esp_profiles")}
    assert handed_over == {
        row[0]
        for row in build.query("select email from marts.customer_profiles where is_contactable")
    }


def test_who_objects_to_profiling_has_identity_and_consent_only(build):
    profile = build.query(
        "select * exclude (customer_key) from activation.esp_profiles"
        " where email = 'objected@example.com'"
    )
    assert profile == [
        (
            "objected@example.com",
            "",
            "unknown",
            "unknown",
            "granted",
            False,
            "none",
            "none",
            "unknown",
            False,
            "none",
            "none",
            "none",
            "none",
            "none",
            "none",
            # Nothing is predicted of them either, and they are in no segment.
            "unknown",
            "unknown",
            "unknown",
            "unknown",
            "[]",
        )
    ]
    key = build.query("select customer_key from core.dim_customers where customer_id = 'objected'")
    for catalog, schema, table in build.query(
        "select table_catalog, table_schema, table_name from information_schema.columns"
        " where column_name = 'customer_key' and table_schema in"
        " ('segments', 'features', 'scoring', 'predictions', 'marts')"
        # Consent, and nothing else.
        " and table_name <> 'permission_history'"
    ):
        count = build.query(
            f"select count(*) from {catalog}.{schema}.{table} where customer_key = '{key[0][0]}'"
        )[0][0]
        # What happened, and what was said about consent, is no profile.
        kept = table in (
            "customer_descriptions",
            "customer_profiles",
            "customer_contactability",
            "customer_identifiers",
            "customer_timeline",
            "permission_history",
        )
        assert (count > 0) == kept, table


def test_keys_do_not_come_from_addresses(build):
    import hashlib

    keys = {row[0] for row in build.query("select customer_key from core.dim_customers")}
    addresses = [
        row[0]
        for row in build.query("select email from core.dim_customers where email is not null")
    ]
    for address in addresses:
        for text in (address, f"email\x1fmain\x1f{address}"):
            assert hashlib.md5(text.encode()).hexdigest() not in keys
