"""How near the models come to what could be known at best of a simulated shop."""

import os
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
import truth
from conftest import ROOT, Build
from oracle import Oracle

from demo.simulator.__main__ import CLOCK_DATE, write_landing

sys.path.append(str(ROOT / "python_models"))

from lettershop_ml import metrics

OPENING, CUTOFF = date(2023, 1, 2), date(2024, 11, 1)
HORIZON = 30
SELECTED = ("+propensity_scores", "+lapse_risk_scores")
VARS = {
    # Midnight in Berlin.
    "as_of_at": str(datetime(2024, 10, 31, 23)),
    "shop_timezone": "Europe/Berlin",
    "base_currency": "EUR",
    "profiling_basis": "legitimate_interest",
    "max_rejected_rate": 0.005,
}


def test_the_oracle_expects_what_happens(tmp_path):
    """Formulas that were wrong would expect too many orders, or rank people no better than days."""
    write_landing(tmp_path / "landing", 2000, 5, (date.fromisoformat(CLOCK_DATE) - OPENING).days)
    found = Oracle(tmp_path / "truth", OPENING, CUTOFF, HORIZON, with_visits=False)
    assert len(found.people) > 1000
    error = (found.chance * (1 - found.chance)).sum() ** 0.5
    assert abs(found.chance.sum() - found.label.sum()) < 3 * error
    by_days = metrics.auc(found.label, -found.days_since)
    assert metrics.auc(found.label, found.chance) > by_days + 0.01
    # Of the likeliest tenth as many as of the others, in proportion.
    likely = found.chance >= sorted(found.chance)[-len(found.chance) // 10]
    expected = found.chance[likely].sum()
    assert abs(found.label[likely].sum() - expected) < 4 * expected**0.5


def compared(build: Build, folder: Path, with_visits: bool = False) -> dict[str, tuple]:
    """Return per model the AUC of its score and of the oracle, and of how many customers.

    Only of people whose customer is exactly they.

    Args:
        build: with scores at the cutoff.
        folder: of the truth.
        with_visits: see Oracle.
    """
    best = Oracle(folder, OPENING, CUTOFF, HORIZON, with_visits)
    place = {person: number for number, person in enumerate(best.people.tolist())}
    with build.connect() as connection:
        whole = truth.whole_people(connection, folder)
        scores = {
            name: dict(
                connection.execute(
                    f"select customer_key, cast(score as double) from predictions.{table}"
                    f" where model_name = '{name}' and score is not null"
                ).fetchall()
            )
            for name, table in (
                ("buys_30d", "propensity_scores"),
                ("lapses_30d", "lapse_risk_scores"),
            )
        }
    found = {}
    for name, of_customers in scores.items():
        people = [
            (place[person], of_customers[key])
            for person, key in sorted(whole.items())
            if person in place and key in of_customers
        ]
        rows = [number for number, _ in people]
        lapses = name == "lapses_30d"
        labels = 1 - best.label[rows] if lapses else best.label[rows]
        chances = 1 - best.chance[rows] if lapses else best.chance[rows]
        ours = metrics.auc(labels, [score for _, score in people])
        found[name] = (ours, metrics.auc(labels, chances), len(people))
    return found


@pytest.mark.skipif("LETTERSHOP_THOROUGH" not in os.environ, reason="three large shops take long")
def test_models_come_within_a_hundredth_of_the_oracle(builds):
    """In the mean of three shops: of a single one the last digits are chance."""
    days, gaps = (date.fromisoformat(CLOCK_DATE) - OPENING).days, {}
    for seed in (7, 8, 9):
        folder = builds / f"oracle_{seed}"
        write_landing(folder / "landing", 20000, seed, days)
        build = Build(folder / "build", folder / "landing").run(
            *("build", "--resource-type", "seed", "--resource-type", "model"),
            *("--select", *SELECTED),
            vars=VARS,
        )
        for name, (ours, best, people) in compared(build, folder / "truth").items():
            print(f"{name}, seed {seed}: AUC {ours:.4f}, oracle {best:.4f}, {people:,} people")
            gaps.setdefault(name, []).append(best - ours)
    assert {name: len(found) for name, found in gaps.items()} == {"buys_30d": 3, "lapses_30d": 3}
    assert all(sum(found) / 3 < 0.01 for found in gaps.values()), gaps
