"""The scoring files on Snowpark: the same scores, and what Snowpark sends to get them."""

import re

import duckdb
import pandas as pd
import pytest

from tests.engines import snowpark_emulated, snowpark_local
from tests.engines.snowpark_world import (
    COLUMNS,
    ROOT,
    Dbt,
    assert_equal,
    engine,
    rows_of,
    run,
    tables,
)

LAZY = (
    "scoring/propensity_logits.py",
    "scoring/persona_assignments.py",
    "scoring/lifetime_boosts.py",
)
CELLS = "scoring/lifetime_cells.py"


def test_no_scoring_file_is_left_out():
    files = {f"scoring/{path.name}" for path in (ROOT / "python_models" / "scoring").glob("*.py")}
    assert files == {*LAZY, CELLS}


@pytest.fixture(scope="module")
def expected():
    """Give what every scoring file returns on DuckDB."""
    connection = duckdb.connect()
    for name, table in tables().items():
        columns = ", ".join(
            f"cast({key} as {kind}) as {key}" for key, kind in COLUMNS[name].items()
        )
        connection.register("arrived", table)
        connection.execute(f"create table {name} as select {columns} from arrived")
    return {path: rows_of(run(path, Dbt(connection.table), connection)) for path in (*LAZY, CELLS)}


def fill(session) -> None:
    """Write the tables that scoring reads."""
    for name, table in tables().items():
        columns = COLUMNS[name]
        stored = {key: "varchar" if kind == "boolean" else kind for key, kind in columns.items()}
        texts = table.astype({key: str for key, kind in columns.items() if kind == "boolean"})
        relation = engine.typed(session, texts, stored)
        relation.select(
            *(
                relation[key].cast("boolean").alias(key) if kind == "boolean" else relation[key]
                for key, kind in columns.items()
            )
        ).write.mode("overwrite").save_as_table(name)


@pytest.fixture(scope="module")
def emulated():
    """Give a session of Snowpark on the emulator, with the tables."""
    with snowpark_emulated.server() as connection, snowpark_emulated.session(connection) as session:
        fill(session)
        yield session


@pytest.mark.parametrize("path", [*LAZY, CELLS])
def test_the_emulator_scores_as_duckdb_does(emulated, expected, path):
    assert_equal(rows_of(run(path, Dbt(emulated.table), emulated)), expected[path])


@pytest.mark.parametrize("path", [*LAZY, CELLS])
def test_local_testing_scores_as_duckdb_does(expected, path):
    with snowpark_local.session() as session:
        fill(session)
        assert_equal(rows_of(run(path, Dbt(session.table), session)), expected[path])


def reads_of_customers(statements: list[str]) -> list[str]:
    """Return the statements that read a row of a customer."""
    return [text for text in statements if re.search(r"customer(_\w+)?_features", text, re.I)]


@pytest.mark.parametrize("path", LAZY)
def test_scoring_is_one_query_that_the_warehouse_runs(emulated, path):
    with emulated.query_history() as history:
        relation = run(path, Dbt(emulated.table), emulated)
    assert history.queries and not reads_of_customers([each.sql_text for each in history.queries])
    queries = relation.queries
    assert len(queries["queries"]) == 1 and queries["post_actions"] == []
    (query,) = queries["queries"]
    assert re.match(r"\W*select\b", query, re.I) and reads_of_customers([query])
    # dbt writes the table from it: one statement, in which no row leaves the warehouse.
    with emulated.query_history() as history:
        relation.write.mode("overwrite").save_as_table("scored")
    written = [each.sql_text for each in history.queries if reads_of_customers([each.sql_text])]
    assert len(written) == 1 and re.match(r"\s*create\s.*\bas\s+select\b", written[0], re.I | re.S)


def test_a_customer_row_that_comes_into_python_is_seen(emulated):
    with emulated.query_history() as history:
        engine.frame(emulated.table("customer_features"))
    assert reads_of_customers([each.sql_text for each in history.queries])


def test_lifetimes_read_distinct_histories_and_nobody(emulated):
    with emulated.query_history() as history:
        relation = run(CELLS, Dbt(emulated.table), emulated)
    (text,) = reads_of_customers([each.sql_text for each in history.queries])
    read = emulated.sql(text)
    assert engine.columns_of(read) == ["repeat_count", "recency_weeks", "age_weeks"]
    assert re.match(r"\s*select\s+distinct\b", text, re.I)
    assert "customer_key" not in text.lower()
    assert "customer_key" not in engine.columns_of(relation)
    found = engine.frame(read)
    assert len(found) == len(found.drop_duplicates())
    ages = found["age_weeks"]
    assert (ages == ages.round()).all() and ages.max() <= 101


def test_names_are_folded_as_sql_folds_them(emulated):
    relation = run(CELLS, Dbt(emulated.table), emulated)
    assert relation.columns[0] == "REPEAT_COUNT"
    # From pandas it would be "repeat_count", which nobody finds who writes repeat_count.
    assert engine.frame(relation).columns[0] == "repeat_count"
    assert engine.frame(emulated.table("score_bands"))["from_decile"].tolist() == [0, 5, 9] * 2


def test_whole_numbers_stay_whole_beside_a_null(emulated):
    # As on DuckDB: what is made of them is hashed, and a model whose definition changed is trained.
    found = engine.frame(emulated.table("training_requests").sort("model_name"))
    first, *others = found["target_min_purchased_before"].tolist()
    assert first == 1 and isinstance(first, int)
    assert all(value is pd.NA for value in others)


def test_doubles_are_said_to_be_doubles(emulated):
    relation = run(LAZY[0], Dbt(emulated.table), emulated)
    (query,) = relation.queries["queries"]
    bare = re.sub(r"'(?:[^']|'')*'", "''", query)
    assert "cast('1e9' as double)" in query and not re.search(r"\b\d+(\.\d+)?e[+-]?\d", bare, re.I)


def test_a_relation_of_several_statements_is_refused():
    # A DataFrame whose rows Snowpark first inserts into a table of its own.
    queries = {"queries": ["create ...", "insert ...", "select ..."], "post_actions": []}
    large = type("Large", (), {"__module__": "snowflake.snowpark.dataframe", "queries": queries})

    with pytest.raises(ValueError, match="several statements"):
        engine.sql_of(large())
