"""docs/snowflake.md, followed to the letter on the emulator: from an empty account to a landing."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "snowflake.md"
# The table that the page shows by way of example.
EXAMPLE = "shop_orders"
PUT = re.compile(r"-- .*?: (put file://\S+ @\S+ .*)")


def block(section: int) -> str:
    """Return the first block of SQL of a section.

    Args:
        section: its number.
    """
    text = PAGE.read_text().split(f"\n## {section}. ")[1].split("\n## ")[0]
    return re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1]


def statements(sql: str) -> list[str]:
    """Return the statements of a block, without its comments."""
    bare = re.sub(r"--.*", "", sql)
    return [each.strip() for each in bare.split(";") if each.strip()]


def account() -> list[str]:
    """Return what makes roles, warehouse and databases."""
    return statements(block(1))


def session() -> dict[str, str]:
    """Return the parameters of the session that the page sets for dbt's user, name to value."""
    found = [re.fullmatch(r"alter user <user> set (\w+) = '?([^']+)'?", each) for each in account()]
    return {each[1]: each[2] for each in found if each}


def landing(folder: Path) -> list[str]:
    """Return what loads the files of a folder, a table after the other.

    Args:
        folder: of the files <table>.parquet.
    """
    sql = block(2)
    put = PUT.search(sql)[1].replace("landing/", f"{folder}/")
    once, each = [], []
    for statement in statements(sql):
        (each if EXAMPLE in statement else once).append(statement)
    for path in sorted(folder.glob("*.parquet")):
        once += [re.sub(rf"\b{EXAMPLE}\b", path.stem, statement) for statement in [put, *each]]
    return once
