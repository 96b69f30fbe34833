"""The comparison of two engines finds what differs, and lets through what may."""

from decimal import Decimal

import pytest

from tests.engines.parity import differences


def table(rows: list[dict], **types: str) -> dict:
    """Return a table as parity reads one: `a` a key, `b` a decimal, `c` a double."""
    columns = {"a": "VARCHAR", "b": "DECIMAL(18,4)", "c": "DOUBLE"} | types
    return {"columns": columns, "rows": rows}


MINE = [{"a": "x", "b": Decimal("1.5"), "c": 0.1}, {"a": "y", "b": None, "c": None}]
OTHER_TYPES = {"a": "VARCHAR(16777216)", "b": "NUMBER(18,4)", "c": "FLOAT"}


def changed(**values) -> list[dict]:
    """Return the rows with other values in the first."""
    return [MINE[0] | values, MINE[1]]


@pytest.mark.parametrize(
    ("rows", "types", "wanted"),
    [
        (MINE, {}, []),
        (MINE[::-1], {}, []),
        (changed(b=Decimal("1.5000")), {}, []),
        (changed(c=0.1 + 1e-10), {}, []),
        (changed(c=0.1 + 1e-8), {}, ["c differs in 1 rows"]),
        (changed(b=Decimal("1.5001")), {}, ["b differs in 1 rows"]),
        (changed(b=None), {}, ["b differs in 1 rows"]),
        (MINE[:1], {}, ["2 rows, 1 on the emulator"]),
        (MINE, {"b": "NUMBER(38,0)"}, ["b is NUMBER(38,0), not NUMBER(18,4)"]),
        (MINE, {"c": "NUMBER(18,4)"}, ["c is NUMBER(18,4), not FLOAT"]),
    ],
)
def test_what_differs_is_found(rows, types, wanted):
    other = table(rows, **(OTHER_TYPES | types))
    assert differences(table(MINE), other, ["a"]) == wanted


def test_a_column_on_one_side_is_found():
    other = table([row | {"d": 1} for row in MINE], **OTHER_TYPES, d="BIGINT")
    assert differences(table(MINE), other, ["a"]) == ["column d is on one side only"]


def test_without_a_key_rows_are_compared_in_the_order_of_their_values():
    rows = [{"a": "x", "b": Decimal(1), "c": 0.1}, {"a": "x", "b": Decimal(2), "c": 0.2}]
    other = table(rows[::-1], **OTHER_TYPES)
    assert differences(table(rows), other, []) == []


def test_whole_numbers_are_one_type_and_hashes_are_not_compared():
    mine = {
        "columns": {"a": "INTEGER", "fingerprint": "UBIGINT"},
        "rows": [{"a": 1, "fingerprint": 2}],
    }
    other = {
        "columns": {"a": "NUMBER(38,0)", "fingerprint": "BIGINT"},
        "rows": [{"a": 1, "fingerprint": 3}],
    }
    assert differences(mine, other, ["a"]) == []


def test_rows_whose_key_names_the_run_are_compared_by_the_rest():
    columns = {"run_id": "VARCHAR", "a": "INTEGER"}
    mine = {"columns": columns, "rows": [{"run_id": "x", "a": 1}, {"run_id": "y", "a": 2}]}
    same = {"columns": columns, "rows": [{"run_id": "q", "a": 2}, {"run_id": "r", "a": 1}]}
    other = {"columns": columns, "rows": [{"run_id": "q", "a": 2}, {"run_id": "r", "a": 3}]}
    assert differences(mine, same, ["run_id"]) == []
    assert differences(mine, other, ["run_id"]) == ["a differs in 2 rows"]
