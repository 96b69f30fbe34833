"""A build depends on the landing and the clock alone.

A past day can be built again from today's landing, whatever has happened since; the order of rows,
the number of files and the number of threads change nothing.
"""

import os

import pytest
import yaml
from conftest import ROOT, Build, differing
from shop import VARS, shuffled, truncated, write_shop

from demo.complete_journey.__main__ import write_landing

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
CLOCKS = [
    "2024-06-10 09:30:00",
    "2024-03-01 00:00:00",
    "2024-01-31 23:30:00",
    "2023-10-15 12:00:00",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return write_shop(tmp_path_factory.mktemp("shop") / "landing")


@pytest.mark.parametrize("clock", CLOCKS if THOROUGH else CLOCKS[:1])
def test_replay_equals_truncation(builds, shop, clock):
    vars = VARS | {"as_of_at": clock}
    name = clock[:10]
    then = truncated(shop, builds / f"truncated_{name}", clock)
    replayed = Build(builds / f"replay_{name}", shop).run(vars=vars)
    original = Build(builds / f"original_{name}", then).run(vars=vars)
    contents = replayed.contents()
    assert len(contents) > 30
    assert differing(contents, original.contents()) == []
    # The landing must be able to show a difference: it holds later events of every kind.
    for table in ("shop_orders", "shop_refunds", "coupon_redemptions", "esp_events", "web_events"):
        later = replayed.query(
            "select not_yet_count from monitoring.landing_accounting"
            f" where landing_table = '{table}'"
        )
        assert later[0][0] > 0, table


def test_an_order_cancelled_later_was_valid_then(builds, shop):
    build = Build(builds / f"replay_{CLOCKS[0][:10]}", shop)
    assert build.query(
        f"""
        select count(*) > 3, bool_and(orders.is_valid), bool_and(orders.cancelled_at is null)
        from core.fct_orders as orders
        inner join staging.base_shop__orders as staged using (store, order_id)
        inner join '{shop}/shop_orders.parquet' as landed
            on landed.order_id = orders.order_id and landed.updated_at = staged.updated_at
        where staged.row_status = 'accepted' and not orders.is_test
            and landed.cancelled_at >= timestamp '{CLOCKS[0]}'
        """
    ) == [(True, True, True)]


def test_a_withdrawal_after_the_clock_suppresses(builds, shop):
    build = Build(builds / f"replay_{CLOCKS[0][:10]}", shop)
    assert build.query(
        f"""
        select count(distinct profiles.customer_key) > 0, bool_or(profiles.is_contactable)
        from marts.customer_profiles as profiles
        inner join '{shop}/consent_events.parquet' as events using (customer_id)
        where events.action = 'withdrawn' and events.purpose = 'email_marketing'
            and events.occurred_at >= timestamp '{CLOCKS[0]}'
        """
    ) == [(True, False)]


@pytest.mark.skipif(not THOROUGH, reason="the whole of the demo's data: make test-thorough")
def test_replay_equals_truncation_on_the_demo(builds):
    landing = builds / "journey"
    write_landing(landing)
    vars = yaml.safe_load((ROOT / "demo/complete_journey/vars.yml").read_text())
    vars["as_of_at"] = "2017-07-01 04:00:00"
    then = truncated(landing, builds / "journey_truncated", vars["as_of_at"])
    replayed = Build(builds / "journey_replay", landing).run(vars=vars)
    original = Build(builds / "journey_original", then).run(vars=vars)
    assert differing(replayed.contents(), original.contents()) == []


@pytest.mark.parametrize("seed", range(1, 6 if THOROUGH else 2))
def test_shuffled_files_and_two_threads_give_equal_bytes(builds, shop, seed):
    ordered = Build(builds / f"replay_{CLOCKS[0][:10]}", shop)
    landing = shuffled(shop, builds / f"shuffled_landing_{seed}", seed)
    other = Build(builds / f"shuffled_{seed}", landing)
    other.run(vars=VARS | {"as_of_at": CLOCKS[0]}, threads=2)
    schemas = ("staging", "intermediate", "core", "segments", "marts", "activation")
    assert differing(ordered.contents(schemas), other.contents(schemas)) == []
