"""Lint: ruff over the Python, sqlfluff over the SQL, dbt-bouncer over the layers.

    python -m tools.lint [--fix] [--tool NAME ...] [file ...]

The project is parsed once, by dbt, for sqlfluff and dbt-bouncer alike, and never with the user's
databases: both stay in memory. Files are linted in as many processes as there are cores. What
passed is remembered in target/lint and not looked at again until something changes that can
change the verdict. With files, ruff and sqlfluff look at those only.

Exit code: 0 where everything passed, 1 otherwise.
"""

import argparse
import contextlib
import gc
import hashlib
import io
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

from tools.places import ROOT

TOOLS = ("ruff", "sqlfluff", "dbt-bouncer")
FOLDER = Path(os.environ.get("DBT_TARGET_PATH") or ROOT / "target").absolute() / "lint"
PASSED = FOLDER / "passed.json"
MANIFEST = FOLDER / "target" / "manifest.json"
BOUNCER = ROOT / ".venv-bouncer" / "bin" / "dbt-bouncer"
# Folders whose SQL is linted; what else dbt reads decides together with them.
SQL_FOLDERS = ("models", "python_models", "snapshots", "tests/singular", "tests/macros")
PARSED_FOLDERS = (*SQL_FOLDERS, "macros", "seeds", "tests/generic")
SETTINGS = ("dbt_project.yml", "profiles/profiles.yml", ".sqlfluff", ".sqlfluffignore")
# Nothing of the user's: the verdict is the same on every machine, and no database is locked.
ENVIRONMENT = {
    "LETTERSHOP_LANDING": "data/landing",
    "LETTERSHOP_DUCKDB": ":memory:",
    "LETTERSHOP_STATE": ":memory:",
    "DBT_TARGET_PATH": str(MANIFEST.parent),
    "DBT_LOG_PATH": str(FOLDER / "logs"),
    "DBT_PROFILES_DIR": str(ROOT),
    "DBT_PROJECT_DIR": str(ROOT),
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
    "DO_NOT_TRACK": "1",
}


class LintError(Exception):
    """A tool found something, or could not run; the arguments are the lines to print."""


# --- What a verdict rests on --------------------------------------------------------------------


