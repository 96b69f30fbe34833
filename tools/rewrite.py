"""Write a database anew, so that what was deleted from its tables is gone from the file too.

    python -m tools.rewrite

DuckDB marks deleted rows and reuses their space, but their bytes stay in the file until it does.
`tools.build` does this after every build that changed who is erased; after dbt on its own, do it
by hand. The published copy is always written from its first byte and needs none of it.
"""

import os
from pathlib import Path

import duckdb

from tools.places import place

QUEUE = "activation.esp_erasure_queue"
OUTBOX = "activation.esp_outbox"


def erasures() -> list[tuple] | None:
    """Return who is erased, as state has it, to see whether a build changed it; None if unknown."""
    path = place("LETTERSHOP_STATE")
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as connection:
        try:
            queue = connection.execute(
                "select store, identifier_type, identifier_hash, requested_at, confirmed_at"
                f" from {QUEUE} order by all"
            ).fetchall()
            # A person may be scrubbed from the outbox in a later build than the queue learns of.
            told = connection.execute(
                f"select change_seq, esp_id is null from {OUTBOX} where op = 'erase' order by all"
            ).fetchall()
            return queue + told
        except duckdb.CatalogException:
            return None


def rewrite(path: Path) -> None:
    """Replace a database file by a copy of what is in its tables and views.

    Args:
        path: the file; nothing happens where there is none.
    """
    if not path.exists():
        return
    # Views name their database: the original is opened under its own name, as dbt does it.
    name = path.stem.replace('"', '""')
    partial = path.with_name(path.name + ".partial")
    log = partial.with_name(partial.name + ".wal")
    for leftover in (partial, log):
        leftover.unlink(missing_ok=True)
    # What is in the log alone goes into the file first: neither may stand without the other.
    if path.with_name(path.name + ".wal").exists():
        with duckdb.connect(str(path)) as connection:
            connection.execute("checkpoint")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as \"{name}\" (read_only)")
        state = place("LETTERSHOP_STATE")
        if state.exists() and state.resolve() != path.resolve():
            connection.execute(f"attach '{state}' as state (read_only)")
        connection.execute(f"attach '{partial}' as lettershop_partial")
        connection.execute(f'copy from database "{name}" to lettershop_partial')
        connection.execute("checkpoint lettershop_partial")
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)


def rewrite_all() -> None:
    """Rewrite the working and the state database."""
    for name in ("LETTERSHOP_DUCKDB", "LETTERSHOP_STATE"):
        rewrite(place(name))


if __name__ == "__main__":
    rewrite_all()
    print("Rewrote the working and the state database.")
