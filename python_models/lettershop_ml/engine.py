"""The few things that differ between engines: reading rows, and projecting a relation lazily.

Which engine it is `_of` decides, by the type of what dbt hands over; nothing else asks. A relation
is what `dbt.ref` gives: `duckdb.DuckDBPyRelation`, or a Snowpark `DataFrame`.
"""

import contextlib

import pandas as pd

from lettershop_ml import on_duckdb, on_snowpark


def _of(thing):
    """Return what a session or a relation belongs to: the module of its engine."""
    return on_snowpark if type(thing).__module__.startswith("snowflake.") else on_duckdb


def frame(relation) -> pd.DataFrame:
    """Return a relation's rows as a data frame, columns in lower case. For few rows only."""
    table = _of(relation).frame(relation)
    table.columns = _folded(table.columns)
    return table


def query(session, sql: str):
    """Return the relation of a query; nothing runs yet.

    Args:
        session: what dbt hands to a Python model.
        sql: one select.
    """
    return session.sql(sql)


def project(relation, expressions: list[str]):
    """Return a relation of SQL expressions over another, to be evaluated by the engine.

    Args:
        relation: of `dbt.ref` or of an earlier project.
        expressions: each with its alias.
    """
    return _of(relation).project(relation, expressions)


def stacked(relations: list):
    """Return the rows of several relations of the same columns."""
    first, *rest = relations
    for relation in rest:
        first = _of(first).stacked(first, relation)
    return first


def columns_of(relation) -> list[str]:
    """Return a relation's column names in lower case."""
    return _folded(relation.columns)


def _folded(names) -> list[str]:
    """Return names of columns as this package knows them, whatever case the engine gives."""
    return [str(name).lower() for name in names]


def text(value: str) -> str:
    """Return a string as a SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


@contextlib.contextmanager
def single_threaded():
    """Keep OpenMP and BLAS on one thread: the same bytes everywhere, and quick on shared cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def sql_of(relation) -> str:
    """Return a relation as SQL that can stand in brackets after `from`."""
    return _of(relation).sql_of(relation)


def cached(session, name: str, sql: str) -> str:
    """Evaluate a query once, for several that read from it, and return SQL that stands for it.

    Args:
        session: what dbt hands to a Python model.
        name: of the temporary table.
        sql: one select.
    """
    _of(session).run(session, f"create or replace temporary table {name} as {sql}")
    return f"select * from {name}"


def forget(session, name: str) -> None:
    """Drop a temporary table that `cached` made, if it is there."""
    _of(session).run(session, f"drop table if exists {name}")


def typed(session, table: pd.DataFrame, columns: dict[str, str]):
    """Return rows as a relation whose types do not depend on what is in them.

    Args:
        session: what dbt hands to a Python model.
        table: the rows.
        columns: name to one of varchar, integer, bigint, double, date.
    """
    return _of(session).typed(session, table, columns)
