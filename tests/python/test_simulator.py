"""The simulated shop: one for a seed, on the contract, causal, dirty, and as its truth says."""

import importlib

import duckdb
import numpy as np
import pytest
import yaml
from conftest import ROOT
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

simulator = importlib.import_module("demo.simulator.__main__")
write_landing = simulator.write_landing
CUSTOMERS = 3000
CONTRACT = {
    table["name"]: table
    for path in ROOT.glob("models/staging/*/_*__sources.yml")
    for source in yaml.safe_load(path.read_text())["sources"]
    if source["name"] != "state"
    for table in source["tables"]
}
# Columns that hold text on purpose though the contract wants another type.
AS_TYPED = {("crm_customers", "birth_date")}
NUMBERS = ("INTEGER", "BIGINT", "DECIMAL")
LIKE = {
    "varchar": ("VARCHAR",),
    "timestamp": ("TIMESTAMP",),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
    "bigint": ("INTEGER", "BIGINT"),
    "integer": ("INTEGER",),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs with one seed, on one thread and on two, and a smaller one with another seed."""
    place = tmp_path_factory.mktemp("shops")
    for name, customers, seed, threads in (
        ("shop", CUSTOMERS, 7, 2),
        ("again", CUSTOMERS, 7, 1),
        ("other", 300, 8, 2),
    ):
        write_landing(place / name / "landing", customers, seed, 730, threads)
    return place


@pytest.fixture(scope="module")
def shop(folders):
    """A connection with the tables of the shop; those of the truth are called true_<name>."""
    connection = duckdb.connect(config={"threads": 2})
    for path in sorted((folders / "shop").glob("*/*.parquet")):
        prefix = "true_" if path.parent.name == "truth" else ""
        connection.execute(f"create view {prefix}{path.stem} as from '{path}'")
    # What a loader would keep: one row per event.
    for table in ("web_events", "esp_events"):
        connection.execute(
            f"create table {table}_once as select * from {table} where event_id is not null"
            " qualify row_number() over (partition by event_id order by loaded_at) = 1"
        )
    connection.execute(
        """
        create table orders_once as select * from shop_orders
        where order_id not like 'bad-%' and not is_test
        qualify row_number() over (
            partition by order_id order by updated_at desc, loaded_at desc
        ) = 1
        """
    )
    yield connection
    connection.close()


def value(connection, query: str):
    """Return the one value of a query."""
    return connection.execute(query).fetchall()[0][0]


def test_a_seed_gives_the_same_rows_in_the_same_order_on_any_threads(folders):
    def hashes(name):
        return {
            path.relative_to(folders / name): duckdb.execute(
                "select count(*), md5(string_agg(cast(landed as varchar), '|' order by place))"
                f" from (select landed, row_number() over () as place from '{path}' as landed)"
            ).fetchall()
            for path in sorted((folders / name).glob("*/*.parquet"))
        }

    shop, again, other = hashes("shop"), hashes("again"), hashes("other")
    assert shop == again
    # The same everywhere: campaigns follow the calendar, parameters are the population's.
    same = {path.stem for path in shop if shop[path] == other[path]}
    assert same == {"esp_campaigns", "parameters"}


def test_every_table_is_on_the_contract(folders, shop):
    landed = {path.stem for path in (folders / "shop" / "landing").glob("*.parquet")}
    assert landed == set(CONTRACT)
    for table, contract in CONTRACT.items():
        columns = {row[0]: row[1] for row in shop.execute(f"describe {table}").fetchall()}
        wanted = {column["name"]: column for column in contract["columns"]}
        assert set(columns) <= set(wanted), table
        for name, column in wanted.items():
            if name not in columns:
                assert not column.get("config", {}).get("meta", {}).get("is_required"), (
                    table,
                    name,
                )
            elif (table, name) not in AS_TYPED:
                like = LIKE.get(column["data_type"], NUMBERS)
                assert columns[name].startswith(like), (table, name, columns[name])


def test_rows_lie_in_the_order_of_loading(folders):
    for path in sorted((folders / "shop" / "landing").glob("*.parquet")):
        if path.stem == "social_interactions":
            continue
        assert not duckdb.execute(
            "select 1 from (select loaded_at, lag(loaded_at) over (order by file_row_number) last"
            f" from read_parquet('{path}', file_row_number = true)) where loaded_at < last"
        ).fetchall(), path.stem


def test_a_large_shop_lies_in_parts_and_is_the_same(folders, tmp_path, monkeypatch):
    """Of a third each: no share of the loading time that has an end in decimals."""
    monkeypatch.setattr(simulator, "CUSTOMERS_PER_FILE", 100)
    write_landing(tmp_path / "landing", 300, 8, 730)
    for name in ("web_events", "esp_events"):
        files = sorted((tmp_path / "landing" / f"{name}.parquet").glob("*.parquet"))
        assert len(files) == 3
        parts = [duckdb.execute(f"from '{file}'").fetchall() for file in files]
        assert all(parts)
        whole = duckdb.execute(f"from '{folders}/other/landing/{name}.parquet'").fetchall()
        assert [row for part in parts for row in part] == whole


def test_a_second_run_writes_nothing_and_foreign_tables_are_refused(folders, tmp_path):
    landing = folders / "other" / "landing"
    before = (landing / "shop_orders.parquet").stat().st_mtime_ns
    write_landing(landing, 300, 8, 730)
    assert (landing / "shop_orders.parquet").stat().st_mtime_ns == before
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "mine.parquet").write_text("")
    with pytest.raises(SystemExit, match="did not write"):
        write_landing(tmp_path / "landing", 300, 8, 730)


CAUSES = {
    "a message is delivered after it is sent": """
        select count(*) from esp_events_once as later
        left join esp_events_once as earlier
            on later.message_id = earlier.message_id and earlier.event_type = 'sent'
        where later.event_type in ('delivered', 'bounced', 'dropped')
            and coalesce(earlier.occurred_at >= later.occurred_at, true)
    """,
    "an open comes after delivery": """
        select count(*) from esp_events_once as later
        left join esp_events_once as earlier
            on later.message_id = earlier.message_id and earlier.event_type = 'delivered'
        where later.event_type = 'opened'
            and coalesce(earlier.occurred_at >= later.occurred_at, true)
    """,
    "a human click comes after an open": """
        select count(*) from esp_events_once as later
        inner join true_opens using (event_id)
        where later.event_type = 'clicked' and true_kind = 'human'
            and not exists (
                select 1 from esp_events_once as earlier
                where earlier.message_id = later.message_id and earlier.event_type = 'opened'
                    and earlier.occurred_at < later.occurred_at
            )
    """,
    "nobody is held out and sent to": """
        select count(*) from true_holdouts
        inner join true_messages using (campaign_id, person_id)
    """,
    "a visit from a message comes after a human click": """
        select count(*) from web_events_once as visits
        where esp_contact_id is not null
            and not exists (
                select 1 from esp_events_once as clicks inner join true_opens using (event_id)
                where clicks.esp_contact_id = visits.esp_contact_id
                    and clicks.event_type = 'clicked' and true_kind = 'human'
                    and clicks.occurred_at < visits.occurred_at
                    and clicks.campaign_id = visits.utm_campaign
            )
    """,
    "an addition comes after a view of the product": """
        select count(*) from web_events_once as later
        where event_type = 'add_to_cart'
            and not exists (
                select 1 from web_events_once as earlier
                where earlier.anonymous_id = later.anonymous_id
                    and earlier.product_id = later.product_id
                    and earlier.event_type = 'product_view'
                    and earlier.occurred_at < later.occurred_at
            )
    """,
    "an order on the web follows its cart and checkout, to the second": """
        select count(*) from orders_once as orders
        where sales_channel in ('web', 'app')
            and (
                select count(distinct event_type) from web_events_once as events
                where events.cart_id = orders.cart_id
                    and (
                        event_type in ('add_to_cart', 'checkout_started')
                        and events.occurred_at < orders.ordered_at
                        or event_type = 'order_placed' and events.order_id = orders.order_id
                        and abs(epoch(events.occurred_at) - epoch(orders.ordered_at)) < 1
                    )
            ) < 3
    """,
    "what is bought is what was put in the cart": """
        select count(*) from shop_order_lines
        inner join orders_once using (order_id)
        where sales_channel in ('web', 'app') and sku is not null
            and not exists (
                select 1 from web_events_once as events
                where events.cart_id = orders_once.cart_id
                    and events.product_id = shop_order_lines.product_id
            )
    """,
    "refunds come after orders, and cancelled orders have none": """
        select count(*) from shop_refunds inner join orders_once using (order_id)
        where refunded_at <= ordered_at or orders_once.cancelled_at is not null
    """,
    "nobody orders before they came or after they left": """
        select count(*) from true_orders inner join true_people using (person_id)
        where ordered_at >= dropout_at + interval 2 hours or ordered_at < entry_at
    """,
    "nothing is sent to people who said no": """
        select count(*) from true_messages inner join true_people using (person_id)
        where sent_at > email_stopped_at
            and (email_granted_again_at is null or sent_at < email_granted_again_at)
            or sent_at < email_granted_at
    """,
    "versions of an order land after they happened": """
        select count(*) from shop_orders where loaded_at < updated_at
    """,
    "events of one visit are less than half an hour apart, visits more": """
        select count(*) > 0.01 * (select count(*) from web_events_once)
        from (
            select
                event_id,
                epoch(occurred_at) - epoch(lag(occurred_at) over by_time) as gap,
                string_split(event_id, '-')[1]
                = string_split(lag(event_id) over by_time, '-')[1] as is_one_visit
            from web_events_once
            window by_time as (partition by anonymous_id order by occurred_at, event_id)
        )
        where is_one_visit and gap >= 1800 or not is_one_visit and gap < 1800
    """,
    "abandoned carts have no order": """
        select count(*) from true_carts left join orders_once using (cart_id)
        where is_abandoned = (order_id is not null)
    """,
}


@pytest.mark.parametrize("rule", CAUSES)
def test_causes_come_before_effects(shop, rule):
    assert value(shop, CAUSES[rule]) == 0


RATES = {
    "people who bought exactly once": (
        "select avg((n = 1)::integer) from"
        " (select count(*) as n from true_orders group by person_id)",
        0.71,
        0.79,
    ),
    "carts that are abandoned": (
        "select avg(is_abandoned::integer) from true_carts",
        0.6,
        0.85,
    ),
    "human opens within a minute of delivery": (
        """
        select avg((opens.occurred_at <= delivered_at + interval 60 seconds)::integer)
        from esp_events_once as opens inner join true_opens using (event_id)
        inner join true_messages using (message_id)
        where event_type = 'opened' and true_kind = 'human'
        """,
        0.2,
        0.4,
    ),
    "machine opens later than a minute": (
        """
        select avg((opens.occurred_at > delivered_at + interval 60 seconds)::integer)
        from esp_events_once as opens inner join true_opens using (event_id)
        inner join true_messages using (message_id)
        where event_type = 'opened' and true_kind <> 'human'
        """,
        0.3,
        0.6,
    ),
    "human opens through a proxy": (
        """
        select avg((user_agent like '%GoogleImageProxy%' or user_agent = 'Mozilla/5.0')::integer)
        from esp_events_once inner join true_opens using (event_id)
        where event_type = 'opened' and true_kind = 'human'
        """,
        0.2,
        0.7,
    ),
    "opens of which the ESP says nothing": (
        "select avg((is_machine is null)::integer) from esp_events_once"
        " where event_type = 'opened'",
        0.5,
        0.7,
    ),
    "web events that are late": (
        """
        select avg((loaded_at > occurred_at + interval 3 hours)::integer) from web_events_once
        """,
        0.015,
        0.06,
    ),
    "rows of events that land twice": (
        "select 1 - count(distinct event_id) / count(*) from web_events",
        0.01,
        0.02,
    ),
    "rows of mail events that land twice": (
        "select 1 - count(distinct event_id) / count(*) from esp_events",
        0.01,
        0.02,
    ),
    "orders of guests": (
        "select avg((customer_id is null)::integer) from orders_once",
        0.11,
        0.19,
    ),
    "people with two accounts": (
        f"select count(*) / {CUSTOMERS} from (select person_id from true_identifiers"
        " where identifier_type = 'customer_id' group by person_id having count(*) > 1)",
        0.018,
        0.033,
    ),
    "devices of two people": (
        """
        select count(distinct identifier) filter (is_shared) / count(distinct identifier)
        from true_identifiers where identifier_type = 'anonymous_id'
        """,
        0.012,
        0.03,
    ),
    "addresses of two people": (
        """
        select count(distinct identifier) filter (is_shared) / count(distinct identifier)
        from true_identifiers where identifier_type = 'email'
        """,
        0.003,
        0.012,
    ),
    "web events without a visit's id": (
        "select avg((session_id is null)::integer) from web_events_once",
        0.35,
        0.65,
    ),
    "people who allow e-mail at sign-up": (
        """
        select avg((email_granted_at is not null)::integer) from true_people
        where kind = 'account' and not is_sharing_inbox
        """,
        0.66,
        0.74,
    ),
    "web events per customer": (f"select count(*) / {CUSTOMERS} from web_events", 35, 60),
    "mail events per customer": (f"select count(*) / {CUSTOMERS} from esp_events", 16, 32),
}


@pytest.mark.parametrize("what", RATES)
def test_the_shop_is_as_dirty_as_promised(shop, what):
    query, least, most = RATES[what]
    assert least <= value(shop, query) <= most


def test_messages_cause_as_many_orders_as_their_effect_says(shop):
    """Caused orders are independent draws; expected are the sums of their chances."""
    caused, expected, forgone = shop.execute(
        """
        select
            (select count(caused_by_message_id) from true_orders),
            (select sum(caused_order_chance) from true_messages),
            (select sum(forgone_order_chance) from true_holdouts)
        """
    ).fetchall()[0]
    # A caused order on a day that has an order already, or after a first one, is not counted.
    assert abs(caused - expected) < 4 * np.sqrt(expected) + 0.05 * expected
    assert 0.06 < forgone / expected < 0.16
    per_day = shop.execute(
        """
        with sends as (
            select person_id, sent_at, true as is_sent from true_messages
            where campaign_id like 'promo-%'
            union all
            select person_id, would_have_been_sent_at, false from true_holdouts
            where campaign_id like 'promo-%'
        )
        select is_sent, count(order_id) / count(distinct (sends.person_id, sent_at))
        from sends left join true_orders
            on sends.person_id = true_orders.person_id
            and ordered_at >= sent_at and ordered_at < sent_at + interval 60 hours
        group by is_sent order by is_sent
        """
    ).fetchall()
    assert per_day[1][1] > per_day[0][1]


EDGES = """
    with orders as (
        select customer_id, lower(trim(email)) as email, replace(phone, ' ', '') as phone, order_id
        from shop_orders where order_id not like 'bad-%'
    ),

    contacts as (
        select *, lower(trim(email)) as address, replace(phone, ' ', '') as number
        from esp_contacts
    ),

    records as (
        select *, lower(trim(email)) as address, replace(phone, ' ', '') as number
        from crm_customers where customer_id is not null
    ),

    visits as (
        select anonymous_id, customer_id, esp_contact_id, lower(email) as email, order_id
        from web_events where is_tracking_allowed
    ),

    pairs (l, r) as (
        select 'customer_id ' || customer_id, 'email ' || address from records
        union select 'customer_id ' || customer_id, 'phone ' || number from records
        union select 'customer_id ' || customer_id, 'customer_id ' || merged_into_customer_id
            from records
        union select 'customer_id ' || customer_id, 'email ' || email from orders
        union select 'customer_id ' || customer_id, 'phone ' || phone from orders
        union select 'email ' || email, 'phone ' || phone from orders
        union select 'esp_contact_id ' || esp_contact_id, 'email ' || address from contacts
        union select 'esp_contact_id ' || esp_contact_id, 'phone ' || number from contacts
        union select 'esp_contact_id ' || esp_contact_id, 'customer_id ' || external_id
            from contacts
        union select 'esp_contact_id ' || esp_contact_id,
            'esp_contact_id ' || merged_into_contact_id from contacts
        union select 'anonymous_id ' || anonymous_id, 'customer_id ' || customer_id from visits
        union select 'anonymous_id ' || anonymous_id, 'esp_contact_id ' || esp_contact_id
            from visits
        union select 'anonymous_id ' || anonymous_id, 'email ' || email from visits
        union select 'anonymous_id ' || anonymous_id, 'customer_id ' || orders.customer_id
            from visits inner join orders using (order_id)
        union select 'anonymous_id ' || anonymous_id, 'email ' || orders.email
            from visits inner join orders using (order_id)
        union select 'anonymous_id ' || anonymous_id, 'phone ' || phone
            from visits inner join orders using (order_id)
    )

    select l, r from pairs where l is not null and r is not null
"""


def test_linkable_is_what_the_landing_links(shop):
    """Found again from the landed rows alone, by another program."""
    nodes = shop.execute(
        "select identifier_type || ' ' || identifier, person_id, component_id from true_linkable"
    ).fetchall()
    assert len({node for node, _, _ in nodes}) == len(nodes)
    place = {node: n for n, (node, _, _) in enumerate(nodes)}
    edges = [
        (place[left], place[right])
        for left, right in shop.execute(EDGES).fetchall()
        if left in place and right in place
    ]
    strangers = [edge for edge in edges if nodes[edge[0]][1] != nodes[edge[1]][1]]
    assert strangers == []
    rows, columns = np.array(edges).T
    graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(nodes), len(nodes)))
    found = connected_components(graph, directed=False)[1]
    pairs = {(label, component) for label, (_, _, component) in zip(found, nodes, strict=True)}
    assert len(pairs) == len(set(found)) == len({component for _, component in pairs})


def test_every_landed_identifier_is_somebodys(shop):
    unknown = shop.execute(
        """
        with landed as (
            select 'customer_id' as identifier_type, customer_id as identifier from crm_customers
            union select 'email', lower(trim(email)) from crm_customers
            union select 'phone', replace(phone, ' ', '') from crm_customers
            union select 'email', lower(trim(email)) from shop_orders where not is_test
            union select 'phone', phone from shop_orders
            union select 'esp_contact_id', esp_contact_id from esp_contacts
            union select 'esp_contact_id', esp_contact_id from esp_events
            union select 'email', lower(trim(email)) from esp_contacts
            union select 'anonymous_id', anonymous_id from web_events
            union select 'email', lower(email) from consent_events
            union select 'customer_id', customer_id from consent_events
        )
        select * from landed anti join true_identifiers using (identifier_type, identifier)
        where identifier is not null
        """
    ).fetchall()
    assert unknown == []


def test_truth_knows_every_event_and_order(shop):
    assert (
        value(
            shop, "select count(*) from web_events_once anti join true_web_events using (event_id)"
        )
        == 0
    )
    assert (
        value(shop, "select count(*) from orders_once anti join true_orders using (order_id)") == 0
    )
    assert (
        value(
            shop, "select count(*) from esp_events_once anti join true_messages using (message_id)"
        )
        == 0
    )
    assert (
        value(
            shop,
            "select count(*) from esp_events_once where event_type in ('opened', 'clicked')"
            " and event_id not in (select event_id from true_opens)",
        )
        == 0
    )


def test_some_viewed_products_became_cheaper(shop):
    assert (
        value(
            shop,
            """
        select count(distinct products.product_id)
        from web_events_once as views
        inner join shop_products as products using (product_id)
        where event_type = 'product_view' and views.currency = 'EUR'
            and products.updated_at > views.occurred_at and products.list_price < views.unit_price
        """,
        )
        > 50
    )
