"""The sync against a loopback platform: with the project's own drt configuration, only faster."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

from tests.e2e.loopback_esp import KEY, Braze, Klaviyo, LoopbackEsp, Webhook
from tools.places import ROOT
from tools.sync.__main__ import main

KINDS = {"klaviyo": Klaviyo, "braze": Braze, "generic": Webhook}
PROGRAM = (
    "import sys; from pathlib import Path; from tools.sync.__main__ import main;"
    " main(['{name}', *{options}], project=Path('{project}'), pause=0.05)"
)


def fast_project(
    name: str, folder: Path, records: int | None = None, attempts: int | None = None
) -> Path:
    """Copy a platform's drt project, without waiting between requests and retries.

    Args:
        name: of the platform.
        folder: to copy into.
        records: at most so many a request, where fewer than the platform takes make more of them.
        attempts: at each request, where fewer than configured let more of them fail.
    """
    project = folder / f"project_{name}"
    shutil.copytree(ROOT / "sync" / name, project, dirs_exist_ok=True)
    for path in project.glob("syncs/*.yml"):
        text = path.read_text()
        text, paced = re.subn(r"requests_per_second: [\d.]+", "requests_per_second: 0", text)
        text, retried = re.subn(
            r"initial_backoff: 1, max_backoff: 60", "initial_backoff: 0.01, max_backoff: 0.1", text
        )
        assert paced and retried
        if records:
            text = re.sub(
                r"max_records_per_request: (\d+)",
                lambda found: f"max_records_per_request: {min(int(found[1]), records)}",
                text,
            )
        if attempts:
            text = re.sub(r"max_attempts: \d+", f"max_attempts: {attempts}", text)
        path.write_text(text)
    return project


def environment(name: str, esp: LoopbackEsp, folder: Path) -> dict[str, str]:
    """Return the variables that a sync needs.

    Args:
        name: of the platform.
        esp: where it is.
        folder: of the published database and of the sync's state.
    """
    prefix = {"klaviyo": "KLAVIYO", "braze": "BRAZE", "generic": "WEBHOOK"}[name]
    return {
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
        "LETTERSHOP_SYNC_STATE": str(folder / "state"),
        f"{prefix}_URL": esp.url + ("/records" if name == "generic" else ""),
        f"{prefix}_{'TOKEN' if name == 'generic' else 'API_KEY'}": KEY,
    }


def start(
    name: str, esp: LoopbackEsp, folder: Path, project: Path, *options: str
) -> subprocess.Popen:
    """Start a sync as a process of its own.

    Args:
        name: of the platform.
        esp: where it is.
        folder: of the published database and of the sync's state.
        project: drt's.
        options: of tools.sync.
    """
    program = PROGRAM.format(name=name, options=list(options), project=project)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment(name, esp, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(name: str, esp: LoopbackEsp, folder: Path, project: Path, *options: str) -> tuple[int, str]:
    """Run a sync in this process; return its exit code and everything it said.

    Args:
        name: of the platform.
        esp: where it is.
        folder: of the published database and of the sync's state.
        project: drt's.
        options: of tools.sync.
    """
    said, code = io.StringIO(), None
    with (
        mock.patch.dict(os.environ, environment(name, esp, folder)),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            main([name, *options], project=project, pause=0.02)
        except SystemExit as ended:
            code = ended.code
    return code, said.getvalue()