def digest(*parts: str | bytes | Path) -> str:
    """Return a hash of texts and of files' contents.

    Args:
        parts: a Path stands for its content.

    """
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part
        content = content.encode() if isinstance(content, str) else content
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def files_in(*folders: str) -> list[Path]:
    """Return the files of folders of the project, sorted."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


@cache
def versions() -> str:
    """Return the versions of the programs whose verdict is remembered."""
    packages = ("dbt-core", "dbt-duckdb", "sqlfluff", "sqlfluffrs", "sqlfluff-templater-dbt")
    pins = (ROOT / "requirements" / "bouncer.txt").read_text()
    return f"{sys.version} {[version(name) for name in packages]} {pins}"


def digest_of(paths: list[Path]) -> str:
    """Return a hash of files with their names, of the settings, versions and this program."""
    settings = [path for name in SETTINGS if (path := ROOT / name).exists()]
    named = [part for path in [*paths, *settings] for part in (str(path.relative_to(ROOT)), path)]
    return digest(versions(), Path(__file__), *named)


def digest_of_project() -> str:
    """Return a hash of everything that dbt reads, and of the rules."""
    return digest_of([*files_in(*PARSED_FOLDERS), ROOT / "dbt-bouncer.yml"])


def digest_of_common() -> str:
    """Return a hash of what every SQL file rests on: the macros and the landing contract."""
    macros = files_in("macros", "tests/generic")
    return digest_of(macros + sorted(ROOT.glob("models/**/*__sources.yml")))


# --- The project, parsed once -------------------------------------------------------------------


class Project:
    """The dbt project as it is now.

    Attributes:
        digest: hash of everything in it.
        common: hash of what every SQL file rests on.
        passed: what passed in runs before, by tool.
        seconds: how long dbt took to parse it, so far.

    """

    def __init__(self):
        """Take the hashes before anything is read, and remember."""
        self.digest = digest_of_project()
        self.common = digest_of_common()
        self.seconds = 0.0
        self.cannot_be_parsed = False
        self.passed = {}
        with contextlib.suppress(OSError, ValueError):
            self.passed = json.loads(PASSED.read_text())

    def is_unchanged(self) -> bool:
        """Return whether the files are still those whose hash was taken."""
        return digest_of_project() == self.digest

    def remember(self, **verdicts) -> None:
        """Write down what passed.

        Args:
            verdicts: by tool; None forgets.

        """
        self.passed |= verdicts
        FOLDER.mkdir(parents=True, exist_ok=True)
        partial = PASSED.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(self.passed, indent=1, sort_keys=True))
        partial.replace(PASSED)

    @cached_property
    def manifest(self):
        """The manifest of dbt; also written to MANIFEST."""
        if self.cannot_be_parsed:
            raise LintError("not run, since dbt cannot parse the project")
        started = time.monotonic()
        from dbt.cli.main import dbtRunner

        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            result = dbtRunner().invoke(["--quiet", "--no-use-colors", "parse"])
        self.seconds += time.monotonic() - started
        if not result.success:
            # What dbt remembers of this run would hide warnings, errors here, from the next.
            MANIFEST.with_name("partial_parse.msgpack").unlink(missing_ok=True)
            self.cannot_be_parsed = True
            text = said.getvalue().strip() or str(result.exception)
            raise LintError("dbt cannot parse the project:", *text.splitlines())
        self.remember(manifest=self.digest if self.is_unchanged() else None)
        return result.result

    def write_manifest(self) -> Path:
        """Return the path of manifest.json, written now if it is not of this project."""
        if self.passed.get("manifest") != self.digest or not MANIFEST.exists():
            _ = self.manifest
        return MANIFEST

    def digest_of_sql(self, path: Path) -> str:
        """Return a hash of what decides whether a SQL file passes.

        That is the file, the macros, the landing contract (base models are written from it), the
        settings, and of the manifest the file's own configuration and the names of what it reads.

        Args:
            path: of the file.

        """
        said = [
            [node.config.to_dict(), [self.names.get(name) for name in node.depends_on.nodes]]
            for node in self.nodes_by_path.get(str(path.relative_to(ROOT)), [])
        ]
        return digest(self.common, path, json.dumps(said, sort_keys=True, default=str))

    @cached_property
    def nodes_by_path(self) -> dict[str, list]:
        """The manifest's nodes by the file that they come from."""
        nodes = {}
        for node in self.manifest.nodes.values():
            nodes.setdefault(node.original_file_path, []).append(node)
        return nodes

    @cached_property
    def names(self) -> dict[str, str]:
        """What `ref` and `source` render to, by the node's id."""
        known = [*self.manifest.nodes.values(), *self.manifest.sources.values()]
        return {
            node.unique_id: node.raw_code
            if getattr(node.config, "materialized", None) == "ephemeral"
            else str(node.relation_name)
            for node in known
            if hasattr(node, "relation_name")
        }


# --- The tools ----------------------------------------------------------------------------------


