"""The documentation as static pages: dbt's own, and the lineage of every column.

    python -m tools.docs

Writes target/static_index.html and target/lineage/index.html. Neither needs a server, and neither
may open a connection. No build is needed: columns and their types are those of the YAML.
"""

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from tools.places import PROJECT, dbt, place

# A page that is opened from a disk has nothing to fetch, and nobody to tell.
POLICY = '<meta http-equiv="Content-Security-Policy" content="connect-src data: blob:">'


def catalog(manifest: dict) -> dict:
    """Return dbt's catalogue as if everything had been built, from what the YAML says.

    Args:
        manifest: dbt's.
    """
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    columns_of = {node["relation_name"]: node["columns"] for node in models}

    def described(node: dict) -> dict:
        # State that is read as a source has the columns of its model.
        known = node["columns"] or columns_of.get(node["relation_name"], {})
        return {
            "metadata": {
                "type": "BASE TABLE",
                "database": node["database"],
                "schema": node["schema"],
                "name": node.get("alias") or node.get("identifier") or node["name"],
                "owner": "",
                "comment": None,
            },
            "columns": {
                name: {
                    "name": name,
                    "type": column["data_type"] or "varchar",
                    "index": index,
                    "comment": None,
                }
                for index, (name, column) in enumerate(known.items(), start=1)
            },
            "stats": {},
            "unique_id": node["unique_id"],
        }

    built = {
        name: described(node)
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }
    sources = {name: described(source) for name, source in manifest["sources"].items()}
    return {"metadata": manifest["metadata"], "nodes": built, "sources": sources, "errors": None}


def seal(page: Path) -> None:
    """Forbid a page every connection.

    Args:
        page: HTML.
    """
    html = page.read_text()
    if "<head>" not in html:
        raise ValueError(f"{page.name} has no head to write the policy into")
    page.write_text(html.replace("<head>", f"<head>{POLICY}", 1))


def write_lineage(manifest: Path, columns: Path, folder: Path) -> tuple[int, int]:
    """Write the lineage of all columns as one page.

    Args:
        manifest: dbt's manifest.json, compiled.
        columns: dbt's catalog.json.
        folder: where to.

    Returns:
        How many columns of models are drawn from other columns, and how many there are.
    """
    from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
    from dbt_colibri.report.generator import DbtColibriReportGenerator

    # They say of each column why it was not followed; those that were are counted below.
    for name in ("colibri", "sqlglot"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    extractor = DbtColumnLineageExtractor(str(manifest), str(columns))
    report = DbtColibriReportGenerator(extractor, light_mode=True, disable_telemetry=True)
    report.generate_report(output_dir=str(folder))
    seal(folder / "index.html")
    edges = json.loads((folder / "colibri-manifest.json").read_text())["lineage"]["edges"]
    drawn = {(edge["target"], edge["targetColumn"]) for edge in edges if edge.get("targetColumn")}
    models = [its for name, its in extractor.catalog["nodes"].items() if name.startswith("model.")]
    return len(drawn), sum(len(its["columns"]) for its in models)


def main() -> None:
    """Write both pages and say where they are."""
    target = PROJECT / (os.environ.get("DBT_TARGET_PATH") or "target")
    with tempfile.TemporaryDirectory() as folder:
        # Nothing is read from the databases: a build may have them open meanwhile.
        for name in ("LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
            os.environ[name] = str(Path(folder) / place(name).name)
        result = dbt("--quiet", "docs", "generate", "--static", "--empty-catalog")
    if result.returncode:
        sys.exit(result.returncode)
    page = target / "static_index.html"
    seal(page)
    print(f"Documentation: {page}")
    manifest = target / "manifest.json"
    columns = target / "catalog.json"
    columns.write_text(json.dumps(catalog(json.loads(manifest.read_text()))))
    drawn, every = write_lineage(manifest, columns, target / "lineage")
    print(f"Lineage of {drawn:,} of {every:,} columns: {target / 'lineage' / 'index.html'}")


if __name__ == "__main__":
    main()
