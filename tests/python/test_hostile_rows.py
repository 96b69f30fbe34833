"""Raw rows of every kind of nonsense: the build says what it refuses, and no number is wrong.

A clean shop is built, and built again with hostile rows among its own: new keys with absurd
content, and second versions of old keys that no rule lets through. Whoever is in the clean shop
must come out the same, to the last column of the facts.
"""

import os
import random
import re

import duckdb
import pytest
import yaml
from conftest import ROOT, Build

SEEDS = range(10) if "LETTERSHOP_THOROUGH" in os.environ else range(1)
VARS = {
    "as_of_at": "2024-05-28 00:00:00",
    "profiling_basis": "legitimate_interest",
    # Nearly everything here is refused.
    "max_rejected_rate": 1,
    "accept_landing_changes": True,
}
CONTRACT = {
    table["name"]: [(column["name"], column["data_type"]) for column in table["columns"]]
    for path in ROOT.glob("models/staging/*/_*__sources.yml")
    for source in yaml.safe_load(path.read_text())["sources"]
    if source["name"] != "state"
    for table in source["tables"]
}
KEYS = {
    "crm_customers": "customer_id",
    "customer_attributes": "customer_id",
    "shop_products": "product_id",
    "shop_orders": "order_id",
    "shop_order_lines": "order_line_id",
    "shop_refunds": "refund_id",
    "web_events": "event_id",
    "esp_campaigns": "campaign_id",
    "esp_events": "event_id",
    "esp_contacts": "esp_contact_id",
    "consent_events": "event_id",
    "social_interactions": "event_id",
    "service_interactions": "interaction_id",
    "coupon_redemptions": "redemption_id",
    "fx_rates": "currency",
}
NONSENSE = [
    "",
    "   ",
    "N" * 10_240,
    "💌🦄",
    "Robert'); drop table shop_orders; --",
    "{{ 7 * 7 }}",
    "%s\\u0000\\",
    "null",
    "NaN",
    "Infinity",
    "-1",
    "-999999999999999",
    "1e308",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "2024-02-30 25:61:00",
    "1,234.50",
    "a@b@c",
    "\x1f\x1f",
    "true",
]
# A clean row of each table; n makes its keys.
CLEAN = {
    "crm_customers": {
        "customer_id": "c{n}",
        "email": "person{n}@example.com",
        "first_name": "First{n}",
        "last_name": "Last{n}",
        "country": "Germany",
        "signed_up_at": "2024-01-01 00:00:00",
    },
    "shop_products": {"product_id": "p{n}", "category": "Tea", "list_price": "10.00"},
    "shop_orders": {
        "order_id": "o{n}",
        "customer_id": "c{n}",
        "order_status": "paid",
        "ordered_at": "2024-05-1{n} 12:00:00",
        "currency": "USD",
        "total_amount": "10.00",
    },
    "shop_order_lines": {
        "order_line_id": "l{n}",
        "order_id": "o{n}",
        "product_id": "p{n}",
        "quantity": "1",
        "line_amount": "10.00",
    },
    "shop_refunds": {
        "refund_id": "r{n}",
        "order_id": "o{n}",
        "order_line_id": "l{n}",
        "refunded_at": "2024-05-25 12:00:00",
        "refund_amount": "1.00",
    },
    "web_events": {
        "event_id": "w{n}",
        "anonymous_id": "d{n}",
        "customer_id": "c{n}",
        "event_type": "product_view",
        "product_id": "p{n}",
        "occurred_at": "2024-05-2{n} 12:00:00",
    },
    "esp_campaigns": {"campaign_id": "k{n}", "campaign_name": "News"},
    "esp_events": {
        "event_id": "e{n}",
        "message_id": "m{n}",
        "campaign_id": "k{n}",
        "customer_id": "c{n}",
        "event_type": "sent",
        "occurred_at": "2024-05-2{n} 08:00:00",
    },
    "esp_contacts": {
        "esp_contact_id": "x{n}",
        "email": "person{n}@example.com",
        "external_id": "c{n}",
        "created_at": "2024-01-01 00:00:00",
    },
    "consent_events": {
        "event_id": "s{n}",
        "customer_id": "c{n}",
        "purpose": "email_marketing",
        "action": "granted",
        "occurred_at": "2024-02-01 00:00:00",
    },
    "social_interactions": {
        "event_id": "y{n}",
        "customer_id": "c{n}",
        "interaction_type": "like",
        "occurred_at": "2024-05-01 00:00:00",
    },
    "service_interactions": {
        "interaction_id": "z{n}",
        "customer_id": "c{n}",
        "opened_at": "2024-05-01 00:00:00",
    },
    "customer_attributes": {
        "customer_id": "c{n}",
        "attribute_name": "loyalty_tier",
        "attribute_value": "gold",
        "updated_at": "2024-05-01 00:00:00",
    },
    "coupon_redemptions": {
        "redemption_id": "q{n}",
        "customer_id": "c{n}",
        "coupon_code": "SPRING",
        "redeemed_at": "2024-05-01 00:00:00",
    },
    "fx_rates": {"currency": "EUR", "rate_date": "2024-01-0{n}", "rate_to_base": "1.1"},
}
OFF = {"using_erasure_requests": False}


