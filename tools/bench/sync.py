"""What the sync costs: against a platform's own rate limit, and without any."""

import contextlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx

from tools.places import ROOT
from tools.sync.platforms import PLATFORMS
from tools.sync.run import send

# Profiles and bytes of a bulk import, and requests a second (150 a minute).
KLAVIYO = (10_000, 5_000_000, 2.5)

# Takes everything, counts it and keeps nothing; says so as Klaviyo does. The protocol is named,
# since asyncio lets small answers wait for 40 ms on a socket that does not say it is TCP.
SINK = """
import asyncio, socket, uvicorn
record_count = 0
async def app(scope, receive, send):
    global record_count
    sent, more = [], True
    while more:
        message = await receive()
        sent.append(message.get("body", b""))
        more = message.get("more_body", False)
    record_count += b"".join(sent).count(b'"property_0"')
    body, status = b'{"data": {"id": "1"}}', 202
    if scope["method"] == "GET":
        body, status = b'{"data": [], "record_count": %d}' % record_count, 200
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
opened = socket.socket(proto=socket.IPPROTO_TCP)
opened.bind(("127.0.0.1", 0))
print(opened.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="critical", lifespan="off")
asyncio.run(uvicorn.Server(config).serve(sockets=[opened]))
"""


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """Serve the sink in a process of its own; yield its address."""
    process = subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


def write_outbox(path: Path, count: int) -> None:
    """Write a published database in which everybody changed.

    Args:
        path: of the database.
        count: of people; each payload has as many properties as ours.
    """
    properties = ", ".join(f"'property_{n}', 'value ' || number % {n + 2}" for n in range(20))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema activation; create schema monitoring; create schema core;
            create table activation.esp_outbox as
            select number + 1 as change_seq, 'upsert' as op, md5(cast(number as varchar)) as esp_id,
                cast(null as varchar) as new_esp_id,
                'person' || number || '@example.com' as email, json_object({properties}) as payload,
                md5(cast(number as varchar)) as customer_key, 'run' as run_id
            from range({count}) as numbers (number);
            create table activation.esp_klaviyo as
            select change_seq, op, '{{"type":"profile","attributes":{{"email":"' || email
                || '","external_id":"' || esp_id || '","properties":' || payload || '}}}}'
                as payload
            from activation.esp_outbox;
            create table activation.esp_generic as
            select change_seq, op, '{{"op":"upsert","id":"' || esp_id || '","email":"' || email
                || '","properties":' || payload || '}}' as payload
            from activation.esp_outbox;
            create table core.dim_esp_contacts as select '' as esp_contact_id limit 0;
            create table core.fct_erasures as
            select '' as store, '' as identifier_type, '' as identifier, '' as erasure_hash limit 0;
            create table monitoring.privacy_report as
            select 'profiling' as purpose, true as is_declared;
            create table monitoring.activation_tests as
            select 'run' as run_id, 'a_test' as test_name, 'pass' as status;
            """
        )


def record_count(url: str) -> int:
    """Return how many records the sink has had.

    Args:
        url: of the sink.
    """
    return httpx.get(url).json()["record_count"]


def seconds(name: str, folder: Path, url: str, count: int, rate: float | None = None) -> float:
    """Send everything anew and return what it took.

    Args:
        name: of the platform.
        folder: with published.duckdb.
        url: of the sink.
        count: of the rows that there are.
        rate: requests a second, where not the configuration's; 0 for no limit.

    Raises:
        RuntimeError: if not everything arrived, once.
    """
    shutil.rmtree(folder / "state", ignore_errors=True)
    project = folder / name
    shutil.copytree(ROOT / "sync" / name, project, dirs_exist_ok=True)
    for path in project.glob("syncs/*.yml") if rate is not None else ():
        limit = f"requests_per_second: {rate}"
        path.write_text(re.sub(r"requests_per_second: [\d.]+", limit, path.read_text()))
    os.environ |= dict.fromkeys(PLATFORMS[name].variables, "none") | {
        "LETTERSHOP_PUBLISHED": str(folder / "published.duckdb"),
        "LETTERSHOP_SYNC_STATE": str(folder / "state"),
        "KLAVIYO_URL": url,
        "WEBHOOK_URL": url,
    }
    said, counted = io.StringIO(), record_count(url)
    started = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = send(name, project)
    took = time.perf_counter() - started
    if code or record_count(url) - counted != count:
        raise RuntimeError(
            f"The sink has {record_count(url) - counted} of {count}.\n{said.getvalue()}"
        )
    return took


def least_seconds(path: Path) -> float:
    """Return what Klaviyo's documented limits alone ask for, whatever is configured here.

    Args:
        path: of the published database.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        count, size = connection.execute(
            "select count(*), sum(strlen(payload) + 1) from activation.esp_klaviyo"
        ).fetchone()
    records, body_bytes, requests_a_second = KLAVIYO
    # The first request waits for nothing.
    return (math.ceil(max(count / records, size / body_bytes)) - 1) / requests_a_second


def measure(count: int = 100_000) -> None:
    """Measure and print.

    Args:
        count: of changed rows.
    """
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as place, sink() as url:
        folder = Path(place)
        write_outbox(folder / "published.duckdb", count)
        least = least_seconds(folder / "published.duckdb")
        limited = seconds("klaviyo", folder, url, count)
        used = time.process_time()
        free = [seconds("generic", folder, url, count, rate=0) for _ in range(3)]
        used = (time.process_time() - used) / len(free)
    print(f"\n{count:,} changed rows to a sink that only counts\n")
    print(f"  Klaviyo's limit alone            {least:8.2f} s")
    print(f"  the sync within that limit       {limited:8.2f} s")
    print(f"  sync / limit                     {limited / least:8.2f}    target: at most 1.3")
    print(
        f"  no limit, rows a second          {count / min(free):8,.0f}    target: at least 20,000"
    )
    print(f"  rows a second of its own CPU     {count / used:8,.0f}    the same on a busy machine")
