"""A Snowflake to test against: fakesnow's server, which is DuckDB underneath, with a few patches.

    python -m tests.engines.emulator <port>

What runs here is translated, not verified on Snowflake: it finds foreign syntax, functions, types
and null orders, and shows how dbt's Snowflake adapter behaves. Each patch says why it is needed and
counts how often it was. Statements that nothing here can execute are accepted only where NO_OPS
names their kind; whatever else is passed over lands in the report as unexpected.
"""

import re
import sys
import time
from collections import Counter
from pathlib import Path

import fakesnow.arrow
import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.server
import fakesnow.transforms
import pyarrow
import pyarrow.compute
import snowflake.connector.errors
import sqlglot
import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.expr import key_command
from fakesnow.transforms import stage
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.engines import guide

WORK, STATE, LANDING = "LETTERSHOP", "LETTERSHOP_STATE", "LETTERSHOP_LANDING"

# Statements that have no effect on what a query returns. Their text is asserted by other tests.
NO_OPS = {
    "alter session": r"alter\s+session\s",
    "use role or warehouse": r"use\s+(secondary\s+roles?|role|warehouse)\s",
    "grants": r"(grant|revoke)\s",
    "policies": r"(create|alter)\s+(or\s+replace\s+)?(masking|row\s+access)\s+policy\s"
    r"|alter\s+(table|view)\s+\S+\s+(modify|alter)\s+column\s+\S+\s+(un)?set\s+masking"
    r"|alter\s+(table|view)\s+\S+\s+(add|drop)\s+row\s+access",
    "tags": r"create\s+(or\s+replace\s+)?tag\s|alter\s+\w+\s+\S+\s+.*\bset\s+tag\s"
    r"|alter\s+tag\s+\S+\s+set\s+masking\s",
    "clustering": r"alter\s+table\s+\S+\s+(cluster\s+by|drop\s+clustering|\w+\s+recluster)",
    "comments": r"comment\s+on\s|alter\s+(table|view)\s+\S+\s+alter\s+.*\bcomment\s",
    "warehouses and roles": r"(create|alter)\s+(or\s+replace\s+)?(role|warehouse|user)\s",
}
# Schemas of the emulator's own.
HIDDEN = ("_fs", "information_schema.", "pg_catalog.", "main.")
SUCCESS = "select 'Statement executed successfully.' as status"

patches: dict[str, str] = {}
used: Counter[str] = Counter()
executed: Counter[str] = Counter()
accepted: Counter[str] = Counter()
unexpected: Counter[str] = Counter()
failed: Counter[str] = Counter()


def bare(command: str) -> str:
    """Return a statement without the comments before and behind it: dbt says in one who asks."""
    comment = r"\s*(?:/\*(?:[^*]|\*(?!/))*\*/\s*)*"
    return re.sub(rf"^{comment}|{comment};?\s*$", "", command)


def patch(function):
    """Enter a patch, its docstring as the reason, into the report."""
    patches[function.__name__] = " ".join(function.__doc__.split())
    return function


@patch
def temporary_to_permanent(expression: exp.Expression) -> None:
    """Temporary tables and views with a qualified name become permanent: DuckDB knows temporary
    ones in one catalog only.
    """
    properties = expression.args.get("properties")
    if isinstance(expression, exp.Create) and properties:
        kept = [
            each for each in properties.expressions if not isinstance(each, exp.TemporaryProperty)
        ]
        if len(kept) < len(properties.expressions):
            used["temporary_to_permanent"] += 1
            properties.set("expressions", kept)