def write(folder, rows: dict[str, list[dict]]):
    """Write tables of text, as a careless loader would."""
    folder.mkdir(parents=True)
    for table, found in rows.items():
        columns = [name for name, _ in CONTRACT[table] if name not in ("store", "deleted_at")]
        connection = duckdb.connect()
        connection.execute(f"create table t ({', '.join(f'{name} varchar' for name in columns)})")
        connection.executemany(
            f"insert into t values ({', '.join('?' * len(columns))})",
            [[row.get(name) for name in columns] for row in found],
        )
        connection.execute(f"copy t to '{folder}/{table}.parquet' (format parquet)")
    return folder


def hostile(chance: random.Random, table: str) -> list[dict]:
    """Return rows of a table that nothing good can come of, with keys of their own."""
    # One row has a value that fits in every column: a column without any stops a build at once.
    fits = {"boolean": "false", "integer": "3", "bigint": "3", "date": "2024-01-01"}
    rows = [
        {
            name: fits.get(kind, "1.00")
            for name, kind in CONTRACT[table]
            if kind.startswith(("boolean", "integer", "bigint", "decimal", "date"))
        }
        | {name: text.replace("{n}", "_fits") for name, text in CLEAN[table].items()}
    ]
    for number in range(40):
        row = {name: text.replace("{n}", f"_bad{number}") for name, text in CLEAN[table].items()}
        for name, _ in CONTRACT[table]:
            if name in (
                "store",
                "deleted_at",
                "loaded_at",
                "merged_into_customer_id",
                "external_id",
            ):
                continue
            if chance.random() < 0.4:
                row[name] = chance.choice(NONSENSE)
        # The key stays apart from the clean shop's, whatever else is wrong.
        if row.get(KEYS[table]) not in ("", "   ", None):
            row[KEYS[table]] = f"bad {number} {row[KEYS[table]][:20]}"
        rows.append(row)
    # Second, newer versions of good keys that break a rule: the good ones must stand.
    broken = {
        "shop_orders": {"total_amount": "NaN"},
        "shop_order_lines": {"quantity": "-5"},
        "shop_refunds": {"refund_amount": "-5"},
        "web_events": {"occurred_at": "0001-01-01 00:00:00"},
        "esp_events": {"event_type": "exploded"},
        "social_interactions": {"occurred_at": "soon"},
        "service_interactions": {"opened_at": "never"},
        "coupon_redemptions": {"coupon_code": ""},
        "fx_rates": {"rate_to_base": "-1"},
        "shop_products": {"list_price": "-1"},
    }
    for number in range(1, 4) if table in broken else []:
        row = {name: text.replace("{n}", str(number)) for name, text in CLEAN[table].items()}
        rows.append(row | broken[table] | {"loaded_at": "2024-05-27 00:00:00"})
    return rows


