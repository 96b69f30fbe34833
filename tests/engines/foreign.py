"""What Snowflake refuses or reads otherwise, though the emulator takes it, by the syntax tree."""

import re
from pathlib import Path

import sqlglot
from sqlglot import exp

from tools.places import ROOT

# Snowflake's reserved words, by its reference of SQL keywords; no name may be one of them.
RESERVED_WORDS = """
    account all alter and any as between by case cast check column connect connection
    constraint create cross current current_date current_time current_timestamp current_user
    database delete distinct drop else exists false following for from full grant group
    gscluster having ilike in increment inner insert intersect into is issue join lateral left
    like localtime localtimestamp minus natural not null of on or order organization qualify
    regexp revoke right rlike row rows sample schema select set some start table tablesample
    then to trigger true try_cast union unique update using values view when whenever where
    with
"""
RESERVED = frozenset(RESERVED_WORDS.split())
BACKSLASH = "a text has a backslash"
BOOLEAN = re.compile(r"(is|has|may)_", re.IGNORECASE)
TIME = re.compile(r"\w+_at$", re.IGNORECASE)
# Names of columns that are no text, whatever it is that they count.
NO_TEXT = re.compile(r"\w+_(at|date|count|days|amount|seconds)$", re.IGNORECASE)
TIMES = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ, exp.DataType.Type.DATETIME)
# What gives back a value of what it is given.
PASSING = (exp.Paren, exp.Max, exp.Min, exp.Lag, exp.Lead, exp.Coalesce, exp.Window)


def is_boolean(node: exp.Expression) -> bool:
    """Return whether an expression is a boolean, as far as its text and names of columns tell."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return bool(BOOLEAN.match(node.name))
    return isinstance(node, (exp.Predicate, exp.Connector, exp.Not, exp.Boolean))


def is_time(node: exp.Expression) -> bool:
    """Return whether an expression is a timestamp, as far as its text and names of columns tell."""
    if isinstance(node, exp.Column):
        return bool(TIME.match(node.name))
    if isinstance(node, exp.Cast):
        return node.to.this in TIMES
    return isinstance(node, PASSING) and is_time(node.this)


def is_no_text(node: exp.Expression) -> bool:
    """Return whether an expression cannot be a text, as far as it and names of columns tell."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return bool(NO_TEXT.match(node.name) or BOOLEAN.match(node.name))
    if isinstance(node, exp.Cast):
        return node.to.this not in exp.DataType.TEXT_TYPES
    if isinstance(node, exp.Literal):
        return not node.is_string
    numbers = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Count, exp.Sum, exp.Avg, exp.Length)
    return isinstance(node, (*numbers, exp.Round, exp.Floor, exp.Ceil)) or is_boolean(node)


def is_only_an_order(node: exp.Expression) -> bool:
    """Return whether a text only orders rows; so does what a landing has, whose types nobody knows.

    Preflight sees to it that the text of a time has all of its digits.
    """
    source = node.find_ancestor(exp.Select).args.get("from_")
    alias = node.find_ancestor(exp.Alias)
    return (
        node.find_ancestor(exp.ArgMin, exp.ArgMax) is not None
        or (alias is not None and alias.alias == "row_hash")
        or (source is not None and source.this.alias == "landed")
    )


def refused(tree: exp.Expression) -> list[str]:
    """Return what the parser takes and Snowflake does not, or not in every session alike."""
    found = [
        f"{node.kind.lower()} join is no join of Snowflake's"
        for node in tree.find_all(exp.Join)
        if node.kind in ("SEMI", "ANTI")
    ]
    found += ["distinct has an on" for node in tree.find_all(exp.Distinct) if node.args.get("on")]
    found += [
        "rowid is no column of Snowflake's"
        for node in tree.find_all(exp.Column)
        if node.name.lower() == "rowid"
    ]
    found += [
        f"{node.sql()} is of times"
        for node in tree.find_all(exp.Sub)
        if is_time(node.left) and is_time(node.right)
    ]
    found += [
        f"{node.sql()} tries what is no text"
        for node in tree.find_all(exp.TryCast)
        if is_no_text(node.this)
    ]
    # macros/cross_db/iso_text.sql says in which form.
    found += [
        f"{node.sql()} is as the session writes times"
        for node in tree.find_all(exp.Cast)
        if node.to.this in exp.DataType.TEXT_TYPES
        and is_time(node.this)
        and not is_only_an_order(node)
    ]
    return found


def problems(sql: str) -> list[str]:
    """Return what is foreign to Snowflake in a statement, a sentence each.

    Args:
        sql: compiled for Snowflake.
    """
    tree = sqlglot.parse_one(sql, read="snowflake")
    found = [
        f"{node.name} is a reserved word"
        for node in tree.find_all(exp.Identifier)
        if not node.quoted and node.name.lower() in RESERVED
    ]
    # The parser puts a select around them, and gives them this name.
    found += [
        "values stand without a select"
        for node in tree.find_all(exp.Values)
        if node.alias == "_values"
    ]
    found += [
        f"{node.sql()} is of a boolean"
        for node in tree.find_all(exp.Max, exp.Min, exp.Sum, exp.Avg)
        if is_boolean(node.this)
    ]
    found += refused(tree)
    # The tree has no backslash any more that began an escape.
    found += [BACKSLASH] if "\\" in sql else []
    return found


def problems_in(folder: Path) -> list[str]:
    """Return what is foreign in all compiled SQL below a folder, with the file's name before it.

    The rows of unit tests, which stand in folders called after their YAML, are texts that dbt
    escapes as Snowflake wants it. All unit tests of one YAML write those of an input into one file,
    two threads at once: what cannot be parsed there is passed over, since the same rows stand in
    each unit test's own SQL. Anything else that cannot be parsed is a problem.
    """
    inputs = {
        path.stem
        for place in ("models", "python_models", "seeds")
        for path in (ROOT / place).rglob("*")
        if path.suffix in (".sql", ".py", ".csv")
    }
    found = []
    for path in sorted(folder.rglob("*.sql")):
        is_of_a_test = any(part.endswith(".yml") for part in path.parts)
        try:
            said = dict.fromkeys(problems(path.read_text()))
        except sqlglot.errors.ParseError as error:
            if path.parent.suffix == ".yml" and path.stem in inputs:
                continue
            said = {f"cannot be parsed: {error}": None}
        found += [
            f"{path.stem}: {problem}"
            for problem in said
            if problem != BACKSLASH or not is_of_a_test
        ]
    return found
