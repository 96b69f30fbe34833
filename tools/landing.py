"""Fill the landing from the raw tables of loaders, by the SELECTs in connectors/.

    python -m tools.landing shopify klaviyo           # write <landing>/<table>.parquet
    python -m tools.landing shopify=shopify_de        # raw tables in another folder or schema
    python -m tools.landing --print snowflake shopify # the views to create on Snowflake

LETTERSHOP_RAW names where the raw tables are: a folder with a folder per connector, of CSV and
parquet files, or a DuckDB database with a schema per connector. What several connectors have for
one landing table is one table. Everything is written aside first, and takes its place only when
all of it is whole. A table that an earlier run wrote of these connectors, and whose raw tables are
gone, is removed then: tables of two days never stand side by side. Exit code: 0, or 1 with what is
missing, where, and what to do.
"""

import argparse
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import duckdb
import yaml
from jinja2 import Environment, StrictUndefined, Template
from jinja2.environment import TemplateModule

from tools.places import ROOT, place

CONNECTORS = ROOT / "connectors"
SQL = Environment(undefined=StrictUndefined, autoescape=False)
NAMES = sorted(path.parent.name for path in CONNECTORS.glob("*/raw.yml"))
# Types of raw columns of which a value may not fit another type; text is one too.
NUMBERS = ("BIGINT", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER")
# Rows that a loader marks so are gone at the source.
DELETED = "_fivetran_deleted"
# Which connectors' rows a landing table holds stands in the file itself.
MARK = "lettershop_connectors"


@cache
def settings(name: str) -> dict:
    """Return what raw.yml of a connector says."""
    return yaml.safe_load((CONNECTORS / name / "raw.yml").read_text())


@cache
def contracts() -> dict[str, dict]:
    """Return the contract of every landing table, by name, as the sources' YAML states it."""
    return {
        table["name"]: table
        for path in sorted((ROOT / "models" / "staging").glob("*/_*__sources.yml"))
        for source in yaml.safe_load(path.read_text())["sources"]
        if source["name"] != "state"
        for table in source["tables"]
    }


@cache
def engine_macros(engine: str) -> TemplateModule:
    """Return the macros of an engine."""
    text = (CONNECTORS / "engines" / f"{engine}.sql").read_text()
    return SQL.from_string(text).module


@cache
def select_template(name: str, table: str, engine: str) -> Template:
    """Return the SELECT of a landing table as it is written, with all macros that it may use.

    Args:
        name: of the connector.
        table: a landing table.
        engine: duckdb or snowflake.
    """
    own = CONNECTORS / name / "macros.sql"
    macros = [CONNECTORS / "engines" / f"{engine}.sql", CONNECTORS / "common.sql"]
    text = "".join(path.read_text() for path in [*macros, *([own] if own.exists() else [])])
    return SQL.from_string(text + (CONNECTORS / name / "landing" / f"{table}.sql").read_text())


class LandingError(Exception):
    """The landing cannot be filled; its arguments are one message each."""


@dataclass
class Connector:
    """A connector and where its raw tables are.

    Attributes:
        name: the folder in connectors/.
        schema: the folder or schema with the raw tables.
        relations: SQL of what is there, by raw table; filled by find.
        columns: its columns and their types, by raw table, names in lower case.
    """

    name: str
    schema: str
    relations: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def raw(self) -> dict[str, dict]:
        """The raw tables that it reads, from raw.yml."""
        return settings(self.name)["tables"]

    @property
    def landing(self) -> dict[str, list[str]]:
        """The landing tables it can fill, with the raw tables of which one has to be there."""
        return settings(self.name)["landing"]

    def select(self, table: str, engine: str) -> str:
        """Return the SELECT of a landing table.

        Args:
            table: a landing table.
            engine: duckdb or snowflake.
        """
        typed = engine_macros(engine).typed
        written = select_template(self.name, table, engine)
        return written.render(raw=lambda name: self._typed(name, engine, typed)).strip()

    def called(self, table: str, column: str) -> list[str]:
        """Return the names that a column of raw.yml may have in the raw table, the first first."""
        others = self.raw[table].get("also_called", {})
        return [column, *([others[column]] if column in others else [])]

    def there(self, table: str, column: str) -> list[str]:
        """Return those names of a column that the raw table has; none where it lacks the column."""
        found = self.columns.get(table, {})
        return [name for name in self.called(table, column) if name in found]

    def _typed(self, table: str, engine: str, typed) -> str:
        """Return a raw table as a subquery with all columns of raw.yml, in their types.

        Rows that the loader has marked as deleted are left out, unless the column that marks them
        is among those of raw.yml: then the SELECT says what becomes of them.
        """
        wanted = self.raw[table]["columns"]
        found = self.columns.get(table, {})

        def value(names: list[str], wanted_type: str) -> str:
            """Return the first of the columns that has a value."""
            if engine == "snowflake":
                # A column that the table lacks has no key in the object, and is null.
                parts = [
                    typed(f"get_ignore_case(landed, '{name}')", wanted_type, "VARIANT")
                    for name in names
                ]
            else:
                parts = [typed(f'"{name}"', wanted_type, found[name]) for name in names]
            parts = parts or [typed("null", wanted_type, None)]
            return f"coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]

        is_snowflake = engine == "snowflake"
        lines = []
        for column, wanted_type in wanted.items():
            names = self.called(table, column) if is_snowflake else self.there(table, column)
            name = column if is_snowflake else f'"{column}"'
            lines.append(f"{value(names, wanted_type)} as {name}")
        if is_snowflake:
            relation = (
                f'(select object_construct(*) as landed from {self.schema}."{table.upper()}")'
            )
        elif table in self.relations:
            relation = f"({self.relations[table]})"
        else:
            relation = "(select 1 limit 0)"
        rows = f"select {', '.join(lines)} from {relation} as raw_rows"
        if DELETED not in wanted and (is_snowflake or DELETED in found):
            rows += f" where not coalesce({value([DELETED], 'boolean')}, false)"
        return f"({rows})"


# --- What is there --------------------------------------------------------------------------------


def quoted(text: object) -> str:
    """Return a text as a SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def tables_in_folder(folder: Path) -> dict[str, str]:
    """Return SQL of the tables in a folder, by name: files, or folders of files of one kind."""
    found = {}
    for path in sorted(folder.iterdir()):
        kind = path.suffix if path.suffix != ".gz" else "".join(path.suffixes[-2:])
        files = path / f"*{kind}" if path.is_dir() else path
        name = path.name.removesuffix(kind).lower()
        if kind == ".parquet":
            relation = f"select * from read_parquet({quoted(files)}, union_by_name = true)"
        elif kind in (".csv", ".csv.gz"):
            relation = (
                f"select * from read_csv({quoted(files)}, header = true, all_varchar = true,"
                " union_by_name = true)"
            )
        else:
            continue
        if name in found:
            raise LandingError(f"{folder} has {name} twice, such as parquet and CSV: remove one.")
        found[name] = relation
    return found


def tables_in_database(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, str]:
    """Return SQL of the tables of a schema of the database attached as raw, by name."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = 'raw' and lower(schema_name) = lower($schema)"
        " union all select schema_name, view_name from duckdb_views()"
        " where database_name = 'raw' and lower(schema_name) = lower($schema)",
        {"schema": schema},
    ).fetchall()
    return {name.lower(): f'select * from raw."{found}"."{name}"' for found, name in sorted(rows)}


