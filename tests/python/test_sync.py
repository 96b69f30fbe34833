"""What the sync sends, when it sends nothing, and what it says about it."""

import contextlib
import copy
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import md5
from unittest import mock

import duckdb
import httpx
import pytest
import yaml
from drt.config.parser import load_syncs_safe

from tests.e2e import runs
from tests.e2e.checks import assert_holds, assert_nothing_came_back, at_random, sends
from tests.e2e.loopback_esp import KEY, Limits, RefusedError
from tests.e2e.outbox import EXPORTED_AT, ORDER, Outbox
from tests.e2e.runs import KINDS, environment, fast_project, run, start
from tools import nightly
from tools.places import ROOT
from tools.sync import state
from tools.sync.__main__ import main
from tools.sync.permit import UNDECLARED, Refused
from tools.sync.platforms import PLATFORMS
from tools.sync.state import Aside
from tools.sync.waiting import op_of

THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
SEEDS = range(10) if THOROUGH else range(2)


@pytest.fixture(params=KINDS)
def name(request):
    """Every platform."""
    return request.param


@pytest.fixture
def outbox(tmp_path):
    """An empty outbox."""
    return Outbox(tmp_path / "published.duckdb")


# --- What is sent ---------------------------------------------------------------------------------


def test_each_change_is_sent_once(name, outbox, tmp_path):
    project = fast_project(name, tmp_path)
    keys = outbox.join(10_000)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        assert sum(esp.records) == 10_000
        assert_holds(name, esp, outbox)
        esp.forget_counts()
        asked = vars(esp).get("asked")
        sends(name, esp, outbox, project)
        assert not esp.answers and vars(esp).get("asked") == asked
        outbox.change(keys[100:150], "active")
        outbox.build()
        sends(name, esp, outbox, project)
        assert esp.records == [50]
        changed = {entry[3] for entry in esp.log if entry[0] == "received" and "active" in entry[4]}
        assert changed == set(keys[100:150])
        assert_holds(name, esp, outbox)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_sequence_of_changes_ends_in_the_wanted_state(name, outbox, tmp_path, seed):
    project = fast_project(name, tmp_path, records=20)
    chance = random.Random(seed)
    with KINDS[name](seed=seed, delay=0.02) as esp:
        for _ in range(6):
            for _ in range(chance.randint(1, 3)):
                at_random(outbox, chance)
                outbox.build()
            sends(name, esp, outbox, project)
            assert_holds(name, esp, outbox)
            assert_nothing_came_back(esp, outbox)


def test_ops_are_sent_in_their_order(name, outbox, tmp_path):
    project = fast_project(name, tmp_path)
    keys = outbox.join(60)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        esp.log.clear()
        for op, first in (("suppress", 0), ("delete", 10), ("erase", 20)):
            outbox.leave(keys[first : first + 10], op)
        outbox.merge(keys[40:50])
        outbox.change(keys[30:40], "active")
        outbox.happen(keys[50:])
        outbox.build()
        sends(name, esp, outbox, project)
        received = [op for word, op, *_ in esp.log if word == "received"]
        # Klaviyo and Braze erase as they delete, and Klaviyo takes a merge as an import.
        names = list(dict.fromkeys("delete" if op == "erase" else op for op in received))
        assert names == [op for op in ORDER if op in names]
        assert {"delete", "suppress", "upsert"} <= set(names)


def test_who_was_renamed_and_left_before_a_sync_does_not_stay(outbox, tmp_path):
    """The old id goes the way of the new one, whichever of them the platform has by now."""
    project = fast_project("braze", tmp_path)
    keys = outbox.join(30)
    outbox.build()
    with KINDS["braze"]() as esp:
        sends("braze", esp, outbox, project)
        outbox.merge(keys)
        outbox.build()
        renamed = [f"m{key[1:]}" for key in keys]
        for op, first in (("erase", 0), ("delete", 10), ("suppress", 20)):
            outbox.leave(renamed[first : first + 10], op)
        outbox.build()
        sends("braze", esp, outbox, project)
        assert_holds("braze", esp, outbox)
        assert esp.held() == {}


def test_a_request_is_as_large_as_the_platform_takes(outbox, tmp_path):
    keys = outbox.join(600)
    outbox.change(keys, "x" * 20_000)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        project = fast_project("klaviyo", tmp_path)
        sends("klaviyo", esp, outbox, project)
        assert len(esp.records) == 3 and not set(esp.answers) - {"well"}
        assert 4_000_000 < max(esp.bodies.values()) < 5_000_000
        outbox.change(keys[:1], "x" * 100_001)
        outbox.build()
        esp.forget_counts()
        code, text = run("klaviyo", esp, tmp_path, project)
        assert code == 2 and "klaviyo_upsert: a record has 1" in text
        assert not esp.answers


def test_requests_keep_to_the_rate(outbox, tmp_path):
    """A platform that takes twelve requests a second never says 429 to ten."""
    project = fast_project("generic", tmp_path, records=5)
    path = project / "syncs" / "5_upsert.yml"
    path.write_text(path.read_text().replace("per_second: 0", "per_second: 10"))
    outbox.join(100)
    outbox.build()
    with KINDS["generic"]() as esp:
        esp.limits["/records"] = Limits(1000, 10**6, requests=12)
        started = time.monotonic()
        sends("generic", esp, outbox, project)
        assert time.monotonic() - started > 1.8
        assert len(esp.records) == 20 and set(esp.answers) == {"well"}
        # It would, if there were no pace.
        path.write_text(path.read_text().replace("per_second: 10", "per_second: 0"))
        esp.limits["/records"] = Limits(1000, 10**6, requests=12, seconds=60)
        outbox.change(list(outbox.wanted), "active")
        outbox.build()
        code, _ = run("generic", esp, tmp_path, project)
        assert code == 1 and esp.answers["429"]


def test_a_slow_endpoint_does_not_pace_the_others(outbox, tmp_path):
    """Klaviyo takes a deletion a second; drt's own pace is one for all endpoints of a host."""
    project = fast_project("klaviyo", tmp_path, records=2)
    path = project / "syncs" / "1_erase.yml"
    path.write_text(path.read_text().replace("per_second: 0", "per_second: 1"))
    keys = outbox.join(62)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        sends("klaviyo", esp, outbox, project)
        outbox.leave(keys[:2], "erase")
        outbox.change(keys[2:], "active")
        outbox.build()
        started = time.monotonic()
        sends("klaviyo", esp, outbox, project)
        assert 1 < time.monotonic() - started < 20
        assert esp.requests["/api/profile-bulk-import-jobs"] == 31 + 30


