"""A landing of a few rows, and dbt on it, for the tests of what dbt says and does."""

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).parents[2]
OPTIONAL_TABLES = sorted(
    table["name"]
    for path in ROOT.glob("models/staging/*/_*__sources.yml")
    for source in yaml.safe_load(path.read_text())["sources"]
    if source["name"] != "state"
    for table in source["tables"]
    if not table["config"]["meta"]["is_required"]
)
# The vars of the landing below.
VARS = {"as_of_at": "2024-03-01 00:00:00"} | {f"using_{name}": False for name in OPTIONAL_TABLES}
TABLES = {
    "crm_customers": """
        select * from (values
            ('c1', 'ann@example.com', timestamp '2024-01-01 09:00:00'),
            ('c2', 'bob@example.com', timestamp '2024-01-02 09:00:00'),
            ('c3', null, timestamp '2024-01-03 09:00:00')
        ) as rows (customer_id, email, signed_up_at)
    """,
    "shop_products": "select 'p1' as product_id, 'Tea' as product_name",
    "shop_orders": """
        select * from (values
            ('o1', 'c1', 'paid', timestamp '2024-02-01 10:00:00', 'USD', 10.00),
            ('o2', 'c1', 'paid', timestamp '2024-02-11 10:00:00', 'USD', 20.00),
            ('o3', 'c2', 'paid', timestamp '2024-02-21 10:00:00', 'USD', 30.00),
            ('o4', null, 'paid', timestamp '2024-02-28 10:00:00', 'USD', 40.00)
        ) as rows (order_id, customer_id, order_status, ordered_at, currency, total_amount)
    """,
    "shop_order_lines": """
        select 'l' || n as order_line_id, 'o' || n as order_id, 'p1' as product_id, n as quantity,
            10.00 * n as line_amount
        from range(1, 5) as numbers (n)
    """,
}

# Two OpenMP threads on shared cores are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Importing dbt takes longer than most runs here: a server imports it once, and forks for each run.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb", "pytest"])


# What dbt remembers of a project, and how far above a build's folder both workers look for it.
PARSED = "partial_parse.msgpack"
SHARED_ABOVE = 2 if "PYTEST_XDIST_WORKER" in os.environ else 1
# Vars that nothing reads while the project is parsed, neither a model's configuration nor an
# argument of a test: with another of these dbt would parse all anew, and find the same.
READ_LATER = ("accept_landing_changes", "as_of_at", "base_currency", "shop_timezone")


def _parse_once() -> None:
    """Let dbt keep what it parsed where only vars in READ_LATER differ."""
    from dbt.parser.manifest import ManifestLoader

    state_check = ManifestLoader.build_manifest_state_check

    def state_check_of_the_others(self):
        said = dict(self.root_project.cli_vars)
        for name in READ_LATER:
            self.root_project.cli_vars.pop(name, None)
        try:
            return state_check(self)
        finally:
            self.root_project.cli_vars.update(said)

    ManifestLoader.build_manifest_state_check = state_check_of_the_others


# Of the folders that a build names, the numbers under which each of them is open.
OPEN_AS = {"LANDING": 200, "BUILD": 201}


def _known_as(name: str, folder: Path) -> str:
    """Open a folder under its number and return a path of it that is the same in every process.

    dbt would parse all anew for another path. Where the system has no paths for open files, it
    does.

    Args:
        name: one of OPEN_AS.
        folder: any folder.
    """
    opened = os.open(folder, os.O_RDONLY)
    os.dup2(opened, OPEN_AS[name])
    os.close(opened)
    path = Path(f"/proc/self/fd/{OPEN_AS[name]}")
    return str(path if path.exists() else folder)


