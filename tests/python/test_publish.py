"""The published database: whole or as it was, readable all the time, free of what was erased."""

import os
import subprocess
import sys

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, ROOT, TABLES

EMAIL = "very.personal.address@example.com"


@pytest.fixture(scope="module")
def shop(tmp_path_factory, write_tables):
    """A small landing with a published build of it."""
    folder = tmp_path_factory.mktemp("publish")
    customer = f"""
        union all select 'zoe', '{EMAIL}', timestamp '2024-01-01'
    """
    landing = write_tables(
        folder / "landing", **TABLES | {"crm_customers": TABLES["crm_customers"] + customer}
    )
    switches = "".join(
        f"using_{name}: false\n" for name in OPTIONAL_TABLES if name != "erasure_requests"
    )
    (landing / "vars.yml").write_text(f"as_of_at: '2024-03-01 00:00:00'\n{switches}")
    erasures(landing, none=True)
    result = build(folder)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr
    return folder


def erasures(landing, none=False):
    """Land an erasure request for Zoe, or an empty table of requests."""
    duckdb.execute(
        "copy (select 'q' as request_id, 'zoe' as customer_id, timestamp '2024-02-01' as"
        f" requested_at where {not none}) to '{landing}/erasure_requests.parquet' (format parquet)"
    )


def build(folder, *arguments):
    """Run `make build`'s program."""
    environment = os.environ | {
        "LETTERSHOP_LANDING": str(folder / "landing"),
        "LETTERSHOP_DUCKDB": str(folder / "work.duckdb"),
        "LETTERSHOP_STATE": str(folder / "state.duckdb"),
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.build",
            "--resource-type",
            "seed",
            "--resource-type",
            "model",
            *arguments,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_state_is_published_too(shop):
    with duckdb.connect(str(shop / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from monitoring.build_runs").fetchone() == (1,)
        assert connection.execute("select count(*) > 0 from marts.segment_spells").fetchone() == (
            True,
        )


def test_a_database_held_elsewhere_stops_the_build_with_one_message(shop):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]);"
            " print('held', flush=True); sys.stdin.read()",
            str(shop / "work.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        result = build(shop)
    finally:
        holder.communicate("")
    assert result.returncode == 3
    assert result.stdout == ""
    for words in (
        "LETTERSHOP_DUCKDB",
        str(shop / "work.duckdb"),
        str(holder.pid),
        "Close it",
        str(shop / "published.duckdb"),
    ):
        assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_failed_build_leaves_the_published_marts_as_they_were(shop):
    before = (shop / "published.duckdb").read_bytes()
    orders = shop / "landing" / "shop_orders.parquet"
    landed = orders.read_bytes()
    orders.unlink()
    result = build(shop)
    orders.write_bytes(landed)
    assert result.returncode != 0
    assert "shop_orders" in result.stdout and "stays as it was" in result.stderr
    assert (shop / "published.duckdb").read_bytes() == before


def test_readers_keep_what_they_have_open_and_erased_bytes_are_gone(shop):
    published = shop / "published.duckdb"
    assert EMAIL.encode() in published.read_bytes()
    with duckdb.connect(str(published), read_only=True) as reader:
        erasures(shop / "landing")
        result = build(shop)
        assert result.returncode == 0, result.stdout[-4000:]
        count = "select count(*) from core.dim_customers where email = ?"
        assert reader.execute(count, [EMAIL]).fetchone() == (1,)
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute(count, [EMAIL]).fetchone() == (0,)
    assert EMAIL.encode() not in published.read_bytes()
    assert b"zoe" not in published.read_bytes()