def test_a_signal_stops_between_two_requests_and_nothing_is_sent_twice(outbox, tmp_path):
    project = fast_project("generic", tmp_path, records=10)
    outbox.join(1_000)
    outbox.build()
    with KINDS["generic"]() as esp:
        path = project / "syncs" / "5_upsert.yml"
        path.write_text(path.read_text().replace("per_second: 0", "per_second: 50"))
        process = start("generic", esp, tmp_path, project)
        while len(esp.records) < 5:
            time.sleep(0.01)
        process.terminate()
        text, _ = process.communicate(timeout=30)
        assert process.returncode == 143 and "goes on from here" in text
        assert 0 < sum(esp.records) < 1_000
        sends("generic", esp, outbox, project)
        assert sum(esp.records) == 1_000
        assert_holds("generic", esp, outbox)


def signal_at(esp, number: int, after: float = 0.0) -> None:
    """Let a platform send SIGTERM to this process at its request of a number, or a moment later."""
    take, counts = esp._take, Counter()

    def taken(*request):
        counts["requests"] += 1
        if counts["requests"] == number:
            threading.Timer(after, os.kill, (os.getpid(), signal.SIGTERM)).start()
            # It has come before this is answered, unless it is to come later.
            time.sleep(0 if after else 0.2)
        return take(*request)

    esp._take = taken


def stopped(name, esp, folder, project) -> str:
    """Run a sync that a signal stops; return what it said."""
    started = time.monotonic()
    code, text = run(name, esp, folder, project)
    assert code == 143 and "goes on from here" in text, text
    # No backoff, and no rest of a batch, is waited for.
    assert time.monotonic() - started < 10
    return text


def received_twice(esp) -> set[str]:
    """Return what a platform was sent more than once."""
    counts = Counter(entry[4] for entry in esp.log if entry[0] == "received")
    return {content for content, count in counts.items() if count > 1}


def test_a_signal_stops_while_refused_records_are_found(outbox, tmp_path):
    """What was not tried is no part of what was sent: a batch is taken apart in many requests."""
    project = fast_project("klaviyo", tmp_path, records=12)
    keys = outbox.join(24)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        esp.invalid = {outbox.emails[key] for key in keys[1::3]}
        # The first batch is done with 16 requests or so, the second is in pieces.
        signal_at(esp, 30)
        stopped("klaviyo", esp, tmp_path, project)
        # What is refused counts twice there: it was no fault, and a 400.
        assert sum(esp.answers.values()) - esp.answers["400"] == 30
        (path,) = (tmp_path / "state" / "klaviyo").rglob("state.json")
        kept = json.loads(path.read_text())
        tried = {outbox.emails[key] for key in keys[:12]}
        tried |= {entry[2] for entry in esp.log if entry[0] == "received"}
        (cursor,) = (its for name, its in kept.items() if name == "klaviyo_upsert")
        last = int(cursor["last_cursor_value"])
        assert 12 < last < 24
        assert tried - esp.invalid == {outbox.emails[key] for key in keys[:last]} - esp.invalid
        esp.invalid = set()
        said = sends("klaviyo", esp, outbox, project)
        assert f"klaviyo_upsert: {24 - last} sent" in said
        assert_holds("klaviyo", esp, outbox)
        assert not received_twice(esp)


def test_a_signal_stops_while_what_was_set_aside_is_tried_again(outbox, tmp_path):
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(60)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        esp.invalid = {outbox.emails[key] for key in keys[1::3]}
        code, text = run("klaviyo", esp, tmp_path, project)
        assert code == 1 and "20 records are set aside" in text
        # One is still refused, one goes through, and the rest is left.
        take, esp.invalid = esp._take, {outbox.emails[keys[1]]}
        outbox.change(keys[:1], "active")
        outbox.build()
        signal_at(esp, 4)
        said = stopped("klaviyo", esp, tmp_path, project)
        found = re.search(r"(\d+) of 20 sent that were refused before", said)
        taken = int(found[1])
        assert 0 < taken < 10 and not re.search(r"klaviyo_upsert: \d+ sent", said)
        esp._take, esp.invalid = take, set()
        said = sends("klaviyo", esp, outbox, project)
        assert f"{20 - taken} of {20 - taken} sent that were refused before" in said
        assert_holds("klaviyo", esp, outbox)
        assert not received_twice(esp)


@pytest.mark.parametrize("again", [False, True])
def test_a_signal_stops_while_a_platform_that_is_down_is_waited_for(outbox, tmp_path, again):
    """What it did not answer is neither sent nor refused, whether it is new or was set aside."""
    project = fast_project("generic", tmp_path, records=5)
    path = project / "syncs" / "5_upsert.yml"
    quick, slow = "initial_backoff: 0.01, max_backoff: 0.1", "initial_backoff: 30, max_backoff: 60"
    assert quick in path.read_text()
    keys = outbox.join(20)
    outbox.build()
    with KINDS["generic"]() as esp:
        if again:
            esp.invalid = {keys[3]}
            assert run("generic", esp, tmp_path, project)[0] == 1
            esp.invalid = set()
        path.write_text(path.read_text().replace(quick, slow))
        take = esp._take

        def down(*request):
            raise RefusedError(503, "down")

        esp._take = down
        signal_at(esp, 1, after=0.3)
        said = stopped("generic", esp, tmp_path, project)
        assert esp.answers["503"] == 1 and "503" not in said and "set aside" not in said
        esp._take = take
        sends("generic", esp, outbox, project)
        assert_holds("generic", esp, outbox)
        assert not received_twice(esp)


def test_a_deletion_waits_for_imports(outbox, tmp_path):
    """Klaviyo applies in an order of its own: an import that waits would bring the person back."""
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(50)
    outbox.build()
    with KINDS["klaviyo"](delay=1e-9) as esp:
        # Imports stay queued until somebody has asked three times.
        advance = esp._advance
        esp._advance = lambda everything=False: advance(everything) if esp.asked > 2 else None
        sends("klaviyo", esp, outbox, project)
        outbox.leave(keys[:5], "erase")
        outbox.build()
        esp.asked = 0
        sends("klaviyo", esp, outbox, project)
        words = [(word, op) for word, op, *_ in esp.log]
        assert words.index(("received", "delete")) > words.index(("applied", "upsert"))
        assert_holds("klaviyo", esp, outbox)


def test_who_swapped_addresses_while_no_sync_ran_is_made_anew_the_next_night(
    name, outbox, tmp_path
):
    """Nothing follows a deletion of the same address in one night, also of people who come anew."""
    project = fast_project(name, tmp_path, records=5)
    keys = outbox.join(10)
    outbox.build()
    with KINDS[name](delay=0.02) as esp:
        sends(name, esp, outbox, project)
        before = set(esp.held())
        outbox.swap(*keys[:2])
        outbox.change(keys[5:6], "active")
        outbox.build()
        said = sends(name, esp, outbox, project, "--dry-run")
        assert "2 records would follow a deletion of the same id or address" in said
        assert "Merges, profiles and events would wait until 20" in said
        said = sends(name, esp, outbox, project)
        assert f"{name}_delete: 2 sent" in said and f"{name}_upsert: 3 wait until 20" in said
        assert len(before - set(esp.held())) == 2 and len(esp.held()) == 8
        esp.forget_counts()
        assert "3 wait until" in sends(name, esp, outbox, project)
        assert not esp.answers
        assert "events would wait until 20" in sends(name, esp, outbox, project, "--dry-run")
        held_until = tmp_path / "state" / name / "held_until"
        wait = datetime.fromisoformat(held_until.read_text()) - datetime.now(UTC)
        assert timedelta(hours=19) < wait <= timedelta(hours=20)
        held_until.write_text(str(datetime.now(UTC) - timedelta(minutes=1)))
        assert "wait" not in sends(name, esp, outbox, project)
        assert_holds(name, esp, outbox)
        assert sum(esp.records) == 3 and not held_until.exists()