def find(connection: duckdb.DuckDBPyConnection, connector: Connector, raw: Path) -> list[str]:
    """Fill a connector's relations and columns, and say what optional table is not there.

    Args:
        connection: with the database attached as raw, where it is one.
        connector: changed.
        raw: the folder or database.

    Returns:
        Lines to print.

    Raises:
        LandingError: where something required is missing or a table cannot be read.

    """
    if raw.is_dir():
        where = f"{raw / connector.schema}"
        if not (raw / connector.schema).is_dir():
            raise LandingError(
                f"{connector.name}: the folder {where} does not exist. Put the raw tables there, or"
                f" name another: FROM={connector.name}=<folder below {raw}>."
            )
        there = tables_in_folder(raw / connector.schema)
    else:
        where = f"schema {connector.schema} of {raw}"
        there = tables_in_database(connection, connector.schema)
    problems, notes = [], []
    for name, table in connector.raw.items():
        relation = joined_parts(there, table["parts"]) if "parts" in table else there.get(name)
        called = f"{name} ({table['parts']})" if "parts" in table else name
        if relation is None:
            near = [it for it in get_close_matches(name, there) if it not in connector.raw]
            hint = f" (perhaps misspelt: {', '.join(near)})" if near else ""
            if table.get("is_required"):
                problems.append(
                    f"{connector.name}: the raw table {called} is missing in {where}{hint}. It is"
                    " required: let the loader write it."
                )
            else:
                notes.append(f"  {connector.name}: no {called} in {where}{hint}; done without")
            continue
        try:
            described = connection.execute(f"describe {relation}").fetchall()
        except duckdb.Error as error:
            # DuckDB's own text may quote a row.
            problems.append(
                f"{connector.name}: the raw table {called} in {where} cannot be read"
                f" ({type(error).__name__}). Is each file whole, and of its kind?"
            )
            continue
        connector.relations[name] = relation
        connector.columns[name] = {row[0].lower(): row[1] for row in described}
        lacking = [column for column in table["columns"] if not connector.there(name, column)]
        required = table.get("required", [])
        missing = [" or ".join(connector.called(name, its)) for its in required if its in lacking]
        if missing:
            problems.append(
                f"{connector.name}: the raw table {called} in {where} has no column"
                f" {', '.join(missing)}. Let the loader write it, or add it in a view."
            )
        if lacking := [its for its in lacking if its not in (DELETED, *table.get("rare", []))]:
            notes.append(f"  {connector.name}: {name} has no {', '.join(lacking)}; null")
    if problems:
        raise LandingError(*problems)
    return notes


