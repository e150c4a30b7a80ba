"""The rows of sirens, written beside the asking: whoever waits for the database holds no siren up.

What the database does not take is kept in memory, the last word of each camera, and written when it
is back.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from detection.models import OPEN_STATUSES, Camera, Episode, Verdict
from integrations.models import Siren
from integrations.services import siren_board as board
from integrations.services.siren_board import Word
from integrations.services.siren_history import write_sounding
from integrations.services.siren_holds import Hold

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
# A row that nobody has written for this long belongs to a process that is gone.
HELD_SECONDS = 5.0


def write(hold: Hold, *, attended: bool) -> None:
    """Write the row that the sweep lives by, then its history. Raises django.db.Error."""
    write_hold(hold, attended=attended)
    write_sounding(hold)


@transaction.atomic
def write_hold(hold: Hold, *, attended: bool) -> None:
    """Write what is known of a siren, and learn from the database whether it is still wanted.

    Raises django.db.Error. The row of another episode that has the siren now ends the hold.
    """
    version = hold.version
    row = Siren.objects.select_for_update().filter(camera_id=hold.camera_id).first()
    if row is None and not Camera.objects.filter(pk=hold.camera_id).exists():
        hold.end()  # deleted while its siren sounded: nothing to write on
        hold.written_version = version
        return
    if row is not None and (_is_newer_wish(row, hold) or _is_anothers(row, hold)):
        hold.supersede()
        hold.written_version = version
        return
    if row is not None and row.silent_at is None:
        hold.learn(row.sounded_by)
    if row is not None and row.episode_id == hold.episode_id and _was_called_off(row, hold):
        hold.end()
    if _is_over(hold):
        hold.end()
    fields = hold.as_fields()
    alive = timezone.now() + timedelta(seconds=HELD_SECONDS)
    fields["held_until"] = alive if attended and not hold.is_done else None
    Siren.objects.update_or_create(camera_id=hold.camera_id, defaults=fields)
    hold.written_version = version


def _is_anothers(row: Siren, hold: Hold) -> bool:
    """Whether the siren is no longer the hold's; clocks of hosts differ and are not asked.

    A row that is silent or a mere test's takes it from nobody. One episode of a camera is open at
    a time; where neither is known to be over, the board says who came last.
    """
    if row.episode_id == hold.episode_id:
        return False
    if row.silent_at is not None or row.episode_id is None:
        return False
    if hold.episode_id is None or hold.is_done:
        return True
    if is_over(row.episode_id):
        return False
    if is_over(hold.episode_id):
        return True
    return board.look(hold.camera_id, hold.episode_id) is Word.ANOTHERS


def _is_newer_wish(row: Siren, hold: Hold) -> bool:
    """Whether it was asked for anew after the hold was silent, which says nothing of that."""
    if row.silent_at is not None or row.rung_at is None or hold.silent_at is None:
        return False
    return row.rung_at > hold.silent_at


def _was_called_off(row: Siren, hold: Hold) -> bool:
    return row.wanted_until is not None and row.wanted_until < hold.wanted_until


def _is_over(hold: Hold) -> bool:
    return hold.episode_id is not None and is_over(hold.episode_id)


def is_over(episode_id: UUID) -> bool:
    """Whether the episode has ended or was dismissed; one that is not written yet has not."""
    episode = Episode.objects.filter(pk=episode_id).values("status", "verdict").first()
    return episode is not None and (
        episode["status"] not in OPEN_STATUSES or episode["verdict"] == Verdict.DISMISSED
    )


class Books:
    """Writes what the holds of this process know, once a second, from a thread of its own."""

    def __init__(self, holds: Callable[[], list[Hold]]) -> None:
        self._holds = holds
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._unwritten: dict[int, Hold] = {}  # by camera: bounded, the newest counts

    def soon(self) -> None:
        """Write at once, without waiting for it."""
        self._wake.set()
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="siren-books", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return  # the process ends, or has no thread left: the next call tries again
                self._thread = thread

    def close_with(self, hold: Hold) -> None:
        """Keep what a hold knew at its end until the database has taken it."""
        with self._lock:
            self._unwritten[hold.camera_id] = hold
        self.soon()

    @property
    def are_written(self) -> bool:
        return not self._unwritten

    @property
    def are_busy(self) -> bool:
        return self._thread is not None

    def _run(self) -> None:
        while True:
            self._wake.wait(ROUND_SECONDS)
            self._wake.clear()
            self._write_all()
            with self._lock:
                if not self._unwritten and not self._holds() and not self._wake.is_set():
                    self._thread = None
                    connection.close()
                    return

    def _write_all(self) -> None:
        try:
            for hold in list(self._unwritten.values()):
                self._write(hold, attended=False)
                with self._lock:
                    if self._unwritten.get(hold.camera_id) is hold:
                        del self._unwritten[hold.camera_id]
            for hold in self._holds():
                if hold.was_asked:
                    self._write(hold, attended=True)
        except DatabaseFault as error:
            connection.close()
            logger.error(
                "the database takes no siren (%s); %d held in memory",
                type(error).__name__,
                len(self._unwritten) + len(self._holds()),
            )

    def _write(self, hold: Hold, *, attended: bool) -> None:
        """One row that cannot be written holds up no other: the sweep looks after its siren."""
        try:
            write(hold, attended=attended)
        except (OperationalError, InterfaceError):
            raise  # the database is away, for all of them
        except Exception:
            logger.exception("camera %s: its siren's row cannot be written", hold.camera_id)
