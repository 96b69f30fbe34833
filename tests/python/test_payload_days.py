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
# Days after the first: a week in a row, in which nothing but trade happens; the last of November
# and the first of December, on which the cut points of RFM move; and on to a month.
WEEK, MONTH, LATER = range(1, 8), (24, 25), (14, 21, 30)
# What may change of somebody who does nothing: where they stand, by limits in days.
OF_STANDING = {
    *("lifecycle_stage", "rfm_segment", "segments", "engagement_tier", "persona"),
    *("purchase_band", "lapse_risk_band", "predicted_value_band", "discount_band"),
}
# What may wait for a customer's day of the week, by seeds/activation/esp_weekly_changes.csv.
WEEKLY = {
    *("rfm_segment", "last_order_date", "persona", "segments"),
    *("purchase_band", "lapse_risk_band", "predicted_value_band"),
}
pytestmark = pytest.mark.skipif(
    "LETTERSHOP_THOROUGH" not in os.environ, reason="thirteen builds of the demo take long"
)


@pytest.fixture(scope="module")
def days(builds):
    """The demo's build, and of each day what was wanted, told and sent, and who did something."""
    landing = builds / "payload_days_landing"
    write_landing(landing)
    vars = yaml.safe_load((ROOT / "demo/complete_journey/vars.yml").read_text())
    build, seen = Build(builds / "payload_days", landing), {}
    for day in sorted((0, *WEEK, *MONTH, *LATER)):
        clock = FIRST + timedelta(days=day)
        resources = ("--resource-type", "seed", "--resource-type", "model")
        build.run(
            *("build", *resources, "--exclude", "path:models/monitoring"),
            vars=vars | {"as_of_at": str(clock)},
            # After days without a build the guard may ask; on the day after a build it must not.
            passes=day - 1 in seen or day == 0,
        )
        if build.result.returncode:
            count = int(build.result.stdout.split("approve_esp_changes: ")[1].split(".")[0])
            approved = {"as_of_at": str(clock), "approve_esp_changes": count}
            build.run("run", "--select", "esp_outbox", vars=vars | approved)
        active = build.query(
            "select distinct customer_key from core.fct_customer_days"
            f" where activity_date >= date '{FIRST.date()}'"
        )
        told = build.query(
            "select customer_key, payload from state.activation.esp_outbox where op = 'upsert'"
            " qualify row_number() over (partition by customer_key order by change_seq desc) = 1"
        )
        wanted = build.query(
            "select customer_key, payload, week_began_date from activation.esp_payloads"
        )
        sent = build.query(
            "select count(*) from state.activation.esp_outbox where op = 'upsert'"
            f" and changed_at = '{clock.isoformat()}Z'"
        )
        seen[day] = {
            "told": {key: json.loads(text) for key, text in told},
            "wanted": {key: json.loads(text) for key, text, _ in wanted},
            "their_day": {key for key, _, began in wanted if began == clock.date()},
            "active": {key for (key,) in active},
            "sent": sent[0][0],
        }
    return seen


@pytest.mark.parametrize("day", (*WEEK, MONTH[-1]))
def test_an_ordinary_day_changes_at_most_a_fifth_of_the_payloads(days, day):
    before, now = days[day - 1]["told"], days[day]["told"]
    changed = sum(now[key] != before.get(key) for key in now)
    print(f"\n{FIRST + timedelta(days=day):%A}: {changed} of {len(now)}, {changed / len(now):.1%}")
    assert len(now) > 2_000
    assert 0 < changed <= 0.2 * len(now)
    # What changed is what is sent.
    assert days[day]["sent"] == changed


@pytest.mark.parametrize("day", (0, *WEEK, *MONTH, *LATER))
def test_only_what_is_told_weekly_waits_and_for_the_day_at_most(days, day):
    told, wanted = days[day]["told"], days[day]["wanted"]
    assert told.keys() >= wanted.keys()
    differing = {key for key in wanted if told[key] != wanted[key]}
    names = {
        name for key in differing for name in wanted[key] if told[key][name] != wanted[key][name]
    }
    print(f"\nafter {day} days {len(differing)} of {len(wanted)} wait, in {sorted(names)}")
    assert names <= WEEKLY
    assert not differing & days[day]["their_day"] and days[day]["their_day"]


@pytest.mark.parametrize("day", sorted((*WEEK, *MONTH, *LATER)))
def test_of_somebody_idle_only_the_standing_changes(days, day):
    first, now = days[0]["told"], days[day]["told"]
    idle = (set(first) & set(now)) - days[day]["active"]
    assert len(idle) > 50
    changed = {name for key in idle for name in now[key] if now[key][name] != first[key].get(name)}
    moved = sum(now[key] != first[key] for key in idle)
    print(f"\nafter {day} days: {moved} of {len(idle)} idle, in {sorted(changed)}")
    assert changed <= OF_STANDING
    assert all(first[key].keys() == now[key].keys() for key in idle)
