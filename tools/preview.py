"""Show who would enter and leave which segment if the edited seeds were built; change nothing.

    python -m tools.preview

Which seeds were edited is asked of the last build's tables. What hangs on them, up to
segment_memberships, is built in a copy of the working database, at the clock of the last build, so
that only the edit makes a difference. The copy is thrown away; nothing is published or sent.

Exit codes: 0; dbt's own where the edited seeds do not build; 3 where a database is held by another
process.
"""

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import duckdb
import yaml

from tools.build import require_free
from tools.places import PROJECT, ROOT, dbt, landing_vars, place

# A seed that no segment hangs on is no mistake.
WARNINGS = '{"error": ["DeprecationsSummary"], "silence": ["NoNodesForSelectionCriteria"]}'
# Beside the working database; its own name goes on, because views name it.
FOLDER = "preview"
EXAMPLES = 5
REASON_LENGTH = 90


def schemas() -> dict[str, str]:
    """Return the schema of each seed as dbt's last run here knew it; empty where nothing is known.

    A shop's own project has its seeds in a schema of its own.
    """
    target = PROJECT / (os.environ.get("DBT_TARGET_PATH") or "target")
    try:
        nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    except FileNotFoundError:
        return {}
    seeds = [node for node in nodes if node["resource_type"] == "seed"]
    # Where both have a seed of that name, the shop's own counts.
    seeds.sort(key=lambda seed: seed["package_name"] != "lettershop")
    return {seed["name"]: seed["schema"] for seed in seeds}


def seed_paths() -> list[Path]:
    """Return the files of the seeds, in order: ours, and those of a shop's own in their place."""
    paths = {path.stem: path for root in (ROOT, PROJECT) for path in root.glob("seeds/**/*.csv")}
    return [paths[name] for name in sorted(paths)]


