"""The whole night: check the landing, build and publish, sync, ask what became of it.

    python -m tools.nightly klaviyo|braze|generic

Each stage is a program of its own, so that no database is held open between them. The first that
fails ends the night, and the exit code says which: 1 check, 2 build, 3 sync, 4 read back.
"""

import subprocess
import sys

from tools.places import PROJECT

STAGES = (("check", ()), ("build", ()), ("sync", ()), ("sync", ("--read-back",)))


def nightly(platform: str) -> int:
    """Run the stages and return the exit code.

    Args:
        platform: for the sync.
    """
    for code, (program, options) in enumerate(STAGES, start=1):
        named = (platform, *options) if program == "sync" else options
        title = " ".join((program, *named))
        print(f"--- {title}", flush=True)
        command = [sys.executable, "-m", f"tools.{program}", *named]
        if subprocess.run(command, cwd=PROJECT, check=False).returncode:
            print(f"The night ended at: {title} ({code}).", file=sys.stderr)
            return code
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(nightly(sys.argv[1]))
