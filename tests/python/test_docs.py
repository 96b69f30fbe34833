"""Pages of the documentation: nothing connects, links lead somewhere, columns have lineage."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from tools import docs

OVERVIEW = (ROOT / "models" / "overview.md").read_text()
THOROUGH = "LETTERSHOP_THOROUGH" in os.environ


def test_every_link_of_the_overview_leads_to_a_table():
    links = re.findall(r"\((#!/[^)]+)\)", OVERVIEW)
    assert len(links) > 15
    for link in links:
        kind, name = re.fullmatch(r"#!/(\w+)/\1\.lettershop\.(\w+)", link).groups()
        folder, suffix = {"model": ("models", "sql"), "seed": ("seeds", "csv")}[kind]
        assert list(ROOT.glob(f"{folder}/**/{name}.{suffix}")), link


def test_a_page_may_not_connect(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<html><head><title>t</title></head></html>")
    docs.seal(page)
    assert page.read_text().startswith(f"<html><head>{docs.POLICY}<title>")
    page.write_text("<html></html>")
    with pytest.raises(ValueError, match=r"page\.html has no head"):
        docs.seal(page)


def test_state_read_as_a_source_has_the_columns_of_its_model():
    def node(name, kind, columns):
        return {
            **{"unique_id": f"{kind}.{name}", "resource_type": kind, "name": name},
            **{"relation_name": name, "database": "d", "schema": "s", "columns": columns},
        }

    columns = {"a": {"name": "a", "data_type": "integer"}, "b": {"name": "b", "data_type": None}}
    made = docs.catalog(
        {
            "metadata": {},
            "nodes": {"model.t": node("t", "model", columns), "test.x": node("x", "test", {})},
            "sources": {"source.t": node("t", "source", {})},
        }
    )
    assert made["nodes"].keys() == {"model.t"}
    assert made["sources"]["source.t"]["columns"] == made["nodes"]["model.t"]["columns"]
    assert [c["type"] for c in made["nodes"]["model.t"]["columns"].values()] == [
        *("integer", "varchar"),
    ]


@pytest.mark.skipif(not THOROUGH, reason="compiles the project and follows every column: a minute")
def test_the_pages_are_whole_and_sealed(tmp_path):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LETTERSHOP_", "DBT_"))
    }
    environment |= {"DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path / "logs")}
    result = subprocess.run(
        [sys.executable, "-m", "tools.docs"],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    drawn, every = re.search(r"Lineage of ([\d,]+) of ([\d,]+) columns", result.stdout).groups()
    assert int(drawn.replace(",", "")) > 0.75 * int(every.replace(",", ""))
    documentation = (tmp_path / "static_index.html").read_text()
    lineage = (tmp_path / "lineage" / "index.html").read_text()
    assert docs.POLICY in documentation
    assert docs.POLICY in lineage
    assert "window.colibriTelemetry = false" in lineage
    assert "Which RFM segments bring most revenue?" in documentation
    assert "Each table of `marts` has three questions" in documentation
