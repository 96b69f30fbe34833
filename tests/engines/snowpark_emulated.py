"""A Snowpark session whose SQL is Snowpark's own and runs on fakesnow's server.

fakesnow cannot take rows from Snowpark (`$1 from values`, PUT, COPY), so that these go through
bound inserts. Everything else is sent as Snowpark writes it; `Session.query_history` has the text.
"""

import contextlib
import functools
import itertools
import socket
import threading
import time
from unittest import mock

import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.server import app
from snowflake.snowpark import Session

MADE = itertools.count()
NAMES = {
    "StringType": "varchar",
    "IntegerType": "integer",
    "LongType": "bigint",
    "DoubleType": "double",
    "DateType": "date",
    "BooleanType": "boolean",
}


def rows_as_table(session: Session, rows: list, schema):
    """Return rows as `Session.create_dataframe` would: from a table that inserts have filled."""
    # The emulator keeps temporary tables: sessions beside each other need names of their own.
    name = f"lettershop_made_{next(MADE)}"
    columns = ", ".join(
        f"{field.name} {NAMES[type(field.datatype).__name__]}" for field in schema.fields
    )
    cursor = session.connection.cursor()
    cursor.execute(f"create or replace table {name} ({columns})")
    if rows:
        marks = ", ".join("?" * len(schema.fields))
        for start in range(0, len(rows), 500):
            some = rows[start : start + 500]
            cursor.execute(
                f"insert into {name} values {', '.join([f'({marks})'] * len(some))}",
                [value for row in some for value in row],
            )
    return session.table(name)


@contextlib.contextmanager
def session(connection: dict):
    """Give a Snowpark session on an emulator.

    Args:
        connection: what `snowflake.connector.connect` needs to reach it.
    """
    # Longer would be waited for at the end, by whoever closes a session of a server that is gone.
    opened = Session.builder.configs({"network_timeout": 20, **connection}).create()
    opened.create_dataframe = functools.partial(rows_as_table, opened)
    yield opened
    # Snowpark would first cancel queries by a function that fakesnow does not have.
    opened.connection.close()


_execute = FakeSnowflakeCursor.execute


def execute(cursor: FakeSnowflakeCursor, command: str, *rest, **options):
    """Run a union, which Snowpark begins with a bracket: fakesnow describes only selects."""
    if command.lstrip().startswith("("):
        command = f"select * from ({command})"
    return _execute(cursor, command, *rest, **options)


@contextlib.contextmanager
def server():
    """Run fakesnow's server on a free port of this machine, and give how to reach it.

    Not by `fakesnow.server`: its first call puts a module of that name in its place.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error")
    running = uvicorn.Server(settings)
    thread = threading.Thread(target=running.run, daemon=True)
    with mock.patch.object(FakeSnowflakeCursor, "execute", execute):
        thread.start()
        while thread.is_alive() and not running.started:
            time.sleep(0.1)
        yield {
            "user": "emulated",
            "password": "emulated",
            "account": "fakesnow",
            "host": "127.0.0.1",
            "port": port,
            "protocol": "http",
            "database": "LETTERSHOP",
            "schema": "MAIN",
            "session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        }
        running.should_exit = True
        thread.join(timeout=30)
