"""Who is found from a request, what is left of them, and what happens when they come back."""

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build
from test_money import rows

from tools.publish import publish
from tools.rewrite import rewrite

ON = (
    "consent_events",
    "erasure_requests",
    "esp_contacts",
    "esp_events",
    "service_interactions",
    "shop_refunds",
    "customer_attributes",
    "social_interactions",
    "web_events",
)
VARS = {"as_of_at": "2024-06-01 00:00:00"} | {
    f"using_{name}": name in ON for name in OPTIONAL_TABLES
}
REQUESTED = "2024-05-01"
# customer_id, email, phone, first_name, signed_up_at, merged_into_customer_id
CUSTOMERS = [
    ("ann1", "ann.crm@example.com", "+491110001", "Ann", "2024-01-01", None),
    ("ann2", "ann.merged@example.com", None, "Anna", "2023-01-01", "ann1"),
    ("bob1", "family@example.com", "+491110002", "Bob", "2024-01-01", None),
    ("dora1", "dora@example.com", "+491110002", "Dora", "2024-01-01", None),
    ("quiet1", "quiet@example.com", None, "Quinn", "2024-01-01", None),
]
# order_id, customer_id, email, phone, ordered_at
ORDERS = [
    ("by_ann", "ann1", "ann.order@example.com", "+491110003", "2024-02-01"),
    ("by_ann_for_the_family", "ann1", "family@example.com", None, "2024-02-02"),
    ("on_anns_device", None, "ann.guest@example.com", "+491110004", "2024-02-03"),
    ("by_her_phone", None, "ann.phone@example.com", "+491110003", "2024-02-04"),
    ("by_bob", "bob1", None, None, "2024-02-05"),
    ("on_a_shared_device", None, "stranger@example.com", None, "2024-02-06"),
    ("by_dora", "dora1", None, None, "2024-02-07"),
    ("by_quinn", "quiet1", None, None, "2024-02-08"),
    ("by_a_guest_of_dora", None, "visitor@example.com", None, "2024-02-09"),
    ("after_the_request", None, "ann.later@example.com", "+491110005", "2024-05-20"),
]
# event_id, anonymous_id, customer_id, esp_contact_id, email, event_type, order_id, occurred_at
VISITS = [
    ("w1", "device-ann", "ann1", None, None, "login", None, "2024-02-01"),
    ("w2", "device-ann", None, None, "ann.web@example.com", "page_view", None, "2024-02-02"),
    ("w3", "device-ann", None, "contact-click", None, "page_view", None, "2024-02-02"),
    ("w4", "device-ann", None, None, None, "order_placed", "on_anns_device", "2024-02-03"),
    ("w5", "device-both", "ann1", None, None, "login", None, "2024-02-01"),
    ("w6", "device-both", "bob1", None, None, "login", None, "2024-02-02"),
    ("w7", "device-both", None, None, "stranger@example.com", "page_view", None, "2024-02-06"),
    ("w8", "device-ann", None, None, "ann.later@example.com", "page_view", None, "2024-05-20"),
    ("w9", "device-dora", "dora1", None, None, "login", None, "2024-02-01"),
    ("w10", "device-dora", None, None, None, "order_placed", "by_a_guest_of_dora", "2024-02-09"),
    ("w11", "device-dora", None, None, "visitor@example.com", "page_view", None, "2024-02-10"),
]
# esp_contact_id, email, external_id, merged_into_contact_id, created_at
CONTACTS = [
    ("contact-main", "ann.crm@example.com", None, None, "2024-01-01"),
    ("contact-old", "ann.contact@example.com", None, "contact-main", "2023-01-01"),
    ("contact-id", "ann.external@example.com", "ann1", None, "2024-01-01"),
    ("contact-click", None, None, None, "2024-01-01"),
    ("contact-bob", "family@example.com", None, None, "2024-01-01"),
]
REACHED = {
    "customer_id": {"ann1", "ann2"},
    "email": {
        f"ann.{name}@example.com"
        for name in (
            *("crm", "merged", "order", "phone"),
            *("contact", "external", "esp", "social", "service", "home"),
        )
    },
    "phone": {"+491110001", "+491110003", "+491110006"},
    "esp_contact_id": {"contact-main", "contact-old", "contact-id", "contact-c"},
    "anonymous_id": {"device-ann"},
}