def test_erasures_that_nobody_told_in_time_are_said(name, outbox, tmp_path):
    """Without an export the outbox forgets after thirty days whom a platform is to erase."""
    project = fast_project(name, tmp_path)
    keys = outbox.join(10)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        outbox.leave(keys[:2], "erase")
        outbox.build()
        assert "never told" not in sends(name, esp, outbox, project, "--dry-run")
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute(
                "update activation.esp_outbox set customer_key = null, esp_id = null, email = null"
                " where op = 'erase'"
            )
            connection.execute(f"delete from activation.esp_{name} where op = 'erase'")
        for option in ([], ["--dry-run"]):
            said = sends(name, esp, outbox, project, *option)
            assert f"2 erasures were never told to {name}" in said
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute(
                "insert into core.dim_esp_contacts values ('k', 'k', 'k', '', ?)", [EXPORTED_AT]
            )
        # An export says who is gone.
        assert "never told" not in sends(name, esp, outbox, project)


def test_erasures_that_were_refused_for_thirty_days_are_said(name, outbox, tmp_path):
    """The scrub takes the row, and nothing is left to try again: one run fails for it."""
    project = fast_project(name, tmp_path)
    keys = outbox.join(10)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        esp.invalid = {keys[0]}
        outbox.leave(keys[:1], "erase")
        outbox.build()
        for _ in range(2):
            code, text = run(name, esp, tmp_path, project)
            assert code == 1 and "never told" not in text
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute(
                "update activation.esp_outbox set customer_key = null, esp_id = null, email = null"
                " where op = 'erase'"
            )
            connection.execute(f"delete from activation.esp_{name} where op = 'erase'")
        for option in (["--dry-run"], []):
            code, text = run(name, esp, tmp_path, project, *option)
            assert code == 1 and f"1 erasures were never told to {name}" in text
        assert "never told" not in sends(name, esp, outbox, project)


def test_erasures_that_the_platform_cannot_be_told_of_are_said(outbox, tmp_path):
    """Klaviyo deletes by address: of whom none is known nobody would ever hear."""
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(10)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        sends("klaviyo", esp, outbox, project)
        outbox.leave(keys[:2], "erase")
        outbox.build()

        def also(*rows):
            """Add erasures by an id alone, as of people who were never sent."""
            with duckdb.connect(str(outbox.path)) as connection:
                connection.executemany(
                    "insert into activation.esp_outbox (change_seq, op, esp_id, customer_key,"
                    " run_id) values (?, 'erase', ?, ?, 'a')",
                    rows,
                )

        def requested(*rows):
            with duckdb.connect(str(outbox.path)) as connection:
                connection.executemany("insert into core.fct_erasures values (?, ?, ?, ?)", rows)

        # An id beside an address of the same request; a key of the same person; and a key under
        # which the platform has nothing.
        address = outbox.emails[keys[0]]
        requested(("main", "email", address, "first"), ("main", "customer_id", "17", "first"))
        crm_key = md5(b"crm\x1fmain\x1f17").hexdigest()
        also((101, "17", None), (102, crm_key, None), (103, "old", keys[1]), (104, "k", "k"))
        for option in ([], ["--dry-run"]):
            assert "cannot be told" not in sends("klaviyo", esp, outbox, project, *option)
        # A person of another store with the same id, of whom two ids and no address are known.
        requested(("b", "customer_id", "17", "second"), ("b", "esp_contact_id", "x7", "second"))
        also((105, "x7", None))
        for option in ([], ["--dry-run"]):
            code, text = run("klaviyo", esp, tmp_path, project, *option)
            assert code == 0 and "1 erasures cannot be told: klaviyo finds nobody" in text, text
            assert "(change_seq 101, 105)\n" in text and "took everything," not in text
            assert "x7" not in text and "@" not in text
        # Of whom nothing says to which request they belong.
        also((106, "x8", None))
        code, text = run("klaviyo", esp, tmp_path, project)
        assert code == 0 and "2 erasures cannot" in text and "(change_seq 101, 105, 106)\n" in text
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute(
                "update activation.esp_outbox set esp_id = null where esp_id in ('17', 'x7', 'x8')"
            )
        assert "cannot be told" not in sends("klaviyo", esp, outbox, project)


def test_an_event_that_has_expired_since_the_build_is_not_sent(outbox, tmp_path):
    project = fast_project("braze", tmp_path)
    keys = outbox.join(6)
    outbox.build()
    with KINDS["braze"]() as esp:
        sends("braze", esp, outbox, project)
        outbox.happen(keys[:2])
        outbox.build()
        outbox.expires_at = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
        outbox.happen(keys[2:5])
        outbox.build()
        said = sends("braze", esp, outbox, project, "--dry-run")
        assert "3 events have expired since the build" in said
        said = sends("braze", esp, outbox, project)
        assert "braze_event: 2 sent" in said and "3 events had expired since the build" in said
        assert [event["external_id"] for event in esp.events] == keys[:2]
        assert "expired" not in sends("braze", esp, outbox, project)


# --- What was accepted and not applied ------------------------------------------------------------


def test_what_was_accepted_and_not_applied_is_sent_again(outbox, tmp_path):
    project = fast_project("klaviyo", tmp_path, records=20)
    outbox.join(100)
    outbox.build()
    with KINDS["klaviyo"](delay=0.1) as esp:
        esp.rejected = {outbox.emails["c000030"], outbox.emails["c000031"]}
        sends("klaviyo", esp, outbox, project)
        code, text = run("klaviyo", esp, tmp_path, project, "--read-back")
        assert code == 1 and "klaviyo_upsert: 2 records were accepted and not applied" in text
        assert "change_seq 31, 32\n" in text
        # Not the people who came with them.
        outbox.change(["c000001"], "active")
        outbox.build()
        esp.forget_counts()
        assert "2 of 2 sent that were refused" in sends("klaviyo", esp, outbox, project)
        assert esp.records == [1, 1, 1]
        assert run("klaviyo", esp, tmp_path, project, "--read-back")[0] == 1
        esp.rejected = set()
        sends("klaviyo", esp, outbox, project)
        assert "has applied" in sends("klaviyo", esp, outbox, project, "--read-back")
        assert "Nothing" in sends("klaviyo", esp, outbox, project, "--read-back")
        assert_holds("klaviyo", esp, outbox)


