"""What the sync costs: against a platform's own rate limit, and without any."""

import contextlib
import io
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

from tools.places import ROOT
from tools.sync.platforms import PLATFORMS
from tools.sync.run import send

# Takes everything, keeps nothing, and says so as Klaviyo does.
SINK = """
import asyncio, socket, uvicorn
async def app(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    body = b'{"data": []}' if scope["method"] == "GET" else b'{"data": {"id": "1"}}'
    headers = [(b"content-length", str(len(body)).encode())]
    status = 200 if scope["method"] == "GET" else 202
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
opened = socket.socket()
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
                'person' || number || '@example.com' as email, json_object({properties}) as payload
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
            create table monitoring.privacy_report as
            select 'profiling' as purpose, true as is_declared;
            create table monitoring.activation_tests as
            select 'run' as run_id, 'a_test' as test_name, 'pass' as status;
            """
        )


def seconds(name: str, folder: Path, url: str, rate: float | None = None) -> float:
    """Send everything anew and return what it took.

    Args:
        name: of the platform.
        folder: with published.duckdb.
        url: of the sink.
        rate: requests a second, where not the configuration's; 0 for no limit.

    Raises:
        RuntimeError: if not everything was sent.
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
    said = io.StringIO()
    started = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = send(name, project)
    took = time.perf_counter() - started
    if code:
        raise RuntimeError(said.getvalue())
    return took


def measure(count: int = 100_000) -> None:
    """Measure and print.

    Args:
        count: of changed rows.
    """
    with tempfile.TemporaryDirectory(prefix="lettershop-bench-") as place, sink() as url:
        folder = Path(place)
        write_outbox(folder / "published.duckdb", count)
        text = (ROOT / "sync/klaviyo/syncs/5_upsert.yml").read_text()
        rate = float(re.search(r"requests_per_second: ([\d.]+)", text)[1])
        records = int(re.search(r"max_records_per_request: (\d+)", text)[1])
        # The first request waits for nothing.
        least = (-(-count // records) - 1) / rate
        limited = seconds("klaviyo", folder, url)
        used = time.process_time()
        free = [seconds("generic", folder, url, rate=0) for _ in range(3)]
        used = (time.process_time() - used) / len(free)
    print(f"\n{count:,} changed rows to a sink that keeps nothing\n")
    print(f"  Klaviyo's limit alone            {least:8.2f} s")
    print(f"  the sync within that limit       {limited:8.2f} s")
    print(f"  sync / limit                     {limited / least:8.2f}    target: at most 1.3")
    print(
        f"  no limit, rows a second          {count / min(free):8,.0f}    target: at least 20,000"
    )
    print(f"  rows a second of its own CPU     {count / used:8,.0f}    the same on a busy machine")
