"""A worker hears its own canary, or restarts itself: alive and deaf is worse than dead.

After the broker was away a worker may live on, connected, and take nothing any more
(https://github.com/celery/celery/issues/8030 and 10205). Nobody outside can tell it from one that
has nothing to do, so each worker sends a message to its own queue every few seconds and restarts
where none is heard although the broker takes them and a slot is free.
"""

import logging
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import signals
from celery.utils.nodenames import worker_direct
from celery.worker import state
from django.conf import settings

from crimeops.ringing import ring

logger = logging.getLogger(__name__)

CANARY_TASK = "detection.sing"
# When this process restarted itself, handed on to its next life.
RESTARTS = "CRIMEOPS_DEAF_RESTARTS"
REMEMBERED_SECONDS = 600.0
DEAF = "this worker is deaf: the broker took its canary, but for %.0f s none was heard"
MOST_DOUBLINGS = 4


@dataclass(slots=True)
class Hearing:
    """Whether a worker hears, looked at every `interval_seconds`. Times are monotonic seconds."""

    patience_seconds: float
    interval_seconds: float
    good_at: float
    looked_at: float
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, now: float) -> None:
        """The canary was heard, or cannot be: the broker is away, or every slot is taken."""
        with self._lock:
            self.good_at = max(self.good_at, now)

    def is_deaf(self, now: float) -> bool:
        """Whoever did not look either was stopped or starved as a whole, and judges anew."""
        paused = now - self.looked_at > 2 * self.interval_seconds + 1
        self.looked_at = now
        if paused:
            self.heard(now)
        return now - self.good_at > self.patience_seconds


def patience(seconds: float, restarts: list[float], now: float) -> float:
    """Twice as long after each restart of the last ten minutes: restarting may not be the cure."""
    lately = sum(now - at < REMEMBERED_SECONDS for at in restarts)
    return float(seconds * 2 ** min(lately, MOST_DOUBLINGS))


class Watchdog(threading.Thread):
    """Sends the canary and restarts the process when it is not heard."""

    def __init__(self, hostname: str, slots: int) -> None:
        super().__init__(name="canary", daemon=True)
        environment = settings.ENVIRONMENT
        self._queue = worker_direct(hostname)
        self._slots = slots
        self._interval = environment.canary_interval
        self._file = Path(environment.canary_file) if environment.canary_file else None
        seconds = patience_now(environment.deaf_seconds)
        now = time.monotonic()
        self._hearing = Hearing(seconds, self._interval, good_at=now, looked_at=now)
        self.ready, self.ending = threading.Event(), threading.Event()
        self.complaint = ""

    def hear(self) -> None:
        """The canary task ran in a slot of this worker."""
        self._hearing.heard(time.monotonic())

    def run(self) -> None:
        while not self.ending.wait(self._interval):
            if not self._ought_to_hear():
                self._hearing.heard(time.monotonic())
            deaf = DEAF % self._hearing.patience_seconds
            if why := deaf if self._hearing.is_deaf(time.monotonic()) else self.complaint:
                restart(why)
                return
            self._tell_supervisors()

    def _ought_to_hear(self) -> bool:
        busy = len(state.active_requests) >= self._slots
        return self.ready.is_set() and not busy and self._sing()

    def _sing(self) -> bool:
        try:
            return ring(CANARY_TASK, queue=self._queue, expires=2 * self._interval)
        except Exception:
            logger.warning("the broker does not take the canary", exc_info=True)
            return False

    def _tell_supervisors(self) -> None:
        """Those of the operating system, who see what even this thread cannot: that it stands."""
        try:
            if self._file:
                self._file.touch()
            _notify_systemd("WATCHDOG=1")
        except OSError as error:
            logger.warning("the supervisor cannot be told that this worker is well: %s", error)


_watchdog: Watchdog | None = None


def hear() -> None:
    """The canary sings here. Nothing happens in a process that is no worker."""
    if _watchdog is not None:
        _watchdog.hear()


def complain(why: str) -> None:
    """Have this worker restarted: something in it is broken that only a new process mends."""
    if _watchdog is not None:
        _watchdog.complaint = why


def patience_now(seconds: float) -> float:
    """The patience of whoever complains, in view of the restarts so far."""
    return patience(seconds, _restarts(), time.time())


@signals.worker_init.connect
def _watch_over(sender: Any, **_: Any) -> None:
    global _watchdog
    _watchdog = Watchdog(str(sender.hostname), int(sender.concurrency))
    _watchdog.start()


@signals.worker_ready.connect
def _expect_to_hear(**_: Any) -> None:
    if _watchdog is not None:
        _watchdog.ready.set()


@signals.worker_shutting_down.connect
def _leave_alone(sender: Any = None, **_: Any) -> None:
    """However it ends; Celery names a sender where it was told so by a signal of the system."""
    if sender is not None:
        _told_to_end.set()
    if _watchdog is not None:
        _watchdog.ending.set()


# --- restarting ------------------------------------------------------------------------------

_restart_wanted = threading.Event()
_told_to_end = threading.Event()  # by an operator or a supervisor, who wants no new life


def restart(why: str) -> None:
    """End as on SIGTERM, so that every camera is released, and begin anew as this process."""
    logger.critical("%s; it releases what it holds and restarts itself", why)
    _restart_wanted.set()
    # What Celery does on SIGTERM, without one: a SIGTERM that comes now is then an operator's.
    signals.worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=0)
    setattr(state, "should_stop", 0)  # noqa: B010 — its type says None alone
    time.sleep(settings.ENVIRONMENT.deaf_seconds)
    if _told_to_end.is_set():
        logger.critical("the worker does not end in order and is ended as it is")
        os._exit(1)
    logger.critical("the worker does not end in order and is replaced as it is")
    _begin_anew()


@signals.worker_shutdown.connect
def _begin_anew_if_wanted(**_: Any) -> None:
    if _restart_wanted.is_set() and not _told_to_end.is_set():
        _begin_anew()


def _begin_anew() -> None:
    now = time.time()
    lately = [at for at in _restarts() if now - at < REMEMBERED_SECONDS]
    os.environ[RESTARTS] = ",".join(f"{at:.0f}" for at in [*lately, now])
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 — our own command, as it was given


def _restarts() -> list[float]:
    return [float(at) for at in os.environ.get(RESTARTS, "").split(",") if at]


def _notify_systemd(message: str) -> None:
    """https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html"""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.connect("\0" + path[1:] if path.startswith("@") else path)
            door.send(message.encode())