def tables(contacts, contacts_loaded_at, customers=CUSTOMERS, orders=ORDERS) -> dict[str, str]:
    """Return the landing tables."""
    return dict(
        crm_customers=rows(
            "customer_id, email, phone, first_name, signed_up_at, merged_into_customer_id",
            customers,
        ),
        shop_products=rows("product_id", [("p",)]),
        shop_orders=rows(
            "order_id, customer_id, email, phone, ordered_at, order_status, currency, total_amount,"
            " coupon_code, utm_content",
            [(*order, "paid", "USD", 10, f"FOR-{order[0]}", f"to {order[1]}") for order in orders],
        ),
        shop_refunds=rows(
            "refund_id, order_id, refunded_at, refund_amount, reason",
            [
                ("r1", "by_ann", "2024-03-01", 0, "asked for by Ann, ann.crm@example.com"),
                ("r2", "by_bob", "2024-03-01", 0, "too small"),
            ],
        ),
        shop_order_lines=rows(
            "order_line_id, order_id, product_id, quantity, line_amount",
            [(f"line of {name}", name, "p", 1, 10) for name, *_ in orders],
        ),
        web_events=rows(
            "event_id, anonymous_id, customer_id, esp_contact_id, email, event_type, order_id,"
            " occurred_at",
            VISITS,
        ),
        consent_events=rows(
            "event_id, customer_id, esp_contact_id, phone, purpose, action, occurred_at",
            [
                ("s1", "ann1", "contact-c", "+491110006", "email", "granted", "2024-02-01"),
                ("s2", "bob1", None, None, "email", "granted", "2024-02-01"),
                ("s3", "quiet1", None, None, "profiling", "withdrawn", "2024-02-01"),
                ("s4", "quiet1", None, None, "email", "granted", "2024-02-01"),
            ],
        ),
        esp_events=rows(
            "event_id, message_id, customer_id, esp_contact_id, email, event_type, occurred_at",
            [
                ("e1", "m1", "ann1", None, "ann.esp@example.com", "sent", "2024-02-01"),
                ("e2", "m2", None, "contact-main", None, "complained", "2024-02-02"),
                ("e3", "m3", "bob1", None, None, "sent", "2024-02-02"),
            ],
        ),
        esp_contacts=rows(
            "esp_contact_id, email, external_id, merged_into_contact_id, created_at, loaded_at",
            [(*contact, contacts_loaded_at) for contact in contacts],
        ),
        service_interactions=rows(
            "interaction_id, customer_id, email, channel, opened_at",
            [("i1", "ann1", "ann.service@example.com", "chat", "2024-02-01")],
        ),
        customer_attributes=rows(
            "customer_id, email, attribute_name, attribute_value, updated_at",
            [
                ("ann1", None, "tier", "gold", "2024-05-20"),
                ("ann1", "ann.home@example.com", "tier", "gold", "2024-02-01"),
                ("bob1", None, "tier", "gold", "2024-02-01"),
            ],
        ),
        social_interactions=rows(
            "event_id, customer_id, email, network, interaction_type, occurred_at",
            [("f1", "ann1", "ann.social@example.com", "x", "like", "2024-02-01")],
        ),
        erasure_requests=rows(
            "request_id, customer_id, email, requested_at",
            [("q", "ann1", None, REQUESTED), ("q2", None, "visitor@example.com", REQUESTED)],
        ),
    )


@pytest.fixture(scope="module")
def asked(builds, write_tables):
    """The build in which the request is known, and the ESP still has the person."""
    landing = write_tables(builds / "asked_landing", **tables(CONTACTS, "2024-05-15"))
    build = Build(builds / "asked", landing).run(vars=VARS)
    build.keys = build.query("select own_key from intermediate.int_customer_keys_ranked")
    build.left = build.query("select identifier_type, identifier from core.fct_erasures")
    build.orders = dict(build.query("select order_id, is_anonymised from core.fct_orders"))
    build.revenue = build.query("select sum(net_revenue_amount) from core.fct_orders")
    build.texts = build.query(
        """
        select is_anonymised, count(coupon_code), count(utm_content), count(refunds.reason)
        from core.fct_orders left join core.fct_refunds as refunds using (store, order_id)
        group by is_anonymised order by is_anonymised
        """
    )
    build.spelled = build.query("select count(*) from state.marts.segment_spells")
    build.profiled = build.query(
        """
        select customers.customer_id from core.dim_customers as customers
        where customer_key in (select customer_key from segments.lifecycle_members)
            or customer_key in (select customer_key from marts.segment_memberships)
            or customer_key in (select customer_key from segments.rfm_scores)
            or customer_key in (select customer_key from segments.category_fans)
        """
    )
    return build


