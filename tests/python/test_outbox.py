"""esp_outbox: applied in order it gives the wanted state, and what it must never hold it never does."""

import os
import shutil
from datetime import datetime, timedelta

import duckdb
import pytest
from conftest import OPTIONAL_TABLES, Build
from outbox_statements import CLOCK, History, live_through
from outbox_world import Esp, World

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
OUTBOX = "state.activation.esp_outbox"
# People to whom nothing happens, so that an ordinary day stays below the guards.
STEADY, MOVERS = 30, ["ann", "bob", "cat", "dan", "eve", "flo", "gus", "hal"]
# What the outbox reads of the day; segments and predictions stay as the first build left them.
OF_THE_DAY = [
    *("run", "--select", "+esp_outbox", "esp_latest_ops", "esp_erasure_queue", "sync_reconciliation"),
    *("--exclude", "path:models/segments", "path:models/features", "path:models/training"),
    *("path:models/predictions", "path:python_models", "segment_memberships", "segment_spells"),
]


# --- Histories of chance over the statements ----------------------------------------------------


@pytest.fixture(scope="module")
def statements(builds, landing_of):
    """What dbt compiles of the model and of its hook, at CLOCK."""
    build = Build(builds / "outbox_compiled", landing_of(World(["anybody"])))
    vars = VARS | {"as_of_at": str(CLOCK)}
    build.run("compile", "--quiet", "--select", "esp_outbox", vars=vars)
    (compiled,) = build.target.glob("compiled/lettershop/models/activation/esp_outbox.sql")
    statement = compiled.read_text()
    hook = "-- depends_on: {{ ref('fct_erasures') }}\n{{ scrub_outbox(ref('esp_outbox')) }}"
    build.run("compile", "--quiet", "--inline", hook, vars=vars)
    lines = build.result.stdout.splitlines()
    return statement, "\n".join(line for line in lines if not line.startswith("--"))


@pytest.mark.parametrize("has_exports", [True, False])
@pytest.mark.parametrize("in_order", [True, False])
def test_histories_of_chance_end_in_the_wanted_state(statements, has_exports, in_order):
    """Every row in order, or each profile's newest and not every day: the ESP ends the same.

    An upsert carries what may be sent of who may be written to; the same build again writes nothing;
    whoever refused is not mailed, and whoever was erased is not there; nobody takes an address that
    has a profile.
    """
    counts = {}
    for seed in range(100 if THOROUGH else 3):
        history = History(*statements, seed, has_exports, in_order)
        for op, count in live_through(history, 12 if THOROUGH else 8).items():
            counts[op] = counts.get(op, 0) + count
    # Otherwise the histories show little.
    assert all(counts[op] for op in ("erase", "delete", "suppress", "merge", "upsert")), counts


# --- Builds ---------------------------------------------------------------------------------------
