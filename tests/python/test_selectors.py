"""Each selector of selectors.yml takes what its description says, and nothing besides."""

import yaml
from conftest import ROOT, VARS

FOLDERS = {
    path.stem: path.relative_to(ROOT).parts[1]
    for folder in ("models", "python_models")
    for kind in ("*.sql", "*.py")
    for path in (ROOT / folder).rglob(kind)
    if "lettershop_ml" not in path.parts
}
# What shows the rows of the trainer.
TRAINED = {path.stem for path in (ROOT / "models" / "training").glob("*.sql")}
# The layers of which a selector takes every model, and the models that it takes besides.
WHOLE = {
    "training": ({"features", "training"}, set()),
    "scoring": ({"features", "scoring", "predictions"}, TRAINED),
    "activation": ({"activation"}, {"build_runs"}),
}


def test_selectors_take_the_models_that_they_say(dbt, landing):
    landing()
    taken = {}
    for selector in yaml.safe_load((ROOT / "selectors.yml").read_text())["selectors"]:
        name = selector["name"]
        result = dbt(
            *("--quiet", "ls", "--selector", name, "--resource-type", "model", "--output", "name"),
            project=ROOT,
            vars=VARS,
        )
        assert result.returncode == 0, result.stdout
        taken[name] = {line for line in result.stdout.split() if line in FOLDERS}
    assert taken.keys() == {"triggers", "daily", *WHOLE}
    for name, (layers, others) in WHOLE.items():
        whole = {model for model, layer in FOLDERS.items() if layer in layers}
        assert taken[name] == whole | others, name
    assert taken["daily"] == FOLDERS.keys() - {"model_fits"}
    # Every few minutes: nothing that changes once a day.
    late = {"segments", "features", "training", "scoring", "predictions"}
    assert {model for model in taken["triggers"] if FOLDERS[model] in late} == {
        "profiled_customers"
    }
    assert "trigger_log" in taken["triggers"]
    own = {"dim_customer_attributes", "customer_descriptions", "rule_members", "custom_members"}
    assert not own & taken["triggers"]