@pytest.fixture(scope="module")
def confirmed(asked, builds, write_tables, monkeypatch_module):
    """The next build on the same state: the ESP's export is without the person, who came back."""
    came_back = ("ann1", "ann.crm@example.com", None, "Ann", "2024-05-25", None)
    landing = write_tables(
        builds / "confirmed_landing",
        **tables(
            CONTACTS[-1:],
            "2024-05-26",
            [*CUSTOMERS, came_back],
            [*ORDERS, ("by_ann_anew", "ann1", None, None, "2024-05-26")],
        ),
    )
    asked.landing = landing
    # As if the export before had had many more: this one would be a part of it.
    with duckdb.connect(str(asked.folder / "state.duckdb")) as state:
        before = state.execute("select store, contact_count from activation.esp_exports").fetchall()
        state.execute("insert into activation.esp_exports values ('main', '2024-05-20', 100)")
    asked.run("run", "--select", "+fct_erasures", vars=VARS)
    asked.by_a_part = asked.query("select identifier from core.fct_erasures")
    accepted = VARS | {"accept_landing_changes": True}
    asked.run("run", "--select", "+fct_erasures", vars=accepted)
    asked.accepted = asked.query("select count(*), count(confirmed_at) from core.fct_erasures")
    with duckdb.connect(str(asked.folder / "state.duckdb")) as state:
        state.execute("delete from activation.esp_exports where contact_count = 100")
    asked.exports = before
    asked.run(vars=VARS)
    for name, path in asked.environment().items():
        monkeypatch_module.setenv(name, path)
    for name in ("work", "state"):
        rewrite(asked.folder / f"{name}.duckdb")
    publish()
    return asked


@pytest.fixture(scope="module")
def monkeypatch_module():
    """The fixture monkeypatch, for a module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_walk_finds_all_identifiers_of_the_person_and_of_nobody_else(asked):
    """Bob shares an inbox and a device with her, and a phone number with Dora.

    Strangers' addresses on her device are guests': they are not hers, and she is not theirs. Dora's
    guest asks for herself alone: Dora and her device stay. The ESP never had the guest, so that her
    erasure is settled at once.
    """
    assert [kind for kind, identifier in asked.left if identifier is None] == ["email"]
    found = {}
    for kind, identifier in asked.left:
        if identifier is None:
            continue
        found.setdefault(kind, set()).add(identifier)
    assert found == REACHED


def test_orders_stay_and_are_anonymous(asked):
    assert {order for order, is_anonymised in asked.orders.items() if is_anonymised} == {
        "by_ann",
        "by_ann_for_the_family",
        "by_her_phone",
        "by_a_guest_of_dora",
    }
    assert asked.revenue == [(10 * len(ORDERS),)]


def test_nothing_that_somebody_wrote_stays_at_anonymous_orders(asked):
    """No code or tag that may be one person's, and no words about a refund; others keep theirs."""
    named = len(ORDERS) - 4
    assert asked.texts == [(False, named, named, 1), (True, 0, 0, 0)]


def test_who_may_not_be_profiled_is_in_no_segment(asked):
    assert ("bob1",) in asked.profiled
    assert ("quiet1",) not in asked.profiled


def test_a_part_of_an_export_confirms_nothing_unless_it_is_accepted(confirmed):
    # Of the contacts of the first export, those of erased people are not counted.
    assert confirmed.exports == [("main", 2)]
    # The guest, whom the ESP never had, was settled by the first export.
    named = set().union(*REACHED.values())
    assert {identifier for (identifier,) in confirmed.by_a_part} == named | {None}
    assert confirmed.accepted == [(len(named) + 1,) * 2]


def test_a_confirmed_erasure_keeps_hashes_alone(confirmed):
    counts = confirmed.query(
        "select count(*), count(identifier), count(confirmed_at), count(distinct identifier_hash)"
        " from state.activation.esp_erasure_queue"
    )
    # And the guest.
    expected = sum(len(identifiers) for identifiers in REACHED.values()) + 1
    assert counts == [(expected, 0, expected, expected)]


# What Ann did not come back with.
GONE = sorted(
    set().union(*REACHED.values(), ["visitor@example.com"])
    - {"ann1", "ann.crm@example.com", "device-ann"}
)


def test_nothing_of_a_confirmed_erasure_is_in_any_table(confirmed):
    for name in ("work", "state", "published"):
        with duckdb.connect(str(confirmed.folder / f"{name}.duckdb"), read_only=True) as connection:
            found = connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_type = 'BASE TABLE'"
            ).fetchall()
            assert len(found) > 3
            for schema, table in found:
                hits = connection.execute(
                    f'select row from "{schema}"."{table}" as row where '
                    + " or ".join(f"contains(cast(row as varchar), '{text}')" for text in GONE)
                ).fetchall()
                assert hits == [], f"{name}: {schema}.{table}"


def test_nothing_of_a_confirmed_erasure_is_in_the_files(confirmed):
    for name in ("work", "state", "published"):
        data = (confirmed.folder / f"{name}.duckdb").read_bytes()
        assert [text for text in GONE if text.encode() in data] == [], name
    # Short strings are not compressed away: people who were not erased are found.
    assert b"dora@example.com" in data


