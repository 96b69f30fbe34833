"""Connectors: from the tables of loaders to the landing, row by row, whole or not at all."""

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, ROOT, VARS, Build
from sqlfluff.core import Linter

from tools import landing
from tools.landing import CONNECTORS, NAMES, Connector, LandingError, contracts, fill

RAW = ROOT / "tests" / "fixtures" / "raw"
EXPECTED = ROOT / "tests" / "fixtures" / "landing"
LANDED = [(name, table) for name in NAMES for table in Connector(name, name).landing]
THOROUGH = "LETTERSHOP_THOROUGH" in os.environ


@pytest.fixture
def raw(tmp_path):
    """A copy of the raw tables that a test may change."""
    return shutil.copytree(RAW, tmp_path / "raw")


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """The landing of each connector alone, by name."""
    folder = tmp_path_factory.mktemp("landed")
    for name in NAMES:
        fill([Connector(name, name)], RAW, folder / name)
    return folder


def rows_of(relation):
    """Return the rows of a table as dicts of text, sorted; every column counts."""
    result = duckdb.execute(f"select columns(*)::varchar from {relation}")
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def landing_rows(folder, table):
    """Return the rows of a landing table."""
    return rows_of(f"read_parquet('{folder}/{table}.parquet')")


def expected_rows(name, table):
    """Return the rows that a connector should land, as they stand in the fixture."""
    return rows_of(f"read_csv('{EXPECTED}/{name}/{table}.csv', header=true, all_varchar=true)")


