"""What `engine` says, on Snowflake: a session is Snowpark's, a relation a Snowpark DataFrame.

Snowflake folds names to upper case, and Snowpark keeps the case of names that come from pandas:
a column `score` made so could only be read as `"score"`. So tables are made from rows with a
schema, whose names Snowpark folds as SQL does.
"""

import re
from decimal import Decimal

import pandas as pd

# Snowflake takes a statement of up to 1 MB, and Snowpark writes few rows into its text.
STATEMENT_CHARACTERS = 500_000
ROWS = "lettershop_rows"
# A string, or a number with an exponent outside of strings.
STRING_OR_DOUBLE = re.compile(r"('(?:[^']|'')*')|\b(\d+(?:\.\d+)?e[+-]?\d+)\b")


def doubles(expression: str) -> str:
    """Return SQL in which numbers with an exponent are doubles, as they are on DuckDB.

    On Snowflake they may be decimals, of which a division keeps six digits and a number below
    1e-37 nothing.
    """
    return STRING_OR_DOUBLE.sub(
        lambda found: found[1] or f"cast('{found[2]}' as double)", expression
    )


def frame(relation) -> pd.DataFrame:
    """Return a relation's rows as a data frame, with the types that DuckDB gives them.

    Decimals are doubles. Whole numbers stay whole beside a null, which pandas knows as doubles.
    """
    from snowflake.snowpark import types

    table = relation.to_pandas()
    if table.isna().any(axis=None):
        for name, field in zip(table.columns, relation.schema.fields, strict=True):
            is_whole = isinstance(field.datatype, types.LongType)
            if is_whole and table[name].dtype == float:
                table[name] = table[name].astype("Int64")
    for name in table.select_dtypes(include=[object]).columns:
        known = table[name].dropna()
        if len(known) and known.map(lambda value: isinstance(value, Decimal)).all():
            table[name] = table[name].astype(float)
    return table


def project(relation, expressions: list[str]):
    """Return a relation of SQL expressions over another, unevaluated."""
    return relation.select_expr(*map(doubles, expressions))


def stacked(left, right):
    """Return the rows of two relations, unevaluated."""
    return left.union_all(right)


def sql_of(relation) -> str:
    """Return a relation as a select.

    Raises:
        ValueError: of a relation that takes more than one statement.
    """
    queries = relation.queries
    if len(queries["queries"]) != 1 or queries["post_actions"]:
        raise ValueError("A relation that takes several statements cannot stand in another.")
    return queries["queries"][0]


def run(session, statement: str) -> None:
    """Run a statement that returns nothing."""
    session.sql(statement).collect()


def typed(session, table: pd.DataFrame, columns: dict[str, str]):
    """Return rows as a relation of the given types."""
    from snowflake.snowpark import types

    kinds = {
        "varchar": types.StringType(),
        "integer": types.IntegerType(),
        "bigint": types.LongType(),
        "double": types.DoubleType(),
        "date": types.DateType(),
    }
    schema = types.StructType(
        [types.StructField(name, kinds[kind]) for name, kind in columns.items()]
    )
    known = table[list(columns)].astype(object)
    rows = known.where(known.notna(), None).values.tolist()
    size = sum(len(str(value)) for row in rows for value in row)
    if size <= STATEMENT_CHARACTERS:
        return session.create_dataframe(rows, schema)
    # A registry of large fits: row by row, beside the statement instead of in it.
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    run(session, f"create or replace temporary table {ROWS} ({described})")
    marks = ", ".join("?" * len(columns))
    for row in rows:
        session.sql(f"insert into {ROWS} values ({marks})", params=row).collect()
    return session.table(ROWS)
