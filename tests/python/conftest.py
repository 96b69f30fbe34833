"""A landing of a few rows, and dbt on it, for the tests of what dbt says and does."""

import atexit
import contextlib
import json
import multiprocessing
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from multiprocessing import forkserver
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

# Of the folders that a build names, the numbers under which each of them is open.
OPEN_AS = {"LANDING": 200, "BUILD": 201}
OPEN_FILES = Path("/proc/self/fd")
# Where dbt finds what a build needs; some are below one of those folders.
PLACES = {
    "LETTERSHOP_LANDING": "LANDING",
    "LETTERSHOP_DUCKDB": "BUILD/work.duckdb",
    "LETTERSHOP_STATE": "BUILD/state.duckdb",
    "LETTERSHOP_PUBLISHED": "BUILD/published.duckdb",
    "DBT_PROFILES_DIR": str(ROOT / "profiles"),
}
# What else dbt sees of the environment: with every line that it says it goes through all of it.
SEEN = ("DBT_", "LETTERSHOP_", "OMP_", "PYTHON", "HOME", "PATH", "TMPDIR", "DO_NOT_TRACK")
# The threads of the static parser are the server's, and do not live on in what is forked.
WITHOUT_THREADS = {"DBT_STATIC_PARSER": "false"}
PROCESSES = multiprocessing.get_context("forkserver")
LIBRARIES = ["pandas", "pyarrow", "scipy.optimize", "sklearn.cluster", "sklearn.ensemble"]
PROCESSES.set_forkserver_preload(["dbt.adapters.duckdb", *LIBRARIES, "parsed_project"])


@cache
def _start_server() -> None:
    """Start what builds are forked from: importing dbt and parsing take longer than most runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        forkserver.ensure_running()


def _known_as(name: str, folder: Path) -> str:
    """Open a folder under its number and return a path of it that is the same in every process.

    Where the system has no paths for open files, it is the folder's own.

    Args:
        name: one of OPEN_AS.
        folder: any folder.
    """
    opened = os.open(folder, os.O_RDONLY)
    os.dup2(opened, OPEN_AS[name])
    os.close(opened)
    path = OPEN_FILES / str(OPEN_AS[name])
    return str(path if path.exists() else folder)


def placed(value: str, folders: dict[str, str]) -> str:
    """Return a value of PLACES with the folder's path for its name.

    Args:
        value: of PLACES, or any other.
        folders: path by name.
    """
    name, slash, rest = value.partition("/")
    return folders[name] + slash + rest if name in folders else value


def _become(
    project: Path, env: dict[str, str], folders: dict[str, Path], output: Path, errors: Path
) -> None:
    """Be a process that was started in a project, and whose words go into files.

    Args:
        project: the dbt project.
        env: environment variables; a place may begin with the name of one of the folders.
        folders: by name in OPEN_AS.
        output: the file for what is said.
        errors: the file for what is said of errors; may be the same.
    """
    for number, path in ((1, output), (2, errors)):
        with path.open("a") as file:
            os.dup2(file.fileno(), number)
    for name in [name for name in os.environ if not name.startswith(SEEN)]:
        del os.environ[name]
    os.environ |= WITHOUT_THREADS
    known = {name: _known_as(name, folder) for name, folder in folders.items()}
    os.environ.update({name: placed(value, known) for name, value in env.items()})
    os.chdir(project)


def _run_dbt(
    args: list[str],
    project: Path,
    env: dict[str, str],
    output: Path,
    folders: dict[str, Path],
    is_parsed: bool,
    manifest=None,
) -> None:
    """Be the program dbt, in a process of its own.

    Args:
        args: what follows `dbt`.
        project: see _become.
        env: see _become.
        output: the file for what dbt says.
        folders: see _become.
        is_parsed: take the project as it was parsed for all.
        manifest: of another project that was parsed.
    """
    output.write_text("")
    _become(project, env, folders, output, output)
    from dbt.cli.main import cli
    from parsed_project import MANIFEST

    manifest = manifest or (MANIFEST if is_parsed else None)
    cli(args, obj={"manifest": manifest} if manifest else None)


def _in_fork(function) -> int:
    """Call a function in a fork of this process, and return its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            function()
            code = 0
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else int(bool(stopped.code))
            if isinstance(stopped.code, str):
                print(stopped.code, file=sys.stderr)
        except BaseException:
            # As at the end of a program; nobody else would see why it ended.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Forks:
    """What tools.places finds in the place of `subprocess`: dbt, with the project parsed."""

    def __init__(self, manifest):
        """Take the manifest that every run is given."""
        self.manifest = manifest

    def run(self, command, cwd, env, check, capture_output=False, text=False):
        """Run dbt as subprocess.run does, in a fork."""
        assert Path(command[0]).name == "dbt" and check is False and text == capture_output

        def dbt():
            os.environ.clear()
            os.environ.update(env)
            os.chdir(cwd)
            if capture_output:
                for number, file in ((1, output), (2, errors)):
                    os.dup2(file.fileno(), number)
            from dbt.adapters.duckdb.connections import DuckDBConnectionManager
            from dbt.adapters.factory import reset_adapters
            from dbt.cli.main import cli
            from dbt.parser.manifest import write_manifest

            # The adapter that parsed knows one database; a program may name another.
            reset_adapters()
            if "parse" in command:
                # It would only write what it has read.
                write_manifest(self.manifest, command[command.index("--target-path") + 1])
            try:
                cli(command[1:], obj={"manifest": self.manifest})
            finally:
                # As at the end of a program: what was written goes from the log into the database.
                DuckDBConnectionManager.close_all_connections()

        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            code = _in_fork(dbt)
            said = []
            for file in (output, errors):
                file.seek(0)
                said.append(file.read() if capture_output else None)
        return subprocess.CompletedProcess(command, code, *said)


