"""Reads one camera for as long as it is watched: opens, counts failures, backs off, opens again.

Runs in a thread of its own, so that a camera that hangs hangs nobody else; the watch task judges it
from outside by the age of its last frame.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from detection.ports import FrameSource, Picture, SourceError

logger = logging.getLogger(__name__)

# A wrong password is not tried ten times: cameras lock an account for half an hour.
MAX_AUTH_FAILURES = 3


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast a broken stream is opened again."""

    max_failures: int = 10
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 5.0
    # For the last reader of this camera to come back: longer than FFmpeg's time-outs by default.
    predecessor_seconds: float = 8.0

    def pause_seconds(self, failures: int) -> float:
        return min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** (failures - 1))

    def gives_up(self, failures: int, refused_logins: int) -> bool:
        return failures >= self.max_failures or refused_logins >= MAX_AUTH_FAILURES


@dataclass(slots=True)
class ReaderStatus:
    """What the watch task may know of the reader; written by the reader's thread alone."""

    decoded: int = 0
    last_frame_at: datetime | None = None  # capture time
    last_decoded_at: float = 0.0  # monotonic seconds
    failures: int = 0
    refused_logins: int = 0  # of these failures
    reason: str = ""  # of the last failure, "" while pictures come
    message: str = ""
    gave_up: bool = False
    connections: int = 0
    damage: float = 0.0  # the part of the last seconds' frames that was damaged or missing, 0..1


class StreamReader:
    """Calls `on_picture` with each decoded picture, from its own thread."""

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        on_picture: Callable[[Picture], None],
        policy: RetryPolicy,
        name: str,
    ) -> None:
        self._open_source = open_source
        self._on_picture = on_picture
        self._policy = policy
        self._stop = threading.Event()
        self._source: FrameSource | None = None
        self._broken: FrameSource | None = None  # the one that `reconnect` closed
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._predecessors: list[threading.Thread] = []
        self.status = ReaderStatus()

    def start(self) -> None:
        """Begin to read, as soon as no thread of this name reads any more."""
        self._predecessors = [t for t in threading.enumerate() if t.name == self._thread.name]
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Say goodbye to the camera; returns whether the thread ended in time."""
        self._stop.set()
        self.reconnect()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def reconnect(self) -> None:
        """Break the present connection; the reader counts it as a failure and opens anew."""
        self._broken = self._source
        if self._broken is not None:
            self._broken.close()

    def _run(self) -> None:
        if not self._is_alone():
            if not self._stop.is_set():
                self._note("hanging", "the last connection to the camera has not come back yet")
                self.status.gave_up = True
            return
        while not self._stop.is_set():
            try:
                self._read()
            except SourceError as error:
                self._note(error.reason, str(error))
            except Exception:
                logger.exception("%s: unexpected failure of the reader", self._thread.name)
                self._note("unreachable", "the reader failed; the log has the details")
            if self.status.gave_up:
                return
            if self.status.failures:
                self._stop.wait(self._policy.pause_seconds(self.status.failures))

    def _is_alone(self) -> bool:
        """Wait for who hangs in the decoder's library; only so no more than one hangs for long.

        Most come back within FFmpeg's time-out, and the camera would be blind until the next try.
        """
        deadline = time.monotonic() + self._policy.predecessor_seconds
        for thread in self._predecessors:
            while thread.is_alive() and not self._stop.is_set() and time.monotonic() < deadline:
                thread.join(0.05)
        return not any(thread.is_alive() for thread in self._predecessors)

    def _read(self) -> None:
        self._source = source = self._open_source()
        self.status.connections += 1
        read = 0
        with closing(source.pictures()) as pictures:
            for picture in pictures:
                read += 1
                self._count(picture)
                self._on_picture(picture)
                if self._stop.is_set():
                    return
        if not self._stop.is_set() and (source is self._broken or not read):
            raise SourceError("stalled", "the stream gave no picture and was opened anew")

    def _count(self, picture: Picture) -> None:
        status = self.status
        status.decoded += 1
        status.last_frame_at = picture.captured_at
        status.last_decoded_at = time.monotonic()
        status.failures = status.refused_logins = 0
        status.reason = status.message = ""
        if picture.damage is not None:
            status.damage = picture.damage

    def _note(self, reason: str, message: str) -> None:
        status = self.status
        status.failures += 1
        status.refused_logins += reason == "auth_failed"
        status.reason, status.message = reason, message
        hopeless = reason == "bad_address"  # no repetition mends it
        status.gave_up = hopeless or self._policy.gives_up(status.failures, status.refused_logins)
        logger.warning(
            "%s: %s (failure %d of %d)",
            self._thread.name,
            message,
            status.failures,
            self._policy.max_failures,
        )
