"""Where the sync keeps how far it has come: a folder, or a bucket; and one run at a time."""

import contextlib
import fcntl
import importlib.util
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from drt.config.base import ProjectConfig, StateConfig
from drt.config.models import SyncConfig
from drt.state.factory import build_state_bundle
from drt.state.manager import LocalStateManager, StateStore, SyncState

from tools.places import PROJECT
from tools.sync.permit import Refused
from tools.sync.platforms import Job

STATE = "LETTERSHOP_SYNC_STATE"
STATE_DEFAULT = "data/sync"
REMOTE = {"s3": "s3", "gs": "gcs"}
NEEDED = {"s3": "boto3", "gs": "google.cloud.storage"}
# So often a lock is taken that another run has just removed.
ATTEMPTS = 10
# What a state has, and not all, since it may stand beside files of somebody else.
IGNORED = "/.gitignore\n/.drt/\n/held_until\n/jobs.jsonl\n/lock\n"


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file.
        text: what is to stand in it.
    """
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


class Folder(LocalStateManager):
    """drt's state in a folder, written whole or not at all."""

    def _load_all(self) -> dict:
        # drt takes what it cannot read for nothing, and everybody would be sent again.
        if not self._state_file.exists():
            return {}
        try:
            data = json.loads(self._state_file.read_text())
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise Refused(
                f"{self._state_file} is damaged: how far the sync has come is not known. Restore"
                " it, or remove it, and everybody is sent again."
            )
        return data

    def _save_all(self, data: dict) -> None:
        self._state_dir.mkdir(parents=True, exist_ok=True)
        write_whole(self._state_file, json.dumps(data, indent=2))


def state_place(name: str) -> tuple[Path, str | None]:
    """Return the folder of a platform's state, and the URL of its cursors where they are elsewhere.

    Args:
        name: of the platform.

    Raises:
        Refused: if it can be neither.
    """
    said = os.environ.get(STATE) or STATE_DEFAULT
    scheme, separator, bucket = said.partition("://")
    remote = bool(separator)
    if remote and (scheme not in REMOTE or not bucket.strip("/")):
        raise Refused(f"{STATE} must be a folder, s3://bucket/prefix or gs://bucket/prefix.")
    folder = PROJECT / (STATE_DEFAULT if remote else said) / name
    for part in (folder, *folder.parents):
        if part.exists() and not part.is_dir():
            raise Refused(f"{STATE} must be a folder, and {part} is a file.")
    return folder, said if remote else None


