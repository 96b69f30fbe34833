"""Report on the landing: `dbt run-operation check_landing`, with nothing of dbt's own around it.

    python -m tools.check

Exit code: 0 where a build can run, 1 where something stops it.
"""

import sys

from tools.places import dbt


def main() -> None:
    """Run the check and pass its exit code on."""
    sys.exit(dbt("--quiet", "run-operation", "check_landing").returncode)


if __name__ == "__main__":
    main()
