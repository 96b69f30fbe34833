"""Ship lettershop_ml to the stage that dbt's Python models import it from.

    python -m tools.snowflake.upload

Before anything is shipped, the account is asked whether its channel has every package in the
version that dbt_project.yml pins; where it has not, it says which versions there are.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

from tools.places import ROOT
from tools.snowflake.session import SKIPPED, open_session

STAGE = "lettershop_code"
PACKAGE = ROOT / "python_models" / "lettershop_ml"
# A time that every zip can hold: the same code is the same bytes.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def archive(package: Path = PACKAGE) -> bytes:
    """Return a package as the bytes of a zip, the same for the same code."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(package.glob("*.py")):
            entry = zipfile.ZipInfo(f"{package.name}/{path.name}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            written.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return found.getvalue()


def pins() -> dict[str, str]:
    """Return the packages of dbt's Python models, name to version."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    packages = project["models"]["lettershop"]["training"]["model_fits"]["+packages"]
    return dict(package.split("==") for package in packages)


def not_offered(wanted: dict[str, str], offered: list[tuple[str, str]]) -> list[str]:
    """Return a sentence for each package that the channel lacks in the wanted version.

    Args:
        wanted: name to version.
        offered: rows of name and version.
    """
    sentences = []
    for name, version in wanted.items():
        versions = sorted({there for package, there in offered if package == name})
        if version not in versions:
            has = ", ".join(versions) or "no version of it"
            sentences.append(f"{name}=={version} is not there; the channel has {has}.")
    return sentences


def upload(session) -> list[str]:
    """Ship the package, unless a pin cannot be had.

    Args:
        session: of Snowpark.

    Returns:
        What stands in the way, one sentence per package; empty where it was shipped.
    """
    names = ", ".join(f"'{name}'" for name in pins())
    rows = session.sql(
        "select package_name, version from information_schema.packages"
        f" where language = 'python' and package_name in ({names})"
    ).collect()
    wrong = not_offered(pins(), [(row[0], row[1]) for row in rows])
    if wrong:
        return wrong
    session.sql(f"create stage if not exists {STAGE}").collect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{PACKAGE.name}.zip"
        path.write_bytes(archive())
        session.file.put(str(path), f"@{STAGE}", auto_compress=False, overwrite=True)
    return []


def main() -> int:
    """Return the exit code: 1 where a pin stands in the way, else 0."""
    session = open_session()
    if session is None:
        print(SKIPPED)
        return 0
    wrong = upload(session)
    if wrong:
        print("Nothing was shipped. Its channel has not what dbt_project.yml pins (+packages):")
        print("\n".join(f"  {sentence}" for sentence in wrong))
        print("docs/snowflake.md, section 3, says how to pin and test another version.")
        return 1
    print(f"{PACKAGE.name}.zip is on @{STAGE}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