def is_installed(module: str) -> bool:
    """Return whether Python finds a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def state_store(name: str) -> StateStore:
    """Return where drt keeps the cursors of a platform.

    Args:
        name: of the platform.

    Raises:
        Refused: if they are in a bucket that cannot be read with what is installed.
    """
    folder, url = state_place(name)
    if url is None:
        return Folder(folder)
    scheme, _, rest = url.partition("://")
    if not is_installed(NEEDED[scheme]):
        raise Refused(
            f"{STATE} names a bucket, and what reads it is not installed:"
            f" .venv/bin/pip install 'drt-core[{REMOTE[scheme]}]'."
        )
    bucket, _, prefix = rest.strip("/").partition("/")
    state = StateConfig(
        backend=REMOTE[scheme], bucket=bucket, prefix="/".join(filter(None, (prefix, name)))
    )
    return build_state_bundle(ProjectConfig(name="lettershop", state=state), folder).state


def lock_folder(folder: Path, name: str) -> tuple[IO, list[Path]]:
    """Take the lock of a folder, which is made if need be.

    A run that ends may remove the lock that it made, while it holds it: who then holds a file that
    is the folder's no more begins anew.

    Args:
        folder: of the state.
        name: of the platform.

    Returns:
        The lock, held until it is closed, and what was made, the innermost first.

    Raises:
        Refused: if another run holds it, or it cannot be written to.
    """
    path, made, fault = folder / "lock", {}, None
    for _ in range(ATTEMPTS):
        made |= dict.fromkeys(part for part in (folder, *folder.parents) if not part.exists())
        is_new = not path.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except FileNotFoundError as error:
            # Another run has just removed the folder, of this platform or beside it.
            fault = error
            continue
        except OSError as error:
            fault = error
            break
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                parts = sorted(made, key=lambda part: len(part.parts), reverse=True)
                return lock, [path, *parts] if is_new else []
        except BlockingIOError:
            lock.close()
            raise Refused(f"Another sync to {name} is running. Wait until it has ended.") from None
        except FileNotFoundError as error:
            fault = error
        lock.close()
    words = fault.strerror if fault else "other runs make and remove it"
    raise Refused(f"{folder} cannot be written to: {words}. It is the sync's.")


@contextlib.contextmanager
def alone(name: str) -> Iterator[Path]:
    """Hold the folder of a platform's state: one run at a time.

    What this run made of it is removed again where it kept nothing there, as when it was refused.
    Inside the project git is told to ignore the rest.

    Args:
        name: of the platform.

    Raises:
        Refused: if another run holds it, or it cannot be written to.
    """
    folder, _ = state_place(name)
    lock, made = lock_folder(folder, name)
    with lock:
        before = {part.name for part in folder.iterdir()}
        try:
            yield folder
        finally:
            # A folder that cannot be tidied up does no harm.
            with contextlib.suppress(OSError):
                if made and {part.name for part in folder.iterdir()} == before:
                    (lock_path, *folders) = made
                    lock_path.unlink()
                    for part in folders:
                        part.rmdir()
                elif folder.resolve().is_relative_to(PROJECT):
                    ignored = folder / ".gitignore"
                    if not ignored.exists():
                        write_whole(ignored, IGNORED)


def cursors(syncs: list[SyncConfig], state: StateStore) -> dict[str, int]:
    """Return the change_seq up to which each sync has come.

    Args:
        syncs: of the platform.
        state: drt's.
    """
    found = {sync.name: state.get_last_sync(sync.name) for sync in syncs}
    return {
        name: int(last.last_cursor_value) if last and last.last_cursor_value else 0
        for name, last in found.items()
    }


def marks(syncs: list[SyncConfig], state: StateStore) -> dict[str, tuple[int, str]]:
    """Return of each sync a change_seq that it has come to, and the run that wrote the row there.

    State of older versions has none; what a later build writes at a number is another run's.

    Args:
        syncs: of the platform.
        state: drt's.
    """
    found = {sync.name: state.get_last_sync(f"{sync.name}.mark") for sync in syncs}
    said = {
        name: kept.last_cursor_value.partition(":")
        for name, kept in found.items()
        if kept and kept.last_cursor_value
    }
    return {name: (int(number), run) for name, (number, _, run) in said.items()}


def keep_mark(name: str, number: int, run: str, state: StateStore) -> None:
    """Remember which run wrote the row that a sync has come to."""
    now = datetime.now(UTC).isoformat()
    state.save_sync(
        SyncState(f"{name}.mark", now, 0, "success", None, last_cursor_value=f"{number}:{run}")
    )


class Aside:
    """What the platform refused, beside the cursors: change numbers by sync, and nothing else.

    Attributes:
        numbers: of what is still to be taken, by sync.
        waits: of what an export is to settle before anybody is told, by sync.
        seen: of everything that was refused at the begin of this run or since, by sync.
    """

    def __init__(self, syncs: list[SyncConfig], state: StateStore, is_kept: bool = True):
        """Read it.

        Args:
            syncs: of the platform.
            state: drt's.
            is_kept: whether changes are written.
        """
        self.state, self.is_kept, self.numbers, self.waits = state, is_kept, {}, {}
        for sync in syncs:
            for held, word in ((self.numbers, "refused"), (self.waits, "waits")):
                kept = state.get_last_sync(f"{sync.name}.{word}")
                said = (kept.last_cursor_value or "").split(",") if kept else []
                held[sync.name] = {int(number) for number in said if number}
        self.seen = {name: set(numbers) for name, numbers in self.numbers.items()}

    def all(self) -> set[int]:
        """Return what is still to be taken, of all syncs."""
        return set().union(*self.numbers.values())

    def add(self, name: str, numbers: list[int]) -> None:
        """Set numbers of a sync aside."""
        self.seen[name] |= set(numbers)
        self._keep(name, self.numbers[name] | set(numbers))

    def remove(self, name: str, numbers: list[int]) -> None:
        """Take numbers back that the platform took."""
        self._keep(name, self.numbers[name] - set(numbers))

    def forget(self, name: str, numbers: set[int]) -> None:
        """Take numbers back that nobody has to be told of any more."""
        self.seen[name] -= numbers
        self._keep(name, self.numbers[name] - numbers)

    def settle(self, unneeded: set[int], unsettled: dict[str, set[int]]) -> None:
        """Forget what nobody has to be told of, and remember what waits for an export.

        Args:
            unneeded: numbers of any sync.
            unsettled: numbers by sync.
        """
        for name in self.numbers:
            self.forget(name, self.numbers[name] & unneeded)
            self._keep(name, unsettled.get(name, set()), self.waits, "waits")

    def _keep(
        self,
        name: str,
        numbers: set[int],
        held: dict[str, set[int]] | None = None,
        word: str = "refused",
    ) -> None:
        held = self.numbers if held is None else held
        if numbers == held[name]:
            return
        text, now = ",".join(map(str, sorted(numbers))), datetime.now(UTC).isoformat()
        if self.is_kept:
            self.state.save_sync(
                SyncState(f"{name}.{word}", now, 0, "partial", None, last_cursor_value=text)
            )
        held[name] = numbers


def tried(name: str, state: StateStore) -> int:
    """Return the greatest change_seq that a sync ever began to send; 0 where nothing is known.

    Args:
        name: of the sync.
        state: drt's.
    """
    kept = state.get_last_sync(f"{name}.tried")
    return int(kept.last_cursor_value or 0) if kept else 0


def begin(name: str, number: int, state: StateStore) -> None:
    """Remember that a sync begins to send up to a change_seq, whatever becomes of it."""
    if number > tried(name, state):
        now = datetime.now(UTC).isoformat()
        state.save_sync(
            SyncState(f"{name}.tried", now, 0, "partial", None, last_cursor_value=str(number))
        )


def rewind(state: StateStore, job: Job) -> None:
    """Set the cursor of a sync back to before a job, if it is later."""
    last = state.get_last_sync(job.sync)
    if last and last.last_cursor_value and int(last.last_cursor_value) > job.after:
        state.save_sync(
            SyncState(
                job.sync, last.last_run_at, 0, "partial", None, last_cursor_value=str(job.after)
            )
        )
