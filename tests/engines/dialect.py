"""What compiled SQL may not hold if two engines are to agree about it, read from its syntax tree.

sqlglot and sqlfluff let foreign functions pass, since a warehouse may have functions of its own.
So the functions that exist are listed, in snowflake_functions.txt, one a line; of
DuckDB the engine itself says what it has.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects import DuckDB, Snowflake
from sqlglot.tokens import TokenType

LIST = Path(__file__).with_name("snowflake_functions.txt")
# Words before a bracket that are no functions.
WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        all and any as asc between by case desc distinct else end except exclude exists
        from group having in inner intersect is join lateral like limit materialized not on or order
        outer over partition pivot qualify select table then union unpivot using values when where
        with within
        """,
    )
)
# What DuckDB's catalogue of functions leaves to its parser.
PARSED_BY_DUCKDB = {
    "cast",
    "try_cast",
    "extract",
    "percentile_cont",
    "percentile_disc",
    "coalesce",
    "nullif",
    "unnest",
    "position",
    "trim",
}
# What a sum of is not the same twice on several threads.
DOUBLES = (exp.Div, exp.Exp, exp.Ln, exp.Log, exp.Pow, exp.Sqrt)


class NullsLikeDuckDB(Snowflake):
    """Snowflake's SQL with DuckDB's place for nulls where none is said."""

    NULL_ORDERING = "nulls_are_last"


class NullsLikeSnowflake(DuckDB):
    """DuckDB's SQL with Snowflake's place for nulls where none is said."""

    NULL_ORDERING = "nulls_are_large"


# Each engine's dialect, and the same with the other's place for nulls.
DIALECTS = {
    "duckdb": (DuckDB, NullsLikeSnowflake),
    "snowflake": (Snowflake, NullsLikeDuckDB),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a statement.

    Attributes:
        kind: function, nulls or doubles.
        text: the place, as SQL.
    """

    kind: str
    text: str


@cache
def known(engine: str) -> frozenset[str]:
    """Return the functions of an engine, in lower case."""
    if engine == "duckdb":
        rows = duckdb.execute("select distinct lower(function_name) from duckdb_functions()")
        return frozenset(name for (name,) in rows.fetchall()) | PARSED_BY_DUCKDB
    lines = (line.split("#")[0].strip() for line in LIST.read_text().splitlines())
    return frozenset(line for line in lines if line)


def functions(sql: str, engine: str) -> set[str]:
    """Return the names of functions as they were written: the tree knows many by one name.

    Args:
        sql: one statement.
        engine: duckdb or snowflake.
    """
    tokens = DIALECTS[engine][0]().tokenize(sql)
    found = set()
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        # Behind `as` and `::` stands a type, or a name with its columns.
        is_call = after.token_type == TokenType.L_PAREN and re.fullmatch(r"\w+", token.text)
        named = before.text.lower() in ("as", "::", "with") or token.token_type == TokenType.STRING
        if is_call and not named and not token.text.isdigit():
            found.add(token.text.lower())
    return found - WORDS


def foreign_functions(sql: str, tree: exp.Expression, engine: str) -> list[Problem]:
    """Return the functions that an engine does not have."""
    # `with pairs (a, b) as` is no call of pairs.
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    foreign = functions(sql, engine) - known(engine) - ctes
    return [Problem("function", name) for name in sorted(foreign)]


def silent_nulls(sql: str, engine: str) -> list[Problem]:
    """Return the orders in which the engines would put nulls at different ends."""
    ours, theirs = (
        list(sqlglot.parse_one(sql, read=dialect).find_all(exp.Ordered))
        for dialect in DIALECTS[engine]
    )
    return [
        Problem("nulls", one.this.sql())
        for one, other in zip(ours, theirs, strict=True)
        if bool(one.args.get("nulls_first")) != bool(other.args.get("nulls_first"))
    ]


def is_double(node: exp.Expression, columns: frozenset[str]) -> bool:
    """Return whether an expression is a double, as far as its text and known columns tell.

    Args:
        node: the expression.
        columns: names of columns of type double.
    """
    if isinstance(node, exp.Cast):
        return node.to.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
    if isinstance(node, DOUBLES):
        return True
    if isinstance(node, exp.Column):
        return node.name.lower() in columns
    if isinstance(node, exp.Literal):
        return not node.is_string and "e" in node.this.lower()
    if isinstance(node, exp.Case):
        values = [branch.args["true"] for branch in node.args["ifs"]]
        return any(is_double(each, columns) for each in [*values, node.args.get("default")] if each)
    if isinstance(node, (exp.Predicate, exp.Window, exp.Subquery)):
        return False
    return any(is_double(each, columns) for each in node.iter_expressions())


def sums_of_doubles(tree: exp.Expression, columns: frozenset[str]) -> list[Problem]:
    """Return the sums and means whose result depends on the order of the rows.

    Args:
        tree: the statement.
        columns: names of columns of type double.
    """
    return [
        Problem("doubles", node.sql())
        for node in tree.find_all(exp.Sum, exp.Avg)
        if is_double(node.this, columns)
    ]


def problems(sql: str, engine: str, columns: frozenset[str] = frozenset()) -> list[Problem]:
    """Return everything that is wrong with a statement.

    Args:
        sql: one compiled statement.
        engine: duckdb or snowflake.
        columns: names of columns of type double.
    """
    tree = sqlglot.parse_one(sql, read=DIALECTS[engine][0])
    return [
        *foreign_functions(sql, tree, engine),
        *silent_nulls(sql, engine),
        *sums_of_doubles(tree, columns),
    ]


def missing_variants(folder: Path) -> list[str]:
    """Return the macros that dispatch by engine and have nothing to say for one of them.

    Args:
        folder: of macros, macros/cross_db.
    """
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    names = re.findall(r"adapter\.dispatch\('(\w+)'", text)
    macros = set(re.findall(r"{%-?\s*macro\s+(\w+)\(", text))
    return [
        name
        for name in sorted(set(names))
        if f"snowflake__{name}" not in macros
        or not macros & {f"duckdb__{name}", f"default__{name}"}
    ]