def rewrite(path, change):
    """Rewrite a CSV file: its rows as dicts, changed in place or replaced by what is returned."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = change(rows) or rows
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def without(*columns):
    """Return a change for rewrite that drops columns."""
    return lambda rows: [
        {name: value for name, value in row.items() if name not in columns} for row in rows
    ]


# --- To the row -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "table"), LANDED)
def test_fixtures_land_to_the_row(landed, name, table):
    assert landing_rows(landed / name, table) == expected_rows(name, table)


@pytest.mark.parametrize(("name", "table"), LANDED)
def test_what_is_landed_keeps_the_contract(landed, name, table):
    contract = contracts()[table]
    known = {column["name"]: column for column in contract["columns"]}
    described = duckdb.execute(f"describe from '{landed / name}/{table}.parquet'").fetchall()
    types = {row[0]: row[1].lower() for row in described}
    assert types.keys() <= known.keys()
    assert types == {column: known[column]["data_type"] for column in types}
    for column, definition in known.items():
        if definition.get("config", {}).get("meta", {}).get("is_required"):
            assert column in types
            assert all(row[column] is not None for row in landing_rows(landed / name, table))
    one_of = contract["config"]["meta"].get("one_of", [])
    for row in landing_rows(landed / name, table):
        assert not one_of or any(row.get(column) for column in one_of)


@pytest.mark.parametrize("name", NAMES)
def test_every_landing_table_of_a_connector_has_its_select(name):
    connector = Connector(name, name)
    selects = {path.stem for path in (CONNECTORS / name / "landing").glob("*.sql")}
    assert selects == set(connector.landing)
    named = {table for tables in connector.landing.values() for table in tables}
    assert named <= set(connector.raw)
    for table in connector.raw.values():
        for key in ("required", "rare", "also_called"):
            assert set(table.get(key, [])) <= set(table["columns"])
        assert not set(table.get("also_called", {}).values()) & set(table["columns"])
    assert (CONNECTORS / name / "README.md").read_text().count("## What is lost") == 1


def test_what_all_connectors_landed_is_accepted_to_the_row(builds, tmp_path):
    """Nothing is refused and no value is unusable; deleted rows take no part."""
    fill([Connector(name, name) for name in NAMES], RAW, tmp_path / "landing")
    tables = {path.stem for path in (tmp_path / "landing").iterdir()}
    build = Build(builds / "connectors", tmp_path / "landing").run(
        *("build", "--select", "+landing_accounting", "+rejected_rows"),
        *("--resource-type", "seed", "--resource-type", "model"),
        vars=VARS
        | {"as_of_at": "2024-03-01 05:00:00", "base_currency": "USD"}
        | {f"using_{name}": name in tables for name in OPTIONAL_TABLES},
    )
    assert build.query("select * from monitoring.rejected_rows") == []
    landed_rows = {name: len(landing_rows(tmp_path / "landing", name)) for name in sorted(tables)}
    assert sum(landed_rows.values()) > 100
    counted = build.query(
        "select landing_table, accepted_count + superseded_count, unusable_value_row_count"
        " from monitoring.landing_accounting where raw_count > 0 order by 1"
    )
    assert counted == [(name, count, 0) for name, count in landed_rows.items()]
    # An order with its line, a customer, a product, a contact and an event were deleted.
    assert dict(
        build.query(
            "select landing_table, superseded_count from monitoring.landing_accounting"
            " where superseded_count > 0"
        )
    ) == {
        **{"crm_customers": 1, "esp_contacts": 1, "esp_events": 1},
        **{"shop_order_lines": 1, "shop_orders": 1, "shop_products": 1},
    }


def test_refunds_come_to_what_was_given_back(landed):
    """Per refund: its lines and adjustments as Shopify counts them, tax-exclusive prices."""
    given = duckdb.execute(
        f"""
        select refund_group_id, sum(refund_amount), sum(tax_amount)
        from '{landed}/shopify/shop_refunds.parquet' group by all order by all
        """
    ).fetchall()
    assert [(group, float(amount)) for group, amount, _ in given] == [
        *(("7001", 80.9), ("7002", 27.0), ("7003", 50.0), ("7004", 5.0), ("7005", 40.5)),
    ]


@pytest.mark.parametrize("kept", ["0.01", "62.69", "80.00"])
def test_what_was_kept_back_is_shared_to_the_cent(raw, tmp_path, kept):
    def change(rows):
        rows[2]["amount"] = kept

    rewrite(raw / "shopify" / "order_adjustment.csv", change)
    fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    amounts = duckdb.execute(
        f"select refund_amount, tax_amount from '{tmp_path}/landing/shop_refunds.parquet'"
        " where refund_group_id = '7003'"
    ).fetchall()
    assert float(sum(amount for amount, _ in amounts)) == max(round(62.7 - float(kept), 2), 0)
    assert all(0 <= tax <= amount for amount, tax in amounts)


# --- States and days that come again --------------------------------------------------------------


@pytest.mark.parametrize("name", ["shopify", "klaviyo"])
def test_a_state_that_comes_again_is_the_same_event(raw, tmp_path, landed, name):
    table = {"shopify": "customer", "klaviyo": "person"}[name]

    def synced_later(rows):
        for row in rows:
            row["_fivetran_synced"] = "2024-03-05T22:00:00Z"

    rewrite(raw / name / f"{table}.csv", synced_later)
    fill([Connector(name, name)], raw, tmp_path / "second")
    first, second = (
        {row["event_id"] for row in landing_rows(folder, "consent_events")}
        for folder in (landed / name, tmp_path / "second")
    )
    assert first == second

    def withdraws(rows):
        for row in rows:
            for column in row:
                if column.endswith(("email_marketing_consent", "email_marketing_consent_state")):
                    row[column] = "UNSUBSCRIBED"
                if column.endswith(("consent_updated_at", "email_marketing_last_updated")):
                    row[column] = "2024-03-06T00:00:00Z"

    rewrite(raw / name / f"{table}.csv", withdraws)
    fill([Connector(name, name)], raw, tmp_path / "third")
    third = landing_rows(tmp_path / "third", "consent_events")
    withdrawn = [row for row in third if row["purpose"] == "email_marketing"]
    assert {row["action"] for row in withdrawn} == {"withdrawn"}
    assert not first & {row["event_id"] for row in withdrawn}


def test_who_was_never_asked_has_said_nothing(landed):
    shopify = {row["customer_id"] for row in landing_rows(landed / "shopify", "consent_events")}
    klaviyo = {row["esp_contact_id"] for row in landing_rows(landed / "klaviyo", "consent_events")}
    braze = {row["event_id"] for row in landing_rows(landed / "braze", "consent_events")}
    assert "104" not in shopify
    assert "K3" not in klaviyo
    assert "bg2" not in braze


def test_a_profile_export_is_complete_as_of_its_newest_row(landed):
    contacts = landing_rows(landed / "klaviyo", "esp_contacts")
    assert {row["loaded_at"] for row in contacts} == {"2024-02-29 22:00:00"}


def test_a_day_of_ga4_is_replaced_by_its_daily_table(raw, tmp_path):
    day = raw / "ga4" / "events_20240220.csv"
    day.rename(tmp_path / "later.csv")
    fill([Connector("ga4", "ga4")], raw, tmp_path / "landing")
    before = landing_rows(tmp_path / "landing", "web_events")
    (tmp_path / "later.csv").rename(day)
    fill([Connector("ga4", "ga4")], raw, tmp_path / "landing")
    after = landing_rows(tmp_path / "landing", "web_events")
    assert (len(before), len(after)) == (3, 9)
    # What was there before is the same event, though told of in more words.
    assert {row["event_id"] for row in before} < {row["event_id"] for row in after}
    # And when Google rewrites the day: more is known of an event, one is gone, one came late.
    late = {"event_name": "login", "event_timestamp": "1708460000000000", "items": ""}

    def rewritten(rows):
        rows[0]["collected_traffic_source"] = '{"manual_source": "newsletter"}'
        return [*(row for row in rows if row["event_name"] != "purchase"), rows[0] | late]

    rewrite(day, rewritten)
    fill([Connector("ga4", "ga4")], raw, tmp_path / "landing")
    again = {row["event_id"]: row for row in landing_rows(tmp_path / "landing", "web_events")}
    gone = {row["event_id"] for row in after if row["event_type"] == "order_placed"}
    came = again.keys() - {row["event_id"] for row in after}
    assert {row["event_id"] for row in after} - again.keys() == gone
    assert [again[key]["event_type"] for key in came] == ["login"]
    sources = [
        (row["utm_source"], again[row["event_id"]]["utm_source"])
        for row in after
        if row["event_type"] == "page_view"
    ]
    assert sources == [("klaviyo", "newsletter")]


def test_nested_columns_are_read_as_they_are_exported(raw, tmp_path):
    """GA4 and Snowplow as parquet with lists and structs, as they leave the warehouse."""
    for name in ("ga4", "snowplow"):
        for path in sorted((raw / name).glob("*.csv")):
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            types = next(iter(Connector(name, name).raw.values()))["columns"]
            for row in rows:
                for column, value in row.items():
                    if types.get(column) == "json":
                        row[column] = json.loads(value) if value else None
                    elif not value:
                        row[column] = None
            lines = path.with_suffix(".ndjson")
            lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
            duckdb.execute(
                f"copy (from read_json('{lines}', sample_size=-1, map_inference_threshold=-1))"
                f" to '{path.with_suffix('.parquet')}' (format parquet)"
            )
            path.unlink()
        types = {
            row[1]
            for path in (raw / name).glob("*.parquet")
            for row in duckdb.execute(f"describe from '{path}'").fetchall()
        }
        assert any(type_name.startswith("STRUCT") for type_name in types)
        fill([Connector(name, name)], raw, tmp_path / "landing" / name)
        assert landing_rows(tmp_path / "landing" / name, "web_events") == expected_rows(
            name, "web_events"
        )


# --- What is missing ------------------------------------------------------------------------------


def test_a_missing_required_table_or_column_stops_and_all_are_named(raw, tmp_path):
    (raw / "shopify" / "order_line.csv").unlink()
    rewrite(raw / "shopify" / "order.csv", without("currency", "total_price"))
    rewrite(raw / "klaviyo" / "event.csv", without("person_id"))
    with pytest.raises(LandingError) as failure:
        fill([Connector(name, name) for name in ("shopify", "klaviyo")], raw, tmp_path / "landing")
    assert list(failure.value.args) == [
        f"shopify: the raw table order in {raw}/shopify has no column currency or currency_code,"
        " total_price or total_price_set_shop_amount. Let the loader write it, or add it in a"
        " view.",
        f"shopify: the raw table order_line is missing in {raw}/shopify. It is required: let the"
        " loader write it.",
        f"klaviyo: the raw table event in {raw}/klaviyo has no column person_id. Let the loader"
        " write it, or add it in a view.",
    ]
    assert not (tmp_path / "landing").exists()


def test_missing_optional_tables_are_said_and_done_without(raw, tmp_path):
    required = [
        name
        for name, table in Connector("shopify", "shopify").raw.items()
        if table.get("is_required")
    ]
    for path in (raw / "shopify").iterdir():
        if path.stem not in required:
            path.unlink()
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert f"  shopify: no refund in {raw}/shopify; done without" in lines
    assert "  shop_refunds is not written without shopify.refund" in lines
    orders = {row["order_id"]: row for row in landing_rows(tmp_path / "landing", "shop_orders")}
    assert len(orders) == 12
    # Without the lines of shipping, what the order says.
    assert orders["5001"]["shipping_amount"] == "5.0000"
    assert orders["5010"]["coupon_code"] is None
    assert not (tmp_path / "landing" / "shop_refunds.parquet").exists()


def test_missing_optional_columns_are_null(raw, tmp_path):
    for table in ("customer", "order", "order_line", "product"):
        path = raw / "shopify" / f"{table}.csv"
        keep = Connector("shopify", "shopify").raw[table]["required"]
        with path.open(newline="") as file:
            names = next(csv.reader(file))
        rewrite(path, without(*(set(names) - set(keep))))
    fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    for row in landing_rows(tmp_path / "landing", "crm_customers"):
        assert {name for name, value in row.items() if value is not None} == {"customer_id"}
    orders = landing_rows(tmp_path / "landing", "shop_orders")
    assert {row["order_status"] for row in orders} == {"placed"}


def test_columns_that_are_missing_are_said_in_a_line_per_table(raw, tmp_path):
    """Not those that only some connections have, nor what marks deleted rows."""
    before = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert not any("null" in line for line in before)
    rewrite(raw / "shopify" / "order_line.csv", without("gift_card", "sku"))
    rewrite(raw / "shopify" / "order.csv", without("cart_token", "_fivetran_deleted"))
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert [line for line in lines if "null" in line] == [
        "  shopify: order_line has no sku, gift_card; null"
    ]


# --- As loaders and people really leave them ------------------------------------------------------


def as_parquet(path, columns):
    """Turn a CSV file into parquet, with some columns replaced.

    Args:
        path: of the CSV file.
        columns: SQL by name.
    """
    replaced = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
    duckdb.execute(
        f"copy (select * {f'replace ({replaced})' if replaced else ''}"
        f" from read_csv('{path}', header=true, all_varchar=true))"
        f" to '{path.with_suffix('.parquet')}' (format parquet)"
    )
    path.unlink()


def test_a_connection_on_the_graphql_api_lands_the_same(raw, tmp_path, landed):
    """Other names, words in capitals, the default address by its flag, no tags and no images."""
    tables = Connector("shopify", "shopify").raw
    gone = {"order": ("cart_token",), "refund": ("processed_at",), "order_adjustment": ("kind",)}

    def renamed(table):
        names = tables[table].get("also_called", {})

        def change(rows):
            for row in rows:
                for old, new in names.items():
                    if old in row:
                        row[new] = row.pop(old)
                for column in ("display_financial_status", "email_marketing_consent_state"):
                    if column in row:
                        row[column] = row[column].upper()
                for column in gone.get(table, ()):
                    del row[column]
                if table == "order":
                    shipping = json.loads(row.pop("total_shipping_price_set"))
                    row["total_shipping_price_set_shop_amount"] = shipping["shop_money"]["amount"]
                if table == "customer_address":
                    row["is_default"] = str(row["id"] != "907").lower()
                if table == "customer":
                    del row["default_address_id"]

        return change

    for path in sorted((raw / "shopify").glob("*.csv")):
        rewrite(path, renamed(path.stem))
    for table in ("order_url_tag", "product_image", "order_shipping_line"):
        (raw / "shopify" / f"{table}.csv").unlink()
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert not any("has no" in line for line in lines)
    lost = {"cart_id", "image_url", "utm_source", "utm_medium", "utm_campaign", "utm_content"}
    for table in Connector("shopify", "shopify").landing:
        found, known = (
            [{k: v for k, v in row.items() if k not in lost} for row in landing_rows(folder, table)]
            for folder in (tmp_path / "landing", landed / "shopify")
        )
        for row in known:
            # Without its kind an adjustment is not known to be of the shipping.
            if row.get("refund_type") == "shipping":
                row["refund_type"] = "adjustment"
        assert found == known, table


def test_times_ids_and_empty_texts_of_other_programs_are_read(raw, tmp_path, landed):
    """What Snowflake's unloading and pandas make of the same tables lands the same."""

    def unloaded(rows):
        for row in rows:
            for column in ("processed_at", "cancelled_at", "updated_at"):
                row[column] = row[column].replace("T", " ").replace("Z", ".000 Z")
            hour = int(row["created_at"][11:13])
            # The same moment on a clock that is five hours behind.
            if hour >= 5:
                row["created_at"] = f"{row['created_at'][:10]} {hour - 5:02}:00:00.000 -0500"

    rewrite(raw / "shopify" / "order.csv", unloaded)
    as_parquet(
        raw / "shopify" / "order.csv",
        {
            "customer_id": "customer_id::double",
            "id": "id::decimal(38, 1)",
            "phone": "coalesce(phone, '')",
            "test": "test::boolean",
            "total_price": "total_price::double",
        },
    )
    as_parquet(raw / "shopify" / "customer.csv", {"created_at": "created_at::timestamptz"})
    # Names in capitals.
    duckdb.execute(
        "copy (select id as ID, title as TITLE, status as STATUS"
        f" from read_csv('{raw}/shopify/product.csv', all_varchar=true))"
        f" to '{raw}/shopify/PRODUCT.parquet' (format parquet)"
    )
    (raw / "shopify" / "product.csv").unlink()
    fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    for table in ("shop_orders", "crm_customers", "shop_order_lines", "consent_events"):
        assert landing_rows(tmp_path / "landing", table) == landing_rows(landed / "shopify", table)
    products = landing_rows(tmp_path / "landing", "shop_products")
    assert {row["product_name"] for row in products} >= {"Green tea", "Teapot", "Old mug"}


