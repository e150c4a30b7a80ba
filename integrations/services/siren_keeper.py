"""The process's watch over the sirens it sounds: again and again, off in time, whatever is away.

Each siren has a thread while it sounds. In the process that watches the camera it stands by: the
alarms worker sounds the siren, and where it does not say that it does, this process takes over.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable

from integrations.services import siren_board as board
from integrations.services.siren_board import Word
from integrations.services.siren_books import Books, write
from integrations.services.siren_holds import Hold

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
# How long the alarms worker may take to say that it has heard the ring, to sound or to silence.
HEAR_SECONDS = 1.0
# SIGTERM leaves no siren on that can be silenced in this time.
FAREWELL_SECONDS = 2.0


class Keeper:
    """Looks after the sirens of one process; with `attended=False`, nobody does."""

    def __init__(self, *, attended: bool = True) -> None:
        self._attended = attended
        self._holds: dict[int, Hold] = {}
        self._threads: dict[Hold, threading.Thread] = {}
        self._lock = threading.Lock()
        self.books = Books(self._all)
        if attended:
            atexit.register(self.farewell)

    def begin(self, hold: Hold) -> None:
        """Answer for a siren, before its camera is asked; what was held on it gives way."""
        if not self._attended:
            return
        with self._lock:
            before, self._holds[hold.camera_id] = self._holds.get(hold.camera_id), hold
        if before is not None and before is not hold:
            before.supersede()
            hold.inherit(before)

    def look_after(self, hold: Hold) -> None:
        """Sound it again while it is wanted, then silence it until the camera confirms."""
        if not self._attended:
            write(hold, attended=False)
            return
        self.books.soon()
        self._spawn(self._attend, hold)

    def stand_by(self, hold: Hold) -> bool:
        """Look after a siren that another process should sound; False where nobody would."""
        if not self._attended:
            return False
        hold.stand_by()
        self.begin(hold)
        return self._spawn(self._stand_by, hold)

    def held(self, camera_id: int) -> Hold | None:
        return self._holds.get(camera_id)

    def is_idle(self) -> bool:
        """Nothing sounds by this process, and all of it is written."""
        return not self._holds and self.books.are_written

    def farewell(self) -> None:
        """Silence what this process sounds; whoever goes on needs to sound it anew.

        By the threads there are: Python 3.12 starts none any more while it ends.
        """
        deadline = time.monotonic() + FAREWELL_SECONDS
        with self._lock:
            holds = list(self._holds.values())
            leaving = [hold for hold in holds if not (hold.stands_by and hold.is_wanted)]
        for hold in leaving:
            hold.leave()
        for hold in leaving:
            thread = self._threads.get(hold)
            if thread is None:
                self._leave(hold)
            elif thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _leave(self, hold: Hold) -> None:
        """Nobody is told that it is silent: the next process finds it as one that may sound."""
        hold.supersede()
        hold.silence()

    def _all(self) -> list[Hold]:
        with self._lock:
            return list(self._holds.values())

    def _spawn(self, act: Callable[[Hold], None], hold: Hold) -> bool:
        name = f"siren-{hold.camera_id}"
        thread = threading.Thread(target=act, args=(hold,), name=name, daemon=True)
        self._threads[hold] = thread
        try:
            thread.start()
        except RuntimeError:
            logger.exception("camera %s: nobody can look after its siren here", hold.camera_id)
            del self._threads[hold]
            self._close(hold)  # and nobody says that somebody does: the sweep will
            return False
        return True

    # --- a siren's thread ---------------------------------------------------------------------

    def _attend(self, hold: Hold) -> None:
        try:
            while hold.is_wanted and not hold.is_leaving:
                self._surely(hold, self._go_on)
            if hold.is_wanted:
                self._leave(hold)
            while not hold.is_done:
                self._surely(hold, self._hush)
            if not hold.superseded and hold.episode_id is not None:
                board.say_silent(hold.camera_id, hold.episode_id)
        finally:
            self._close(hold)

    def _surely(self, hold: Hold, act: Callable[[Hold], None]) -> None:
        """A fault that nobody foresaw must not end the one thread that silences the siren."""
        try:
            act(hold)
        except Exception:
            logger.exception("camera %s: its siren is looked after all the same", hold.camera_id)
            hold.pause(hold.retry_seconds)

    def _go_on(self, hold: Hold) -> None:
        if hold.is_due:
            hold.sound()
            self.books.soon()
        self._heed(hold)
        if hold.is_wanted and not hold.is_leaving:
            hold.pause(POLL_SECONDS)

    def _hush(self, hold: Hold) -> None:
        if not hold.silence():
            self.books.soon()
            hold.pause(hold.retry_seconds)

    def _heed(self, hold: Hold) -> None:
        """Say that this process answers for the siren, and hear whether it still should."""
        if hold.episode_id is None:
            return
        word = board.keep(hold.camera_id, hold.episode_id)
        if word in {Word.OVER, Word.SILENT}:
            hold.end()
        elif word is Word.ANOTHERS:
            hold.supersede()

    def _stand_by(self, hold: Hold) -> None:
        word = self._listen(hold)
        if word in {Word.OVER, Word.SILENT}:
            hold.end()
        elif word is Word.ANOTHERS:
            hold.supersede()
        if hold.is_wanted:
            logger.warning("camera %s: its siren is sounded from here", hold.camera_id)
            hold.stands_by = False
        elif self._another_silences(hold):
            self._close(hold)
            return
        self._attend(hold)

    def _listen(self, hold: Hold) -> Word:
        """Hear what the board says until the siren is over, or is nobody's for too long."""
        assert hold.episode_id is not None
        word, heard_at = board.announce(hold.camera_id, hold.episode_id), time.monotonic()
        while hold.is_wanted and hold.stands_by and word is not Word.UNKNOWN:
            word = board.look(hold.camera_id, hold.episode_id)
            if word in {Word.OVER, Word.SILENT, Word.ANOTHERS}:
                break
            if word is Word.TAKEN:
                heard_at = time.monotonic()
            if time.monotonic() - heard_at > HEAR_SECONDS:
                break
            hold.pause(POLL_SECONDS if word is Word.TAKEN else POLL_SECONDS / 5)
        return word

    def _another_silences(self, hold: Hold) -> bool:
        assert hold.episode_id is not None
        deadline = time.monotonic() + HEAR_SECONDS
        while hold.stands_by and not hold.superseded and time.monotonic() < deadline:
            word = board.look(hold.camera_id, hold.episode_id)
            if word in {Word.SILENT, Word.ANOTHERS}:
                return True
            if word is Word.UNKNOWN:
                return False
            hold.pause(POLL_SECONDS / 10)
        return hold.superseded

    def _close(self, hold: Hold) -> None:
        if hold.was_asked and not hold.superseded:
            self.books.close_with(hold)
        with self._lock:
            self._threads.pop(hold, None)
            if self._holds.get(hold.camera_id) is hold:
                del self._holds[hold.camera_id]


# State of the process, named as such: the sirens that it answers for.
KEEPER = Keeper()
