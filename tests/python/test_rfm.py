"""RFM on CDNOW, against the formulas written down again in numpy."""

from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import OPTIONAL_TABLES, Build


@pytest.fixture(scope="module")
def cdnow(builds):
    """CDNOW's purchases as a landing, built a day after the last of them; and the purchases."""
    package = Path(find_spec("lifetimes").submodule_search_locations[0])
    purchases = pd.read_csv(
        package / "datasets/CDNOW_master.txt",
        sep=r"\s+",
        header=0,
        names=["who", "day", "units", "amount"],
    )
    purchases["day"] = pd.to_datetime(purchases["day"], format="%Y%m%d")
    purchases["number"] = range(len(purchases))
    landing = builds / "cdnow_landing"
    landing.mkdir()
    connection = duckdb.connect()
    connection.register("purchases", purchases)
    for name, query in {
        "crm_customers": "select distinct 'c' || who as customer_id from purchases",
        "shop_products": "select 'cd' as product_id",
        "shop_orders": "select 'o' || number as order_id, 'c' || who as customer_id, 'paid' as"
        " order_status, day as ordered_at, 'USD' as currency, amount as total_amount"
        " from purchases",
        "shop_order_lines": "select 'l' || number as order_line_id, 'o' || number as order_id,"
        " 'cd' as product_id, units as quantity, amount as line_amount from purchases",
    }.items():
        connection.execute(f"copy ({query}) to '{landing}/{name}.parquet' (format parquet)")
    vars = {f"using_{name}": False for name in OPTIONAL_TABLES}
    build = Build(builds / "cdnow", landing).run(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+rfm_scores"),
        # The first of a month: boundaries are taken today, and the textbook's formula holds.
        vars=vars | {"as_of_at": "1998-07-01 00:00:00"},
    )
    return build, purchases


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
