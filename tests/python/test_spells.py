"""segment_spells built day by day, against what the days show when each is built from scratch."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from conftest import Build, differing
from shop import VARS, write_shop

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
DAYS = 30 if THOROUGH else 3
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
    daily = Build(builds / "spelled_daily", landing)
    scratches = {day: Build(builds / f"scratch_{day}", landing) for day in days}
    # Each day is built from scratch beside the next day's build of the state.
    with ThreadPoolExecutor(max_workers=1) as beside:
        running = []
        for day in days:
            whole = [] if day == days[-1] else ["--select", "+segment_daily"]
            daily.run(*whole, vars=vars_on(day))
            running.append(
                beside.submit(
                    scratches[day].run,
                    *("--select", "+segment_memberships"),
                    vars=vars_on(day),
                )
            )
        for build in running:
            build.result()
    memberships = {
        day: set(build.query("select customer_key, segment_id from marts.segment_memberships"))
        for day, build in scratches.items()
    }
    return daily, days, memberships, scratches


def test_daily_builds_give_the_differences_of_builds_from_scratch(days):
    daily, days, memberships, _ = days
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
    daily, days, memberships, _ = days
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


@pytest.mark.parametrize("refresh", [["--full-refresh"], *([[]] if THOROUGH else [])])
def test_a_day_built_twice_changes_nothing_nor_does_a_full_refresh(days, refresh):
    daily, days, *_ = days
    before = daily.contents()
    daily.run(*refresh, vars=vars_on(days[-1]))
    assert differing(before, daily.contents()) == []


def test_rfm_scores_move_only_by_own_purchases_and_days(days):
    """Within a month boundaries hold, so that F and M stay and R only falls without an order."""
    *_, scratches = days
    early, late = (scratches[date(2024, 5, 30)], scratches[date(2024, 5, 31)])
    boundaries = "select * from segments.rfm_boundaries order by all"
    assert early.query(boundaries) == late.query(boundaries)
    scores = (
        "select customer_key, last_order_date, order_count, net_revenue_amount, recency_score,"
        " frequency_score, monetary_score from segments.rfm_scores"
    )
    before, after = ({row[0]: row[1:] for row in build.query(scores)} for build in (early, late))
    idle = [key for key in before if key in after and before[key][:3] == after[key][:3]]
    assert len(idle) > 20
    assert all(after[key][4:] == before[key][4:] for key in idle)
    assert all(after[key][3] <= before[key][3] for key in idle)
    # Somebody's last order must have grown old enough, or the test shows nothing.
    assert any(after[key][3] < before[key][3] for key in idle)