@patch
def constraints_not_enforced(expression: exp.Expression) -> None:
    """Primary, unique and foreign keys are left out: Snowflake does not enforce them, DuckDB
    would, and fakesnow stops at those of a whole table.
    """
    keys = (
        exp.PrimaryKey,
        exp.ForeignKey,
        exp.UniqueColumnConstraint,
        exp.Constraint,
        exp.Reference,
    )
    column_keys = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
    if not (isinstance(expression, exp.Create) and isinstance(expression.this, exp.Schema)):
        return
    schema = expression.this
    kept = [each for each in schema.expressions if not isinstance(each, keys)]
    is_used = len(kept) < len(schema.expressions)
    schema.set("expressions", kept)
    for column in schema.find_all(exp.ColumnDef):
        constraints = column.args.get("constraints") or []
        kept = [each for each in constraints if not isinstance(each.kind, column_keys)]
        is_used = is_used or len(kept) < len(constraints)
        column.set("constraints", kept)
    used["constraints_not_enforced"] += is_used


@patch
def division_as_on_snowflake(expression: exp.Expression) -> None:
    """Snowflake divides decimals and whole numbers as decimals, with six digits more than the
    dividend has and at most twelve, and stops at a zero; DuckDB divides doubles.
    """
    for division in list(expression.find_all(exp.Div)):
        used["division_as_on_snowflake"] += 1
        division.replace(
            exp.Anonymous(this="_sf_divide", expressions=[division.left, division.right])
        )


@patch
def hash_is_signed(expression: exp.Expression) -> None:
    """HASH is a signed number on Snowflake; DuckDB's does not fit a bigint. Half of it does."""
    for node in list(expression.find_all(exp.Anonymous)):
        if node.name.upper() == "HASH":
            used["hash_is_signed"] += 1
            node.replace(exp.Anonymous(this="_sf_hash", expressions=[node.copy()]))


@patch
def nulls_by_others_order(expression: exp.Expression) -> None:
    """MIN_BY and MAX_BY return a null that stands in the first row; DuckDB passes over it."""
    for kind, name in ((exp.ArgMin, "arg_min_null"), (exp.ArgMax, "arg_max_null")):
        for node in list(expression.find_all(kind)):
            used["nulls_by_others_order"] += 1
            node.replace(exp.Anonymous(this=name, expressions=[node.this, node.expression]))


@patch
def times_as_text(expression: exp.Expression) -> None:
    """TO_CHAR of a time knows the two formats that the project writes; fakesnow leaves the format
    out wherever it cannot see that the expression is a time.
    """
    formats = {
        "YYYY-MM-DD HH24:MI:SS": "%Y-%m-%d %H:%M:%S",
        "YYYY-MM-DD HH24:MI:SS.FF6": "%Y-%m-%d %H:%M:%S.%f",
    }
    for node in list(expression.find_all(exp.ToChar)):
        if (form := node.args.get("format")) is None:
            continue
        if form.name not in formats:
            raise NotImplementedError(f"to_char with the format {form.name}")
        used["times_as_text"] += 1
        arguments = [node.this, exp.Literal.string(formats[form.name])]
        node.replace(exp.Anonymous(this="strftime", expressions=arguments))


@patch
def trying_times(expression: exp.Expression) -> None:
    """TRY_CAST to a time gives null where the text is none; fakesnow makes it a plain cast."""
    for node in list(expression.find_all(exp.TryCast)):
        if node.to.this in (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ):
            used["trying_times"] += 1
            node.replace(exp.Anonymous(this="_sf_try_time", expressions=[node.this]))


@patch
def elements_as_text(expression: exp.Expression) -> None:
    """An element of a list by a computed position, cast to text, is the text; fakesnow sees that
    only where the position is a literal.
    """
    for node in list(expression.find_all(exp.Cast)):
        if isinstance(node.this, exp.GetExtract):
            used["elements_as_text"] += 1
            parts = [node.this.this, node.this.expression]
            node.this.replace(exp.Anonymous(this="_sf_element", expressions=parts))


@patch
def bytes_of_text(expression: exp.Expression) -> None:
    """OCTET_LENGTH of a text is strlen on DuckDB, whose own function of that name takes bytes."""
    for node in list(expression.find_all(exp.ByteLength)):
        used["bytes_of_text"] += 1
        node.replace(exp.Anonymous(this="strlen", expressions=[node.this]))


