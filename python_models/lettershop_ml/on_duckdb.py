"""What `engine` says, on DuckDB: a session is a connection, a relation a DuckDBPyRelation."""

import pandas as pd


def frame(relation) -> pd.DataFrame:
    """Return a relation's rows as a data frame."""
    return relation.df()


def project(relation, expressions: list[str]):
    """Return a relation of SQL expressions over another, unevaluated."""
    return relation.project(", ".join(expressions))


def stacked(left, right):
    """Return the rows of two relations, unevaluated."""
    return left.union(right)


def sql_of(relation) -> str:
    """Return a relation as a select."""
    return relation.sql_query()


def run(session, statement: str) -> None:
    """Run a statement that returns nothing."""
    session.execute(statement)


def typed(session, table: pd.DataFrame, columns: dict[str, str]):
    """Return rows as a relation of the given types."""
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
