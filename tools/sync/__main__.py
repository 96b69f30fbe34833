"""Send what changed to the e-mail platform, op by op, with drt.

    python -m tools.sync klaviyo|braze|generic [--verbose]
    python -m tools.sync klaviyo|braze|generic --dry-run
    python -m tools.sync klaviyo|braze|generic --read-back

Reads the published database and nothing else. Sent is what the activation tables say, from where
the last run came to; running it again is always right. --read-back asks what became of what the
platform only accepted; what it did not apply is sent again by the next run.

Exit codes: 0 done; 1 the platform refused or did not answer, run it again; 2 stopped before the
first request, or, of a dry run, a sync would be; 128 and the signal's number if one stopped it
between two requests.
"""

import argparse
import sys
import traceback
from pathlib import Path

import httpx

from tools.sync.dry_run import dry_run
from tools.sync.permit import Refused
from tools.sync.platforms import PLATFORMS, NotDoneError, said
from tools.sync.run import read_back, send


def main(words: list[str] | None = None, project: Path | None = None, pause: float = 5.0) -> None:
    """Do what the arguments ask for; print no value of a person, nor what a platform said.

    Args:
        words: by default those of the command line.
        project: drt's; by default the platform's under sync/.
        pause: seconds between two questions whether the platform is done.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sync", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("platform", choices=PLATFORMS)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="send nothing, say what would be")
    what.add_argument("--read-back", action="store_true", help="what became of what was accepted")
    what.add_argument("--verbose", action="store_true", help="a line for each request")
    arguments = parser.parse_args(words)
    try:
        if arguments.dry_run:
            code = dry_run(arguments.platform, project)
        elif arguments.read_back:
            code = read_back(arguments.platform, project, pause)
        else:
            code = send(arguments.platform, project, arguments.verbose, pause)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        code = 2
    except NotDoneError:
        print("The platform still works on what it accepted. Run it again later.", file=sys.stderr)
        code = 1
    except httpx.HTTPStatusError as error:
        print(f"The platform refused: {said(error.response)}.", file=sys.stderr)
        code = 1
    except httpx.HTTPError as error:
        print(f"The platform did not answer ({type(error).__name__}).", file=sys.stderr)
        code = 1
    except Exception as error:
        # Its text may have a record in it: where it happened has to do.
        traceback.print_tb(error.__traceback__)
        print(f"{type(error).__name__}, at the last line above.", file=sys.stderr)
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