@patch
def text_of_nothing_is_empty(expression: exp.Expression) -> None:
    """LISTAGG of nothing is an empty text on Snowflake, null on DuckDB."""
    for node in list(expression.find_all(exp.GroupConcat)):
        whole = node.parent if isinstance(node.parent, exp.WithinGroup) else node
        used["text_of_nothing_is_empty"] += 1
        whole.replace(exp.Coalesce(this=whole.copy(), expressions=[exp.Literal.string("")]))


MACROS = """
create or replace macro {catalog}.main._sf_scale(type) as
    case
        when type like 'DECIMAL%' then cast(regexp_extract(type, ',([0-9]+)', 1) as integer)
        else 0
    end;
create or replace macro {catalog}.main._sf_hash(whole) as cast(whole // 2 as bigint);
create or replace macro {catalog}.main._sf_element(list, position) as
    json_extract_string(list, '$[' || cast(position as varchar) || ']');
create or replace macro {catalog}.main._sf_try_time(said) as try_cast(said as timestamp);
create or replace macro {catalog}.main._sf_divide(dividend, divisor) as
    case
        when divisor = 0 then error('Division by zero')
        when typeof(dividend) in ('DOUBLE', 'FLOAT') or typeof(divisor) in ('DOUBLE', 'FLOAT')
            then dividend / divisor
        else round(
            dividend / divisor,
            greatest(
                {catalog}.main._sf_scale(typeof(dividend)),
                least({catalog}.main._sf_scale(typeof(dividend)) + 6, 12)
            )
        )
    end;
"""


@patch
def whole_numbers_as_declared(expression: exp.Expression) -> exp.Expression:
    """An integer stays an integer: fakesnow makes it a bigint, which DuckDB adds to no date. On
    Snowflake both are NUMBER(38, 0).
    """
    if isinstance(expression, exp.DataType) and expression.this == exp.DataType.Type.INT:
        used["whole_numbers_as_declared"] += 1
        return expression
    return _widened(expression)


@patch
def sums_of_decimals(expression: exp.Expression) -> exp.Expression:
    """Aggregates take numbers as they are: fakesnow casts them to doubles, for the sake of text
    that is summed, and decimals would not be compared at all.
    """
    used["sums_of_decimals"] += isinstance(expression, exp.Sum)
    return expression


@patch
def trims_as_told(expression: exp.Expression) -> exp.Expression:
    """TRIM and RTRIM keep what is to be trimmed, and where: fakesnow forgets both when it casts."""
    if not isinstance(expression, exp.Trim) or expression.expression is None:
        return _trimmed(expression)
    used["trims_as_told"] += 1
    return expression


@patch
def describing_in_brackets(cursor: FakeSnowflakeCursor, command: str):
    """Snowpark asks for the columns of a union, which it begins with a bracket; fakesnow wants a
    select.
    """
    if command.lstrip().startswith("("):
        used["describing_in_brackets"] += 1
        command = f"select * from ({command})"
    return _described(cursor, command)


@patch
def describing_other_databases(expression, current_database=None, current_schema=None):
    """DESCRIBE finds tables of any database; fakesnow looks into the session's own only, and dbt
    would think that state has no columns.
    """
    described = _describe_table(expression, current_database, current_schema)
    if described is not expression:
        for table in described.find_all(exp.Table):
            if table.name.lower() == "_fs_columns":
                used["describing_other_databases"] += 1
                table.set("catalog", exp.to_identifier("_fs_global"))
    return described


@patch
def null_timestamps(timestamps) -> pyarrow.Array:
    """The server sends a null timestamp as 1970-01-01: its struct lacks the mask of nulls."""
    if isinstance(timestamps, pyarrow.ChunkedArray):
        timestamps = timestamps.combine_chunks()
    without = _struct_of_timestamps(timestamps)
    used["null_timestamps"] += timestamps.null_count > 0
    return pyarrow.StructArray.from_arrays(
        [without.field(n) for n in range(without.type.num_fields)],
        fields=list(without.type),
        mask=pyarrow.compute.is_null(timestamps),
    )