def differs(connection: duckdb.DuckDBPyConnection, path: Path, schema: str) -> bool:
    """Return whether a seed's file says something else than the last build read.

    Args:
        connection: to the working database.
        path: of the CSV file.
        schema: of the seed's table.
    """
    types = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = ? and table_name = ? order by ordinal_position",
        [schema, path.stem],
    ).fetchall()
    with path.open(newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    if [name for name, _ in types] != header:
        return True
    built = f'"{schema}"."{path.stem}"'
    written = (
        f"select {', '.join(f'try_cast({name} as {kind}) as {name}' for name, kind in types)}"
        f" from read_csv('{path}', header = true, all_varchar = true, nullstr = '', delim = ',')"
    )
    query = f"""
        with written as materialized ({written})
        select count(*) from (
            (select * from written except all select * from {built})
            union all
            (select * from {built} except all select * from written)
        )
    """
    try:
        return connection.execute(query).fetchone() != (0,)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        # What cannot be loaded was not built: the build says where it is wrong.
        return True


def edited_seeds() -> list[str]:
    """Return the names of the seeds whose files differ from the last build, in order."""
    with duckdb.connect(str(place("LETTERSHOP_DUCKDB")), read_only=True) as connection:
        known = schemas()
        return [
            path.stem
            for path in seed_paths()
            if differs(connection, path, known.get(path.stem, "seeds"))
        ]


def clock() -> str:
    """Return the clock of the last build.

    Raises:
        SystemExit: if there was none.
    """
    try:
        with duckdb.connect(str(place("LETTERSHOP_STATE")), read_only=True) as connection:
            (found,) = connection.execute(
                "select as_of_at from monitoring.build_runs order by built_at desc limit 1"
            ).fetchone()
    except (duckdb.Error, TypeError):
        sys.exit("There is no build to compare with: run `make build` first.")
    return f"{found:%Y-%m-%d %H:%M:%S}"


def custom_models() -> list[str]:
    """Return the models of the var custom_segment_models: the last build may not have had them."""
    said = yaml.safe_load((PROJECT / "dbt_project.yml").read_text()).get("vars", {})
    return (said | yaml.safe_load(landing_vars() or "{}")).get("custom_segment_models") or []


def build(seeds: list[str], as_of_at: str, folder: Path) -> int:
    """Build what hangs on the seeds in copies of the databases; say what dbt says if that fails.

    Args:
        seeds: edited ones.
        as_of_at: the clock.
        folder: for the copies.

    Returns:
        dbt's exit code.
    """
    for name in ("LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
        copy = folder / place(name).name
        shutil.copyfile(place(name), copy)
        os.environ[name] = str(copy)
    # What dbt writes about this run is not about the published build.
    os.environ["DBT_TARGET_PATH"] = str(PROJECT / "target" / "preview")
    result = dbt(
        *("--quiet", "--warn-error-options", WARNINGS),
        *("build", "--select", *seeds, *custom_models()),
        *(f"{seed}+,+segment_memberships" for seed in seeds),
        # Training takes minutes, and reads no rule of a segment.
        *("--exclude", "path:python_models/training", "test_type:unit"),
        *("--indirect-selection", "cautious", "--vars", f"{{as_of_at: '{as_of_at}'}}"),
        capture_output=True,
        text=True,
    )
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
    return result.returncode


def masked(email: str | None, key: str) -> str:
    """Return what tells a customer from others on the screen, and nobody else who it is.

    Args:
        email: the address, if there is one.
        key: the customer key.
    """
    start = key[:8]
    if not email:
        return start
    local, _, domain = email.partition("@")
    return f"{start} {local[0]}…@{domain[0]}….{domain.rpartition('.')[2]}"


def moves(before: Path, after: Path) -> list[tuple]:
    """Return what changes, segment by segment, the greatest changes first.

    Args:
        before: the working database of the last build.
        after: the copy with the edited seeds.

    Returns:
        Rows of segment_id, size before, size after, number who enter and who leave, and two lists
        of up to EXAMPLES tuples (email, customer_key, reason).
    """
    with duckdb.connect() as connection:
        for alias, path in (("earlier", before), ("later", after)):
            connection.execute(f"attach '{path}' as {alias} (read_only)")
        return connection.execute(
            f"""
            with moved as (
                select
                    coalesce(l.segment_id, e.segment_id) as segment_id,
                    coalesce(l.customer_key, e.customer_key) as customer_key,
                    e.customer_key is not null as was_in,
                    l.customer_key is not null as is_in,
                    coalesce(l.reason, e.reason) as reason
                from earlier.marts.segment_memberships as e
                full outer join later.marts.segment_memberships as l
                    on e.segment_id = l.segment_id and e.customer_key = l.customer_key
            ),
            named as (
                select moved.*, (customers.email, moved.customer_key, reason) as example,
                    row_number() over (
                        partition by segment_id, was_in, is_in
                        order by md5(segment_id || moved.customer_key)
                    ) as place
                from moved
                left join earlier.core.dim_customers as customers
                    on moved.customer_key = customers.customer_key
            )
            select
                segment_id,
                count(*) filter (was_in),
                count(*) filter (is_in),
                count(*) filter (is_in and not was_in),
                count(*) filter (was_in and not is_in),
                list(example order by place)
                    filter (is_in and not was_in and place <= {EXAMPLES}),
                list(example order by place)
                    filter (was_in and not is_in and place <= {EXAMPLES})
            from named
            group by segment_id
            order by count(*) filter (is_in <> was_in) desc, segment_id
            """
        ).fetchall()


def show(found: list[tuple]) -> None:
    """Print what `moves` found.

    Args:
        found: its rows.
    """
    changed = [row for row in found if row[3] or row[4]]
    for segment, before, after, entering, leaving, enter, leave in changed:
        print(f"\n{segment:<28}{before:>9,} → {after:,} members, +{entering:,} -{leaving:,}")
        for word, examples in (("enters", enter), ("leaves", leave)):
            for email, key, reason in examples or ():
                # Who leaves is told by why they were in it.
                said = f"was in: {reason}" if word == "leaves" else reason
                print(f"  {word}  {masked(email, key)}  {said[:REASON_LENGTH]}")
    alike = len(found) - len(changed)
    segments = f"{alike} segment{'' if alike == 1 else 's'}"
    print(f"\n{segments} with members stay{'s' if alike == 1 else ''} as before.")


def main() -> None:
    """Find the edited seeds, build them aside, and print the difference."""
    for name in ("LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
        if not place(name).exists():
            sys.exit(f"There is no database at {place(name)}: run `make build` first.")
        require_free(name)
    as_of_at = clock()
    seeds = edited_seeds()
    if not seeds:
        print("No file in seeds/ differs from the last build: there is nothing to preview.")
        return
    working = place("LETTERSHOP_DUCKDB").absolute()
    folder = working.parent / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        print(f"Edited: {', '.join(seeds)}. Building a copy as of {as_of_at} UTC ...", flush=True)
        if code := build(seeds, as_of_at, folder):
            print("The edited seeds do not build. Nothing was changed.", file=sys.stderr)
            sys.exit(code)
        show(moves(working, folder / working.name))
        if any(path.stem in seeds for path in ROOT.glob("seeds/models/*.csv")):
            print("Models were not trained again: what that changes is not in this preview.")
        print("Nothing was published or sent. To make it so: make build")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
