"""The order of rows, the number of files and the number of threads change nothing."""

import os

import pytest
from conftest import Build, differing
from shop import VARS, shuffled, write_shop

SEEDS = range(1, 6 if "LETTERSHOP_THOROUGH" in os.environ else 2)


@pytest.fixture(scope="module")
def ordered(builds):
    landing = write_shop(builds / "ordered_landing")
    return Build(builds / "ordered", landing).run(vars=VARS, threads=2)


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_files_and_one_thread_give_equal_bytes(builds, ordered, seed):
    landing = shuffled(ordered.landing, builds / f"shuffled_landing_{seed}", seed)
    other = Build(builds / f"shuffled_{seed}", landing).run(vars=VARS, threads=1)
    schemas = ("staging", "intermediate", "core", "segments", "marts", "activation")
    assert differing(ordered.contents(schemas), other.contents(schemas)) == []
