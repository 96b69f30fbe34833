"""Where things are: the environment's variables, and dbt of the same Python environment."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
# The dbt project that is built: this one, or a shop's own that has it as a package.
PROJECT = Path(os.environ.get("DBT_PROJECT_DIR") or ROOT).resolve()
DEFAULTS = {
    "LETTERSHOP_LANDING": "data/landing",
    "LETTERSHOP_DUCKDB": "data/lettershop.duckdb",
    "LETTERSHOP_STATE": "data/state.duckdb",
    "LETTERSHOP_PUBLISHED": "data/published.duckdb",
}

# What dbt keeps out of its logs, by name, as a shell says it: the key, as it is and as in SQL.
SECRETS = {
    "DBT_ENV_SECRET_LETTERSHOP_SQL": (
        '''"$(printf %s "$LETTERSHOP_ERASURE_KEY" | sed "s/'/''/g")"'''
    ),
    "DBT_ENV_SECRET_LETTERSHOP": '"$LETTERSHOP_ERASURE_KEY"',
}


def place(name: str) -> Path:
    """Return the path that an environment variable of the project names, or its default.

    Args:
        name: one of DEFAULTS.
    """
    return Path(os.environ.get(name) or DEFAULTS[name])


def landing_vars() -> str | None:
    """Return the YAML of the landing's vars.yml, or None where it has none."""
    path = place("LETTERSHOP_LANDING") / "vars.yml"
    return path.read_text() if path.exists() else None


def plain_command(command: str = "dbt build") -> str:
    """Return the dbt command for these places as one would type it, exports included.

    Where there is an erasure key, dbt is told to keep it out of its logs; it is not in the command.
    """
    exports = " ".join(f"{name}={shlex.quote(str(place(name)))}" for name in DEFAULTS)
    for name in hidden_in_logs():
        exports += f" {name}={SECRETS[name]}"
    landing = "$LETTERSHOP_LANDING"
    if shlex.quote(str(place("LETTERSHOP_LANDING"))) != str(place("LETTERSHOP_LANDING")):
        landing = f'"{landing}"'
    with_vars = f' --vars "$(cat {landing}/vars.yml)"' if landing_vars() else ""
    return f"export {exports}; {command}{with_vars}"


def hidden_in_logs() -> dict[str, str]:
    """Return variables whose values dbt does not write into its logs: the key, as in SQL too."""
    key = os.environ.get("LETTERSHOP_ERASURE_KEY", "")
    # The longer first, since it may have the other in it.
    hidden = {"DBT_ENV_SECRET_LETTERSHOP_SQL": key.replace("'", "''")} if "'" in key else {}
    return hidden | ({"DBT_ENV_SECRET_LETTERSHOP": key} if key else {})


def dbt(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run dbt as a process of its own, with the landing's vars where there are any.

    Args:
        arguments: what follows `dbt`; a --vars among them goes over the landing's.
        options: for subprocess.run.
    """
    arguments = list(arguments)
    said = {}
    if "--vars" in arguments:
        position = arguments.index("--vars")
        said = yaml.safe_load(arguments[position + 1])
        del arguments[position : position + 2]
    together = yaml.safe_load(landing_vars() or "{}") | said
    command = [str(Path(sys.executable).parent / "dbt"), *arguments]
    if together:
        command += ["--vars", json.dumps(together)]
    environment = os.environ | {name: str(place(name)) for name in DEFAULTS}
    environment["DBT_PROJECT_DIR"] = str(PROJECT)
    environment |= hidden_in_logs()
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False, **options)