def _run_program(module, args, project, env, output, errors, folders, manifest=None) -> None:
    """Be a program of tools/, in a process of its own. Only its dbt need not start and parse.

    Args:
        module: such as tools.build.
        args: what follows it.
        project: see _become.
        env: see _become.
        output: see _become.
        errors: see _become.
        folders: see _become.
        manifest: of another project that was parsed.
    """
    _become(project, env, folders, output, errors)
    sys.path.insert(0, str(project))
    from parsed_project import MANIFEST

    from tools import places

    assert project == places.ROOT
    if manifest := manifest or MANIFEST:
        places.subprocess = _Forks(manifest)
    sys.argv = [module, *args]
    runpy.run_module(module, run_name="__main__")


def _serve(project: Path, requests) -> None:
    """Parse a project once, and be dbt or a program in forks of this process.

    Args:
        project: the project.
        requests: a connection: in come functions of this module with their arguments, out go exit
            codes.
    """
    from parsed_project import parsed

    os.environ |= WITHOUT_THREADS
    manifest = parsed(project)
    with contextlib.suppress(EOFError):
        while True:
            function, arguments = requests.recv()
            requests.send(_in_fork(lambda: function(*arguments, manifest)))  # noqa: B023


class Parsed:
    """A project other than this one, parsed once for all that is run of it."""

    def __init__(self, project: Path):
        """Start what serves the project, with the files that it has now.

        Args:
            project: whose files of dbt may no more change; seeds may.
        """
        _start_server()
        self.requests, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_serve, args=(project, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def call(self, function, *arguments) -> int:
        """Have a function of this module called, and return the exit code."""
        self.requests.send((function, arguments))
        return self.requests.recv()


def _write_tables(folder: Path, tables: dict[str, str]) -> Path:
    """Write landing tables, name to SQL of their rows, into a new folder, and return it."""
    folder.mkdir(parents=True)
    for name, query in tables.items():
        duckdb.execute(f"copy ({query}) to '{folder}/{name}.parquet' (format parquet)")
    return folder


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
    # What check_landing names the shop's own columns by.
    for path in ROOT.glob("seeds/own/attribute_catalog.*"):
        shutil.copy(path, project / "seeds")
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
        tables = (TABLES | replaced).items()
        return _write_tables(folder, {name: query for name, query in tables if query is not None})

    return write


@pytest.fixture
def dbt(place, sources_project):
    """A function that runs dbt on the landing, by default in the project without models."""

    def run(
        *args: str, project: Path | None = None, vars: dict = VARS, env: dict | None = None
    ) -> subprocess.CompletedProcess:
        project = project or sources_project
        output = place / "output.txt"
        environment = {
            "LETTERSHOP_LANDING": str(place / "landing"),
            "LETTERSHOP_DUCKDB": str(place / "work.duckdb"),
            "LETTERSHOP_STATE": str(place / "state.duckdb"),
            "LETTERSHOP_PUBLISHED": str(place / "published.duckdb"),
            "DBT_TARGET_PATH": str(place / f"target_{project.name}"),
            "DBT_LOG_PATH": str(place / "logs"),
            "DBT_PROFILES_DIR": str(project),
            "DBT_USE_COLORS": "false",
            "DBT_WRITE_JSON": "false",
        } | (env or {})
        args = [*args, *(["--vars", json.dumps(vars)] if vars else [])]
        _start_server()
        process = PROCESSES.Process(
            target=_run_dbt, args=(args, project, environment, output, {}, project == ROOT)
        )
        process.start()
        process.join(timeout=300)
        return subprocess.CompletedProcess(args, process.exitcode, stdout=output.read_text())

    return run


@cache
def _seeded() -> Path:
    """Return a working database with the seeds and nothing else, loaded once for a process."""
    folder = Path(tempfile.mkdtemp(prefix="lettershop_seeds_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _write_tables(folder / "landing", TABLES)
    Build(folder, folder / "landing").run("seed", vars=VARS)
    # Into the file: what a database wrote last stands beside it.
    with duckdb.connect(str(folder / "work.duckdb")) as connection:
        connection.execute("checkpoint")
    return folder / "work.duckdb"


class Build:
    """One run of the whole project on a landing, in databases of its own.

    The project's own seeds are the same in every build: a working database begins as a copy of one
    that has them.

    Attributes:
        folder: where the databases are.
        result: what dbt said.
        target: dbt's target of the last run.
    """

    def __init__(
        self, folder: Path, landing: Path, project: Path = ROOT, parsed: Parsed | None = None
    ):
        """Name the places; nothing runs yet.

        Args:
            folder: for databases and dbt's target.
            landing: the landing tables.
            project: the dbt project, by default this one.
            parsed: what has parsed the project, where it is another.
        """
        self.folder, self.landing, self.project, self.parsed = folder, landing, project, parsed
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
            args: what follows `dbt`; where they begin with an option, it is one of that build.
            vars: for --vars.
            threads: dbt's threads.
            passes: stop the test where dbt fails.
            writes_json: leave manifest.json and run_results.json in the target.
            killed_after: seconds after which the process gets SIGKILL, if it still runs.
        """
        is_parsed = self.project == ROOT and not writes_json
        if not args or args[0].startswith("-"):
            if is_parsed and not (self.folder / "work.duckdb").exists():
                shutil.copy(_seeded(), self.folder / "work.duckdb")
            seeds = () if is_parsed else ("--resource-type", "seed")
            args = ("build", "--resource-type", "model", *seeds, *args)
        self.target = self.folder / "target"
        environment = PLACES | {
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_WRITE_JSON": str(writes_json),
            "DBT_USE_COLORS": "false",
        }
        output = self.folder / "output.txt"
        args = [*args, "--vars", json.dumps(vars), "--threads", str(threads)]
        folders = {"LANDING": self.landing, "BUILD": self.folder}
        if self.parsed:
            code = self.parsed.call(
                _run_dbt, args, self.project, environment, output, folders, False
            )
            self.result = subprocess.CompletedProcess(args, code, output.read_text())
            assert not passes or code == 0, self.result.stdout[-6000:]
            return self
        _start_server()
        process = PROCESSES.Process(
            target=_run_dbt, args=(args, self.project, environment, output, folders, is_parsed)
        )
        process.start()
        process.join(timeout=killed_after or 600)
        if killed_after and process.exitcode is None:
            process.kill()
            process.join()
        self.result = subprocess.CompletedProcess(args, process.exitcode, output.read_text())
        assert not passes or process.exitcode == 0, self.result.stdout[-6000:]
        return self

    def program(self, module: str, *args: str, env: dict | None = None):
        """Run a program of tools/ on this build's places and return its result.

        It is what `python -m` starts, but that its dbt does not parse the project once more.

        Args:
            module: such as tools.build.
            args: what follows it.
            env: environment variables besides those of the places.
        """
        environment = PLACES | {
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_USE_COLORS": "false",
        }
        files = [self.folder / name for name in ("stdout.txt", "stderr.txt")]
        for file in files:
            file.write_text("")
        folders = {"LANDING": self.landing, "BUILD": self.folder}
        arguments = (module, args, self.project, environment | (env or {}), *files, folders)
        if self.parsed:
            code = self.parsed.call(_run_program, *arguments)
        else:
            _start_server()
            process = PROCESSES.Process(target=_run_program, args=arguments)
            process.start()
            process.join(timeout=300)
            code = process.exitcode
        said = [file.read_text() for file in files]
        for file in files:
            file.unlink()
        return subprocess.CompletedProcess([module, *args], code, *said)

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

        Run metadata is left out: monitoring.build_runs by schema, run_id by name.
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
                    f"coalesce(cast(\"{column[0]}\" as varchar), '∅')"
                    for column in columns
                    if column[0] != "run_id"
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
        return _write_tables(folder, tables)

    return write


# The files that take longest, longest first, so that two workers end at the same time.
LONGEST = [
    *(
        "publish",
        "spells",
        "simulated_shop",
        "errors",
        "replay",
        "demo",
        "hostile_rows",
        "triggers",
    ),
    *(
        "package",
        "sync",
        "activation_sync",
        "sync_faults",
        "data_quality",
        "erasure",
        "restated",
        "check",
        "staging",
        "optional_tables",
    ),
]


def pytest_collection_modifyitems(items):
    """Run the longest files first."""

    def position(item) -> int:
        name = item.path.stem.removeprefix("test_")
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=position)
