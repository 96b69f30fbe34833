"""Every rule of dbt-bouncer.yml can fail, and the rules of the layers are those of the design."""

import copy
import json
import re
import subprocess
import sys
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest
import yaml

from tools import lint

FOLDERS = {
    "staging": "models/staging/shop",
    "intermediate": "models/intermediate/money",
    "core": "models/core",
    "segments": "models/segments",
    "features": "models/features",
    "training": "python_models/training",
    "scoring": "python_models/scoring",
    "predictions": "models/predictions",
    "marts": "models/marts",
    "activation": "models/activation",
    "monitoring": "models/monitoring",
}
# Whom each layer may read: the design's words, not taken from the rules.
READS = {
    "staging": {"staging"},
    "intermediate": {"staging", "intermediate"},
    "core": {"staging", "intermediate", "core"},
    "segments": {"core", "segments"},
    "features": {"core", "segments", "features"},
    "training": {"features", "training"},
    "scoring": {"features", "training", "scoring"},
    "predictions": {"core", "segments", "features", "training", "scoring", "predictions"},
    "marts": {"core", "segments", "predictions", "marts"},
    "activation": {"core", "segments", "predictions", "marts", "activation"},
    "monitoring": set(FOLDERS),
}
PAIRS = list(product(FOLDERS, FOLDERS))
DIRECTION = "check_lineage_permitted_upstream_models"
SOURCES = "check_lineage_source_cannot_be_used"
# What breaks each of the other rules: where a model stands, its name, and what is wrong with it.
BAD_MODELS = [
    ("check_model_directories", "models", "nowhere", {}),
    ("check_model_directories", "models/elsewhere", "elsewhere", {}),
    ("check_model_directories", "python_models/elsewhere", "python_elsewhere", {}),
    ("check_model_names", "models/staging/shop/base", "stg_shop__in_base", {}),
    ("check_model_names", "models/staging/shop", "stg_unknown__things", {}),
    ("check_model_names", "models/intermediate/money", "fct_of_intermediate", {}),
    ("check_model_names", "models/core", "facts", {}),
    ("check_model_names", "models/marts", "dim_of_marts", {}),
    ("check_model_column_names", "models/core", "dim_a", {"column": ("Upper", "integer")}),
    (
        "check_model_column_name_complies_to_column_type",
        "models/core",
        "dim_b",
        {"column": ("is_number", "integer")},
    ),
    (
        "check_model_column_type_complies_to_column_name",
        "models/core",
        "dim_c",
        {"column": ("flag", "boolean")},
    ),
    (
        "check_model_column_name_complies_to_column_type",
        "models/core",
        "dim_d",
        {"column": ("bought_at", "date")},
    ),
    (
        "check_model_column_name_complies_to_column_type",
        "models/core",
        "dim_e",
        {"column": ("bought_date", "timestamp")},
    ),
    (
        "check_model_column_name_complies_to_column_type",
        "models/core",
        "dim_f",
        {"column": ("net_amount", "double")},
    ),
    (
        "check_model_column_name_complies_to_column_type",
        "models/core",
        "dim_g",
        {"column": ("order_count", "double")},
    ),
    ("check_model_schema_name", "models/core", "dim_h", {"schema": "main"}),
    ("check_model_property_file_location", "models/core", "dim_i", {"patch_path": "core/all.yml"}),
    (
        "check_model_documented_in_same_directory",
        "models/core",
        "dim_j",
        {"patch_path": "models/marts/dim_j.yml"},
    ),
    (
        "check_model_description_contains_regexp_pattern",
        "models/core",
        "dim_k",
        {"description": "All the customers there are."},
    ),
    (
        "check_model_column_description_populated",
        "models/core",
        "dim_l",
        {"column": ("city", "varchar", "")},
    ),
    (
        "check_model_has_contracts_enforced",
        "models/core",
        "dim_m",
        {"contract": {"enforced": False, "alias_types": True, "checksum": None}},
    ),
    ("check_model_columns_have_types", "models/core", "dim_n", {"column": ("city", None)}),
    ("check_model_has_unique_test", "models/core", "dim_o", {}),
    ("check_model_min_downstream_models", "models/intermediate/money", "int_read_by_nobody", {}),
    (
        "check_model_materialization_permitted",
        "models/core",
        "dim_p",
        {"materialized": "ephemeral"},
    ),
    (
        "check_model_hard_coded_references",
        "models/core",
        "dim_q",
        {"raw_code": "select customer_key from core.dim_customers"},
    ),
    (
        "check_model_code_does_not_contain_regexp_pattern",
        "models/core",
        "dim_r",
        {"raw_code": "select\n    current_date as today"},
    ),
    (
        "check_model_code_does_not_contain_regexp_pattern",
        "models/core",
        "dim_s",
        {"raw_code": "{% set rows = run_query('select 1') %}\nselect 1 as one"},
    ),
    ("check_model_max_number_of_lines", "models/core", "dim_t", {"raw_code": "\n" * 201}),
]


