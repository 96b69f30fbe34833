"""The four required tables are enough, and each optional one can come alone."""

import os

import pytest
import yaml
from conftest import OPTIONAL_TABLES, ROOT, Build
from shop import VARS, write_shop

READ_BY_STAGING = [
    "shop_refunds",
    "coupon_redemptions",
    "esp_campaigns",
    "esp_events",
    "esp_contacts",
    "consent_events",
    "erasure_requests",
    "fx_rates",
    "web_events",
    "social_interactions",
    "service_interactions",
    "customer_attributes",
]
THOROUGH = "LETTERSHOP_THOROUGH" in os.environ


def landing_with(builds, tables):
    """Write a landing of the required tables and some optional ones; return it with its vars."""
    landing = write_shop(builds / f"landing_{'_'.join(tables) or 'required'}")
    for name in OPTIONAL_TABLES:
        if name not in tables:
            (landing / f"{name}.parquet").unlink(missing_ok=True)
    vars = VARS | {f"using_{name}": name in tables for name in OPTIONAL_TABLES}
    # Without exchange rates the orders in dollars are rejected, which is more than the shop allows.
    return landing, vars | ({} if "fx_rates" in tables else {"max_rejected_rate": 0.5})


@pytest.mark.parametrize("alone", [None, *(READ_BY_STAGING if THOROUGH else [])])
def test_the_required_tables_build_and_pass_their_tests(builds, alone):
    landing, vars = landing_with(builds, [alone] if alone else [])
    # The unit tests, which no landing changes, are run here, once.
    without = ["--exclude-resource-type", "unit_test"] if alone else []
    build = Build(builds / f"only_{alone}", landing).run("build", *without, vars=vars)
    assert build.query("select count(*) > 100 from marts.customer_profiles") == [(True,)]
    if not alone:
        # What cannot be known is not made up: no consent, nobody to write to.
        assert build.query("select count(*) from activation.esp_profiles") == [(0,)]
        assert build.query("select count(*) from core.fct_refunds") == [(0,)]


def test_every_optional_table_that_staging_reads_is_tried():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    switches = {
        name.removeprefix("using_") for name in project["vars"] if name.startswith("using_")
    }
    assert switches == set(OPTIONAL_TABLES)
    assert set(READ_BY_STAGING) <= switches
