"""The few things that differ between engines: reading rows, and projecting a relation lazily.

A relation is what `dbt.ref` gives: `duckdb.DuckDBPyRelation`, or a Snowpark `DataFrame`.
"""

import contextlib

import pandas as pd


def frame(relation) -> pd.DataFrame:
    """Return a relation's rows as a data frame, columns in lower case. For few rows only."""
    table = relation.to_pandas() if hasattr(relation, "to_pandas") else relation.df()
    table.columns = [column.lower() for column in table.columns]
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
    if hasattr(relation, "project"):
        return relation.project(", ".join(expressions))
    return relation.select_expr(*expressions)


def stacked(relations: list):
    """Return the rows of several relations of the same columns."""
    first, *rest = relations
    for relation in rest:
        first = first.union(relation) if hasattr(first, "project") else first.union_all(relation)
    return first


def columns_of(relation) -> list[str]:
    """Return a relation's column names in lower case."""
    return [column.lower() for column in relation.columns]


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
    if hasattr(relation, "sql_query"):
        return relation.sql_query()
    return relation.queries["queries"][-1]


def cached(session, name: str, sql: str) -> str:
    """Evaluate a query once, for several that read from it, and return SQL that stands for it.

    Args:
        session: what dbt hands to a Python model.
        name: of the temporary table.
        sql: one select.
    """
    if hasattr(session, "execute"):
        session.execute(f"create or replace temporary table {name} as {sql}")
    else:
        session.sql(f"create or replace temporary table {name} as {sql}").collect()
    return f"select * from {name}"


def forget(session, name: str) -> None:
    """Drop a temporary table that `cached` made, if it is there."""
    if hasattr(session, "execute"):
        session.execute(f"drop table if exists {name}")
    else:
        session.sql(f"drop table if exists {name}").collect()


def typed(session, table: pd.DataFrame, columns: dict[str, str]):
    """Return rows as a relation whose types do not depend on what is in them.

    Args:
        session: what dbt hands to a Python model.
        table: the rows.
        columns: name to one of varchar, integer, bigint, double, date.
    """
    if hasattr(session, "create_dataframe"):
        return session.create_dataframe(table)
    import pyarrow

    kinds = {
        "varchar": pyarrow.string(),
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "double": pyarrow.float64(),
        "date": pyarrow.date32(),
    }
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    return session.from_arrow(
        pyarrow.Table.from_pandas(table[list(columns)], schema=schema, preserve_index=False)
    )