def test_optional_tables_without_rows_are_as_if_they_had_none(raw, tmp_path):
    for name in ("shopify", "klaviyo"):
        for table, settings in Connector(name, name).raw.items():
            path = raw / name / f"{table}.csv"
            if path.exists() and not settings.get("is_required"):
                path.write_text(path.read_text().splitlines()[0] + "\n")
    # And one without even a header.
    (raw / "klaviyo" / "flow.csv").write_text("")
    lines = fill(
        [Connector(name, name) for name in ("shopify", "klaviyo")], raw, tmp_path / "landing"
    )
    assert "  klaviyo: flow has no id, name, created; null" in lines
    assert landing_rows(tmp_path / "landing", "shop_refunds") == []
    assert landing_rows(tmp_path / "landing", "esp_events") == []
    assert len(landing_rows(tmp_path / "landing", "shop_orders")) == 12
    assert len(landing_rows(tmp_path / "landing", "esp_contacts")) == 7


def test_what_the_loader_marks_as_deleted_counts_nowhere(raw, tmp_path, landed):
    """Of orders, customers and messages the landing says so; of what they are made of, no row."""

    def marked(*ids):
        def change(rows):
            for row in rows:
                row["_fivetran_deleted"] = str(row["id"] in ids).lower()

        return change

    shopify = raw / "shopify"
    rewrite(shopify / "refund.csv", marked("7001"))
    rewrite(shopify / "order_line.csv", marked("6001"))
    rewrite(shopify / "order_line_refund.csv", marked("7105"))
    rewrite(shopify / "product_variant.csv", marked("301"))
    rewrite(raw / "klaviyo" / "metric.csv", marked("M2"))
    fill([Connector(name, name) for name in ("shopify", "klaviyo")], raw, tmp_path / "landing")

    def ids(folder, table, column):
        return {row[column] for row in landing_rows(folder, table)}

    gone = ids(landed / "shopify", "shop_order_lines", "order_line_id") - ids(
        tmp_path / "landing", "shop_order_lines", "order_line_id"
    )
    assert gone == {"6001"}
    gone = ids(landed / "shopify", "shop_refunds", "refund_id") - ids(
        tmp_path / "landing", "shop_refunds", "refund_id"
    )
    assert gone == {"7001:7101", "7001:7102", "7001:7201", "7003:7105"}
    products = {
        row["product_id"]: row for row in landing_rows(tmp_path / "landing", "shop_products")
    }
    assert (products["201"]["list_price"], products["201"]["stock_quantity"]) == ("20.0000", "15")
    # What an event was called is known for good.
    assert landing_rows(tmp_path / "landing", "esp_events") == landing_rows(
        landed / "klaviyo", "esp_events"
    )


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([("L9", "News")], "L9"),
        ([("L8", "Offers")], None),
        ([("L9", "News"), ("L8", "News")], None),
        (None, None),
    ],
)
def test_a_list_left_is_told_by_its_name(raw, tmp_path, lists, expected):
    if lists is not None:
        text = "id,list_name\n" + "".join(f"{key},{name}\n" for key, name in lists)
        (raw / "klaviyo" / "list.csv").write_text(text)
    else:
        (raw / "klaviyo" / "list.csv").unlink()
    fill([Connector("klaviyo", "klaviyo")], raw, tmp_path / "landing")
    events = {row["event_id"]: row for row in landing_rows(tmp_path / "landing", "esp_events")}
    assert len(events) == len(expected_rows("klaviyo", "esp_events"))
    assert events["E09"]["list_id"] == expected