def test_one_bad_record_of_an_import_is_found_where_the_platform_does_not_name_it(outbox, tmp_path):
    project = fast_project("klaviyo", tmp_path)
    outbox.join(200)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        esp.is_silent, esp.rejected = True, {outbox.emails["c000100"]}
        for sent in (200, 200, 13, 1):
            esp.forget_counts()
            sends("klaviyo", esp, outbox, project)
            assert sum(esp.records) == sent
            assert run("klaviyo", esp, tmp_path, project, "--read-back")[0] == 1


def test_a_job_that_the_platform_forgot_is_given_up(outbox, tmp_path):
    project = fast_project("klaviyo", tmp_path, records=20)
    outbox.join(60)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        esp.rejected = {outbox.emails["c000050"]}
        sends("klaviyo", esp, outbox, project)
        del esp.jobs["job0"]
        code, text = run("klaviyo", esp, tmp_path, project, "--read-back")
        assert code == 1 and "no longer knows 1 of 3 jobs" in text and "change_seq 51\n" in text
        assert "Nothing" in sends("klaviyo", esp, outbox, project, "--read-back")


def test_what_a_201_says_was_not_taken_is_set_aside(outbox, tmp_path):
    project = fast_project("braze", tmp_path)
    outbox.join(200)
    outbox.build()
    with KINDS["braze"]() as esp:
        esp.rejected = {outbox.emails["c000100"]}
        code, text = run("braze", esp, tmp_path, project)
        assert code == 1 and "records were not taken: change_seq 101\n" in text
        assert "braze_upsert: 199 sent" in text and len(esp.held()) == 199
        # The delta goes on, and nothing that was taken is sent again.
        outbox.change(["c000001"], "active")
        outbox.happen(["c000100", "c000002"])
        outbox.build()
        esp.forget_counts()
        code, text = run("braze", esp, tmp_path, project)
        assert code == 1 and "2 records are set aside" in text and esp.records == [1, 1, 1]
        assert [event["external_id"] for event in esp.events] == ["c000002"]
        # Another address is another row.
        outbox.emails["c000100"] = "mended@example.com"
        outbox.change(["c000100"], "active")
        outbox.build()
        sends("braze", esp, outbox, project)
        assert_holds("braze", esp, outbox)


def test_one_refused_erasure_stops_no_other(name, outbox, tmp_path):
    """What is of the same id or address waits for it, and nothing else does."""
    project = fast_project(name, tmp_path)
    keys = outbox.join(50)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        esp.invalid = {keys[0]}
        outbox.leave(keys[:3], "erase")
        outbox.leave(keys[10:20], "suppress")
        outbox.change(keys[30:31], "active")
        # Who comes with the address of somebody who is still there.
        heir, friend = outbox.join(2)
        outbox.emails[heir] = outbox.emails[keys[0]]
        outbox.build()
        for _ in range(3):
            code, text = run(name, esp, tmp_path, project)
            assert code == 1 and "change_seq 51" in text, text
            assert heir not in json.dumps(esp.held()) and len(esp.held()) == 38 + (
                friend in json.dumps(esp.held())
            )
            (tmp_path / "state" / name / "held_until").unlink(missing_ok=True)
        assert friend in json.dumps(esp.held())
        esp.invalid = set()
        # The platform deletes when it has time: the heir waits another night.
        code, text = run(name, esp, tmp_path, project)
        assert code == 1 and "1 of 1 sent that were refused before" in text
        assert keys[0] not in json.dumps(list(esp.held().values()))
        assert heir not in json.dumps(esp.held())
        assert (tmp_path / "state" / name / "held_until").exists()
        (tmp_path / "state" / name / "held_until").unlink()
        sends(name, esp, outbox, project)
        assert heir in json.dumps(esp.held())


def test_what_was_set_aside_waits_a_night_after_a_deletion_too(name, outbox, tmp_path):
    """The address of a deletion that is taken late is not taken anew in the same night."""
    project = fast_project(name, tmp_path)
    keys = outbox.join(50)
    outbox.build()
    held_until = tmp_path / "state" / name / "held_until"
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        esp.invalid = {keys[0]}
        outbox.leave(keys[:1], "erase")
        heir, friend = outbox.join(2)
        outbox.emails[heir] = outbox.emails[keys[0]]
        outbox.build()
        for _ in range(2):
            code, text = run(name, esp, tmp_path, project)
            # Refused, it is in nobody's way but the heir's.
            assert code == 1 and "wait until" not in text and not held_until.exists()
            assert friend in json.dumps(esp.held()) and heir not in json.dumps(esp.held())
        esp.invalid = set()
        (late,) = outbox.join(1)
        outbox.build()
        # Killed as soon as it was told: the hold is there already.
        with mock.patch.object(Aside, "remove", side_effect=SystemExit(137)):
            assert run(name, esp, tmp_path, project)[0] == 137 and held_until.exists()
        assert keys[0] not in json.dumps(list(esp.held().values()))
        for _ in range(2):
            code, text = run(name, esp, tmp_path, project)
            assert code == 1 and f"{name}_upsert: 2 wait until 20" in text, text
            assert not {heir, late} & set(re.findall("c[0-9]{6}", json.dumps(esp.held())))
        held_until.write_text(str(datetime.now(UTC) - timedelta(minutes=1)))
        sends(name, esp, outbox, project)
        assert heir in json.dumps(esp.held()) and not held_until.exists()
        assert_holds(name, esp, outbox)


def test_a_platform_that_refuses_everything_is_no_matter_of_records(outbox, tmp_path):
    """Nothing is passed over then; suppressions do not wait for deletions that are not taken."""
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(100)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        esp.invalid = {"person@example.com"}
        code, text = run("klaviyo", esp, tmp_path, project)
        assert code == 1 and "as much before it" in text and sum(esp.answers.values()) < 60
        esp.invalid = set()
        esp.forget_counts()
        sends("klaviyo", esp, outbox, project)
        assert esp.records == [100]
        outbox.leave(keys[:20], "erase")
        outbox.leave(keys[20:30], "suppress")
        outbox.change(keys[90:], "active")
        outbox.build()
        esp.invalid = {f"c0000{number:02}" for number in range(20)}
        code, text = run("klaviyo", esp, tmp_path, project)
        assert code == 1 and len(esp.held()) == 90 and "active" not in json.dumps(esp.held())
        esp.invalid = set()
        sends("klaviyo", esp, outbox, project)
        assert_holds("klaviyo", esp, outbox)


