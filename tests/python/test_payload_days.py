"""What the passing of days changes for the ESP, on the whole of the demo's data.

`make test-thorough` runs it; the shares are printed (`pytest -s`).
"""

import json
import os
from datetime import datetime, timedelta

import pytest
import yaml
from conftest import ROOT, Build

from demo.complete_journey.__main__ import write_landing

FIRST = datetime(2017, 11, 6, 5)
# Days after the first: a week in a row, in which nothing but trade happens, and on to a month.
WEEK, LATER = range(1, 8), (14, 21, 26, 30)
# What may change of somebody who does nothing: where they stand, by limits in days.
OF_STANDING = {
    *("lifecycle_stage", "rfm_segment", "segments", "engagement_tier", "persona"),
    *("purchase_band", "lapse_risk_band", "predicted_value_band", "discount_band"),
}
pytestmark = pytest.mark.skipif(
    "LETTERSHOP_THOROUGH" not in os.environ, reason="twelve builds of the demo take long"
)


@pytest.fixture(scope="module")
def days(builds):
    """The demo's build, and of each day the payloads and who did something up to it."""
    landing = builds / "payload_days_landing"
    write_landing(landing)
    vars = yaml.safe_load((ROOT / "demo/complete_journey/vars.yml").read_text())
    build, seen = Build(builds / "payload_days", landing), {}
    for day in (0, *WEEK, *LATER):
        clock = FIRST + timedelta(days=day)
        resources = ("--resource-type", "seed", "--resource-type", "model")
        build.run(
            *("build", *resources, "--exclude", "path:models/monitoring"),
            vars=vars | {"as_of_at": str(clock)},
        )
        payloads = build.query("select customer_key, payload from activation.esp_payloads")
        active = build.query(
            "select distinct customer_key from core.fct_customer_days"
            f" where activity_date >= date '{FIRST.date()}'"
        )
        sent = build.query(
            "select count(*) from state.activation.esp_outbox where op = 'upsert'"
            f" and changed_at = '{clock.isoformat()}Z'"
        )
        seen[day] = {
            "payloads": {key: json.loads(text) for key, text in payloads},
            "active": {key for (key,) in active},
            "sent": sent[0][0],
        }
    return seen


@pytest.mark.parametrize("day", WEEK)
def test_an_ordinary_day_changes_at_most_a_fifth_of_the_payloads(days, day):
    before, now = days[day - 1]["payloads"], days[day]["payloads"]
    changed = sum(now[key] != before.get(key) for key in now)
    print(f"\n{FIRST + timedelta(days=day):%A}: {changed} of {len(now)}, {changed / len(now):.1%}")
    assert len(now) > 2_000
    assert 0 < changed <= 0.2 * len(now)
    # What changed is what is sent.
    assert days[day]["sent"] == changed


@pytest.mark.parametrize("day", (*WEEK, *LATER))
def test_of_somebody_idle_only_the_standing_changes(days, day):
    first, now = days[0]["payloads"], days[day]["payloads"]
    idle = (set(first) & set(now)) - days[day]["active"]
    assert len(idle) > 50
    changed = {name for key in idle for name in now[key] if now[key][name] != first[key].get(name)}
    moved = sum(now[key] != first[key] for key in idle)
    print(f"\nafter {day} days: {moved} of {len(idle)} idle, in {sorted(changed)}")
    assert changed <= OF_STANDING
    assert all(first[key].keys() == now[key].keys() for key in idle)
