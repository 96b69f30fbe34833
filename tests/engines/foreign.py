"""What Snowflake refuses or reads otherwise, though the emulator takes it, by the syntax tree."""

import re
from pathlib import Path

import sqlglot
from sqlglot import exp

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
        for node in tree.find_all(exp.Max, exp.Min)
        if isinstance(node.this, exp.Column) and BOOLEAN.match(node.this.name)
    ]
    # The tree has no backslash any more that began an escape.
    found += [BACKSLASH] if "\\" in sql else []
    return found


def problems_in(folder: Path) -> list[str]:
    """Return what is foreign in all compiled SQL below a folder, with the file's name before it.

    The rows of unit tests, which stand in folders called after their YAML, are texts that dbt
    escapes as Snowflake wants it.
    """
    return [
        f"{path.stem}: {problem}"
        for path in sorted(folder.rglob("*.sql"))
        for problem in dict.fromkeys(problems(path.read_text()))
        if problem != BACKSLASH or not any(part.endswith(".yml") for part in path.parts)
    ]
