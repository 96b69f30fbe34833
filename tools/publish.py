"""Copy what people and machines read into a new file, and put it in the published one's place.

Readers never see half a build and never hold a lock that stops one: whoever has the old file open
keeps reading it. The copy is new from the first byte, so that rows that were erased are gone from
the file, not only from its tables.
"""

import json
import os
from pathlib import Path

import duckdb

from tools import pseudonymous
from tools.places import PROJECT, place

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


def activation_tests(run_id: str) -> list[tuple[str, str, str]]:
    """Return what became of each test of an activation table, as dbt's last run left it.

    Args:
        run_id: of the build that is published; tests of another run say nothing about it.

    Returns:
        Rows of run_id, test_name and status: pass, warn, fail, error, skipped or not run; no row
        where dbt left no results at all.
    """
    folder = PROJECT / (os.environ.get("DBT_TARGET_PATH") or "target")
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        results = json.loads((folder / "run_results.json").read_text())
    except FileNotFoundError:
        return []
    statuses = {}
    if results["metadata"]["invocation_id"] == run_id:
        statuses = {result["unique_id"]: result["status"] for result in results["results"]}
    models = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["fqn"][:2] == ["lettershop", "activation"]
    }
    return [
        (run_id, node["name"], statuses.get(name, "not run"))
        for name, node in sorted(manifest["nodes"].items())
        if node["resource_type"] == "test" and models.intersection(node["depends_on"]["nodes"])
    ]


def publish(target: Path | None = None) -> int:
    """Write the published database from the working and the state database, and its copy.

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
        # Views of the working database name the state database as dbt does.
        connection.execute(f"attach '{place('LETTERSHOP_STATE')}' as state (read_only)")
        tables = connection.execute(
            """
            select table_catalog, table_schema, table_name
            from information_schema.tables
            where table_catalog in ('lettershop_work', 'state')
                and list_contains(?, table_schema)
                -- Views that look back over all cutoffs: nobody reads them but training.
                and not (table_schema = 'features' and table_type = 'VIEW')
                and not regexp_matches(table_name, '^(dim|fct)_dated_')
                -- The profile before segments are known: the profile has it all. Opens and clicks
                -- one by one are for whoever asks the working database why.
                and table_name not in ('customer_descriptions', 'fct_message_reactions')
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
        if ("state", "monitoring", "build_runs") in tables:
            (run_id,) = connection.execute(
                "select run_id from monitoring.build_runs order by built_at desc limit 1"
            ).fetchone() or ("",)
            # Whether anything may be sent: tools.sync asks.
            connection.execute(
                "create table monitoring.activation_tests"
                " (run_id varchar, test_name varchar, status varchar)"
            )
            if rows := activation_tests(run_id):
                connection.executemany(
                    "insert into monitoring.activation_tests values (?, ?, ?)", rows
                )
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(target)
    pseudonymous.copy(target)
    return len(tables)


if __name__ == "__main__":
    print(f"Published {publish()} tables to {place('LETTERSHOP_PUBLISHED')}.")
