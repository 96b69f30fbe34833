"""Which links make one customer of several records, and which do not: a case for each rule."""

import pytest
from conftest import OPTIONAL_TABLES, Build
from test_money import rows

ON = ("web_events", "esp_contacts")
VARS = {"as_of_at": "2024-06-01 00:00:00"} | {
    f"using_{name}": name in ON for name in OPTIONAL_TABLES
}
CHAIN = 200
CUSTOMERS = [
    # customer_id, email, phone, first_name, last_name, birth_date, signed_up_at
    ("same_1", "same@example.com", None, "Kim", "Lee", "1980-01-01", "2024-01-02"),
    ("same_2", "SAME@example.com", None, "kim", "LEE", "1980-01-01", "2024-01-01"),
    ("born_1", "born@example.com", None, "Kim", "Lee", "1980-01-01", "2024-01-01"),
    ("born_2", "born@example.com", None, "Kim", "Lee", "1981-01-01", "2024-01-02"),
    ("born_3", "born@example.com", None, "Kim", "Lee", None, "2024-01-03"),
    ("couple_1", "couple@example.com", "+4912345601", "Pat", "Doe", None, "2024-01-01"),
    ("couple_2", "couple@example.com", "+4912345602", "Sam", "Doe", None, "2024-01-02"),
    ("nameless_1", "nameless@example.com", None, None, None, None, "2024-01-01"),
    ("nameless_2", "nameless@example.com", None, None, None, None, "2024-01-02"),
    ("phone_1", "p1@example.com", "+49 1234 5603", "Ann", "Bee", None, "2024-01-01"),
    ("phone_2", "p2@example.com", "0049 12345603", "Ann", "Bee", None, "2024-01-02"),
    ("device_1", "d1@example.com", None, "Max", "Moe", None, "2024-01-01"),
    ("device_2", "d2@example.com", None, "Max", "Moe", None, "2024-01-02"),
    ("apart_1", "a1@example.com", None, "Eve", "One", None, "2024-01-01"),
    ("apart_2", "a2@example.com", None, "Ida", "Two", None, "2024-01-02"),
    ("owner", "owner@example.com", None, "Odo", "Own", None, "2024-01-01"),
    ("later", "later@example.com", None, "Liv", "Ate", None, "2024-01-01"),
    *[
        (f"kiosk_{n}", "kiosk@example.com", None, "Al", "Most", None, "2024-01-01")
        for n in range(6)
    ],
    *[
        (
            f"chain_{n:03}",
            f"chain{n // 2}@example.com",
            f"+4977700{(n + 1) // 2:04}",
            "Cy",
            "Chain",
            None,
            "2024-01-01",
        )
        for n in range(CHAIN)
    ],
]
ORDERS = [
    # order_id, customer_id, email, phone
    ("by_phone_alone", None, None, "+4912345601"),
    ("guest", None, "guest@example.com", "+4988800001"),
    ("guest_again", None, "guest.two@example.com", "+4988800001"),
    ("crowd_1", None, "one@example.com", "+4988800002"),
    ("crowd_2", None, "two@example.com", "+4988800002"),
    ("crowd_3", None, "three@example.com", "+4988800002"),
    ("misspelt", None, "onwer@example.com", None),
    ("by_a_friend", None, "friend@example.com", None),
    ("without_a_name", None, None, None),
]
VISITS = [
    # event_id, anonymous_id, customer_id, event_type, order_id, is_tracking_allowed, occurred_at
    ("v1", "phone of max", "device_1", "login", None, None, "2024-02-01"),
    ("v2", "phone of max", "device_2", "login", None, None, "2024-02-02"),
    ("v3", "shared", "apart_1", "login", None, None, "2024-02-01"),
    ("v4", "shared", "apart_2", "login", None, None, "2024-02-02"),
    ("v5", "shared", None, "page_view", None, None, "2024-02-03"),
    ("v6", "of owner", "owner", "login", None, None, "2024-02-01"),
    ("v7", "of owner", None, "order_placed", "misspelt", None, "2024-02-02"),
    ("v8", "of owner", None, "order_placed", "by_a_friend", None, "2024-02-03"),
    ("v9", "of owner", None, "order_placed", "without_a_name", None, "2024-02-04"),
    ("v10", "late", None, "page_view", None, None, "2024-02-01"),
    ("v11", "late", "later", "login", None, None, "2024-05-30"),
    ("v12", "future", None, "page_view", None, None, "2024-02-01"),
    ("v13", "future", "later", "login", None, None, "2024-06-01"),
    ("v14", "refuses", "later", "login", None, "false", "2024-02-01"),
]


