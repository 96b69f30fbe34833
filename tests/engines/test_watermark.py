"""The watermark of the sync moves when rows do, on both engines.

drt keeps the largest value of the column that a sync calls its cursor, and looks for it by exactly
its name. An engine that gives the column another name would have everything sent again each night.
"""

from pathlib import Path

import duckdb
import fakesnow.server
import pytest
import yaml

from tests.engines import emulator

SYNCS = sorted((Path(__file__).parents[2] / "sync").glob("*/syncs/*.yml"))
OPS = ["erase", "delete", "suppress", "merge", "upsert", "event"]
# Beside them: requests of Braze's for users without an external id.
BRAZE_OPS = [
    *("erase", "erase_contact", "delete", "suppress", "suppress_address", "merge", "identify"),
    *("upsert", "event"),
]


@pytest.fixture(scope="module", params=["DuckDB", "emulator"])
def cursor(request):
    """Something to execute statements with, and what the sync reads, without a row."""
    if request.param == "DuckDB":
        connection = cursor = duckdb.connect()
    else:
        emulator.install()
        emulator.create_databases()
        connection = fakesnow.server.shared_fs.connect(emulator.WORK, "PUBLIC")
        cursor = connection.cursor()
    cursor.execute("create schema activation")
    for name in ("klaviyo", "braze", "generic"):
        cursor.execute(
            f"create table activation.esp_{name} (change_seq bigint, op varchar, payload varchar)"
        )
    yield cursor
    cursor.execute("drop schema activation cascade")
    connection.close()


def found_by(cursor, sync: dict, watermark: str) -> list[dict]:
    """Return the rows of a sync after a watermark, as drt's sources do."""
    statement = sync["model"].replace("{{ cursor_value }}", watermark)
    assert "{" not in statement
    result = cursor.execute(statement)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize("path", SYNCS, ids=lambda path: path.stem)
def test_the_watermark_moves_when_rows_do(cursor, path):
    sync = yaml.safe_load(path.read_text())
    field, watermark = sync["sync"]["cursor_field"], sync["sync"]["watermark"]["default_value"]
    name, _, op = sync["name"].partition("_")
    cursor.execute(f"delete from activation.esp_{name}")
    assert found_by(cursor, sync, watermark) == []
    # Beyond nine a comparison of texts would go wrong; in no order, and with other ops between.
    for numbers in ([9, 2, 11, 10], [100, 12, 99]):
        cursor.execute(
            f"insert into activation.esp_{name} values "
            + ", ".join(f"({seq}, '{op}', 'p{seq}'), ({seq + 500}, 'other', '')" for seq in numbers)
        )
        rows = found_by(cursor, sync, watermark)
        assert rows == [{field: seq, "PAYLOAD": f"p{seq}"} for seq in sorted(numbers)]
        watermark = str(rows[-1][field])
        assert found_by(cursor, sync, watermark) == []


def test_every_op_of_every_platform_has_a_watermark():
    assert [path.stem.partition("_")[2] for path in SYNCS] == BRAZE_OPS + OPS * 2