def _run_dbt(
    args: list[str], project: Path, env: dict[str, str], output: Path, folders: dict[str, Path]
) -> None:
    """Be the program dbt, in a process of its own.

    Args:
        args: what follows `dbt`.
        project: the dbt project.
        env: environment variables; a place may begin with the name of one of the folders.
        output: the file for what dbt says.
        folders: by name in OPEN_AS.
    """
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    for name, folder in folders.items():
        known = _known_as(name, folder)
        env = {key: re.sub(f"^{name}(?=/|$)", known, value) for key, value in env.items()}
    os.environ.update(env)
    os.chdir(project)
    from dbt.cli.main import cli

    _parse_once()
    cli(args)


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """The folder of a session's landing and databases. One for all, so that dbt parses once."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="session")
def sources_project(tmp_path_factory):
    """The project without its models: what runs before the first of them, and parses quickly."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "macros", project / "macros")
    if (ROOT / "tests" / "generic").exists():
        shutil.copytree(ROOT / "tests" / "generic", project / "tests" / "generic")
    shutil.copy(ROOT / "profiles" / "profiles.yml", project)
    (project / "models").mkdir()
    for path in [*ROOT.glob("models/**/*__sources.yml"), *ROOT.glob("models/**/*.md")]:
        shutil.copy(path, project / "models")
    (project / "seeds").mkdir()
    (project / "seeds" / "anything.csv").write_text("id\n1\n")
    config = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    for key in ("on-run-end", "models", "seeds", "snapshots", "data_tests"):
        config.pop(key, None)
    (project / "dbt_project.yml").write_text(yaml.safe_dump(config))
    return project


@pytest.fixture
def landing(place):
    """A function that writes the landing anew and returns its folder.

    Its keyword arguments replace tables: name to the SQL of its rows, or to None to leave it out.
    """

    def write(**replaced: str | None) -> Path:
        folder = place / "landing"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, query in (TABLES | replaced).items():
            if query is not None:
                duckdb.execute(f"copy ({query}) to '{folder}/{name}.parquet' (format parquet)")
        return folder

    return write


@pytest.fixture
def dbt(place, sources_project):
    """A function that runs dbt on the landing, by default in the project without models."""

    def run(
        *args: str, project: Path | None = None, vars: dict = VARS, env: dict | None = None
    ) -> subprocess.CompletedProcess:
        project = project or sources_project
        output = place / "output.txt"
        said = json.dumps(vars, sort_keys=True)
        # dbt parses anew when vars change: each set of them has a target of its own.
        target = f"target_{project.name}_{zlib.crc32(said.encode())}"
        environment = {
            "LETTERSHOP_LANDING": str(place / "landing"),
            "LETTERSHOP_DUCKDB": str(place / "work.duckdb"),
            "LETTERSHOP_STATE": str(place / "state.duckdb"),
            "LETTERSHOP_PUBLISHED": str(place / "published.duckdb"),
            "DBT_TARGET_PATH": str(place / target),
            "DBT_LOG_PATH": str(place / "logs"),
            "DBT_PROFILES_DIR": str(project),
            "DBT_USE_COLORS": "false",
            "DBT_WRITE_JSON": "false",
        } | (env or {})
        args = [*args, *(["--vars", said] if vars else [])]
        process = PROCESSES.Process(target=_run_dbt, args=(args, project, environment, output, {}))
        process.start()
        process.join(timeout=300)
        return subprocess.CompletedProcess(args, process.exitcode, stdout=output.read_text())

    return run


