"""What check_landing prints of a landing, and that it changes nothing."""

import json

import pytest
from conftest import OPTIONAL_TABLES, TABLES, VARS

DIRTY = {
    "crm_customers": f"""
        select *, 'Q' as gender, case when customer_id = 'c1' then '1990-01-01' else 'unknown' end
            as birth_date
        from ({TABLES["crm_customers"]})
    """,
    "shop_orders": f"select * exclude (currency) from ({TABLES['shop_orders']})",
    "shop_products": None,
    "shop_refunds": """
        select 'r1' as refund_id, 'o1' as order_id, 1706745600 as refunded_at, 5.00 as refund_amount
    """,
    "web_events": """
        select 'e' || n as event_id, 'v1' as anonymous_id, 'person' || n || '@example.com'
            as event_type, timestamp '2024-02-02 10:00:00' as occurred_at
        from range(30) as numbers (n)
    """,
    "esp_contacts": "select 'k1' as esp_contact_id limit 0",
    "customer_attributes": """
        select *, timestamp '2024-02-01' as updated_at
        from (values
            ('c1', 'Loyalty_Tier ', 'gold'), ('c2', 'loyalty_tier', 'gold'),
            ('c1', 'unlisted', 'x'), ('c1', 'ann@example.com', 'x'), ('c1', null, 'x')
        ) as rows (customer_id, attribute_name, attribute_value)
    """,
    "baskets": "select 1 as basket_id",
}


@pytest.fixture
def report(landing, dbt):
    """A function that checks a landing; gives the exit code and the lines, trimmed."""

    def check(tables, vars, vars_file=None):
        folder = landing(**tables)
        if vars_file is not None:
            (folder / "vars.yml").write_text(json.dumps(vars_file))
        before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
        result = dbt("--quiet", "run-operation", "check_landing", vars=vars)
        assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
        return result.returncode, [line.strip() for line in result.stdout.splitlines()]

    return check


def test_good_landing(report):
    """Without its vars the run takes them from the landing's file."""
    code, lines = report({}, vars={}, vars_file=VARS)
    assert code == 0, lines
    assert "clock 2024-03-01 00:00:00 UTC, days in UTC, money in USD" in lines
    assert "vars.yml was not passed to this run (--vars); its values are used all the same" in lines
    assert "crm_customers (required): 3 rows" in lines
    assert "signed_up_at from 2024-01-01 09:00:00 to 2024-01-03 09:00:00" in lines
    assert "newest row 2024-02-28 10:00:00" in lines
    assert "empty: email 33.3%" in lines
    assert "as_of_at: '2024-03-01 00:00:00'" in lines
    for table in OPTIONAL_TABLES:
        at = lines.index(f"{table} (optional): not there, switched off")
        assert lines[at + 1].startswith("without it: "), f"no words on being without {table}"
        assert f"using_{table}: false" in lines
    assert not [line for line in lines if line.startswith(("warning", "ERROR", "note"))]
    assert lines[-1] == "check: OK"


def test_dirty_landing(report):
    """All that is wrong is in one report, and no value of a person's."""
    on = {"using_shop_refunds": True, "using_web_events": True, "using_esp_contacts": True}
    on["using_customer_attributes"] = True
    vars = VARS | on | {"as_of_at": "2024-05-01 00:00:00", "using_social_interactions": True}
    code, lines = report(DIRTY, vars)
    text = "\n".join(lines)
    assert code != 0
    assert "warning birth_date: 2 values not of type date (landed as varchar)" in lines
    assert "warning gender: unknown 'q' x 3; known are female, male, other" in lines
    assert "ERROR required column missing: currency" in lines
    assert "shop_products (required): not there" in lines
    assert "ERROR missing" in lines
    assert "ERROR refunded_at: no value fits timestamp (landed as integer)" in lines
    assert "warning event_type: more than 20 unknown values; it should hold page_view" in text
    assert "esp_contacts (optional): 0 rows" in lines
    assert "while it is empty: no leads from the ESP" in text
    said = " ".join(text.split())
    assert (
        "attributes: 1 admitted; not in attribute_catalog: unlisted (1 row), 1 name not shown; in"
        " attribute_catalog and not in the landing: home_store"
    ) in said
    assert "ERROR missing and not switched off" in lines
    assert "note: baskets.parquet is not part of the contract and is not read" in lines
    assert "warning: the newest event (shop_orders, 2024-02-28 10:00:00) is 62 days older" in text
    assert "using_social_interactions: false" in lines
    assert "using_shop_refunds: false" not in lines
    assert "person1" not in text and "ann@example.com" not in text and "unknown'" not in text
    assert "check: 4 problems" in lines
    for start in ("Required tables", "Optional tables", "Required columns", "Not one value"):
        assert start in text


def test_no_landing(report, dbt, landing):
    code, lines = report(dict.fromkeys(TABLES), vars=VARS)
    assert code != 0
    assert any(line.startswith("1. There is no landing") for line in lines)
    assert "check: 1 problem" in lines


def test_clock_in_the_file_that_is_no_time(report):
    code, lines = report({}, vars={}, vars_file=VARS | {"as_of_at": "soon", "base_currency": "$"})
    assert code != 0
    assert any("vars.yml says as_of_at: 'soon'" in line for line in lines)
    assert any("The var base_currency is '$'" in line for line in lines)
    assert "check: 2 problems" in lines
