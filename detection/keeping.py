"""Files of a camera's episodes on their way to the disk: held within bounds, written beside it all.

A full or slow disk stops no episode, and nothing waits for two disks in a row: what fails is named
and not tried again.
"""

import logging
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final
from uuid import UUID

from django.db import DataError, IntegrityError

from detection.evidence.storage import FOLDER, fingerprint
from detection.models import EvidenceKind
from detection.ports import EvidenceStore, Made
from detection.services import episodes, troubles
from detection.services.claims import Lease
from detection.services.evidence import KeptFile, delete_file

logger = logging.getLogger(__name__)

ENDINGS: Final[dict[EvidenceKind, str]] = {
    EvidenceKind.SNAPSHOT: "jpg",
    EvidenceKind.CLEAN_SNAPSHOT: "jpg",
    EvidenceKind.PREVIEW: "webp",
    EvidenceKind.CLIP: "mp4",
    EvidenceKind.RECORDING: "json.gz",
}
# Held in memory while a disk is slow: the frame of an episode's pictures takes 6 MB at 1080p until
# it is coded, a recording up to 4.
MOST_UNSAVED: Final[dict[EvidenceKind, int]] = {
    EvidenceKind.SNAPSHOT: 3,
    EvidenceKind.CLEAN_SNAPSHOT: 3,
    EvidenceKind.PREVIEW: 4,
    EvidenceKind.CLIP: 2,
    EvidenceKind.RECORDING: 3,
}
PATIENCE_SECONDS = 1.0  # for a disk; whatever takes longer is written beside the upkeep
EPISODES_COUNTED = 16  # an episode's last files come while the next ones have begun


class EvidenceKeeper:
    """`hold` is the watch's; `save` and `attach` are called by one thread that may wait a little.

    Files are written by a third: a bucket that takes half a minute must not cost the lease.
    """

    def __init__(self, lease: Lease, store: EvidenceStore) -> None:
        self._lease = lease
        self._store = store
        self._lock = Lock()  # never kept while anybody is waited for
        self._unsaved: dict[tuple[UUID, EvidenceKind], Callable[[], Made]] = {}
        self._unattached: deque[tuple[UUID, KeptFile]] = deque()
        self._discarded: deque[str] = deque()  # names of files that newer ones took the place of
        self._counts: dict[UUID, int] = {}
        self._writer: Thread | None = None
        self._fault: str | None = None  # how the last writing ended; empty: well

    def hold(self, episode_id: UUID, kind: EvidenceKind, make: Callable[[], Made]) -> None:
        """Keep the file in memory until it is saved; of a kind and episode the newest counts.

        `make` is called by whoever saves. It may raise OSError.
        """
        with self._lock:
            self._unsaved[episode_id, kind] = make
            held = [key for key in self._unsaved if key[1] == kind]
            late = held[: -MOST_UNSAVED[kind]]
            for key in late:
                del self._unsaved[key]
        for other, _ in late:
            logger.error(
                "camera %s: the %s of episode %s is not kept: the disk is too slow",
                self._lease.camera_id,
                kind,
                other,
            )

    def save(self) -> None:
        """Have what is held written, and wait for it as long as a disk may take."""
        if not self.is_writing:
            if not self._unsaved and not self._discarded:
                return
            self._begin_writing()
        if self._writer is not None:
            self._writer.join(PATIENCE_SECONDS)

    @property
    def is_writing(self) -> bool:
        """A file is on its way that took longer than a disk may."""
        return self._writer is not None and self._writer.is_alive()

    def _begin_writing(self) -> None:
        name = f"evidence-{self._lease.camera_id}"
        writer = Thread(target=self._write_and_discard, name=name, daemon=True)
        try:
            writer.start()
        except RuntimeError:
            return  # the process has no thread left: the next call tries again
        self._writer = writer

    def _write_and_discard(self) -> None:
        self._write_held()
        while self._discarded:
            delete_file(self._discarded.popleft())

    def _write_held(self) -> None:
        """No file is tried twice. The rest waits once one has failed."""
        with self._lock:
            held = list(self._unsaved.items())
        for (episode_id, kind), make in held:
            with self._lock:
                if self._unsaved.get((episode_id, kind)) is not make:
                    continue  # a newer one took its place, or the lease is lost
                del self._unsaved[episode_id, kind]
            try:
                kept = self._write(episode_id, kind, make())
            except Exception as error:  # a film that cannot be made must not end the thread unheard
                logger.error(
                    "camera %s: the %s is not kept: %s",
                    self._lease.camera_id,
                    kind,
                    error,
                    exc_info=not isinstance(error, OSError),
                )
                self._fault = f"no {kind.label.lower()} is kept: {error}"
                return
            self._fault = ""
            with self._lock:
                self._unattached.append((episode_id, kept))

    def _write(self, episode_id: UUID, kind: EvidenceKind, made: Made) -> KeptFile:
        """Each file has a name of its own: none ever takes another's place."""
        try:
            size, sha256 = fingerprint(made.content)
            name = f"{self._count(episode_id):04d}-{kind}-{sha256[:12]}.{ENDINGS[kind]}"
            name = self._store.save(f"{FOLDER}/{episode_id}/{name}", made.content)
        finally:
            if isinstance(made.content, Path):
                with suppress(OSError):
                    made.content.unlink()
        return KeptFile(kind, name, size, sha256, made.facts)

    def _count(self, episode_id: UUID) -> int:
        number = self._counts.pop(episode_id, 0) + 1
        self._counts[episode_id] = number
        while len(self._counts) > EPISODES_COUNTED:
            del self._counts[next(iter(self._counts))]
        return number

    def attach(self) -> None:
        """Tell the database what was saved, and what could not be. Raises django.db.Error."""
        self._tell_fault()
        while self._unattached:
            episode_id, kept = self._unattached[0]
            try:
                episodes.attach_evidence(
                    lease=self._lease,
                    episode_id=episode_id,
                    kept=kept,
                    discard=self._discarded.append,
                )
            except (DataError, IntegrityError) as error:  # it must not keep the next ones waiting
                logger.error(
                    "camera %s: %s is not kept: %s", self._lease.camera_id, kept.name, error
                )
            with self._lock:
                if self._unattached and self._unattached[0][1] is kept:
                    self._unattached.popleft()

    def _tell_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault:
            troubles.name_trouble(subject=evidence_trouble(), text=fault)
        elif fault is not None:
            troubles.end_trouble(subject=evidence_trouble())

    def forget(self, episode_id: UUID) -> None:
        """The episode will never be written; what was saved of it goes by retention."""
        with self._lock:
            self._unattached = deque(pair for pair in self._unattached if pair[0] != episode_id)

    def forget_all(self) -> None:
        """The lease is lost."""
        with self._lock:
            self._unsaved.clear()
            self._unattached.clear()


def evidence_trouble() -> str:
    """How a disk that takes no file is called: each host has its own."""
    return f"Evidence on {socket.gethostname()}"