@patch
def rollback_on_error(cursor: FakeSnowflakeCursor) -> None:
    """After an error inside a transaction DuckDB refuses everything until a rollback; Snowflake
    does not, and dbt goes on in the session.
    """
    try:
        cursor._duck_conn.execute("rollback")
        used["rollback_on_error"] += 1
    except Exception:
        return


@patch
def errors_are_sql_errors(error: Exception) -> Exception:
    """An error within fakesnow is HTTP 500, which the connector tries again for ever. It becomes an
    error of SQL, which fails the model.
    """
    if isinstance(error, snowflake.connector.errors.Error):
        return error
    used["errors_are_sql_errors"] += 1
    return snowflake.connector.errors.ProgrammingError(
        msg=f"not emulated: {type(error).__name__}: {error}", errno=261000, sqlstate="0A000"
    )


@patch
def parameters_of_the_session(command: str) -> str:
    """`show parameters` is answered: dbt asks for the query tag before every model, and preflight
    for what docs/snowflake.md sets for the user.
    """
    if re.fullmatch(r"show\s+parameters\s+in\s+session", bare(command), re.IGNORECASE):
        used["parameters_of_the_session"] += 1
        rows = [f"('{name.upper()}', '{value}')" for name, value in guide.session().items()]
        return f"select * from (values {', '.join(rows)}) as said (key, value)"
    if re.match(r"\s*show\s+parameters\s+like\s+'query_tag'", command, re.IGNORECASE):
        used["parameters_of_the_session"] += 1
        return "select 'QUERY_TAG' as key, '' as value"
    return command


@patch
def dynamic_tables_are_tables(command: str) -> str:
    """A dynamic table is made as a plain one, and so is renamed and dropped as one."""
    changed = re.sub(r"\b(alter|drop)\s+dynamic\s+table\b", r"\1 table", command, flags=re.I)
    used["dynamic_tables_are_tables"] += changed != command
    return changed


@patch
def databases_swapped_and_dropped(cursor: FakeSnowflakeCursor, command: str) -> bool:
    """Databases change names by `swap with` and go by `drop database`; DuckDB, which has them
    attached, says so in other words.
    """
    swap = re.match(r"alter\s+database\s+(\w+)\s+swap\s+with\s+(\w+)$", bare(command), re.I)
    drop = re.match(
        r"(?:drop\s+database|create\s+or\s+replace\s+(?:transient\s+)?database)\s+(\w+)$",
        bare(command),
        re.IGNORECASE,
    )
    if swap:
        one, other = (name.upper() for name in swap.groups())
        for before, after in ((one, "_SWAPPED"), (other, one), ("_SWAPPED", other)):
            cursor._duck_conn.execute(f"alter database {before} set alias to {after}")
    elif drop:
        # Who makes a database is in it from then on, and DuckDB drops none that somebody is in.
        cursor._duck_conn.execute(f"use {WORK}")
        cursor._duck_conn.execute(f"detach database if exists {drop[1].upper()}")
    is_done = bool(swap) or (bool(drop) and "drop" in drop[0].lower())
    used["databases_swapped_and_dropped"] += bool(swap or drop)
    if is_done:
        executed["SWAP OR DROP DATABASE"] += 1
    return is_done


@patch
def tables_by_template(cursor: FakeSnowflakeCursor, command: str) -> str:
    """A table is made from what INFER_SCHEMA finds in staged files; fakesnow has no such function.
    DuckDB knows the columns of a file too.
    """
    found = re.match(
        r"\s*create\s+table\s+if\s+not\s+exists\s+(\w+)\s+using\s+template\s*\(.*"
        r"infer_schema\s*\(\s*location\s*=>\s*'(@[^']+)'.*ignore_case\s*=>\s*true",
        command,
        re.IGNORECASE | re.DOTALL,
    )
    if not found:
        return command
    used["tables_by_template"] += 1
    table, place = found.groups()
    name, _, path = place[1:].partition("/")
    connection = cursor._conn
    folder = stage.internal_dir(
        f"{connection.database}.{connection.schema}.{name}".upper(), path.strip("/")
    )
    described = cursor._duck_conn.execute(f"describe from '{folder}/*.parquet'").fetchall()
    columns = ", ".join(f"{column} {kind}" for column, kind, *_ in described)
    return f"create table if not exists {table} ({columns})"


