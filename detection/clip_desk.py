"""Clips of a process's cameras: packets go from memory to the spool, and from there to evidence.

Three threads for the whole process, none of them the watch's or the upkeep's: one copies, one
codes anew where masks or the codec ask for it, one finishes. A slow disk, a long film or a storage
that is away holds up none of the others, and no camera at all.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import Error as DatabaseFault
from django.db import connection

from detection.domain.packets import PacketRing
from detection.domain.zones import Zone
from detection.evidence.privacy import masks_of
from detection.evidence.spool_folder import ClipOrder, FolderLock, abandoned, spooled_bytes
from detection.evidence.spooled_clip import SpooledClip
from detection.keeping import evidence_trouble
from detection.services import troubles

logger = logging.getLogger(__name__)

PULL_SECONDS = 0.5
# How soon what could not be kept is tried again, and what another process left is looked for.
SWEEP_SECONDS = 30.0
_NICENESS = 10  # frames are judged first


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """Where packets are spooled, and how much of them."""

    folder: Path
    max_seconds: float
    most_spooled_bytes: float


class ClipDesk:
    """One of a process; its threads begin with the first camera."""

    def __init__(self, options: ClipOptions, finish: Callable[[Path], bool]) -> None:
        self.options = options
        self._finish = finish
        self._clips: list[SpooledClip] = []
        self._lock = threading.Lock()
        self._finishing = threading.Condition()
        self._due: list[Path] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._fault = ""  # told by the thread that may wait for the database
        self._is_full = False

    def start(self) -> None:
        """Have what a process before this one left behind made into clips."""
        with self._lock:
            if self._threads:
                return
            for name, work in (
                ("clips", lambda: self._pull_all(is_recoded=False)),
                ("clips-recoding", lambda: self._pull_all(is_recoded=True)),
                ("clips-finishing", self._finish_all),
            ):
                self._threads.append(threading.Thread(target=work, name=name, daemon=True))
            for thread in self._threads:
                thread.start()

    def stop(self, seconds: float) -> None:
        """End the threads; what is not finished is finished by the next process on this host."""
        self._over.set()
        with self._finishing:
            self._finishing.notify()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def open(self, order: ClipOrder, ring: PacketRing, zones: Sequence[Zone]) -> SpooledClip | None:
        """Begin to keep an episode's packets; waits for no disk. None where the spool is full."""
        if self._is_full:
            logger.error("episode %s: no clip, the spool is full", order.episode_id)
            return None
        self.start()
        folder = self.options.folder / order.episode_id
        clip = SpooledClip(folder, order, ring, masks_of(zones), self.options.max_seconds)
        with self._lock:
            self._clips.append(clip)
        return clip

    def is_idle(self) -> bool:
        """Whether nothing is being taken or waits to be finished."""
        with self._lock, self._finishing:
            return not self._clips and not self._due

    def settle(self, seconds: float) -> bool:
        """Wait for clips that are about to be done; what is not is done by the next process."""
        deadline = time.monotonic() + seconds
        while self._threads and not self.is_idle() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.is_idle()

    # --- taking packets ---------------------------------------------------------------------------

    def _pull_all(self, *, is_recoded: bool) -> None:
        if is_recoded:
            _step_back()
        while not self._over.is_set():
            began = time.monotonic()
            with self._lock:
                clips = list(self._clips)
            for clip in clips:
                self._pull(clip, is_recoded)
            self._over.wait(max(0.05, PULL_SECONDS - (time.monotonic() - began)))

    def _pull(self, clip: SpooledClip, is_recoded: bool) -> None:
        """Two threads may both think that it is theirs, in the moment in which it is masked."""
        if not clip.pulling.acquire(blocking=False):
            return
        try:
            if clip.is_recoded != is_recoded or not clip.pull():
                return
            clip.finish()
        except OSError as error:
            clip.give_up()
            self._fault = f"a clip is cut short: {error}"
            logger.error("episode %s: its clip is cut short: %s", clip.folder.name, error)
        except Exception:
            clip.give_up()
            logger.exception("episode %s: its clip is cut short", clip.folder.name)
        finally:
            clip.pulling.release()
        with self._finishing:  # before it is no longer taken, or the desk would seem idle
            self._due.append(clip.folder)
            self._finishing.notify()
        with self._lock:
            if clip in self._clips:
                self._clips.remove(clip)

    # --- finishing --------------------------------------------------------------------------------

    def _finish_all(self) -> None:
        _step_back()
        swept = float("-inf")
        while not self._over.is_set():
            self._tell_fault()
            with self._finishing:
                if not self._due and not self._over.is_set():
                    self._finishing.wait(max(0.0, swept + SWEEP_SECONDS - time.monotonic()))
                folders = self._due[:1]
            if folders:
                self._finish_one(folders[0])
                with self._finishing:
                    self._due.remove(folders[0])
            if time.monotonic() - swept >= SWEEP_SECONDS:
                swept = time.monotonic()
                self._sweep()
            connection.close()  # this thread asks so rarely that it keeps none

    def _tell_fault(self) -> None:
        fault, self._fault = self._fault, ""
        if fault:
            troubles.name_trouble(subject=clip_trouble(), text=fault)

    def _sweep(self) -> None:
        """What was left by a process that died, or could not be kept when it was due."""
        try:
            folders = abandoned(self.options.folder)
            self._is_full = spooled_bytes(self.options.folder) > self.options.most_spooled_bytes
        except OSError as error:
            logger.error("the spool cannot be read: %s", error)
            return
        if self._is_full:
            self._fault = "no clip is begun: the spool is full (SPOOL_MAX_GB)"
        for folder in folders:
            if not self._finish_one(folder):
                return  # what hinders one hinders the next

    def _finish_one(self, folder: Path) -> bool:
        """Whether the next one may be tried."""
        try:
            lock = FolderLock(folder)
        except BlockingIOError:
            return True  # somebody still writes there
        except OSError:
            return True  # it is gone
        try:
            self._finish(folder)
            troubles.end_trouble(subject=clip_trouble())
        except (OSError, DatabaseFault) as error:
            if not folder.exists():
                return True  # another process of this host was quicker
            logger.error("episode %s: its clip is not kept yet: %s", folder.name, error)
            self._fault = f"clips wait in the spool: {type(error).__name__}: {error}"
            return False
        except Exception:
            logger.exception("episode %s: its clip cannot be made", folder.name)
        finally:
            lock.free()
        return True


def clip_trouble() -> str:
    """How clips that cannot be kept are called: each host has its own."""
    return f"Clips, {evidence_trouble()}"


def _step_back() -> None:
    """On Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