def joined_parts(there: dict[str, str], pattern: str) -> str | None:
    """Return SQL of the tables whose names match, as one, with the column export_name."""
    parts = [
        f"select *, {quoted(name)} as export_name from ({relation})"
        for name, relation in sorted(there.items())
        if re.fullmatch(pattern, name)
    ]
    return " union all by name ".join(parts) or None


def unfit(connection: duckdb.DuckDBPyConnection, connector: Connector) -> list[str]:
    """Say of each raw column how many values do not fit its type, and become null.

    Args:
        connection: see find.
        connector: after find.

    Returns:
        Lines to print, without any value.

    """
    lines = []

    def typed(column: str, wanted_type: str, found_type: str) -> str:
        return engine_macros("duckdb").typed(f'"{column}"', wanted_type, found_type)

    for name, relation in connector.relations.items():
        found = connector.columns[name]
        wanted = {
            there: wanted_type
            for column, wanted_type in connector.raw[name]["columns"].items()
            for there in connector.there(name, column)
            if wanted_type != "varchar" and found[there] in ("VARCHAR", *NUMBERS)
        }
        if not wanted:
            continue
        counts = [
            f"count(*) filter (where trim(cast(\"{column}\" as varchar)) <> '' and"
            f" {typed(column, wanted_type, found[column])} is null)"
            for column, wanted_type in wanted.items()
        ]
        row = connection.execute(f"select {', '.join(counts)} from ({relation})").fetchone()
        for (column, wanted_type), count in zip(wanted.items(), row, strict=True):
            if count:
                lines.append(
                    f"  {connector.name}: {count:,} of {name}.{column} are no {wanted_type}; null"
                )
    return lines


# --- What is written ------------------------------------------------------------------------------


def columns_of(connection: duckdb.DuckDBPyConnection, select: str) -> list[str]:
    """Return the names of a query's columns."""
    return [row[0] for row in connection.execute(f"describe {select}").fetchall()]


