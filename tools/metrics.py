"""Metrics: MetricFlow's command `mf` on the published database.

    python -m tools.metrics query --metrics net_revenue --group-by metric_time__month
    python -m tools.metrics list metrics

Arguments are those of `mf`. On its own that reads the working database, which it locks, and asks a
package index for a newer version of itself each time; here it does neither.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import yaml

from tools.places import PROJECT, place


class NoUpdates:
    """Stands for what looks for a newer version."""

    def check(self, *_: str) -> None:
        """Find none."""


def published(part, database: str):
    """Return a part of the semantic manifest that names the tables of the published database.

    Args:
        part: anything that JSON holds.
        database: name of the published database.
    """
    if isinstance(part, list):
        return [published(item, database) for item in part]
    if not isinstance(part, dict):
        return part
    part = {name: published(value, database) for name, value in part.items()}
    if {"relation_name", "schema_name", "alias"} <= part.keys():
        part["database"] = database
        part["relation_name"] = f'"{database}"."{part["schema_name"]}"."{part["alias"]}"'
    return part


def write_project(folder: Path) -> None:
    """Write what `mf` reads of a dbt project: its name, where it runs, and what metrics there are.

    Args:
        folder: where to.

    Raises:
        SystemExit: in words, where nothing was built or published.
    """
    database = place("LETTERSHOP_PUBLISHED").resolve()
    target = PROJECT / (os.environ.get("DBT_TARGET_PATH") or "target")
    semantics = target / "semantic_manifest.json"
    for path in (database, semantics):
        if not path.exists():
            sys.exit(f"There is no {path}: run `make build` first.")
    connection = {
        "type": "duckdb",
        "path": str(database),
        "schema": "main",
        "config_options": {"access_mode": "READ_ONLY"},
        "settings": {"TimeZone": "UTC"},
    }
    name = "lettershop"
    profiles = {name: {"target": "published", "outputs": {"published": connection}}}
    flags = {"send_anonymous_usage_stats": False}
    project = {"name": name, "version": "1.0", "profile": name, "flags": flags}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "target").mkdir()
    metrics = published(json.loads(semantics.read_text()), database.stem)
    (folder / "target" / "semantic_manifest.json").write_text(json.dumps(metrics))


def main() -> None:
    """Run `mf` with the arguments of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        os.environ |= {"DBT_PROJECT_DIR": folder, "DBT_PROFILES_DIR": folder}
        os.environ.pop("DBT_TARGET_PATH", None)
        try:
            from dbt_metricflow.cli import main as mf
        except ImportError:
            sys.exit("MetricFlow is not installed: pip install -r requirements/analysis.txt")
        mf.UpdateChecker = NoUpdates
        mf.cli(prog_name="mf")


if __name__ == "__main__":
    main()