def test_values_that_do_not_fit_are_counted_and_never_shown(raw, tmp_path):
    def change(rows):
        rows[0]["total_price"] = "ann@example.com"

    rewrite(raw / "shopify" / "order.csv", change)
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert "  shopify: 1 of order.total_price are no decimal(18,4); null" in lines
    assert "ann@example.com" not in "\n".join(lines)


def test_a_number_where_a_time_should_be_is_counted(raw, tmp_path):
    path = raw / "shopify" / "order.csv"
    duckdb.execute(
        "copy (select * replace (epoch(cancelled_at)::bigint as cancelled_at)"
        f" from read_csv('{path}')) to '{path.with_suffix('.parquet')}' (format parquet)"
    )
    path.unlink()
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert "  shopify: 1 of order.cancelled_at are no timestamp; null" in lines
    assert len(landing_rows(tmp_path / "landing", "shop_orders")) == 12


def test_a_table_of_another_name_is_pointed_at(raw, tmp_path):
    (raw / "shopify" / "order.csv").rename(raw / "shopify" / "orders.csv")
    with pytest.raises(LandingError, match=r"order is missing in .* \(perhaps misspelt: orders\)"):
        fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    (raw / "shopify" / "orders.csv").rename(raw / "shopify" / "order.csv")
    (raw / "shopify" / "refund.csv").rename(raw / "shopify" / "refunds.csv")
    lines = fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert (
        f"  shopify: no refund in {raw}/shopify (perhaps misspelt: refunds); done without" in lines
    )