def landing_query(selects: dict[str, list[str]], selected: dict[str, str], contract: dict) -> str:
    """Return the rows of a landing table from all connectors, in the contract's types and order.

    Args:
        selects: the columns that each connector gives, by connector.
        selected: its SELECT, by connector.
        contract: of the table.

    Returns:
        SQL.

    """
    known = {column["name"]: column["data_type"] for column in contract["columns"]}
    given = {name for columns in selects.values() for name in columns}
    parts = []
    for connector, select in selected.items():
        lines = [
            f"cast({name if name in selects[connector] else 'null'} as {wanted_type}) as {name}"
            for name, wanted_type in known.items()
            if name in given
        ]
        parts.append(f"select {', '.join(lines)} from ({select}) as of_{connector}")
    return " union all ".join(parts)


def marked(connection: duckdb.DuckDBPyConnection, target: Path) -> set[str]:
    """Return whose rows a file of the landing holds; of nobody where this program did not write it.

    Args:
        connection: any.
        target: the file, which may not exist.
    """
    if not target.is_file():
        return set()
    marks = connection.execute(
        f"select decode(value) from parquet_kv_metadata({quoted(target)})"
        f" where decode(key) = {quoted(MARK)}"
    ).fetchall()
    return {name for (names,) in marks for name in names.split()}


def guard(connection: duckdb.DuckDBPyConnection, target: Path, connectors: list[str]) -> list[str]:
    """Say why a file of the landing may not be replaced.

    Args:
        connection: any.
        target: the file, which may not exist.
        connectors: that this run fills the landing from.

    Returns:
        At most one message.

    """
    if not target.exists():
        return []
    holders = marked(connection, target)
    if not holders:
        return [
            f"{target} was not written by this program, and would be lost. Remove it, or let"
            " LETTERSHOP_LANDING name another folder."
        ]
    others = sorted(holders - set(connectors))
    if others:
        everything = " ".join(sorted({*others, *connectors}))
        return [
            f"{target} also holds rows of {', '.join(others)}, which would be lost. Name all at"
            f' once: make landing FROM="{everything}"; or remove the file.'
        ]
    return []


def copy(connection, query: str, target: Path, connectors: list[str]) -> int:
    """Write a query's rows as parquet, with the names of their connectors, and count them."""
    return connection.execute(
        f"copy ({query}) to {quoted(target)} (format parquet, compression zstd,"
        f" kv_metadata {{{MARK}: {quoted(' '.join(connectors))}}})"
    ).fetchone()[0]


def needed_tables(connectors: list[Connector], name: str) -> list[str]:
    """Return the raw tables that a landing table is for the most part made of."""
    return [
        f"{connector.name}.{table}"
        for connector in connectors
        for table in connector.landing.get(name, [])
    ]


