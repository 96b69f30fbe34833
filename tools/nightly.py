"""The whole night: check the landing, build and publish, sync, ask what became of it.

    python -m tools.nightly klaviyo|braze|generic

Each stage is a program of its own, so that no database is held open between them. The first that
fails ends the night, and the exit code says which: 1 check, 2 build, 3 sync, 4 read back. What was
sent is also asked about where the sync ended with 1, since it may have set something aside. Where
the sync would stop for its platform or variables, or no platform is named, the night ends with 3
before it begins.
"""

import subprocess
import sys

from tools.places import PROJECT
from tools.sync.permit import Refused, require_variables
from tools.sync.platforms import PLATFORMS
from tools.sync.state import state_place

STAGES = (("check", ()), ("build", ()), ("sync", ()), ("sync", ("--read-back",)))


def nightly(platform: str) -> int:
    """Run the stages and return the exit code.

    Args:
        platform: for the sync.
    """
    failed = 0
    for code, (program, options) in enumerate(STAGES, start=1):
        named = (platform, *options) if program == "sync" else options
        title = " ".join((program, *named))
        print(f"--- {title}", flush=True)
        command = [sys.executable, "-m", f"tools.{program}", *named]
        ended = subprocess.run(command, cwd=PROJECT, check=False).returncode
        if ended:
            failed = failed or code
            print(f"The night failed at: {title} ({code}).", file=sys.stderr)
        if ended and (program != "sync" or ended != 1):
            break
    return failed


def main() -> None:
    """Run the night, if its sync can run."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        sys.exit(0)
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        sys.exit(3)
    name = sys.argv[1]
    try:
        if name not in PLATFORMS:
            raise Refused(f"There is no platform {name!r}: {', '.join(PLATFORMS)}.")
        require_variables(PLATFORMS[name])
        state_place(name)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(3)
    sys.exit(nightly(name))


if __name__ == "__main__":
    main()
