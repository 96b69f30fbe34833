"""Copy what people and machines read into a new file, and put it in the published one's place.

Readers never see half a build and never hold a lock that stops one: whoever has the old file open
keeps reading it. The copy is new from the first byte, so that rows that were erased are gone from
the file, not only from its tables.
"""

import os
from pathlib import Path

import duckdb

from tools.places import place

# Core to monitoring; a schema that does not exist yet is passed over.
SCHEMAS = (
    "core",
    "segments",
    "features",
    "training",
    "scoring",
    "predictions",
    "marts",
    "activation",
    "monitoring",
)


def publish(target: Path | None = None) -> int:
    """Write the published database from the working and the state database.

    Args:
        target: the file; default LETTERSHOP_PUBLISHED.

    Returns:
        The number of tables in it.
    """
    target = target or place("LETTERSHOP_PUBLISHED")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    for leftover in (partial, partial.with_name(partial.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(str(partial)) as connection:
        published = connection.execute("select current_database()").fetchone()[0]
        connection.execute(f"attach '{place('LETTERSHOP_DUCKDB')}' as lettershop_work (read_only)")
        # Views read the state by this name.
        connection.execute(f"attach '{place('LETTERSHOP_STATE')}' as state (read_only)")
        tables = connection.execute(
            """
            select table_catalog, table_schema, table_name
            from information_schema.tables
            where table_catalog in ('lettershop_work', 'state')
                and list_contains(?, table_schema)
                -- Views of features look back over all cutoffs: nobody reads them but training.
                and not (table_schema = 'features' and table_type = 'VIEW')
            order by table_schema, table_name
            """,
            [list(SCHEMAS)],
        ).fetchall()
        if not tables:
            raise RuntimeError(
                f"{place('LETTERSHOP_DUCKDB')} has nothing to publish: none of the schemas "
                f"{', '.join(SCHEMAS)}. A target whose schema is a prefix is for development."
            )
        for catalog, schema, table in tables:
            connection.execute(f'create schema if not exists "{published}"."{schema}"')
            connection.execute(
                f'create table "{published}"."{schema}"."{table}" as '
                f'select * from "{catalog}"."{schema}"."{table}"'
            )
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(target)
    return len(tables)


if __name__ == "__main__":
    print(f"Published {publish()} tables to {place('LETTERSHOP_PUBLISHED')}.")
