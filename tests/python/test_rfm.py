"""RFM on CDNOW, against the formulas written down again in numpy."""

import numpy as np
import pandas as pd
import pytest
from conftest import Build

from tools.evaluate import cdnow_purchases, write_cdnow


@pytest.fixture(scope="module")
def cdnow(builds):
    """CDNOW's purchases as a landing, built a day after the last of them; and the purchases."""
    landing = builds / "cdnow_landing"
    vars = write_cdnow(landing)
    build = Build(builds / "cdnow", landing).run(
        *("--select", "+rfm_scores"),
        # The first of a month: boundaries are taken today, and the textbook's formula holds.
        vars=vars,
    )
    return build, cdnow_purchases()


def test_cdnows_one_time_buyers_are_f1(cdnow):
    build, purchases = cdnow
    counts = purchases.groupby("who").size()
    one_time = (counts == 1).mean()
    assert round(one_time, 2) == 0.51
    found = build.query(
        "select count(*), bool_and(frequency_score = 1) from segments.rfm_scores"
        " where order_count = 1"
    )
    assert found == [((counts == 1).sum(), True)]
    assert build.query(
        "select min(frequency_score) > 1 from segments.rfm_scores where order_count > 1"
    ) == [(True,)]


def test_rfm_scores_equal_the_formulas_in_numpy_on_cdnow(cdnow):
    build, purchases = cdnow
    ours = pd.DataFrame(
        build.query(
            """
            select customers.customer_id, last_order_date, order_count, net_revenue_amount,
                recency_score, frequency_score, monetary_score
            from segments.rfm_scores
            inner join core.dim_customers as customers using (customer_key)
            """
        ),
        columns=["who", "last", "count", "amount", "r", "f", "m"],
    )
    customers = purchases.assign(cents=(purchases["amount"] * 100).round().astype(int))
    expected = customers.groupby("who").agg(
        last=("day", "max"), count=("number", "size"), cents=("cents", "sum")
    )
    expected.index = "c" + expected.index.astype(str)
    expected = expected.loc[ours["who"]]
    assert len(ours) == 23570

    def not_above(values: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.sort(values), values, side="right")

    def below(values: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.sort(values), values, side="left")

    size = len(expected)
    recency = -(-5 * not_above(expected["last"].to_numpy()) // size)
    assert (ours["r"].to_numpy() == recency).all()
    assert (ours["f"].to_numpy() == 1 + 5 * below(expected["count"].to_numpy()) // size).all()
    assert (ours["m"].to_numpy() == 1 + 5 * below(expected["cents"].to_numpy()) // size).all()
