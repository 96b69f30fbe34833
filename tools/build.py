"""Build and publish: `dbt build` on the landing, then the published copy if everything passed.

    python -m tools.build [arguments for dbt build]

Exit codes: dbt's own; 3 where a database is held by another process.
"""

import os
import re
import sys
import time

import duckdb

from tools.places import dbt, place, plain_command
from tools.publish import publish
from tools.rewrite import erasures, rewrite_all


def require_free(name: str) -> None:
    """Stop with one message where another process holds a database that the build must write.

    Args:
        name: LETTERSHOP_DUCKDB or LETTERSHOP_STATE.
    """
    path = place(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    try:
        duckdb.connect(str(path)).close()
    except duckdb.IOException as error:
        if "lock" not in str(error):
            sys.exit(f"{name} ({path}) cannot be opened: {error}")
        holder = re.search(r"held in (.+?)(?:\. See also|$)", str(error), re.DOTALL)
        print(
            f"{name} ({path}) is open in another process{': ' + holder[1] if holder else ''}. "
            f"Close it there (a notebook, a duckdb shell, another build) and run again. To query "
            f"while builds run, open the published copy: {place('LETTERSHOP_PUBLISHED')}",
            file=sys.stderr,
        )
        sys.exit(3)


def main() -> None:
    """Build, publish, and say how long each took. What was erased leaves the files too."""
    for name in ("LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
        require_free(name)
    print(f"Building. The plain command:\n  {plain_command()}", flush=True)
    erased_before = erasures() or []
    started = time.monotonic()
    # Unit tests are about the code, whatever the data; `make test` runs them.
    os.environ.setdefault("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test")
    result = dbt("build", *sys.argv[1:])
    # Also after a build that failed: what it deleted must not wait for one that passes.
    if (erasures() or []) != erased_before:
        rewrite_all()
        print("Rewrote the working and the state database: somebody was erased.", flush=True)
    if result.returncode != 0:
        published = place("LETTERSHOP_PUBLISHED")
        print(
            "The build did not pass. "
            + (
                f"What was published before stays as it was: {published}"
                if published.exists()
                else "Nothing was published, and nothing had been before."
            ),
            file=sys.stderr,
        )
        sys.exit(result.returncode)
    built = time.monotonic()
    tables = publish()
    print(
        f"Built in {built - started:.0f} s, published {tables} tables in "
        f"{time.monotonic() - built:.0f} s to {place('LETTERSHOP_PUBLISHED')}."
    )


if __name__ == "__main__":
    main()
