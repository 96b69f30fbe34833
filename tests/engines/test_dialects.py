"""The SQL that both engines get: their own functions, nulls at the same end, no sums of doubles.

Compiled without any database: what a model asks while it compiles is left to the emulator.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import dialect
from tests.engines.dialect import Problem, problems

ROOT = Path(__file__).parents[2]
CROSS_DB = ROOT / "macros" / "cross_db"
# These look at what is there while they compile.
ASKS = ("config.materialized:incremental", "path:python_models")


def compiled(engine: str, folder: Path) -> dict[str, str]:
    """Return the compiled SQL of every model, by file name.

    Args:
        engine: duckdb or snowflake.
        folder: to write to.
    """
    environment = {name: value for name, value in os.environ.items() if name[:4] != "DBT_"}
    environment |= {
        "DBT_TARGET_PATH": str(folder / engine),
        "DBT_LOG_PATH": str(folder / "logs"),
        "LETTERSHOP_DUCKDB": ":memory:",
        "LETTERSHOP_STATE": ":memory:",
        "SNOWFLAKE_ACCOUNT": "offline",
        "SNOWFLAKE_USER": "nobody",
    }
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "compile", "--target", engine]
    command += ["--no-introspect", "--no-populate-cache", "--select", "resource_type:model"]
    result = subprocess.run(
        [*command, "--exclude", *ASKS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    place = folder / engine / "compiled" / "lettershop"
    return {path.name: path.read_text() for path in sorted(place.rglob("*.sql"))}


@pytest.mark.parametrize("engine", ["duckdb", "snowflake"])
def test_compiled_sql_is_of_its_engine_and_the_same_for_both(engine, tmp_path):
    found = compiled(engine, tmp_path)
    assert len(found) > 150
    wrong = {
        name: said for name, sql in found.items() if (said := problems(sql, engine)) and sql.strip()
    }
    assert wrong == {}


def test_every_dispatch_knows_both_engines():
    assert dialect.missing_variants(CROSS_DB) == []


def test_a_missing_dispatch_is_found(tmp_path):
    for path in CROSS_DB.glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    place = tmp_path / "matches.sql"
    place.write_text(
        place.read_text().replace("macro snowflake__matches(", "macro other__matches(")
    )
    assert dialect.missing_variants(tmp_path) == ["matches"]
    # What Snowflake would then get.
    left = "select regexp_matches(email, '@') as is_address from people"
    assert problems(left, "snowflake") == [Problem("function", "regexp_matches")]
    assert problems(left, "duckdb") == []


@pytest.mark.parametrize(
    ("engine", "sql", "kind"),
    [
        ("snowflake", "select list_transform(a, x -> x) as b from t", "function"),
        ("snowflake", "select strftime(a, '%Y') as b from t", "function"),
        ("duckdb", "select iff(a, b, c) as b from t", "function"),
        ("duckdb", "select listagg_distinct(a) as b from t", "function"),
        ("snowflake", "select rank() over (order by a desc) as b from t", "nulls"),
        ("duckdb", "select rank() over (order by a desc) as b from t", "nulls"),
        ("snowflake", "select sum(cast(a as double)) as b from t", "doubles"),
        ("duckdb", "select avg(a / 7) as b from t", "doubles"),
        ("snowflake", "select sum(case when a then exp(b) end) as b from t", "doubles"),
        ("duckdb", "select sum(score) as b from t", "doubles"),
    ],
)
def test_each_kind_is_caught(engine, sql, kind):
    found = problems(sql, engine, frozenset({"score"}))
    assert [each.kind for each in found] == [kind]


@pytest.mark.parametrize("engine", ["duckdb", "snowflake"])
@pytest.mark.parametrize(
    "sql",
    [
        "select rank() over (order by a desc nulls last) as b from t",
        "select rank() over (order by a asc) as b from t",
        "select sum(cast(a / 7 as decimal(18, 9))) as b from t",
        "with pairs (a, b) as (select a, b from t) select count(*) as n from pairs",
        "select cast(a as decimal(18, 2)) as b from t where a in (1, 2) and exists (select 1 as c)",
        "select 'strftime(' as text from t",
    ],
)
def test_what_is_right_passes(engine, sql):
    assert problems(sql, engine) == []
