"""A connection to Snowflake from the variables of the profile, or none where they are not set."""

import os
from pathlib import Path

# As in profiles/profiles.yml; the first three have no default that could work.
REQUIRED = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_PRIVATE_KEY_PATH")
SKIPPED = "skipped: no credentials"


def settings() -> dict | None:
    """Return what Snowpark needs to connect, None without credentials."""
    if not all(os.environ.get(name) for name in REQUIRED):
        return None
    account, user, key = (os.environ[name] for name in REQUIRED)
    found = {
        "account": account,
        "user": user,
        "private_key_file": key,
        "role": os.environ.get("SNOWFLAKE_ROLE", "LETTERSHOP_TRANSFORMER"),
        "warehouse": os.environ.get("SNOWFLAKE_WAREHOUSE", "LETTERSHOP_WH"),
        "database": os.environ.get("SNOWFLAKE_DATABASE", "LETTERSHOP"),
        "schema": "main",
    }
    if phrase := os.environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"):
        found["private_key_file_pwd"] = phrase
    return found


def open_session():
    """Return a Snowpark session, None without credentials.

    Raises:
        SystemExit: with what is wrong, where there is no such key or Snowflake refuses it.
    """
    found = settings()
    if found is None:
        return None
    key = found["private_key_file"]
    if not Path(key).is_file():
        raise SystemExit(f"SNOWFLAKE_PRIVATE_KEY_PATH is {key}: there is no such file.")
    from snowflake.connector.errors import Error
    from snowflake.snowpark import Session
    from snowflake.snowpark.exceptions import SnowparkClientException

    try:
        return Session.builder.configs(found).create()
    except (Error, SnowparkClientException, TypeError, ValueError) as error:
        # A key that is none, or needs another passphrase, is an error of two kinds of Python's.
        raise SystemExit(f"No session on Snowflake, with the key {key}: {error}") from error
