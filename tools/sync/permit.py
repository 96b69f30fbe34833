"""What must hold before anything is sent: a published build that passed, and the variables."""

import os

import duckdb
import httpx

from tools.places import place
from tools.sync.platforms import Platform

# As the build warns, word for word: macros/operations/report_run.sql.
UNDECLARED = (
    "The var profiling_basis is not set: everything is built, and nothing may be sent until the"
    " shop declares on which basis it profiles (legitimate_interest)."
)


class Refused(Exception):  # noqa: N818 - it is a decision, not a fault
    """Nothing may be sent; the message says why and what to do."""


def published() -> duckdb.DuckDBPyConnection:
    """Open the published database to read.

    Raises:
        Refused: if it cannot be opened.
    """
    path = place("LETTERSHOP_PUBLISHED")
    if not path.exists():
        raise Refused(f"There is no published database at {path}: run `make build` first.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException:
        raise Refused(f"{path} cannot be opened to read. Is it written to elsewhere?") from None
    connection.execute("set timezone = 'UTC'")
    return connection


def require_permit(connection: duckdb.DuckDBPyConnection) -> None:
    """Stop unless the shop stands by its basis, and the tests of what is sent passed.

    Args:
        connection: to the published database.

    Raises:
        Refused: in words.
    """
    try:
        (is_declared,) = connection.execute(
            "select coalesce(bool_and(is_declared), false) from monitoring.privacy_report"
            " where purpose = 'profiling'"
        ).fetchone()
        tests = dict(
            connection.execute(
                "select status, count(*) from monitoring.activation_tests group by status"
            ).fetchall()
        )
    except duckdb.CatalogException:
        raise Refused("What is published says nothing of its tests: run `make build`.") from None
    if not is_declared:
        raise Refused(f"{UNDECLARED} Then run `make build`.")
    good = tests.pop("pass", 0) + tests.pop("warn", 0)
    if tests or not good:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(tests.items()))
        raise Refused(
            "Nothing may be sent: the published build did not pass all tests of its activation"
            f" tables ({counts or 'none ran'}); monitoring.activation_tests lists them. Run"
            " `make build`, with all tests."
        )


def require_variables(platform: Platform) -> None:
    """Stop unless the environment has what the platform needs; set its defaults.

    Args:
        platform: which.

    Raises:
        Refused: with the names that are missing, or are not what they should be.
    """
    for name in (*platform.variables, *platform.defaults):
        # A file that a secret is read from often ends with a line break.
        if name in os.environ:
            os.environ[name] = os.environ[name].strip()
    for variable, default in platform.defaults.items():
        os.environ[variable] = os.environ.get(variable) or default
    missing = {name: what for name, what in platform.variables.items() if not os.environ.get(name)}
    if missing:
        lines = "".join(f"\n  {name}: {what}" for name, what in missing.items())
        raise Refused(f"These environment variables are needed and not set:{lines}")
    for name in (*platform.variables, *platform.defaults):
        said = os.environ[name]
        if not (said.isascii() and said.isprintable()):
            raise Refused(
                f"{name} has a character that no request can carry: only letters from A to Z,"
                " digits and signs of ASCII. Was it copied whole, and nothing beside it?"
            )
        if not name.endswith("_URL"):
            continue
        if name != "WEBHOOK_URL":
            # Paths are put behind it.
            os.environ[name] = os.environ[name].rstrip("/")
        try:
            url = httpx.URL(os.environ[name])
        except httpx.InvalidURL:
            url = None
        if url is None or not url.host:
            raise Refused(f"{name} is no URL: it must look like https://host or https://host:443.")
        if url.scheme != "https" and url.host not in ("127.0.0.1", "localhost", "::1"):
            raise Refused(f"{name} must begin with https://: what is sent is about people.")