class Planted:
    """The project's manifest with what the rules forbid added to it."""

    def __init__(self, manifest: dict):
        """Begin with a manifest.

        Args:
            manifest: as dbt wrote it.
        """
        self.manifest = manifest
        self.pattern = manifest["nodes"]["model.lettershop.dim_customers"]

    def model(self, folder: str, name: str, reads: tuple[str, ...] = (), **wrong) -> str:
        """Add a model and return its id.

        Args:
            folder: where it stands.
            name: of the model.
            reads: ids of what it depends on.
            wrong: what differs from a model that passes.
        """
        node = copy.deepcopy(self.pattern)
        column, materialized = wrong.pop("column", None), wrong.pop("materialized", None)
        node |= {
            "name": name,
            "alias": name,
            "unique_id": f"model.lettershop.{name}",
            "original_file_path": f"{folder}/{name}.sql",
            "path": f"{folder}/{name}.sql".partition("/")[2],
            "patch_path": f"lettershop://{folder}/{name}.yml",
            "description": "One row per planted thing.",
            "raw_code": "select 1 as one",
            "columns": {},
        } | wrong
        node["depends_on"] = {"macros": [], "nodes": list(reads)}
        if materialized:
            node["config"]["materialized"] = materialized
        if column:
            name, data_type, description = (*column, "Planted column.")[:3]
            like = copy.deepcopy(next(iter(self.pattern["columns"].values())))
            node["columns"] = {
                name: like | {"name": name, "data_type": data_type, "description": description}
            }
        self.manifest["nodes"][node["unique_id"]] = node
        for read in reads:
            self.manifest["child_map"].setdefault(read, []).append(node["unique_id"])
        self.manifest["parent_map"][node["unique_id"]] = list(reads)
        self.manifest["child_map"].setdefault(node["unique_id"], [])
        return node["unique_id"]

    def write(self, folder: Path) -> Path:
        """Write manifest.json where dbt-bouncer looks for it."""
        path = folder / "target" / "manifest.json"
        path.parent.mkdir()
        path.write_text(json.dumps(self.manifest))
        return path


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What dbt-bouncer says of a project with one violation of everything: names by check."""
    said = subprocess.run(
        [sys.executable, "-m", "tools.lint", "--manifest"],
        cwd=lint.ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    planted = Planted(json.loads(Path(said.splitlines()[-1]).read_text()))
    source = next(key for key in planted.manifest["sources"] if key.endswith(".shop_orders"))
    for layer, folder in FOLDERS.items():
        planted.model(folder, f"read_in_{layer}")
        planted.model(folder, f"{layer}_reads_a_source", (source,))
    for layer, read in PAIRS:
        planted.model(
            FOLDERS[layer], f"{layer}_reads_{read}", (f"model.lettershop.read_in_{read}",)
        )
    for _, folder, name, wrong in BAD_MODELS:
        planted.model(folder, name, **wrong)
    planted.manifest["sources"][source] |= {"description": "", "source_description": ""}
    planted.manifest["nodes"]["seed.lettershop.rfm_segments"]["description"] = ""
    macro = copy.deepcopy(planted.manifest["macros"]["macro.lettershop.money"])
    macro |= {"name": "dead_macro", "unique_id": "macro.lettershop.dead_macro"}
    planted.manifest["macros"]["macro.lettershop.dead_macro"] = macro
    manifest = planted.write(tmp_path_factory.mktemp("planted"))
    problems, warnings = lint.bounce(manifest)
    assert not any("did not run" in text for text in problems), problems
    names, rules = defaultdict(set), set()
    for failure in json.loads(manifest.with_name("dbt-bouncer.json").read_text()):
        check, index = failure["check_run_id"].split(":")[:2]
        names[check].add((failure["unique_id"] or "").split(".")[-1])
        rules.add((check, int(index)))
    return names, rules, [*problems, *warnings]


@pytest.mark.parametrize("layer", FOLDERS)
def test_layer_reads_what_the_design_says(found, layer):
    """A model is planted for every pair of layers; those against the direction are reported."""
    reported = {read for read in FOLDERS if f"{layer}_reads_{read}" in found[0][DIRECTION]}
    assert reported == set(FOLDERS) - READS[layer]


def test_sources_are_read_by_staging_and_counted_by_monitoring(found):
    reported = {layer for layer in FOLDERS if f"{layer}_reads_a_source" in found[0][SOURCES]}
    assert reported == set(FOLDERS) - {"staging", "monitoring"}


def test_other_violations_are_named(found):
    names = found[0]
    missed = [(check, name) for check, _, name, _ in BAD_MODELS if name not in names[check]]
    assert not missed
    assert "dead_macro" in names["check_macro_is_used"]
    assert "shop_orders" in names["check_source_description_populated"]
    assert "rfm_segments" in names["check_seed_description_populated"]


def test_every_rule_was_broken(found):
    """A rule that nothing here breaks may be one that nothing can break."""
    rules = yaml.safe_load((lint.ROOT / "dbt-bouncer.yml").read_text())["manifest_checks"]
    unbroken = [rule for index, rule in enumerate(rules) if (rule["name"], index) not in found[1]]
    assert not unbroken


def test_a_report_says_file_and_rule(found):
    assert any(
        text.startswith("models/core/core_reads_marts.sql: " + DIRECTION)
        and "read_in_marts" in text
        for text in found[2]
    )


def test_what_dispatches_by_engine_is_called():
    """dbt-bouncer cannot see it: the macro of another engine is called by nobody here."""
    texts = {
        path: path.read_text()
        for folder in ("macros", "models", "tests/singular", "tests/generic", "tests/macros")
        for path in (lint.ROOT / folder).rglob("*")
        if path.suffix in (".sql", ".yml")
    }
    named = {}
    for path in (lint.ROOT / "macros" / "cross_db").glob("*.sql"):
        for name in re.findall(r"{%-? macro (\w+)\(", texts[path]):
            named.setdefault(re.sub(r"^(default|duckdb|snowflake)__", "", name), path)
    assert len(named) > 20
    for name, home in named.items():
        called = re.compile(rf"(?<!macro )(?<!__)\b{name}\(")
        assert [path for path, text in texts.items() if path != home and called.search(text)], name


def test_what_is_said_of_a_column_three_times_is_said_once():
    """In a doc block of models/columns.md, which the YAML names."""
    said = defaultdict(list)
    for folder in ("models", "python_models", "snapshots"):
        for path in (lint.ROOT / folder).rglob("*.yml"):
            for model in yaml.safe_load(path.read_text()).get("models", []):
                for column in model.get("columns", []):
                    text = " ".join(column.get("description", "").split())
                    if "doc(" not in text:
                        said[column["name"], text].append(model["name"])
    assert not {text: models for text, models in said.items() if len(models) > 2}


def test_state_writes_nothing_in_a_run_without_rows():
    """Every model in the state's database says so, since `--empty` would have it forget."""
    models = {
        path: path.read_text()
        for path in (lint.ROOT / "models").rglob("*.sql")
        if "database=state_database()" in path.read_text()
    }
    assert len(models) > 5
    for path, text in models.items():
        assert text.endswith("where {{ has_rows() }}\n") or "if flags.EMPTY" in text, path.name
