"""A sync that is killed at any point, against a platform that fails at any point.

Whatever happened, running it again until it ends well leaves the platform with the wanted state:
nothing missing, nothing stale, and nobody back who was erased. What arrived twice was the same.
"""

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.e2e.checks import assert_holds, assert_nothing_came_back, at_random
from tests.e2e.outbox import Outbox
from tests.e2e.runs import KINDS, fast_project, run, start

RUNS = 50 if "LETTERSHOP_THOROUGH" in os.environ else 5
DAYS = 2
PEOPLE = 400


def killed(name, esp, folder, project, chance) -> str:
    """Start a sync, and send it a signal after a request at random; return what became of it."""
    requests, last = sum(esp.answers.values()), chance.randint(1, 8)
    process = start(name, esp, folder, project)
    while process.poll() is None and sum(esp.answers.values()) - requests < last:
        time.sleep(0.001)
    time.sleep(chance.random() * 0.02)
    sent = chance.choice([signal.SIGTERM, signal.SIGKILL])
    process.send_signal(sent)
    process.communicate(timeout=60)
    if process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM, -signal.SIGTERM):
        return sent.name
    return "ended before"


@pytest.mark.parametrize("seed", range(RUNS))
def test_plain_reruns_end_in_the_wanted_state(tmp_path, seed):
    name = ("klaviyo", "braze", "klaviyo", "generic")[seed % 4]
    chance = random.Random(seed)
    outbox = Outbox(tmp_path / "published.duckdb")
    outbox.join(PEOPLE)
    outbox.build()
    project = fast_project(name, tmp_path, records=20, attempts=2)
    counts = Counter()
    with KINDS[name](seed=seed, delay=0.05) as esp:
        for _ in range(DAYS):
            for _ in range(chance.randint(1, 2)):
                at_random(outbox, chance)
                outbox.build()
            esp.fault_rate = chance.choice([0.0, 0.2])
            counts[killed(name, esp, tmp_path, project, chance)] += 1
            esp.fault_rate = chance.choice([0.1, 0.4, 0.8])
            for _ in range(chance.randint(0, 3)):
                code, _ = run(name, esp, tmp_path, project)
                counts[f"rerun {code}"] += 1
            esp.fault_rate = chance.choice([0.0, 0.2])
            code = 1
            while code:
                code, text = run(name, esp, tmp_path, project)
                counts[f"rerun {code}"] += 1
                assert code in (0, 1) and counts["rerun 1"] < 60, text
            assert_holds(name, esp, outbox)
            assert_nothing_came_back(esp, outbox)
        received = Counter(entry for entry in esp.log if entry[0] == "received")
    counts["received"], counts["twice"] = received.total(), received.total() - len(received)
    assert counts["SIGTERM"] + counts["SIGKILL"] + counts["ended before"] == DAYS
    print(name, dict(counts), dict(esp.answers))
