"""segment_spells built day by day, against what the days show when each is built from scratch."""

import os
from datetime import date, timedelta

import pytest
from conftest import Build, differing
from shop import VARS, write_shop

DAYS = 30 if "LETTERSHOP_THOROUGH" in os.environ else 3
# Across the end of a month, where RFM's boundaries change.
FIRST_DAY = date(2024, 5, 30)
SPELLS = "select customer_key, segment_id, entered_date, left_date from state.marts.segment_spells"


def vars_on(day: date) -> dict:
    """Return the vars of a build at midday of a day."""
    return VARS | {"as_of_at": f"{day} 12:00:00"}


@pytest.fixture(scope="module")
def days(builds):
    """The days; the state built day by day; each day's memberships, built from scratch."""
    landing = write_shop(builds / "spells_landing")
    days = [FIRST_DAY + timedelta(number) for number in range(DAYS)]
    daily = Build(builds / "daily", landing)
    memberships = {}
    for day in days:
        daily.run(vars=vars_on(day))
        scratch = Build(builds / f"scratch_{day}", landing)
        scratch.run(
            *("build", "--resource-type", "seed", "--resource-type", "model"),
            *("--select", "+segment_memberships"),
            vars=vars_on(day),
        )
        memberships[day] = set(
            scratch.query("select customer_key, segment_id from marts.segment_memberships")
        )
    return daily, days, memberships


def test_daily_builds_give_the_differences_of_builds_from_scratch(days):
    daily, days, memberships = days
    expected = set()
    open_since = {}
    for day in days:
        for member in set(open_since) - memberships[day]:
            expected.add((*member, open_since.pop(member), day))
        for member in memberships[day] - set(open_since):
            open_since[member] = day
    expected |= {(*member, entered, None) for member, entered in open_since.items()}
    assert set(daily.query(SPELLS)) == expected
    # People must have come and gone, or the test shows nothing.
    assert any(left for *_, left in expected) and any(row[2] > days[0] for row in expected)


def test_segment_daily_has_the_size_of_every_day(days):
    daily, days, memberships = days
    sizes = dict(
        daily.query("select date_day, sum(member_count) from marts.segment_daily group by date_day")
    )
    assert sizes == {day: len(memberships[day]) for day in days}
    moved = daily.query(
        """
        select sum(entered_count) - sum(left_count)
            - sum(case when date_day = (select max(date_day) from marts.segment_daily)
                then member_count end)
        from marts.segment_daily
        """
    )
    assert moved == [(0,)]


def test_a_day_built_twice_changes_nothing(days):
    daily, days, _ = days
    before = daily.contents()
    daily.run(vars=vars_on(days[-1]))
    assert differing(before, daily.contents()) == []


def test_a_full_refresh_keeps_the_state(days):
    daily, days, _ = days
    before = daily.query(SPELLS + " order by all")
    daily.run(
        *("build", "--resource-type", "seed", "--resource-type", "model", "--full-refresh"),
        vars=vars_on(days[-1]),
    )
    assert daily.query(SPELLS + " order by all") == before


def test_rfm_scores_move_only_by_own_purchases_and_days(builds, days):
    """Within a month boundaries hold, so that F and M stay and R only falls without an order."""
    landing = days[0].landing
    scores = {}
    for day in (date(2024, 5, 6), date(2024, 5, 24)):
        build = Build(builds / f"scratch_{day}", landing)
        build.run(
            *("build", "--resource-type", "seed", "--resource-type", "model"),
            *("--select", "+rfm_scores"),
            vars=vars_on(day),
        )
        boundaries = build.query("select * from segments.rfm_boundaries order by all")
        scores[day] = (
            boundaries,
            {
                key: rest
                for key, *rest in build.query(
                    "select customer_key, last_order_date, order_count, net_revenue_amount,"
                    " recency_score, frequency_score, monetary_score from segments.rfm_scores"
                )
            },
        )
    (early_boundaries, early), (late_boundaries, late) = scores.values()
    assert early_boundaries == late_boundaries
    idle = [key for key in early if key in late and early[key][:3] == late[key][:3]]
    assert len(idle) > 20
    assert all(late[key][4:] == early[key][4:] for key in idle)
    assert all(late[key][3] <= early[key][3] for key in idle)
    assert any(late[key][3] < early[key][3] for key in idle)
