"""Where the time of a build goes. Each figure beside its target, all ratios from one run.

    python -m tools.bench                     what dbt adds to DuckDB, on Complete Journey
    python -m tools.bench scale CUSTOMERS...  simulated shops: cost against a copy of the landing,
                                              the next day, memory; of several, how it grows
    python -m tools.bench scoring [CUSTOMERS] scoring with all models, against the usual way;
                                              memory of training; 1,000,000 where nothing is said
    python -m tools.bench triggers LANDING    the latency of the selector `triggers`
    python -m tools.bench sync                100,000 changed rows, with and without a rate limit

Ratios of one run compare; seconds depend on the machine and on who else uses it.
"""

import sys
from pathlib import Path

from tools.bench import overhead, scale, scoring, sync, triggers


def main() -> None:
    """Run the benchmark that the arguments name."""
    match sys.argv[1:]:
        case []:
            overhead.measure()
        case ["scale", *sizes] if sizes and all(size.isdigit() for size in sizes):
            scale.measure([int(size) for size in sizes])
        case ["scoring", *size] if len(size) <= 1 and all(one.isdigit() for one in size):
            scoring.measure(int(size[0]) if size else 1_000_000)
        case ["triggers", landing]:
            triggers.measure(Path(landing))
        case ["sync"]:
            sync.measure()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