def test_a_rename_that_was_done_before_does_not_stop_the_sync(outbox, tmp_path):
    project = fast_project("braze", tmp_path)
    keys = outbox.join(10)
    outbox.build()
    with KINDS["braze"]() as esp:
        sends("braze", esp, outbox, project)
        outbox.merge(keys[:3])
        outbox.build()
        esp._rename({"current_external_id": keys[0], "new_external_id": f"m{keys[0][1:]}"})
        text = sends("braze", esp, outbox, project)
        assert "1 records it says were done before" in text
        assert_holds("braze", esp, outbox)


# --- When nothing is sent -------------------------------------------------------------------------


def refuses(name, esp, folder, *words, **options):
    """Assert that a sync stops before its first request, with these words, and leaves nothing."""
    before = sorted((folder / "state").rglob("*"))
    code, text = run(name, esp, folder, ROOT / "sync" / name, **options)
    assert code == 2, text
    assert sorted((folder / "state").rglob("*")) == before
    for word in words:
        assert word in text
    assert not esp.answers


def test_nothing_is_sent_without_a_permit(name, outbox, tmp_path):
    outbox.join(5)
    outbox.build()
    with KINDS[name]() as esp:
        outbox.publish(is_declared=False)
        refuses(name, esp, tmp_path, UNDECLARED, "Then run `make build`.")
        outbox.publish(status="fail")
        refuses(name, esp, tmp_path, "Nothing may be sent", "1 fail", "activation_tests")
        # What would be sent is said all the same.
        code, text = run(name, esp, tmp_path, ROOT / "sync" / name, "--dry-run")
        assert code == 2 and "A sync would stop: Nothing may be sent" in text and not esp.answers
        assert "5 profiles would be created" in text
        outbox.publish(status="not run")
        refuses(name, esp, tmp_path, "Nothing may be sent", "1 not run")
        outbox.publish(status="warn")
        sends(name, esp, outbox, fast_project(name, tmp_path))
        esp.forget_counts()
        outbox.path.unlink()
        refuses(name, esp, tmp_path, "There is no published database", "make build")


def test_the_sync_refuses_with_the_words_of_the_build():
    warned = (ROOT / "macros" / "operations" / "report_run.sql").read_text()
    assert f"'{UNDECLARED}'" in re.sub(r"'\s+~ '", "", warned)


def test_a_published_database_without_tests_is_no_permit(outbox, tmp_path):
    outbox.join(5)
    outbox.build()
    with KINDS["generic"]() as esp:
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute("delete from monitoring.activation_tests")
        refuses("generic", esp, tmp_path, "none ran")
        with duckdb.connect(str(outbox.path)) as connection:
            connection.execute("drop table monitoring.activation_tests")
        refuses("generic", esp, tmp_path, "says nothing of its tests")


def test_variables_are_asked_for_by_name(name, outbox, tmp_path, monkeypatch, capsys):
    outbox.join(5)
    outbox.build()
    monkeypatch.setenv("LETTERSHOP_PUBLISHED", str(outbox.path))
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", str(tmp_path / "state"))
    for variable in (*PLATFORMS[name].variables, *PLATFORMS[name].defaults):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit) as ended:
        main([name])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    for variable in PLATFORMS[name].variables:
        assert variable in said
    for variable in PLATFORMS[name].variables:
        monkeypatch.setenv(variable, KEY)
    url = next(
        variable
        for variable in (*PLATFORMS[name].variables, *PLATFORMS[name].defaults)
        if variable.endswith("_URL")
    )
    monkeypatch.setenv(url, "http://esp.example.com")
    with pytest.raises(SystemExit):
        main([name])
    assert f"{url} must begin with https://" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("KLAVIYO_API_KEY", "pk_schlüssel", "KLAVIYO_API_KEY has a character"),
        ("KLAVIYO_API_KEY", "pk_1\npk_2", "KLAVIYO_API_KEY has a character"),
        ("KLAVIYO_API_KEY", " \n", "KLAVIYO_API_KEY: a private API key"),
        ("KLAVIYO_URL", "https://a.klaviyo.com:port", "KLAVIYO_URL is no URL"),
        ("KLAVIYO_URL", "https://", "KLAVIYO_URL is no URL"),
        ("LETTERSHOP_SYNC_STATE", "gcs://bucket/x", "s3://bucket/prefix or gs://bucket/prefix"),
        ("LETTERSHOP_SYNC_STATE", "s3://", "s3://bucket/prefix or gs://bucket/prefix"),
        ("LETTERSHOP_SYNC_STATE", f"{ROOT}/README.md/x", "README.md is a file"),
    ],
)
def test_what_is_wrong_with_a_variable_is_said(
    outbox, tmp_path, monkeypatch, capsys, variable, value, words
):
    outbox.join(1)
    outbox.build()
    said = {
        "LETTERSHOP_PUBLISHED": str(outbox.path),
        "LETTERSHOP_SYNC_STATE": str(tmp_path / "state"),
        "KLAVIYO_API_KEY": KEY,
        "KLAVIYO_URL": "http://127.0.0.1:1",
    }
    for name, its in (said | {variable: value}).items():
        monkeypatch.setenv(name, its)
    with pytest.raises(SystemExit) as ended:
        main(["klaviyo"])
    shown = capsys.readouterr().err
    assert ended.value.code == 2 and words in shown and "pk_" not in shown
    # The night does not check and build first.
    monkeypatch.setattr("sys.argv", ["nightly", "klaviyo"])
    with pytest.raises(SystemExit) as ended:
        nightly.main()
    assert ended.value.code == 3 and words in capsys.readouterr().err


def test_a_key_may_end_with_a_line_break(name, outbox, tmp_path):
    outbox.join(5)
    outbox.build()
    with KINDS[name]() as esp, mock.patch("tests.e2e.runs.KEY", f"{KEY}\n"):
        sends(name, esp, outbox, fast_project(name, tmp_path))
        assert_holds(name, esp, outbox)


def test_a_build_for_another_platform_is_refused(outbox, tmp_path):
    outbox.join(5)
    outbox.build()
    with duckdb.connect(str(outbox.path)) as connection:
        connection.execute("delete from activation.esp_braze")
    with KINDS["braze"]() as esp:
        refuses("braze", esp, tmp_path, "for another platform", "var esp")


def test_another_outbox_is_refused(outbox, tmp_path):
    """After the state was lost numbers begin anew, and nothing would seem to be new."""
    project = fast_project("generic", tmp_path)
    outbox.join(50)
    outbox.build()
    with KINDS["generic"]() as esp:
        sends("generic", esp, outbox, project)
        esp.forget_counts()
        other = Outbox(outbox.path)
        other.join(20)
        other.build()
        refuses("generic", esp, tmp_path, "another one", "LETTERSHOP_SYNC_STATE")