class Build:
    """One run of the whole project on a landing, in databases of its own.

    Attributes:
        folder: where the databases are.
        result: what dbt said.
        target: dbt's target of the last run.
    """

    def __init__(self, folder: Path, landing: Path, project: Path = ROOT):
        """Name the places; nothing runs yet.

        Args:
            folder: for databases and dbt's target.
            landing: the landing tables.
            project: the dbt project, by default this one.
        """
        self.folder, self.landing, self.project = folder, landing, project
        folder.mkdir(parents=True, exist_ok=True)
        self.result = self.target = None

    def run(
        self,
        *args: str,
        vars: dict,
        threads: int = 1,
        passes: bool = True,
        writes_json: bool = False,
        killed_after: float | None = None,
    ) -> "Build":
        """Run dbt: seeds and models unless told otherwise.

        Args:
            args: what follows `dbt`.
            vars: for --vars.
            threads: dbt's threads.
            passes: stop the test where dbt fails.
            writes_json: leave manifest.json and run_results.json in the target.
            killed_after: seconds after which the process gets SIGKILL, if it still runs.
        """
        args = args or ("build", "--resource-type", "seed", "--resource-type", "model")
        said = json.dumps(vars, sort_keys=True)
        # What dbt parsed for some vars is there for every build with them.
        parsed_with = {name: value for name, value in vars.items() if name not in READ_LATER}
        names = (
            f"{self.project.name}_{zlib.crc32(json.dumps(parsed_with, sort_keys=True).encode())}"
        )
        self.target = self.folder / f"target_{names}"
        parsed, shared = self.target / PARSED, self.folder.parents[SHARED_ABOVE] / f"{names}.parsed"
        if shared.exists() and not parsed.exists():
            self.target.mkdir(exist_ok=True)
            shutil.copy(shared, parsed)
        environment = {
            "LETTERSHOP_LANDING": "LANDING",
            "LETTERSHOP_DUCKDB": "BUILD/work.duckdb",
            "LETTERSHOP_STATE": "BUILD/state.duckdb",
            "LETTERSHOP_PUBLISHED": "BUILD/published.duckdb",
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_WRITE_JSON": str(writes_json),
            "DBT_PROFILES_DIR": str(ROOT / "profiles"),
            "DBT_USE_COLORS": "false",
        }
        output = self.folder / "output.txt"
        args = [*args, "--vars", said, "--threads", str(threads)]
        folders = {"LANDING": self.landing, "BUILD": self.folder}
        process = PROCESSES.Process(
            target=_run_dbt, args=(args, self.project, environment, output, folders)
        )
        process.start()
        process.join(timeout=killed_after or 600)
        if killed_after and process.exitcode is None:
            process.kill()
            process.join()
        self.result = subprocess.CompletedProcess(args, process.exitcode, output.read_text())
        assert not passes or process.exitcode == 0, self.result.stdout[-6000:]
        if process.exitcode == 0 and not shared.exists():
            # At once or not at all: another worker may be about to read it.
            copied = shutil.copy(parsed, self.target / f"{PARSED}.copied")
            Path(copied).replace(shared)
        return self

    def environment(self) -> dict[str, str]:
        """Return the environment variables that name this build's places."""
        return {
            "LETTERSHOP_LANDING": str(self.landing),
            "LETTERSHOP_DUCKDB": str(self.folder / "work.duckdb"),
            "LETTERSHOP_STATE": str(self.folder / "state.duckdb"),
            "LETTERSHOP_PUBLISHED": str(self.folder / "published.duckdb"),
        }

    @contextlib.contextmanager
    def connect(self):
        """Open the working database to read, with the state database attached as `state`."""
        # Staging is views of the landing, under the path that dbt knew.
        _known_as("LANDING", self.landing)
        with duckdb.connect(str(self.folder / "work.duckdb"), read_only=True) as connection:
            connection.execute(f"attach '{self.folder / 'state.duckdb'}' as state (read_only)")
            yield connection

    def query(self, sql: str) -> list[tuple]:
        """Return the rows of a query over the working and the state database (as `state`)."""
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def contents(self, schemas=("core", "segments", "marts", "activation")) -> dict[str, str]:
        """Return a hash of each table: of columns, their types, and rows in their own order.

        Run metadata (monitoring.build_runs) is not among the default schemas.
        """
        hashes = {}
        with self.connect() as connection:
            tables = connection.execute(
                f"""
                select table_catalog, table_schema, table_name from information_schema.tables
                where table_schema in {schemas} order by all
                """
            ).fetchall()
            for catalog, schema, table in tables:
                relation = f'"{catalog}"."{schema}"."{table}"'
                columns = connection.execute(f"describe {relation}").fetchall()
                text = " || '|' || ".join(
                    f"coalesce(cast(\"{column[0]}\" as varchar), '∅')" for column in columns
                )
                rows = connection.execute(
                    "select md5(string_agg(line, chr(10) order by line)), count(*)"
                    f" from (select {text} as line from {relation})"
                ).fetchall()
                hashes[f"{schema}.{table}"] = f"{[column[:2] for column in columns]} {rows}"
        return hashes


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """A folder whose builds share parsed manifests."""
    return tmp_path_factory.mktemp("builds")


def differing(left: dict[str, str], right: dict[str, str]) -> list[str]:
    """Return the names of tables that differ between two results of Build.contents."""
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


@pytest.fixture(scope="session")
def write_tables():
    """A function that writes landing tables, name to SQL of their rows, and returns the folder."""

    def write(folder: Path, **tables: str) -> Path:
        folder.mkdir(parents=True)
        for name, query in tables.items():
            duckdb.execute(f"copy ({query}) to '{folder}/{name}.parquet' (format parquet)")
        return folder

    return write


# The files that take longest, longest first, so that two workers end at the same time.
LONGEST = [
    *("spells", "simulated_shop", "errors", "replay", "demo", "hostile_rows", "triggers"),
    *("publish", "data_quality", "erasure", "check", "staging", "optional_tables"),
]


def pytest_collection_modifyitems(items):
    """Run the longest files first."""

    def position(item) -> int:
        name = item.path.stem.removeprefix("test_")
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=position)