def test_rows_that_are_loaded_again_stay_out(confirmed):
    assert (
        dict(
            confirmed.query(
                "select landing_table, withheld_count from monitoring.landing_accounting"
            )
        )["crm_customers"]
        == 2
    )
    assert confirmed.query("select count(*) from core.fct_orders where is_anonymised") == [(4,)]
    assert confirmed.query("select sum(net_revenue_amount) from core.fct_orders") == [
        (10 * len(ORDERS) + 10,)
    ]


def test_whoever_comes_back_is_somebody_new(confirmed):
    ((key, orders),) = confirmed.query(
        """
        select customers.customer_key, list(orders.order_id)
        from core.dim_customers as customers
        left join core.fct_orders as orders using (customer_key)
        where customers.customer_id = 'ann1'
        group by customers.customer_key
        """
    )
    assert orders == ["by_ann_anew"]
    assert (key,) not in confirmed.keys
    assert confirmed.query("select md5(concat_ws(chr(31), 'crm', 'main', 'ann1'))") != [(key,)]


def test_a_complaint_outlives_the_erasure(confirmed):
    assert confirmed.query(
        "select reason from core.fct_suppressions where email = 'ann.crm@example.com'"
    ) == [("complained",)]
    assert confirmed.query(
        "select block_reason from marts.customer_contactability"
        " inner join core.dim_customers using (customer_key) where customer_id = 'ann1'"
    ) == [("complained",)]


def test_the_proof_is_clean_and_can_fail(confirmed):
    proofs = "select table_name, left_count from monitoring.erasure_proofs where left_count > 0"
    assert confirmed.query(proofs) == []
    ((tables, unreachable),) = confirmed.query(
        "select count(left_count), count(what_remains) from monitoring.erasure_proofs"
    )
    # Three places that no query reaches, for each of two erasures.
    assert tables > 20 and unreachable == 6
    with duckdb.connect(str(confirmed.folder / "work.duckdb")) as connection:
        connection.execute(
            "insert into staging.base_shop__orders by name"
            " select 'main' as store, 'planted' as order_id, 'ann.order@example.com' as email,"
            " timestamp '2024-02-01' as ordered_at"
        )
        connection.execute(
            "insert into core.fct_suppressions by name select 'ann.esp@example.com' as email,"
            " 'complained' as reason"
        )
    confirmed.run("run", "--select", "erasure_proofs", vars=VARS)
    assert confirmed.query(f"{proofs} order by table_name") == [
        ("core.fct_suppressions", 1),
        ("staging.base_shop__orders", 1),
    ]


@pytest.mark.parametrize("is_told", [True, False], ids=["the_esp_is_told", "nobody_is_told"])
def test_an_erasure_reaches_events_of_earlier_builds(builds, write_tables, is_told):
    """Found by their identifiers while those are known, and by hashes where nobody must be told."""
    place = builds / f"erased_later_{is_told}"
    # The newest load is judged again in any case: nobody's event is it.
    last = ("last", "nobody", None, None, None, "page_view", None, "2024-05-22", "2024-05-22")
    events = {
        "web_events": rows(
            "event_id, anonymous_id, customer_id, esp_contact_id, email, event_type, order_id,"
            " occurred_at, loaded_at",
            [*((*visit, "2024-05-21") for visit in VISITS), last],
        ),
        "esp_events": rows(
            "event_id, message_id, customer_id, email, event_type, occurred_at, loaded_at",
            [
                ("e1", "m1", "ann1", None, "opened", "2024-02-01", "2024-02-01"),
                ("e2", "m2", None, "ann.crm@example.com", "opened", "2024-02-01", "2024-02-01"),
                ("e3", "m3", "bob1", None, "opened", "2024-02-02", "2024-02-02"),
            ],
        ),
    }
    requests = [("q2", None, "visitor@example.com", REQUESTED), ("q", "ann1", None, REQUESTED)]
    stored = []
    for known in (requests[:1], requests):
        landing = write_tables(
            place / f"landing_{len(known)}",
            **tables(CONTACTS, "2024-05-15")
            | events
            | {"erasure_requests": rows("request_id, customer_id, email, requested_at", known)},
        )
        build = Build(place / "build", landing)
        build.run(
            *("--select", "+stg_web__events", "+stg_esp__events"),
            vars=VARS | {"using_esp_contacts": is_told},
        )
        stored.append(
            {row[0] for row in build.query("select event_id from staging.stg_web__events")}
        )
    asked = "select count(identifier) > 0 from staging.stg_consent__erasure_requests where is_new"
    assert build.query(asked) == [(is_told,)]
    # On the shared device only what names her is hers; w8 came after the request.
    assert stored[0] - stored[1] == {"w1", "w2", "w3", "w4", "w5"}
    assert build.query("select event_id from staging.stg_esp__events") == [("e3",)]