@pytest.fixture(scope="module")
def build(builds, write_tables):
    landing = write_tables(
        builds / "links_landing",
        crm_customers=rows(
            "customer_id, email, phone, first_name, last_name, birth_date, signed_up_at", CUSTOMERS
        ),
        shop_products=rows("product_id", [("p",)]),
        shop_orders=rows(
            "order_id, customer_id, email, phone, order_status, ordered_at, currency, total_amount",
            [
                (*order, "paid", f"2024-03-{day:02} 12:00:00", "USD", 10)
                for day, order in enumerate(ORDERS, start=1)
            ],
        ),
        shop_order_lines=rows(
            "order_line_id, order_id, product_id, quantity, line_amount",
            [(f"line of {name}", name, "p", 1, 10) for name, *_ in ORDERS],
        ),
        web_events=rows(
            "event_id, anonymous_id, customer_id, event_type, order_id, is_tracking_allowed,"
            " occurred_at",
            VISITS,
        ),
        esp_contacts=rows(
            "esp_contact_id, email, phone, external_id, merged_into_contact_id, created_at",
            [
                ("contact", "contact@example.com", None, "owner", None, "2024-01-01"),
                ("lead", "lead@example.com", None, None, None, "2024-01-01"),
                ("old_lead", "old.lead@example.com", None, None, "lead", "2023-01-01"),
            ],
        ),
    )
    return Build(builds / "links", landing).run(
        *("--select", "+customer_identifiers", "+refused_merges", "+fct_web_events", "+fct_orders"),
        vars=VARS,
    )


@pytest.fixture(scope="module")
def customers(build):
    """Identifier (customer id, address, device ...) to customer."""
    return dict(build.query("select identifier, customer_key from core.dim_identifiers"))


@pytest.mark.parametrize(
    "left, right",
    [
        ("same_1", "same_2"),
        ("phone_1", "phone_2"),
        ("device_1", "device_2"),
        ("owner", "onwer@example.com"),
        ("owner", "contact@example.com"),
        ("guest@example.com", "guest.two@example.com"),
        ("lead", "old_lead"),
        ("later", "late"),
    ],
)
def test_one_person(customers, left, right):
    assert customers[left] == customers[right]


@pytest.mark.parametrize(
    "left, right",
    [
        ("born_1", "born_2"),
        ("born_1", "born_3"),
        ("couple_1", "couple_2"),
        ("nameless_1", "nameless_2"),
        ("apart_1", "apart_2"),
        ("owner", "friend@example.com"),
        ("kiosk_0", "kiosk_1"),
        ("one@example.com", "two@example.com"),
        ("one@example.com", "three@example.com"),
    ],
)
def test_two_people(customers, left, right):
    assert customers[left] != customers[right]


def test_a_chain_of_any_length_is_one_person(customers):
    assert len({customers[f"chain_{n:03}"] for n in range(CHAIN)}) == 1


def test_a_device_of_two_people_a_later_link_and_a_refusal_are_nobodys(build, customers):
    assert {"shared", "future", "refuses"} & customers.keys() == set()
    assert build.query(
        "select count(*) from core.fct_web_events"
        " where event_id in ('v5', 'v12', 'v14') and customer_key is not null"
    ) == [(0,)]


def test_visits_before_a_login_are_the_persons_once_it_is_known(build, customers):
    assert build.query("select customer_key from core.fct_web_events where event_id = 'v10'") == [
        (customers["later"],)
    ]


def test_an_order_is_whose_phone_or_whose_device_it_names(build, customers):
    assert dict(
        build.query(
            "select order_id, customer_key from core.fct_orders"
            " where order_id in ('by_phone_alone', 'without_a_name')"
        )
    ) == {"by_phone_alone": customers["couple_1"], "without_a_name": customers["owner"]}


def test_the_key_is_that_of_the_oldest_record(build, customers):
    keys = build.query(
        "select record_id, own_key from marts.customer_identifiers"
        " where is_key_of_customer and record_id in ('same_1', 'same_2')"
    )
    assert keys == [("same_2", customers["same_1"])]


def test_what_was_refused_is_listed_with_its_reason(build):
    reasons = dict(
        build.query("select reason, count(*) from monitoring.refused_merges group by reason")
    )
    assert reasons["Different names or birth dates"] >= 3
    assert reasons["A name is missing"] == 1
    assert reasons["Shared by 6 records"] == 5
    assert reasons["Device of several people: nobody's"] == 1