def no_op_of(command: str) -> str | None:
    """Return the kind of a statement that is accepted and not executed, None for any other."""
    statement = bare(command)
    for kind, pattern in NO_OPS.items():
        if re.match(pattern, statement, re.IGNORECASE | re.DOTALL):
            return kind
    return None


@patch
def policies_are_not_parsed(sql: str) -> exp.Expression:
    """The server parses what it gets before it executes it, and has no words for row access
    policies. What is accepted and not executed need not be parsed.
    """
    if no_op_of(sql):
        used["policies_are_not_parsed"] += 1
        sql = SUCCESS
    return _parsed(sql)


OF_STATEMENTS = (
    temporary_to_permanent,
    constraints_not_enforced,
    division_as_on_snowflake,
    hash_is_signed,
    nulls_by_others_order,
    times_as_text,
    trying_times,
    elements_as_text,
    bytes_of_text,
    text_of_nothing_is_empty,
)
_parsed = fakesnow.server.parse_one
_widened = fakesnow.transforms.integer_precision
_describe_table = fakesnow.transforms.describe_table
_described = FakeSnowflakeCursor._describe_only
_trimmed = fakesnow.transforms.trim_cast_varchar
_struct_of_timestamps = fakesnow.arrow.timestamp_to_sf_struct
_transform = FakeSnowflakeCursor._transform
_run = FakeSnowflakeCursor._execute
_execute = FakeSnowflakeCursor.execute


def transform(self, expression, params):
    """What fakesnow does to a statement, after the patches."""
    for each in OF_STATEMENTS:
        each(expression)
    kind = key_command(expression)
    transformed = _transform(self, expression, params)
    # What reads a table is not passed over, and takes long to be written as text.
    is_passed_over = (
        transformed.find(exp.From) is None and transformed.sql().lower() == SUCCESS.lower()
    )
    if is_passed_over:
        unexpected[kind] += 1
    else:
        executed[kind] += 1
    return transformed


def execute(self, command, *arguments, **options):
    """Execute a statement, or accept it where its kind is one of NO_OPS."""
    command = parameters_of_the_session(command)
    if kind := no_op_of(command):
        accepted[kind] += 1
        return _run_accepted(self, SUCCESS)
    made = re.match(r"create\s+(or\s+replace\s+)?(transient\s+)?database\b", bare(command), re.I)
    try:
        if databases_swapped_and_dropped(self, command):
            return _run_accepted(self, SUCCESS)
        command = dynamic_tables_are_tables(tables_by_template(self, command))
        result = _execute(self, command, *arguments, **options)
        if made:
            # What the patches' SQL calls, in the database that was made.
            self._duck_conn.execute(MACROS.format(catalog=database_of(command)))
        return result
    except Exception as error:
        said = str(error).split("\n")[0]
        failed[re.sub(r"\S*\d\S*|\"[^\"]*\"|'[^']*'", "...", said)[:100]] += 1
        rollback_on_error(self)
        raise errors_are_sql_errors(error) from error


def database_of(command: str) -> str:
    """Return the name of the database that a statement makes."""
    return re.search(r"database\s+(?:if\s+not\s+exists\s+)?(\w+)", command, re.I)[1].upper()


def _run_accepted(cursor: FakeSnowflakeCursor, command: str) -> FakeSnowflakeCursor:
    """Answer as Snowflake does to a statement that returns nothing."""
    _run(cursor, sqlglot.parse_one(command, read="duckdb"))
    return cursor


def install() -> None:
    """Put the patches in place."""
    fakesnow.server.parse_one = policies_are_not_parsed
    fakesnow.transforms.numeric_agg_implicit_cast = sums_of_decimals
    fakesnow.transforms.describe_table = describing_other_databases
    fakesnow.transforms.trim_cast_varchar = trims_as_told
    fakesnow.transforms.integer_precision = whole_numbers_as_declared
    fakesnow.arrow.timestamp_to_sf_struct = null_timestamps
    FakeSnowflakeCursor._describe_only = describing_in_brackets
    FakeSnowflakeCursor._transform = transform
    FakeSnowflakeCursor.execute = execute