def fill(connectors: list[Connector], raw: Path, landing: Path) -> list[str]:
    """Write the landing tables of connectors.

    Args:
        connectors: at least one.
        raw: the folder or database of raw tables.
        landing: the folder, created where missing.

    Returns:
        Lines to print.

    Raises:
        LandingError: where anything is missing or in the way; the landing is as it was then.

    """
    if not raw.exists():
        raise LandingError(
            f"There are no raw tables: {raw} does not exist. Let LETTERSHOP_RAW name a folder with"
            " a folder per connector, or a DuckDB database with a schema per connector."
        )
    # One thread: the row order of a file must not depend on luck.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    if raw.is_file():
        try:
            connection.execute(f"attach {quoted(raw)} as raw (read_only)")
        except duckdb.Error as error:
            raise LandingError(
                f"{raw} cannot be opened as a DuckDB database ({type(error).__name__}). Is it one,"
                " and does no other process write to it?"
            ) from None
    problems, lines = [], []
    for connector in connectors:
        try:
            lines += find(connection, connector, raw)
        except LandingError as failure:
            problems += failure.args
    if problems:
        raise LandingError(*problems)
    for connector in connectors:
        try:
            lines += unfit(connection, connector)
        except duckdb.Error as error:
            # DuckDB's own text may quote a row.
            raise LandingError(
                f"{connector.name}: a raw table breaks off while it is read"
                f" ({type(error).__name__}). Is each file whole, with as many fields in each row?"
            ) from None
    tables = contracts()
    names = sorted({name for connector in connectors for name in connector.landing})
    named = [connector.name for connector in connectors]
    queries, holders, gone = {}, {}, []
    for name in names:
        of_table = [
            connector
            for connector in connectors
            if any(needed in connector.relations for needed in connector.landing.get(name, []))
        ]
        if not of_table:
            target = landing / f"{name}.parquet"
            line = f"  {name} is not written without {' or '.join(needed_tables(connectors, name))}"
            if marked(connection, target) & set(named):
                gone.append(name)
                line += f"; {target} of an earlier run is removed"
            elif target.exists():
                line += f"; {target} is of another origin and stays"
            lines.append(line)
            continue
        selected = {connector.name: connector.select(name, "duckdb") for connector in of_table}
        selects = {key: columns_of(connection, select) for key, select in selected.items()}
        queries[name] = landing_query(selects, selected, tables[name])
        holders[name] = sorted(selected)
    problems = [
        problem
        for name in [*queries, *gone]
        for problem in guard(connection, landing / f"{name}.parquet", named)
    ]
    if problems:
        raise LandingError(*problems)
    landing.mkdir(parents=True, exist_ok=True)
    aside = landing / f".partial-{os.getpid()}"
    aside.mkdir()
    try:
        for name, query in queries.items():
            try:
                rows = copy(connection, query, aside / f"{name}.parquet", holders[name])
            except duckdb.Error as error:
                raise LandingError(
                    f"{name} cannot be written ({type(error).__name__}): its raw tables are"
                    f" {', '.join(needed_tables(connectors, name))}."
                ) from None
            lines.append(
                f"  {landing / f'{name}.parquet'}: {rows:,} rows of {' and '.join(holders[name])}"
            )
        for name in queries:
            (aside / f"{name}.parquet").replace(landing / f"{name}.parquet")
        for name in gone:
            (landing / f"{name}.parquet").unlink()
    finally:
        shutil.rmtree(aside)
        connection.close()
    return lines


def snowflake_views(connectors: list[Connector]) -> str:
    """Return the statements that create the landing's views on Snowflake.

    Every raw table of raw.yml has to exist there; columns may be missing.

    Args:
        connectors: at least one; `schema` is the schema of the raw tables.
    """
    tables = contracts()
    statements = ["alter session set timezone = 'UTC'"]
    for name in sorted({name for connector in connectors for name in connector.landing}):
        selected = {
            connector.name: connector.select(name, "snowflake")
            for connector in connectors
            if name in connector.landing
        }
        # The columns are the same on every engine; DuckDB can tell them without any table.
        with duckdb.connect() as connection:
            selects = {
                connector.name: columns_of(connection, connector.select(name, "duckdb"))
                for connector in connectors
                if name in connector.landing
            }
        query = landing_query(selects, selected, tables[name])
        statements.append(f"create or replace view {name} as\n{query}")
    return ";\n\n".join(statements) + ";\n"


def main() -> None:
    """Fill the landing, or print what would on Snowflake."""
    parser = argparse.ArgumentParser(prog="python -m tools.landing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--print", choices=["snowflake"], dest="engine", help="only print views")
    parser.add_argument("connectors", nargs="+", help=f"of {', '.join(NAMES)}; or name=schema")
    arguments = parser.parse_args()
    connectors = []
    for given in arguments.connectors:
        name, _, schema = given.partition("=")
        if name not in NAMES:
            sys.exit(f"There is no connector called '{name}'. There are: {', '.join(NAMES)}")
        if name in [connector.name for connector in connectors]:
            sys.exit(f"The connector '{name}' is named twice: name each once.")
        connectors.append(Connector(name, schema or name))
    if arguments.engine:
        print(snowflake_views(connectors), end="")
        return
    if not os.environ.get("LETTERSHOP_RAW"):
        sys.exit(
            "LETTERSHOP_RAW is not set: let it name the folder, or the DuckDB database, of the raw"
            " tables."
        )
    try:
        lines = fill(connectors, Path(os.environ["LETTERSHOP_RAW"]), place("LETTERSHOP_LANDING"))
    except LandingError as failure:
        sys.exit("Nothing was landed.\n" + "\n".join(f"- {text}" for text in failure.args))
    print("\n".join(lines))
    print("Next: make check")


if __name__ == "__main__":
    main()
