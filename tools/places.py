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
    """Return the dbt command for these places as one would type it, exports included."""
    exports = " ".join(f"{name}={shlex.quote(str(place(name)))}" for name in DEFAULTS)
    landing = "$LETTERSHOP_LANDING"
    if shlex.quote(str(place("LETTERSHOP_LANDING"))) != str(place("LETTERSHOP_LANDING")):
        landing = f'"{landing}"'
    with_vars = f' --vars "$(cat {landing}/vars.yml)"' if landing_vars() else ""
    return f"export {exports}; {command}{with_vars}"


def hidden_in_logs() -> dict[str, str]:
    """Return variables whose values dbt does not write into its logs: the key, as in SQL too."""
    key = os.environ.get("LETTERSHOP_ERASURE_KEY", "")
    in_sql = key.replace("'", "''")
    return {
        f"DBT_ENV_SECRET_LETTERSHOP_{number}": text
        for number, text in enumerate(sorted({key, in_sql}, key=len, reverse=True))
        if text
    }


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