def report() -> dict:
    """Return what happened so far: statements by kind, and how often each patch was needed."""
    return {
        "executed": dict(executed.most_common()),
        "accepted": dict(accepted.most_common()),
        "unexpected": dict(unexpected.most_common()),
        "failed": dict(failed.most_common()),
        "cpu": time.process_time(),
        "patches": {name: [used[name], reason] for name, reason in patches.items()},
    }


def create_databases() -> None:
    """Make the databases that the account of docs/snowflake.md has."""
    connection = fakesnow.server.shared_fs.connect()
    for database in (WORK, STATE, LANDING):
        connection.cursor().execute(f"create database if not exists {database}")
        connection.cursor().execute(f"create schema if not exists {database}.public")
    connection.close()


def follow(folder: Path) -> dict[str, int]:
    """Do what docs/snowflake.md says, from an empty account to a landing.

    Args:
        folder: of the landing's files.

    Returns:
        How many statements its first two sections have; each of them was executed or accepted.
    """
    connection = fakesnow.server.shared_fs.connect()
    cursor = connection.cursor()
    sections = {"account": guide.account(), "landing": guide.landing(folder)}
    for statements in sections.values():
        for statement in statements:
            cursor.execute(statement)
    connection.close()
    return {name: len(statements) for name, statements in sections.items()}


def load_landing(folder: Path) -> None:
    """Put a landing's parquet files in the place of the tables of the day before, as a loader
    would, which is no part of what is tested.

    Args:
        folder: of the files or folders <table>.parquet.
    """
    connection = fakesnow.server.shared_fs.connect(LANDING, "LANDING")
    for path in sorted(folder.glob("*.parquet")):
        files = f"{path}/*.parquet" if path.is_dir() else str(path)
        columns = connection._duck_conn.execute(
            f"select * from read_parquet('{files}', union_by_name=true) limit 0"
        ).description
        named = ", ".join(f'"{name[0]}" as "{name[0].upper()}"' for name in columns)
        connection._duck_conn.execute(
            f'create or replace table {LANDING}.LANDING."{path.stem.upper()}" as '
            f"select {named} from read_parquet('{files}', union_by_name=true)"
        )
    connection.close()


def answer_landing(request: Request) -> JSONResponse:
    """Load another landing over the tables of the last."""
    load_landing(Path(request.query_params["folder"]))
    return JSONResponse({})


def answer_guide(request: Request) -> JSONResponse:
    """Follow the guide with a landing."""
    return JSONResponse(follow(Path(request.query_params["folder"])))


def answer_tables(request: Request) -> JSONResponse:
    """Say what a database has: schema and name, and whether it is a table.

    fakesnow's own lists go by the name that a database had when it was made.
    """
    connection = fakesnow.server.shared_fs.connect()
    found = connection._duck_conn.execute(
        "select lower(schema_name || '.' || table_name), true from duckdb_tables()"
        " where lower(database_name) = lower($1) union all"
        " select lower(schema_name || '.' || view_name), false from duckdb_views()"
        " where lower(database_name) = lower($1)",
        [request.query_params["database"]],
    ).fetchall()
    connection.close()
    return JSONResponse({name: kind for name, kind in found if not name.startswith(HIDDEN)})


def answer_report(request: Request) -> JSONResponse:
    """Say what happened so far."""
    return JSONResponse(report())


def main() -> None:
    """Serve on this machine until the signal to end."""
    install()
    fakesnow.server.app.routes.extend(
        [
            Route("/guide", answer_guide),
            Route("/landing", answer_landing),
            Route("/tables", answer_tables),
            Route("/report", answer_report),
        ]
    )
    uvicorn.run(fakesnow.server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")


if __name__ == "__main__":
    main()
