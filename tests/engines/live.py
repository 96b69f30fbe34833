"""Tables that Snowflake keeps current (docs/decisions/0068): what dbt sends for them, as text."""

import re
from pathlib import Path

from tests.engines import dialect

LAG = "5 minutes"
NAMES = (
    "cart_causes",
    "customer_causes",
    "price_causes",
    "return_causes",
    "segment_causes",
    "session_causes",
    "trigger_events",
    "trigger_recipients",
)
CLOCK = re.compile(r"timestamp '\d|date '\d", re.IGNORECASE)


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the statements, a sentence each.

    Args:
        folder: dbt's target, after a run of NAMES with the var trigger_target_lag.
    """
    place = folder / "run" / "lettershop" / "models" / "activation"
    found = []
    for name in NAMES:
        statement = (place / f"{name}.sql").read_text()
        sql = (folder / "compiled" / place.relative_to(folder / "run") / f"{name}.sql").read_text()
        lag = LAG if name == "trigger_events" else "downstream"
        head = " ".join(statement.split(" as (")[0].split()).lower()
        wanted = (
            rf"create (or replace )?dynamic table lettershop\.activation\.{name}(__dbt_tmp)?"
            rf" target_lag = '{lag}' warehouse = lettershop_wh refresh_mode = full"
        )
        if not re.search(wanted, head):
            found.append(f"{name} is made by: {head}")
        if CLOCK.search(sql):
            found.append(f"{name} knows another time than the engine's")
        # No other table may ask for the time, so that the function is in no list.
        found += [
            f"{name}: {each.kind} {each.text}"
            for each in dialect.problems(sql, "snowflake")
            if each.text != "current_timestamp"
        ]
    if not any("current_timestamp" in path.read_text() for path in place.glob("*.sql")):
        found.append("no table asks the engine for the time")
    return found
