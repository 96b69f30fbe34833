"""The published tables for who need not know who somebody is: a file beside the published one.

Which columns are about people is in seeds/privacy/personal_columns.csv, what becomes of them in the
`meta` of the YAML beside it, with the columns of single tables that repeat freely written words
(`written`). Equal values stay equal within a copy, so that tables still join. The
key of the hashes is drawn anew for each copy and kept nowhere: nobody can try addresses against
them, and no key or id of one copy is found in another, or in the landing. Exact times and amounts
stay, and can be compared: pseudonymous, not anonymous.
"""

import csv
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from tools.places import ROOT, place

# What analysts query. Payloads, payload-like JSON and rejected rows stand elsewhere.
SCHEMAS = ("core", "segments", "predictions", "marts")
COLUMNS = ROOT / "seeds" / "privacy" / "personal_columns.csv"


def protections(columns: Path = COLUMNS) -> dict[str, str]:
    """Return what becomes of each column about people: hashed, hidden or shown.

    Args:
        columns: the seed; its YAML stands beside it.

    Raises:
        ValueError: of a category without a protection.
    """
    (seed,) = yaml.safe_load(columns.with_suffix(".yml").read_text())["seeds"]
    meta = seed["config"]["meta"]
    with columns.open(newline="") as rows:
        found = {row["column_name"]: row["category"] for row in csv.DictReader(rows)}
    if missing := set(found.values()) - meta["protection"].keys():
        raise ValueError(f"{columns.name}: no protection for {', '.join(sorted(missing))}.")
    return {
        name: "shown" if name in meta["shown"] else meta["protection"][category]
        for name, category in found.items()
    }


def written(columns: Path = COLUMNS) -> dict[str, list[str]]:
    """Return the columns that repeat freely written words, by table.

    Args:
        columns: see protections.
    """
    (seed,) = yaml.safe_load(columns.with_suffix(".yml").read_text())["seeds"]
    return seed["config"]["meta"]["written"]


@dataclass(frozen=True)
class Column:
    """A column of a published table.

    Attributes:
        name: of it.
        type: as DuckDB says it.
    """

    name: str
    type: str

    def shown_as(self, protection: str | None) -> str:
        """Return the SQL of the column in the copy, with the parameter $key.

        Args:
            protection: hashed, hidden, shown, or hidden_of_own (in rows of the family own); None
                for what is not about people.
        """
        name = f'"{self.name}"'
        if protection == "hashed" and self.type == "VARCHAR":
            # What says that there is nothing, such as the item of a model without items, stays.
            return f"case when {name} = '' then '' else md5($key || {name}) end as {name}"
        if protection == "hidden_of_own":
            return f"case when family <> 'own' then {name} end as {name}"
        if protection in ("hashed", "hidden"):
            return f"cast(null as {self.type}) as {name}"
        return name


def copy(published: Path | None = None, target: Path | None = None) -> int:
    """Write the pseudonymous copy of the published database.

    Args:
        published: the file to read; default LETTERSHOP_PUBLISHED.
        target: the file to write; default beside it, with `_pseudonymous` in its name.

    Returns:
        The number of tables in it.
    """
    published = published or place("LETTERSHOP_PUBLISHED")
    target = target or beside(published)
    partial = target.with_name(target.name + ".partial")
    for leftover in (partial, partial.with_name(partial.name + ".wal")):
        leftover.unlink(missing_ok=True)
    known, words, key = protections(), written(), secrets.token_urlsafe(16)
    with duckdb.connect(str(partial)) as connection:
        connection.execute(f"attach '{published}' as lettershop_published (read_only)")
        rows = connection.execute(
            """
            select table_schema, table_name, column_name, data_type
            from information_schema.columns
            where table_catalog = 'lettershop_published' and list_contains(?, table_schema)
            order by table_schema, table_name, ordinal_position
            """,
            [list(SCHEMAS)],
        ).fetchall()
        tables: dict[tuple[str, str], list[Column]] = {}
        for schema, table, name, kind in rows:
            tables.setdefault((schema, table), []).append(Column(name, kind))
        for (schema, table), columns in tables.items():
            own = any(each.name == "family" for each in columns)
            freely = dict.fromkeys(words.get(table, []), "hidden_of_own" if own else "hidden")
            said = known | freely
            shown = ", ".join(each.shown_as(said.get(each.name)) for each in columns)
            connection.execute(f'create schema if not exists "{schema}"')
            connection.execute(
                f'create table "{schema}"."{table}" as'
                f' select {shown} from lettershop_published."{schema}"."{table}"',
                {"key": key} if "$key" in shown else None,
            )
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    return len(tables)


def beside(published: Path) -> Path:
    """Return where the pseudonymous copy of a published database stands."""
    return published.with_name(f"{published.stem}_pseudonymous{published.suffix}")