def test_compressed_files_and_folders_of_files_are_tables(raw, tmp_path, landed):
    orders, lines = (raw / "shopify" / f"{name}.csv" for name in ("order", "order_line"))
    (raw / "shopify" / "order.csv.gz").write_bytes(gzip.compress(orders.read_bytes()))
    orders.unlink()
    header, *rows = lines.read_text().splitlines(keepends=True)
    lines.unlink()
    lines.mkdir()
    for number, part in enumerate((rows[:5], rows[5:])):
        (lines / f"part_{number}.csv").write_text(header + "".join(part))
    fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    for table in ("shop_orders", "shop_order_lines"):
        assert landing_rows(tmp_path / "landing", table) == landing_rows(landed / "shopify", table)
    (raw / "shopify" / "order.csv").write_text("id\n")
    with pytest.raises(LandingError, match="has order twice"):
        fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")


@pytest.mark.parametrize("raw_path", ["nothing", "empty", "text.duckdb"])
def test_raw_tables_that_are_not_there_are_named(tmp_path, raw_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.duckdb").write_text("ann@example.com")
    with pytest.raises(LandingError) as failure:
        fill([Connector("ga4", "ga4")], tmp_path / raw_path, tmp_path / "landing")
    assert str(tmp_path / raw_path) in failure.value.args[0]
    assert "ann@example.com" not in failure.value.args[0]


def test_a_file_that_is_not_what_it_says_is_named_without_its_content(raw, tmp_path):
    (raw / "ga4" / "events_20240222.parquet").write_text("ann@example.com")
    with pytest.raises(LandingError) as failure:
        fill([Connector("ga4", "ga4")], raw, tmp_path / "landing")
    assert "cannot be read" in failure.value.args[0]
    assert "ann@example.com" not in failure.value.args[0]


def test_a_file_that_breaks_off_is_named_without_its_content(raw, tmp_path):
    """Far down, where describing the file does not see it."""
    path = raw / "shopify" / "order_url_tag.csv"
    rows = "".join(f"{number},utm_source,klaviyo\n" for number in range(60_000))
    path.write_text(f"order_id,key,value\n{rows}5010,utm_source,ann@example.com,one,too,many\n")
    with pytest.raises(LandingError) as failure:
        fill([Connector("shopify", "shopify")], raw, tmp_path / "landing")
    assert "shop_orders cannot be written" in failure.value.args[0]
    assert "ann@example.com" not in str(failure.value)
    assert not any((tmp_path / "landing").iterdir())


# --- Whole or not at all --------------------------------------------------------------------------


def test_a_landing_that_fails_halfway_is_as_it_was(raw, tmp_path, monkeypatch):
    target = tmp_path / "landing"
    fill([Connector("shopify", "shopify")], raw, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    rewrite(raw / "shopify" / "customer.csv", lambda rows: rows[:1])
    whole = landing.landing_query

    def fails_at_the_last(selects, selected, contract):
        query = whole(selects, selected, contract)
        if contract["name"] == "shop_refunds":
            query += " union all by name select error('stopped') as refund_id"
        return query

    monkeypatch.setattr(landing, "landing_query", fails_at_the_last)
    with pytest.raises(LandingError, match="shop_refunds cannot be written"):
        fill([Connector("shopify", "shopify")], raw, target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    monkeypatch.undo()
    fill([Connector("shopify", "shopify")], raw, target)
    assert len(landing_rows(target, "crm_customers")) == 1


def test_tables_of_others_are_not_replaced(raw, tmp_path):
    target = tmp_path / "landing"
    target.mkdir()
    duckdb.execute(f"copy (select 'mine' as event_id) to '{target}/web_events.parquet'")
    with pytest.raises(LandingError, match="was not written by this program"):
        fill([Connector("ga4", "ga4")], raw, target)
    assert landing_rows(target, "web_events") == [{"event_id": "mine"}]


def test_rows_of_another_connector_are_not_lost(raw, tmp_path):
    target = tmp_path / "landing"
    both = [Connector(name, name) for name in ("shopify", "klaviyo")]
    fill(both, raw, target)
    rows = landing_rows(target, "consent_events")
    assert len(rows) == sum(len(expected_rows(each.name, "consent_events")) for each in both)
    with pytest.raises(LandingError, match='make landing FROM="klaviyo shopify"'):
        fill([Connector("klaviyo", "klaviyo")], raw, target)
    assert landing_rows(target, "consent_events") == rows
    fill([Connector("ga4", "ga4")], raw, target)


def test_tables_of_two_days_never_stand_side_by_side(raw, tmp_path):
    """What a run wrote and the next cannot write is removed; what others wrote stays."""
    target = tmp_path / "landing"
    shopify, klaviyo = Connector("shopify", "shopify"), Connector("klaviyo", "klaviyo")
    fill([shopify, klaviyo], raw, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    assert "shop_refunds.parquet" in before
    (raw / "shopify" / "refund.csv").unlink()
    fill([Connector("ga4", "ga4")], raw, target)
    (target / "web_events.parquet").unlink()
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    lines = fill([Connector(name, name) for name in ("shopify", "klaviyo")], raw, target)
    assert (
        f"  shop_refunds is not written without shopify.refund; {target}/shop_refunds.parquet of an"
        " earlier run is removed"
    ) in lines
    assert {path.name for path in target.iterdir()} == before.keys() - {"shop_refunds.parquet"}
    # Not ours to remove: another program's file, and one that also holds rows of others.
    mine = target / "shop_refunds.parquet"
    duckdb.execute(f"copy (select 'mine' as refund_id) to '{mine}'")
    lines = fill([Connector(name, name) for name in ("shopify", "klaviyo")], raw, target)
    assert any(f"{mine} is of another origin and stays" in line for line in lines)
    assert landing_rows(target, "shop_refunds") == [{"refund_id": "mine"}]
    duckdb.execute(
        f"copy (select 'both' as refund_id) to '{mine}'"
        " (format parquet, kv_metadata {lettershop_connectors: 'ga4 shopify'})"
    )
    with pytest.raises(LandingError, match="also holds rows of ga4, which would be lost"):
        fill([Connector(name, name) for name in ("shopify", "klaviyo")], raw, target)
    assert landing_rows(target, "shop_refunds") == [{"refund_id": "both"}]


def test_a_table_of_two_connectors_is_written_without_the_one_whose_raw_table_is_gone(
    raw, tmp_path
):
    target = tmp_path / "landing"
    both = [Connector(name, name) for name in ("braze", "klaviyo")]
    fill(both, raw, target)
    for table in both[0].landing["consent_events"]:
        (raw / "braze" / f"{table}.csv").unlink()
    fill([Connector(name, name) for name in ("braze", "klaviyo")], raw, target)
    assert landing_rows(target, "consent_events") == expected_rows("klaviyo", "consent_events")


def test_a_database_is_read_as_a_folder_is(tmp_path, landed):
    database = tmp_path / "raw.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute('create schema "Shopify_US"')
        for path in (RAW / "shopify").glob("*.csv"):
            connection.execute(
                f'create table "Shopify_US"."{path.stem.upper()}" as'
                f" from read_csv('{path}', header=true)"
            )
        types = connection.execute(
            "select distinct data_type from information_schema.columns"
        ).fetchall()
    # Numbers and times with their own types, not text.
    assert {("BIGINT",), ("DOUBLE",), ("TIMESTAMP WITH TIME ZONE",)} <= set(types)
    fill([Connector("shopify", "shopify_us")], database, tmp_path / "landing")
    for table in Connector("shopify", "shopify").landing:
        found = landing_rows(tmp_path / "landing", table)
        # A number's text has lost the zeros before it.
        for row in found:
            if row.get("postal_code") == "2108":
                row["postal_code"] = "02108"
        assert found == landing_rows(landed / "shopify", table)


# --- The program ----------------------------------------------------------------------------------


def run(*arguments, **variables):
    """Run the program and return its result."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LETTERSHOP_")}
    return subprocess.run(
        [sys.executable, "-m", "tools.landing", *arguments],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_says_what_it_did_and_what_is_wrong(tmp_path):
    target = str(tmp_path / "landing")
    result = run("ga4", LETTERSHOP_RAW=str(RAW), LETTERSHOP_LANDING=target)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"  {target}/web_events.parquet: 9 rows of ga4\nNext: make check\n"
    result = run("ga4=ga5", LETTERSHOP_RAW=str(RAW), LETTERSHOP_LANDING=target)
    assert result.returncode == 1
    assert result.stderr == (
        f"Nothing was landed.\n- ga4: the folder {RAW}/ga5 does not exist. Put the raw tables"
        f" there, or name another: FROM=ga4=<folder below {RAW}>.\n"
    )
    assert "There is no connector called 'magento'" in run("magento").stderr
    assert "named twice" in run("ga4", "ga4=other").stderr
    assert "LETTERSHOP_RAW is not set" in run("ga4").stderr


@pytest.mark.parametrize("name", NAMES if THOROUGH else ["ga4", "snowplow"])
def test_snowflake_views_are_sql_of_snowflake(name):
    """Parsed, not run: there is no Snowflake here."""
    linter = Linter(dialect="snowflake")
    text = landing.snowflake_views([Connector(name, f"raw.{name}")])
    assert text.count("create or replace view") == len(Connector(name, name).landing)
    for statement in text.split(";\n\n"):
        assert not linter.parse_string(statement).violations


def test_sql_of_duckdb_would_not_pass_for_snowflake():
    select = Connector("ga4", "ga4").select("web_events", "duckdb")
    assert Linter(dialect="snowflake").parse_string(select).violations


# --- The guide ------------------------------------------------------------------------------------

GUIDE = ROOT / "docs" / "own-data.md"
# What make runs, without what it installs before.
MAKE = {
    r'make landing FROM="([^"]*)"': r"PYTHON -m tools.landing \1",
    r"make (check|build)": r"PYTHON -m tools.\1",
    r"\.venv/bin/python": "PYTHON",
}


def follow_guide(folder, steps):
    """Run the commands of the guide one block after the other, and hold what it shows against them.

    Args:
        folder: instead of data/tour.
        steps: how many blocks of commands, from the first.
    """
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    commands = [number for number, (kind, _) in enumerate(blocks) if kind == "sh"]
    exports = ""
    for number in commands[:steps]:
        script = blocks[number][1].replace("data/tour", str(folder))
        for pattern, command in MAKE.items():
            script = re.sub(pattern, command, script)
        shown = ""
        if number + 1 < len(blocks) and blocks[number + 1][0] == "text":
            shown = blocks[number + 1][1].replace("data/tour", str(folder))
        result = subprocess.run(
            ["bash", "-e", "-c", exports + script.replace("PYTHON", sys.executable)],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith(("LETTERSHOP_", "DBT_"))}
            | {"DBT_USE_COLORS": "false", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = [line.strip() for line in result.stdout.splitlines()]
        assert (result.returncode != 0) == ("problem" in shown), result.stdout[-3000:]
        assert [line for line in shown.splitlines() if line.strip() not in said] == []
        exports += "".join(
            line + "\n" for line in script.splitlines() if line.startswith("export ")
        )
    return len(commands)


def test_what_the_guide_calls_odd_stands_in_the_fixtures():
    """Ids of orders, refunds, customers, profiles and events, and names of tables."""
    text = "\n".join(f"{path.stem}\n{path.read_text()}" for path in sorted(RAW.glob("*/*.csv")))
    cells = set(re.split(r"[,\n]", text))
    odd = GUIDE.read_text().split("\n## What this shop has that is odd")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", odd, re.MULTILINE)
    assert {row[0] for row in rows} >= {
        *("refund of several lines", "paid, then cancelled", "partial refund", "test order"),
        *("gift card sold", "gift card used", "guest", "sale at the till", "machine open"),
        *("merged customer and profile", "suppressed profile", "never subscribed"),
    }
    for oddity, fixture in rows[1:]:
        named = re.findall(r"`(\w+)`|\b([EK]?\d+)\b", fixture)
        assert named or "GA4" in fixture, oddity
        assert {"".join(name) for name in named} <= cells, oddity


def test_the_guide_fills_the_landing(tmp_path):
    follow_guide(tmp_path, steps=2)


@pytest.mark.skipif(not THOROUGH, reason="two checks and a build of dbt: over a minute")
def test_the_guide_leads_to_segments(tmp_path):
    assert follow_guide(tmp_path, steps=99) == 7
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as published:

        def rows(query):
            return published.execute(query).fetchall()

        assert rows("select * from monitoring.rejected_rows") == []
        # What the lines, shipping and tax of an order come to is what its customer owes.
        assert rows("select order_id from core.fct_orders where unexplained_amount <> 0") == []
        revenue = dict(rows("select order_id, net_revenue_amount::double from core.fct_orders"))
        # By hand: without tax, less what was given back; cards and tips sold are none.
        assert revenue == {
            **{"5001": 0, "5002": 0, "5003": 11.55, "5004": 0, "5005": 40, "5006": 0},
            **{"5007": 20, "5008": 36, "5009": 12, "5010": 36.82, "5011": 12},
        }
        (total,) = rows("select sum(net_revenue_amount)::double from marts.revenue_bridge")
        assert total == (168.37,)
        assert f"{total[0]}" in GUIDE.read_text()


def test_make_runs_what_the_guide_is_tested_with():
    modules = {"landing": "landing shopify klaviyo", "check": "check", "build": "build"}
    for target, module in modules.items():
        result = subprocess.run(
            ["make", "-n", target, "FROM=shopify klaviyo"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"python -m tools.{module}" in result.stdout