@pytest.mark.parametrize("is_old", [False, True])
def test_an_outbox_from_a_backup_is_refused_once_it_has_outgrown_the_cursor(
    outbox, tmp_path, is_old
):
    """Its new rows have numbers that were sent before, erasures among them."""
    project = fast_project("generic", tmp_path)
    keys = outbox.join(50)
    outbox.build()
    with KINDS["generic"]() as esp:
        sends("generic", esp, outbox, project)
        backup = copy.deepcopy({key: its for key, its in vars(outbox).items() if key != "path"})
        outbox.leave(keys[20:21], "erase")
        outbox.join(5)
        outbox.build()
        sends("generic", esp, outbox, project)
        (path,) = (tmp_path / "state" / "generic").rglob("state.json")
        if is_old:
            # State of an older version is taken once, and marked.
            kept = json.loads(path.read_text())
            path.write_text(json.dumps({k: v for k, v in kept.items() if ".mark" not in k}))
            sends("generic", esp, outbox, project)
        assert outbox.rows[-1]["run_id"] in path.read_text()
        vars(outbox).update(backup)
        outbox.leave(keys[:1], "erase")
        outbox.change(keys[10:20], "active")
        outbox.build()
        esp.forget_counts()
        words = ("was written by another build", "LETTERSHOP_SYNC_STATE")
        refuses("generic", esp, tmp_path, *words)
        code, text = run("generic", esp, tmp_path, project, "--dry-run")
        assert code == 2 and words[0] in text
        (tmp_path / "state" / "generic" / "held_until").unlink(missing_ok=True)
        path.unlink()
        sends("generic", esp, outbox, project)
        assert keys[0] not in esp.held()


def test_an_op_without_a_sync_is_refused(outbox, tmp_path):
    project = fast_project("generic", tmp_path)
    (project / "syncs" / "1_erase.yml").unlink()
    keys = outbox.join(5)
    outbox.build()
    outbox.leave(keys[:1], "erase")
    outbox.build()
    with KINDS["generic"]() as esp:
        code, text = run("generic", esp, tmp_path, project)
        assert code == 2 and "no sync for: erase" in text and not esp.answers


def test_one_run_at_a_time(outbox, tmp_path, monkeypatch):
    outbox.join(5)
    outbox.build()
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", str(tmp_path / "state"))
    with KINDS["generic"]() as esp, state.alone("generic"):
        refuses("generic", esp, tmp_path, "Another sync to generic is running")


def test_a_cursor_that_cannot_be_written_is_no_success(outbox, tmp_path, monkeypatch):
    """Since drt only warns, everything would be sent again night after night."""

    def full(self, data):
        raise OSError("no space left on device")

    project = fast_project("generic", tmp_path)
    outbox.join(5)
    outbox.build()
    monkeypatch.setattr(state.Folder, "_save_all", full)
    with KINDS["generic"]() as esp:
        code, text = run("generic", esp, tmp_path, project)
        assert code == 1 and "its cursor could not be written" in text


# --- What is said ---------------------------------------------------------------------------------


def everything_in(folder) -> str:
    """Return the text of all files below a folder."""
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("fault_rate", [0.0, 0.6, 1.0])
def test_nothing_personal_is_printed_or_stored(name, outbox, tmp_path, fault_rate):
    """The platform repeats request and key in its errors, and everything is refused or fails."""
    project = fast_project(name, tmp_path, records=5)
    outbox.join(40)
    outbox.build()
    with KINDS[name](seed=1, fault_rate=fault_rate) as esp:
        said = ""
        for options in (["--verbose"], ["--dry-run"], ["--read-back"]):
            said += run(name, esp, tmp_path, project, *options)[1]
        esp.needs = esp.needs | {"content-type": "something else"}
        outbox.change(list(outbox.wanted), "active")
        outbox.build()
        code, refused = run(name, esp, tmp_path, project, "--verbose")
        assert code == 1
        process = start(name, esp, tmp_path, project, "--verbose")
        said += refused + process.communicate(timeout=60)[0]
        assert process.returncode == 1
    if fault_rate < 1:
        assert "HTTP 406 (bad_header)" in refused
    stored = everything_in(tmp_path / "state")
    for text in (said, stored):
        assert text
        for secret in ("@", "example.com", ".person", KEY, "Bearer", "lifecycle"):
            # Names of fields are in the examples of a dry run.
            assert secret not in text or (secret == "lifecycle" and text is said)


def test_an_error_without_words_of_ours(outbox, tmp_path):
    """A fault of the program shows where it happened, and no value."""
    project = fast_project("generic", tmp_path)
    outbox.join(5)
    outbox.build()
    with duckdb.connect(str(outbox.path)) as connection:
        connection.execute(
            "create or replace table activation.esp_generic as select"
            " 'no number of ann@example.com' as change_seq, 'upsert' as op, '{}' as payload"
        )
    with KINDS["generic"]() as esp:
        code, text = run("generic", esp, tmp_path, project)
    assert code == 1 and "example.com" not in text and "Exception" in text


def test_a_dry_run_counts_and_shows_nobody(name, outbox, tmp_path):
    project = fast_project(name, tmp_path)
    keys = outbox.join(60)
    outbox.build()
    with KINDS[name]() as esp:
        sends(name, esp, outbox, project)
        outbox.join(30)
        outbox.change(keys[:20], "active")
        outbox.leave(keys[30:33], "erase")
        outbox.build()
        esp.forget_counts()
        text = sends(name, esp, outbox, project, "--dry-run")
        assert not esp.answers
        counts = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
        assert counts["erase"] == "3" and counts["upsert"] == "50" and counts["suppress"] == "0"
        assert "30 profiles would be created" in text
        examples = [line for line in text.splitlines() if "…" in line]
        assert 1 <= len(examples) <= 3
        # What many have is shown, what few have is not.
        assert '"lifecycle_stage": "' in text and "@" not in text and "c0000" not in text
        sends(name, esp, outbox, project)
        assert_holds(name, esp, outbox)
        # Who was deleted is created anew.
        outbox.leave(keys[40:43], "delete")
        outbox.build()
        sends(name, esp, outbox, project)
        for key in keys[40:43]:
            outbox.wanted[key] = "back"
            outbox.changes.append(("upsert", key, None))
        outbox.build()
        assert "\n3 profiles would be created" in sends(name, esp, outbox, project, "--dry-run")


def test_whom_the_platform_was_never_told_of_it_is_not_told_to_suppress(outbox, tmp_path):
    """An address would be handed over. Where that is not known, it is told."""
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(20)
    outbox.build()
    with KINDS["klaviyo"]() as esp:
        sends("klaviyo", esp, outbox, project)
        for kind in ("none", "complete", "partial"):
            fresh = outbox.join(2)
            outbox.build()
            outbox.leave(fresh[:1], "suppress")
            outbox.leave(fresh[1:], "delete")
            outbox.leave([keys.pop()], "suppress")
            outbox.build()
            if kind != "none":
                with duckdb.connect(str(outbox.path)) as connection:
                    connection.execute(
                        "insert into core.dim_esp_contacts values ('k', 'k', 'k', ?, ?)",
                        [kind, EXPORTED_AT],
                    )
            esp.log.clear()
            said = sends("klaviyo", esp, outbox, project)
            told = {entry[2] for entry in esp.log if entry[0] == "received"}
            hidden = not {outbox.emails[key] for key in fresh} & told
            assert hidden == (kind == "complete") and len(told) == (1 if hidden else 3)
            assert ("2 were of people whom klaviyo was never told of" in said) == hidden


