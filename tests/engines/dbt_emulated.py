"""dbt on the emulator: `python -m tests.engines.dbt_emulated build ...`."""

import sys

from dbt.cli.main import dbtRunner


def main() -> None:
    """Run dbt with the target snowflake_emulated; exit as dbt does."""
    result = dbtRunner().invoke([*sys.argv[1:], "--target", "snowflake_emulated"])
    sys.exit(0 if result.success else 1)


if __name__ == "__main__":
    main()