def run_ruff(fix: bool, files: list[Path] | None) -> list[str]:
    """Run ruff's linter and its formatter.

    Args:
        fix: repair what can be repaired.
        files: only these; None: all.

    Returns:
        What to print although everything passed: nothing.

    """
    chosen = [str(path) for path in files or () if path.suffix == ".py"]
    if files is not None and not chosen:
        return []
    ruff = Path(sys.executable).with_name("ruff")
    lines = []
    for command in (
        ["check", *(["--fix"] if fix else [])],
        ["format", *([] if fix else ["--check"])],
    ):
        result = subprocess.run(
            [ruff, *command, "--quiet", "--output-format=concise", "--force-exclude", *chosen],
            cwd=ROOT,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if result.returncode:
            lines += result.stdout.splitlines() or [f"ruff {command[0]} did not pass"]
    if lines:
        raise LintError(*lines)
    return []


def shorten_loops(manifest) -> None:
    """Leave the manifest one column of each type per table.

    Much SQL is a loop over columns that the manifest describes. Its rounds differ by type alone,
    and sqlfluff takes as long for each of them.

    Args:
        manifest: dbt's; changed in place.

    """
    for node in [*manifest.nodes.values(), *manifest.sources.values()]:
        if hasattr(node, "columns"):
            types = {column.data_type: name for name, column in reversed(node.columns.items())}
            node.columns = {
                name: column for name, column in node.columns.items() if name in types.values()
            }
    manifest.build_flat_graph()


class SqlLinter:
    """sqlfluff with the manifest at hand; made once, inherited by every process."""

    def __init__(self, project: Project):
        """Load everything that the files share.

        Args:
            project: the parsed project.

        """
        manifest = project.manifest
        shorten_loops(manifest)
        from sqlfluff.core import FluffConfig, Linter

        self.linter = Linter(config=FluffConfig.from_root(overrides={"processes": 1}))
        # Otherwise the templater would parse the project again.
        self.linter.templater.__dict__["dbt_manifest"] = manifest
        list(self.linter.templater.sequence_files([], config=self.linter.config))
        _ = self.linter.templater.dbt_compiler

    def lint(self, path: str, fix: bool) -> list[str]:
        """Lint a file and return a line for each thing found.

        Args:
            path: from the root.
            fix: write the file anew with what sqlfluff can repair.

        """
        warnings = io.StringIO()
        handler = logging.StreamHandler(warnings)
        logger = logging.getLogger("sqlfluff")
        logger.addHandler(handler)
        logger.propagate = False
        try:
            result = self.linter.lint_paths((path,), fix=fix, apply_fixes=fix)
        except Exception as error:
            return [f"{path}: {type(error).__name__}: {error}"]
        finally:
            logger.removeHandler(handler)
        records = [record for folder in result.paths for record in folder.as_records()]
        if not records or not all(record["statistics"]["source_chars"] for record in records):
            # sqlfluff passes over what it cannot compile; here that is no pass.
            reason = warnings.getvalue().strip().splitlines() or ["sqlfluff passed over it"]
            return [f"{path}: {reason[0]}", *reason[1:]]
        return [
            f"{path}:{found['start_line_no']}:{found['start_line_pos']}: {found['code']} "
            f"{' '.join(found['description'].split())}"
            for record in records
            for found in record["violations"]
        ]


_sql_linter: SqlLinter | None = None


def _lint_one(job: tuple[str, bool]) -> tuple[str, list[str]]:
    """Lint one file in a process of the pool."""
    path, fix = job
    found = _sql_linter.lint(path, fix)
    gc.collect()
    return path, found


def lint_sql(project: Project, paths: list[Path], fix: bool) -> dict[str, list[str]]:
    """Lint SQL files on all cores.

    Args:
        project: the parsed project.
        paths: the files.
        fix: repair what can be repaired.

    Returns:
        What was found, by path.

    """
    global _sql_linter
    _sql_linter = SqlLinter(project)
    # The longest first, so that no core waits for the other's last file.
    paths = sorted(paths, key=lambda path: path.stat().st_size, reverse=True)
    jobs = [(str(path.relative_to(ROOT)), fix) for path in paths]
    # The collector walks over syntax trees that live until the file is done: a third of the time.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        with multiprocessing.get_context("fork").Pool(min(len(jobs), cores())) as pool:
            return dict(pool.imap_unordered(_lint_one, jobs))
    finally:
        gc.enable()
        gc.unfreeze()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def run_sqlfluff(project: Project, fix: bool, files: list[Path] | None) -> list[str]:
    """Lint the SQL that changed since it passed.

    Args:
        project: of the moment.
        fix: repair what can be repaired.
        files: only these; None: all.

    Returns:
        What to print although everything passed: how many files were looked at.

    """
    every = [path for path in files_in(*SQL_FOLDERS) if path.suffix == ".sql"]
    asked = every if files is None else [path for path in every if path in files]
    known = project.passed.get("sqlfluff", {})
    digests, unknown = {}, asked
    if project.passed.get("project") == project.digest:
        digests = known
        unknown = [path for path in asked if str(path.relative_to(ROOT)) not in known]
    if unknown:
        digests = {str(path.relative_to(ROOT)): project.digest_of_sql(path) for path in every}
        unknown = [
            path
            for path in unknown
            if known.get(name := str(path.relative_to(ROOT))) != digests[name]
        ]
    if unknown and fix:
        lint_sql(project, unknown, fix=True)
        repaired = Project()
        if repaired.digest != project.digest:
            return run_sqlfluff(repaired, fix=False, files=files)
    found = lint_sql(project, unknown, fix=False) if unknown else {}
    failed = {name: lines for name, lines in found.items() if lines}
    good = {name: known[name] for name in digests if known.get(name) == digests[name]}
    if digest_of_common() == project.common:
        # A file that was changed while it was linted has another hash by now.
        passed = [name for name in found if name not in failed and (ROOT / name).exists()]
        now = {name: project.digest_of_sql(ROOT / name) for name in passed}
        good |= {name: now[name] for name in passed if now[name] == digests[name]}
    whole = project.digest if project.is_unchanged() else None
    project.remember(sqlfluff=good, project=whole)
    if failed:
        raise LintError(*[text for name in sorted(failed) for text in failed[name]])
    return [f"{len(unknown)} of {len(asked)} SQL files had changed since they passed"]


def run_bouncer(project: Project) -> list[str]:
    """Check the rules of dbt-bouncer.yml.

    Args:
        project: of the moment.

    Returns:
        What to print although everything passed: the warnings.

    """
    known = project.passed.get("dbt-bouncer") or {}
    if known.get("project") == project.digest:
        return known["warnings"]
    problems, warnings = bounce(project.write_manifest())
    if problems:
        raise LintError(*problems, *warnings)
    if project.is_unchanged():
        project.remember(**{"dbt-bouncer": {"project": project.digest, "warnings": warnings}})
    return warnings


def bounce(manifest: Path) -> tuple[list[str], list[str]]:
    """Run dbt-bouncer on a manifest.

    Args:
        manifest: <folder>/target/manifest.json.

    Returns:
        Problems and warnings, a line each.

    """
    if not BOUNCER.exists():
        return [f"{BOUNCER.relative_to(ROOT)} is missing: `make lint` installs it"], []
    report = manifest.with_name("dbt-bouncer.json")
    report.unlink(missing_ok=True)
    result = subprocess.run(
        [
            BOUNCER,
            "run",
            f"--config-file={ROOT / 'dbt-bouncer.yml'}",
            f"--output-file={report}",
            "--output-only-failures",
        ],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "DBT_PROJECT_DIR": str(manifest.parents[1]),
            "DBT_BOUNCER_DISABLE_CONF_CACHE": "true",
        },
    )
    found = json.loads(report.read_text()) if report.exists() else []
    problems, warnings = [], []
    for failure in found:
        check = failure["check_run_id"].split(":")[0]
        text = " ".join(failure["failure_message"].split())
        lines = warnings if failure["severity"] == "warn" else problems
        lines.append(f"{failure['file_path'] or 'the project'}: {check}: {text}")
    if result.returncode and not problems:
        problems = ["dbt-bouncer did not run:", *result.stdout.splitlines()]
    return sorted(problems), sorted(warnings)