@pytest.mark.parametrize("then", ["gone", "there", "no export"])
def test_a_withdrawal_is_passed_over_by_a_later_export_only(outbox, tmp_path, then):
    """Who was never sent may have subscribed at the platform after an older one."""
    project = fast_project("klaviyo", tmp_path)
    keys = outbox.join(20)
    outbox.build()

    def export(exported_at, *emails):
        with duckdb.connect(str(outbox.path)) as connection:
            connection.executemany(
                "insert into core.dim_esp_contacts values (?, ?, ?, 'complete', ?)",
                [(who, who, who, exported_at) for who in ("k", *emails)],
            )

    with KINDS["klaviyo"]() as esp:
        sends("klaviyo", esp, outbox, project)
        fresh = outbox.join(2)
        outbox.build()
        outbox.leave(fresh[:1], "suppress")
        outbox.leave(fresh[1:], "delete")
        outbox.change(keys[:1], "active")
        outbox.build()
        esp.log.clear()

        def told():
            return {entry[2] for entry in esp.log if entry[0] == "received"}

        for _ in range(2):
            export("2026-01-01 00:00:00")
            said = sends("klaviyo", esp, outbox, project)
            assert "2 wait for an export that is later" in said and "everything" in said
            assert told() == {outbox.emails[keys[0]]}
            # What goes out meanwhile makes nobody known.
            outbox.change(keys[:1], "new")
            outbox.build()
        if then != "no export":
            export(EXPORTED_AT, *(outbox.emails[key] for key in fresh if then == "there"))
        said = sends("klaviyo", esp, outbox, project)
        assert "wait for an export" not in said
        assert ({outbox.emails[key] for key in fresh} <= told()) == (then != "gone")
        assert ("2 were of people whom klaviyo was never told of" in said) == (then == "gone")
        outbox.publish()
        esp.forget_counts()
        assert "klaviyo was never" not in sends("klaviyo", esp, outbox, project)
        assert not esp.answers


def test_a_damaged_state_is_refused(outbox, tmp_path):
    """Otherwise drt would begin anew with everybody."""
    outbox.join(5)
    outbox.build()
    with KINDS["generic"]() as esp:
        project = fast_project("generic", tmp_path)
        sends("generic", esp, outbox, project)
        (path,) = (tmp_path / "state" / "generic").rglob("state.json")
        for text in ("", path.read_text()[:-9], "[]"):
            path.write_text(text)
            esp.forget_counts()
            refuses("generic", esp, tmp_path, "state.json is damaged")


@pytest.mark.parametrize("text", ["", "in the morn", "2026-01-01T00:00:00"])
def test_a_damaged_hold_is_refused(outbox, tmp_path, text):
    outbox.join(5)
    outbox.build()
    with KINDS["generic"]() as esp:
        path = tmp_path / "state" / "generic" / "held_until"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        refuses("generic", esp, tmp_path, "held_until is damaged", "remove it")
        code, said = run("generic", esp, tmp_path, ROOT / "sync" / "generic", "--dry-run")
        assert code == 2 and "held_until is damaged" in said


def test_a_dry_run_shows_nothing_of_one_person_of_whom_much_waits(name, outbox, tmp_path):
    keys = outbox.join(3)
    outbox.build()
    for _ in range(25):
        outbox.happen(keys[:1])
        outbox.build()
    with KINDS[name]() as esp:
        text = sends(name, esp, outbox, fast_project(name, tmp_path), "--dry-run")
    assert "event 25" in " ".join(text.split()) and "@" not in text and keys[0] not in text


def test_a_url_may_end_with_a_slash(outbox, tmp_path):
    outbox.join(5)
    outbox.build()
    for name in ("klaviyo", "braze"):
        with KINDS[name]() as esp:
            esp.url += "/"
            sends(name, esp, outbox, fast_project(name, tmp_path))
            assert_holds(name, esp, outbox)


def test_a_bucket_that_cannot_be_read_is_refused_with_what_is_missing(
    outbox, tmp_path, monkeypatch, capsys
):
    outbox.join(5)
    outbox.build()
    monkeypatch.setenv("LETTERSHOP_PUBLISHED", str(outbox.path))
    monkeypatch.setattr(state, "is_installed", lambda module: False)
    for url, extra in (("s3://bucket/x", "drt-core[s3]"), ("gs://bucket/x", "drt-core[gcs]")):
        monkeypatch.setenv("LETTERSHOP_SYNC_STATE", url)
        with pytest.raises(SystemExit) as ended:
            main(["generic", "--dry-run"])
        assert ended.value.code == 2 and extra in capsys.readouterr().err


