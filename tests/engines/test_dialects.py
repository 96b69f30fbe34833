"""The SQL that both engines get: their own functions, nulls at the same end, no sums of doubles.

Compiled without any database: what a model asks while it compiles is left to the emulator.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines import dialect, foreign
from tests.engines.dialect import Problem, problems

ROOT = Path(__file__).parents[2]
CROSS_DB = ROOT / "macros" / "cross_db"
# These look at what is there while they compile.
ASKS = ("config.materialized:incremental", "path:python_models")


@dataclass(frozen=True)
class Compiled:
    """The project as compiled for an engine.

    Attributes:
        sql: of every model, by file name.
        doubles: columns that are doubles wherever they are declared.
        nodes: dbt's, by name.
    """

    sql: dict[str, str]
    doubles: frozenset[str]
    nodes: dict[str, dict]


def compile_for(engine: str, folder: Path) -> Compiled:
    """Return the compiled SQL of every model.

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
        "SNOWFLAKE_PRIVATE_KEY_PATH": "none.p8",
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
    manifest = json.loads((folder / engine / "manifest.json").read_text())
    declared = defaultdict(set)
    for node in manifest["nodes"].values():
        for column in node["columns"].values():
            declared[column["name"]].add(column["data_type"])
    return Compiled(
        {path.name: path.read_text() for path in sorted(place.rglob("*.sql"))},
        frozenset(name for name, types in declared.items() if types == {"double"}),
        {node["name"]: node for node in manifest["nodes"].values()},
    )


@pytest.fixture(scope="module", params=["duckdb", "snowflake"])
def engine(request):
    """One engine after the other."""
    return request.param


@pytest.fixture(scope="module")
def compiled(engine, tmp_path_factory):
    """The project as compiled for the engine."""
    return compile_for(engine, tmp_path_factory.mktemp("compiled"))


def test_compiled_sql_is_of_its_engine_and_the_same_for_both(engine, compiled):
    assert len(compiled.sql) > 150 and len(compiled.doubles) > 100
    wrong = {
        name: said
        for name, sql in compiled.sql.items()
        if sql.strip() and (said := problems(sql, engine, compiled.doubles))
    }
    assert wrong == {}
    if engine == "snowflake":
        wrong = {
            name: said for name, sql in compiled.sql.items() if (said := foreign.problems(sql))
        }
        assert wrong == {}


def test_a_landed_text_is_a_text_until_somebody_tries_it(engine, compiled):
    # United with a null that has a type, Snowflake would make a number of it, or stop.
    sql = " ".join(compiled.sql["base_shop__orders.sql"].split())
    wanted = {"duckdb": "cast(null as decimal(18,4))", "snowflake": "null"}[engine]
    assert f" {wanted} as total_amount, " in sql.split("union all by name")[1]
    assert "try_cast(" in sql.split("union all by name")[0]


# What somebody may do to a model without noticing: found where, and what it becomes.
MISTAKES = {
    "nulls": (r"\bdesc nulls (first|last)", "desc"),
    "function": (r"\bcoalesce\(", {"snowflake": "list_value(", "duckdb": "zeroifnull("}),
    "doubles": (r"\bsum\((?!\s*\))", "sum(cast(1 as double) * "),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_any_model_is_caught(engine, compiled, kind):
    pattern, other = MISTAKES[kind]
    other = other if isinstance(other, str) else other[engine]
    tried = 0
    # Every sixth model: all of them take minutes.
    for name, sql in list(compiled.sql.items())[::6]:
        mistaken = re.sub(pattern, other, sql, count=1)
        if mistaken != sql:
            tried += 1
            found = problems(mistaken, engine, compiled.doubles)
            assert kind in {each.kind for each in found}, name
    assert tried > 3


def test_every_dispatch_knows_both_engines():
    assert dialect.missing_variants(CROSS_DB) == []


def dispatched() -> list[str]:
    """Return the macros that dispatch by engine."""
    text = "\n".join(path.read_text() for path in CROSS_DB.glob("*.sql"))
    return sorted(set(re.findall(r"adapter\.dispatch\('(\w+)'", text)))


@pytest.mark.parametrize("name", dispatched())
def test_a_missing_dispatch_is_found(tmp_path, name):
    for path in CROSS_DB.glob("*.sql"):
        text = path.read_text().replace(f"macro snowflake__{name}(", "macro other__of_it(")
        (tmp_path / path.name).write_text(text)
    assert dialect.missing_variants(tmp_path) == [name]


def test_what_a_missing_dispatch_would_leave_is_found():
    left = "select regexp_matches(email, '@') as is_address from people"
    assert problems(left, "snowflake") == [Problem("function", "regexp_matches")]
    assert problems(left, "duckdb") == []


@pytest.mark.parametrize(
    ("of", "sql", "kind"),
    [
        ("snowflake", "select list_transform(a, x -> x) as b from t", "function"),
        ("snowflake", "select strftime(a, '%Y') as b from t", "function"),
        ("snowflake", "select first(a) as b from t", "function"),
        ("snowflake", "select sum(a) filter (where c) as b from t", "function"),
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
def test_each_kind_is_caught(of, sql, kind):
    found = problems(sql, of, frozenset({"score"}))
    assert [each.kind for each in found] == [kind]


@pytest.mark.parametrize("of", ["duckdb", "snowflake"])
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
def test_what_is_right_passes(of, sql):
    assert problems(sql, of) == []