# --- The report ---------------------------------------------------------------------------------


def line(name: str, verdict: str, seconds: float) -> str:
    """Return the report's line for a tool."""
    return f"{name:<12} {verdict:<7} {seconds:5.1f} s"


def main() -> None:
    """Run the tools and say of each whether it passed and how long it took."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--fix", action="store_true", help="repair what can be repaired")
    parser.add_argument("--tool", action="append", choices=TOOLS, help="only this one; repeatable")
    parser.add_argument("--manifest", action="store_true", help="only write dbt's manifest.json")
    parser.add_argument("files", nargs="*", type=Path, help="only these files")
    arguments = parser.parse_args()
    files = [path.absolute() for path in arguments.files] or None
    os.chdir(ROOT)
    os.environ.pop("DBT_TARGET", None)
    os.environ.update(ENVIRONMENT)
    if arguments.manifest:
        print(Project().write_manifest())
        return
    project = None
    all_passed = True
    for name in arguments.tool or TOOLS:
        started = time.monotonic()
        if not project or not project.is_unchanged():
            project = Project()
        parsed = project.seconds
        try:
            if name == "ruff":
                lines = run_ruff(arguments.fix, files)
            elif name == "sqlfluff":
                lines = run_sqlfluff(project, arguments.fix, files)
            else:
                lines = run_bouncer(project)
            verdict = "passed"
        except LintError as failure:
            verdict, lines = "FAILED", failure.args
            all_passed = False
        parsed = project.seconds - parsed
        if parsed:
            print(line("dbt parse", "done", parsed))
        print(line(name, verdict, time.monotonic() - started - parsed))
        for text in lines:
            print(f"  {text}", flush=True)
    sys.exit(0 if all_passed else 1)


if __name__ == "__main__":
    main()