def test_state_may_be_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "is_installed", lambda module: True)
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", "s3://bucket/some/where")
    folder, url = state.state_place("braze")
    assert folder == ROOT / "data/sync/braze" and url == "s3://bucket/some/where"
    made = {}
    monkeypatch.setattr(
        state, "build_state_bundle", lambda project, folder: made.update(project=project) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        state.state_store("braze")
    kept = made["project"].state
    assert (kept.backend, kept.bucket, kept.prefix) == ("s3", "bucket", "some/where/braze")


# --- The configuration ----------------------------------------------------------------------------


def test_every_op_has_a_sync_that_closes_the_traps(name, monkeypatch):
    for variable in (*PLATFORMS[name].variables, *PLATFORMS[name].defaults):
        monkeypatch.setenv(variable, "https://example.com")
    loaded = load_syncs_safe(ROOT / "sync" / name)
    assert not loaded.errors and not loaded.deprecations
    ops = [op_of(one) for one in loaded.syncs]
    # Beside the op: what Braze needs for users without an external id.
    beside = {"erase": "erase_contact", "suppress": "suppress_address", "merge": "identify"}
    wanted = [(op, beside[op]) if op in beside and name == "braze" else (op,) for op in ORDER]
    assert ops == [op for its in wanted for op in its]
    for one in loaded.syncs:
        assert one.name == f"{name}_{op_of(one)}"
        assert one.sync.on_error == "fail" and one.sync.mode == "incremental"
        # Snowflake returns upper-case names, and drt looks the cursor up by exactly its name.
        assert one.sync.cursor_field == "CHANGE_SEQ" and "as CHANGE_SEQ" in one.model
        assert one.model.rstrip().endswith("order by change_seq")
        assert f"op = '{op_of(one)}' and change_seq > {{{{ cursor_value }}}}" in one.model
        assert one.sync.watermark.default_value == "0" and one.sync.rate_limit.burst is None
        assert one.sync.retry.max_attempts >= 5 and one.destination.body_mode == "batch"


def test_what_a_sync_reads_is_in_an_exposure(name):
    exposures = yaml.safe_load((ROOT / "models/activation/_activation__exposures.yml").read_text())
    (exposure,) = (one for one in exposures["exposures"] if one["name"] == "esp_outbox_sync")
    for path in (ROOT / "sync" / name / "syncs").glob("*.yml"):
        (view,) = re.findall(r"from activation\.(\w+)", path.read_text())
        assert f"ref('{view}')" in exposure["depends_on"]


REFUSED_BY_CONTRACT = {
    "null": {"properties": {"stage": None}},
    "not a number": {"properties": {"stage": float("nan")}},
    "unknown attribute": {"first_nam": "x"},
    "unknown key of a location": {"location": {"zipcode": "1"}},
    "too large": {"properties": {"stage": "x" * 100_000}},
}


@pytest.mark.parametrize("what", [None, *REFUSED_BY_CONTRACT])
def test_the_loopback_platform_is_strict(what):
    attributes = {"email": "ann@example.com", "external_id": "c1"}
    attributes |= REFUSED_BY_CONTRACT.get(what, {"location": {"zip": "1"}})
    profiles = {"data": [{"type": "profile", "attributes": attributes}]}
    body = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": profiles}}}
    with KINDS["klaviyo"]() as esp:
        answer = httpx.post(
            f"{esp.url}/api/profile-bulk-import-jobs",
            content=json.dumps(body),
            headers=esp.needs,
        )
        assert (answer.status_code == 202) == (what is None)
        assert len(esp.held()) == (what is None)


# --- One run at a time ----------------------------------------------------------------------------


def test_what_a_refused_sync_made_is_gone_and_what_one_keeps_git_ignores(
    outbox, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(state, "PROJECT", tmp_path)
    monkeypatch.setenv("LETTERSHOP_PUBLISHED", "/nope")
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", "some/where")
    for option in ([], ["--read-back"]):
        with pytest.raises(SystemExit) as ended:
            main(["klaviyo", *option])
        assert ended.value.code == (0 if option else 2), capsys.readouterr().err
        assert not (tmp_path / "some").exists()
    # What stood there stays, another platform's too.
    (tmp_path / "some" / "where" / "braze").mkdir(parents=True)
    with pytest.raises(SystemExit):
        main(["klaviyo"])
    assert sorted(tmp_path.glob("some/**/*")) == [
        *(tmp_path / "some" / "where", tmp_path / "some" / "where" / "braze"),
    ]
    outbox.join(5)
    outbox.build()
    with KINDS["generic"]() as esp:
        places = environment("generic", esp, tmp_path) | {"LETTERSHOP_SYNC_STATE": "some/where"}
        monkeypatch.setattr(runs, "environment", lambda *_: places)
        sends("generic", esp, outbox, fast_project("generic", tmp_path))
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    kept = [path for path in (tmp_path / "some").rglob("*") if path.is_file()]
    assert {"lock", "state.json", "jobs.jsonl"} <= {path.name for path in kept}
    found = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "some"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == ""


def test_a_lock_that_is_removed_meanwhile_excludes_all_the_same(tmp_path, monkeypatch):
    """Whoever opened it before begins anew, and meets who took the next one."""
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", str(tmp_path))
    path, lock = tmp_path / "braze" / "lock", state.fcntl.flock
    with contextlib.ExitStack() as others:

        def overtaken(file, how):
            """The holder of the lock removes it, and another run comes first."""
            monkeypatch.setattr(state.fcntl, "flock", lock)
            path.unlink()
            others.enter_context(state.alone("braze"))
            lock(file, how)

        monkeypatch.setattr(state.fcntl, "flock", overtaken)
        with pytest.raises(Refused, match="Another sync to braze"), state.alone("braze"):
            pass
    assert not path.exists()


def test_many_at_once_are_never_two(tmp_path, monkeypatch):
    """Each that finds no folder makes one, and removes it, since it keeps nothing there."""
    monkeypatch.setenv("LETTERSHOP_SYNC_STATE", str(tmp_path / "a" / "b"))
    inside, went, wrong = [], [], []

    def start():
        for _ in range(200):
            try:
                with state.alone("braze") as folder:
                    inside.append(folder)
                    time.sleep(0.0001)
                    if len(inside) != 1 or not (folder / "lock").exists():
                        wrong.append(folder)
                    inside.pop()
                    went.append(folder)
            except Refused:
                pass
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(went) > 10


# --- The night ------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", [None, 0, 1, 2, 3])
def test_the_night_ends_at_the_stage_that_fails(monkeypatch, failing):
    done = []

    def ran(command, cwd, check):
        done.append(command[2:])
        return subprocess.CompletedProcess(command, 7 if len(done) - 1 == failing else 0)

    monkeypatch.setattr(nightly.subprocess, "run", ran)
    assert nightly.nightly("braze") == (0 if failing is None else failing + 1)
    stages = [
        ["tools.check"],
        ["tools.build"],
        ["tools.sync", "braze"],
        ["tools.sync", "braze", "--read-back"],
    ]
    assert done == stages[: 4 if failing is None else failing + 1]


def test_the_night_does_not_begin_without_a_platform(monkeypatch, capsys):
    monkeypatch.setattr(nightly, "nightly", lambda platform: 0)
    for name, words in (("klavio", "klaviyo, braze, generic"), ("braze", "BRAZE_API_KEY: ")):
        monkeypatch.delenv("BRAZE_API_KEY", raising=False)
        monkeypatch.setattr("sys.argv", ["nightly", name])
        with pytest.raises(SystemExit) as ended:
            nightly.main()
        assert ended.value.code == 3 and words in capsys.readouterr().err
    for variable, its in (("BRAZE_API_KEY", KEY), ("BRAZE_URL", "https://rest.example.com")):
        monkeypatch.setenv(variable, its)
    with pytest.raises(SystemExit) as ended:
        nightly.main()
    assert ended.value.code == 0


@pytest.mark.parametrize("words", [[], ["--verbose"], ["braze", "klaviyo"]])
def test_the_night_without_one_platform_fails_at_the_sync(monkeypatch, capsys, words):
    monkeypatch.setattr(nightly, "nightly", lambda platform: 0)
    monkeypatch.setattr("sys.argv", ["nightly", *words])
    with pytest.raises(SystemExit) as ended:
        nightly.main()
    assert ended.value.code == 3 and "tools.nightly klaviyo|braze|" in capsys.readouterr().err


def test_what_was_sent_is_read_back_although_something_was_set_aside(monkeypatch):
    done = []

    def ran(command, cwd, check):
        done.append(command[2:])
        return subprocess.CompletedProcess(command, 1 if len(done) == 3 else 0)

    monkeypatch.setattr(nightly.subprocess, "run", ran)
    assert nightly.nightly("braze") == 3 and len(done) == 4
