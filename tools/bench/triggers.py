"""The latency of the selector `triggers` on a built shop, against dbt's floor of the same nodes."""

import json
import tempfile
from pathlib import Path

from tools.bench.runs import THREADS, dbt_build, write_floor
from tools.places import ROOT


def triggers_latency(landing: Path, folder: Path, times: int = 3) -> tuple[float, float, int]:
    """Time a run of the selector `triggers` on a built shop, and the same nodes as `select 1`.

    Both are `dbt build` in a process of its own that finds its parsed project, as they are every
    few minutes: the landing has not changed since, so that nothing new is read in.

    Args:
        landing: the landing tables, with vars.yml.
        folder: for both projects.
        times: how often each is measured, one after the other; the fastest counts.

    Returns:
        Seconds of the project and of its floor, and how many nodes each ran.
    """
    dbt_build(ROOT, folder / "project", landing, "--exclude-resource-type", "unit_test")
    manifest = json.loads((folder / "project" / "target" / "manifest.json").read_text())
    write_floor(manifest, folder / "floor")
    dbt_build(folder / "floor", folder / "floor_build", landing)
    wall = floor = float("inf")
    for _ in range(times):
        seconds = dbt_build(ROOT, folder / "project", landing, "--selector", "triggers").seconds
        wall = min(wall, seconds)
        results = json.loads((folder / "project" / "target" / "run_results.json").read_text())
        keys = {result["unique_id"] for result in results["results"]} & manifest["nodes"].keys()
        names = {manifest["nodes"][key]["name"] for key in keys}
        seconds = dbt_build(
            folder / "floor",
            folder / "floor_build",
            landing,
            *("--indirect-selection", "empty", "--select", *sorted(names)),
        ).seconds
        floor = min(floor, seconds)
    return wall, floor, len(names)


def measure(landing: Path) -> None:
    """Measure the latency of triggers and print it.

    Args:
        landing: the landing tables, with vars.yml.
    """
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as name:
        wall, floor, nodes = triggers_latency(landing.absolute(), Path(name))
    print(f"\n{nodes} nodes of the selector triggers; {THREADS} threads\n")
    print(f"  dbt build --selector triggers      {wall:7.1f} s")
    print(f"  dbt's floor, every body select 1   {floor:7.1f} s")
    print(f"  triggers / floor                   {wall / floor:7.2f}    target: at most 3")