@pytest.fixture(scope="module", params=SEEDS)
def both(request, builds):
    """The clean shop, and the same with hostile rows."""
    chance = random.Random(request.param)
    clean = {
        table: [
            {name: text.replace("{n}", str(number)) for name, text in row.items()}
            for number in range(1, 6)
        ]
        for table, row in CLEAN.items()
    }
    dirty = {}
    for table, rows in clean.items():
        dirty[table] = rows + hostile(chance, table)
        chance.shuffle(dirty[table])
    left = Build(
        builds / f"clean_{request.param}", write(builds / f"clean_landing_{request.param}", clean)
    )
    right = Build(
        builds / f"hostile_{request.param}",
        write(builds / f"hostile_landing_{request.param}", dirty),
    )
    left.run(
        *("--select", "+path:models/core"),
        vars=VARS | OFF,
    )
    whole = ("build", "--exclude-resource-type", "unit_test")
    right.run(*whole, vars=VARS | OFF, passes=False)
    # Contacts carry numbers of changes that are not in the outbox: one clear error, which says how
    # to go on.
    said = right.result.stdout
    assert set(re.findall(r"Error in model (\w+)", said)) == {"esp_outbox"}
    (approved,) = set(re.findall(r"var approve_esp_changes: (\d+)", said))
    right.run(
        *(*whole, "--select", "esp_outbox+"),
        vars=VARS | OFF | {"approve_esp_changes": int(approved)},
        passes=False,
    )
    return left, right


def test_the_build_ends_well_or_with_one_clear_error(both):
    """Data tests may warn; nothing may break."""
    _, dirty = both
    lines = dirty.result.stdout.splitlines()
    assert not [line for line in lines if "Runtime Error" in line or "Compilation Error" in line]
    assert dirty.result.returncode == 0, dirty.result.stdout[-6000:]


def test_every_refused_row_has_a_reason(both):
    _, dirty = both
    refused = dirty.query(
        "select landing_table, count(*), count(reject_reason) from monitoring.rejected_rows"
        " group by landing_table"
    )
    assert sum(count for _, count, _ in refused) > 100
    assert all(count == reasons for _, count, reasons in refused)
    assert len(refused) > 10


def test_the_clean_shop_comes_out_the_same(both):
    clean, dirty = both
    for table, key, prefix in (
        ("core.fct_orders", "order_id", "o"),
        ("core.fct_order_lines", "order_line_id", "l"),
        ("core.fct_refunds", "refund_id", "r"),
        ("core.fct_web_events", "event_id", "w"),
        ("core.fct_messages", "message_id", "m"),
        ("core.fct_social_interactions", "event_id", "y"),
        ("core.fct_service_interactions", "interaction_id", "z"),
        ("core.fct_coupon_redemptions", "redemption_id", "q"),
        ("core.dim_customers", "customer_id", "c"),
        ("core.dim_products", "product_id", "p"),
    ):
        query = (
            f"select * from {table} where regexp_full_match({key}, '{prefix}[1-5]') order by {key}"
        )
        assert clean.query(query) == dirty.query(query), table
        assert len(clean.query(query)) == 5, table


def test_no_number_is_no_number(both):
    """No NaN, no infinity, nothing beyond what a shop can have, in any column of any table."""
    _, dirty = both
    for table, columns in dirty.query(
        "select table_catalog || '.' || table_schema || '.' || table_name, list(column_name)"
        " from information_schema.columns inner join information_schema.tables"
        " using (table_catalog, table_schema, table_name)"
        " where data_type in ('DOUBLE', 'FLOAT')"
        # Views over all cutoffs of training; what is scored is a table.
        " and not (table_schema = 'features' and table_type = 'VIEW')"
        " group by 1"
    ):
        found = " or ".join(f'isnan("{column}") or isinf("{column}")' for column in columns)
        assert dirty.query(f"select count(*) from {table} where {found}") == [(0,)], table
    accepted = dirty.query(
        "select coalesce(sum(abs(net_revenue_base_amount)), 0) from core.fct_orders"
    )
    assert accepted[0][0] < 1_000_000_000
