"""What the operation `publish` left on the emulator, held against the working database."""

import contextlib

from tests.engines.parity import connect

# Read by training alone, and not published: as macros/operations/publish.sql says.
LOOKING_BACK = ("dim_dated_", "fct_dated_")
NOT_PUBLISHED = ("customer_descriptions", "fct_message_reactions")


def wanted(manifest: dict) -> dict[str, str]:
    """Return what has to be published: schema and name, and where it comes from.

    Args:
        manifest: dbt's.
    """
    found = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["schema"] in ("staging", "intermediate"):
            continue
        is_view = node["config"]["materialized"] == "view"
        name = node["alias"]
        is_kept_back = name.startswith(LOOKING_BACK) or name in NOT_PUBLISHED
        if not is_kept_back and not (is_view and node["schema"] == "features"):
            found[f"{node['schema']}.{name}"] = node["database"]
    return found


def problems(port: int, there: dict[str, bool], manifest: dict, database: str) -> list[str]:
    """Return how the published database differs from what was built, a sentence each.

    Args:
        port: of the emulator.
        there: what the published database has: schema and name, and whether it is a table.
        manifest: dbt's.
        database: the published one.
    """
    expected = wanted(manifest)
    found = [f"{name} is not published" for name in sorted(expected.keys() - there.keys())]
    found += [f"{name} is published" for name in sorted(there.keys() - expected.keys())]
    # Closed while the emulator is there: the connector would wait for it at the end.
    with contextlib.closing(connect(port)) as connection:
        cursor = connection.cursor()
        for name in sorted(expected.keys() & there.keys()):
            if not there[name]:
                found.append(f"{name} is a view, and reads another database")
            counts = [
                cursor.execute(f"select count(*) from {place}.{name}").fetchone()[0]
                for place in (expected[name], database)
            ]
            if counts[0] != counts[1]:
                found.append(f"{name} has {counts[1]} rows, not {counts[0]}")
    return found
