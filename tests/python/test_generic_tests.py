"""Our generic tests fail when they should, and pass when they should."""

import json
import shutil

import pytest
from conftest import ROOT, Build

# test: arguments, a query on which it passes, one on which it fails
PROOFS = {
    "unique_combination": (
        {"columns": ["a", "b"]},
        "select 1 as a, 1 as b union all select 1, 2",
        "select 1 as a, 1 as b union all select 1, 1",
    ),
    "holds": (
        {"condition": "a > 0"},
        "select 1 as a",
        "select 1 as a union all select 0",
    ),
    # A condition that is null is not true.
    "holds_null": (
        {"condition": "a > 0"},
        "select 1 as a",
        "select cast(null as integer) as a",
    ),
    # The group before ends higher than this one begins; an equal value and none are no fall.
    "never_falls": (
        {"columns": ["v", "w"], "partition_by": ["g"], "order_by": "n"},
        "select 1 as g, 9 as n, 5 as v, 1 as w union all select 2, 1, 1, 1"
        " union all select 2, 2, 1, null",
        "select 1 as g, 9 as n, 5 as v, 1 as w union all select 2, 1, 1, 2"
        " union all select 2, 2, 1, 1",
    ),
}


@pytest.fixture(scope="module")
def verdicts(builds):
    project = builds / "generic_tests"
    models = project / "models"
    models.mkdir(parents=True)
    shutil.copytree(ROOT / "tests" / "generic", project / "tests" / "generic")
    (project / "dbt_project.yml").write_text(
        "name: proofs\nprofile: lettershop\n"
        "flags: {require_generic_test_arguments_property: true}\n"
    )
    described = []
    for name, (arguments, passes, fails) in PROOFS.items():
        for verdict, query in (("pass", passes), ("fail", fails)):
            (models / f"{name}_{verdict}.sql").write_text(query)
            test = {name.removesuffix("_null"): {"arguments": arguments}}
            described.append({"name": f"{name}_{verdict}", "data_tests": [test]})
    (models / "models.yml").write_text(json.dumps({"version": 2, "models": described}))
    build = Build(builds / "generic_tests_build", builds, project=project)
    build.run("build", vars={}, passes=False, writes_json=True)
    results = json.loads((build.target / "run_results.json").read_text())["results"]
    manifest = json.loads((build.target / "manifest.json").read_text())["nodes"]
    return {
        manifest[result["unique_id"]]["attached_node"].split(".")[-1]: result["status"]
        for result in results
        if result["unique_id"].startswith("test.")
    }


@pytest.mark.parametrize("name", PROOFS)
def test_a_generic_test_fails_when_it_should(verdicts, name):
    assert verdicts[f"{name}_pass"] == "pass"
    assert verdicts[f"{name}_fail"] == "fail"


def test_every_generic_test_is_proved():
    written = {path.stem for path in (ROOT / "tests" / "generic").glob("*.sql")}
    assert written <= {name.removesuffix("_null") for name in PROOFS}
