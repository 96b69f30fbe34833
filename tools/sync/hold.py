"""The night between a deletion and what follows it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.sync.permit import Refused
from tools.sync.state import write_whole

# The night after, it is sent.
HELD_FOR = timedelta(hours=20)
HELD_WORDS = (
    "Some of what waits would follow a deletion of the same id or address, which the platform"
    " carries out when it has time. Run it again then; the next night is in time."
)


class Hold:
    """The time until which nothing is sent that may follow a deletion.

    Platforms delete when they have time. What follows at once may be deleted with it.

    Attributes:
        until: when it ends; None where nothing is held.
        is_new: whether it was begun by this run.
    """

    def __init__(self, folder: Path):
        """Read it.

        Args:
            folder: of the state.

        Raises:
            Refused: if what is written there is no time.
        """
        self.path, self.is_new = folder / "held_until", False
        self.until = self.before = self._read()

    def _read(self) -> datetime | None:
        if not self.path.exists():
            return None
        try:
            until = datetime.fromisoformat(self.path.read_text().strip())
            return until if datetime.now(UTC) < until else None
        except (ValueError, TypeError):
            raise Refused(
                f"{self.path} is damaged: until when merges, profiles and events wait is not known."
                " Write a time there, such as"
                f" {hold_from_now().isoformat()}; or remove it, if no deletion went out in the last"
                " twenty hours."
            ) from None

    def begin(self) -> None:
        """Hold from now on, whatever becomes of this run."""
        self.until, self.is_new = hold_from_now(), True
        self.keep()

    def take_back(self) -> None:
        """Hold as before: no deletion was taken that something would follow."""
        self.until, self.is_new = self.before, False
        self.keep()

    def keep(self) -> None:
        """Write it down, or forget what is over."""
        if self.until:
            write_whole(self.path, self.until.isoformat())
        else:
            self.path.unlink(missing_ok=True)


def hold_from_now() -> datetime:
    """Return when a hold ends that begins now."""
    return datetime.now(UTC).replace(microsecond=0) + HELD_FOR
