"""Files of a camera's episodes on their way to the disk: held within bounds, written by the upkeep.

A full or slow disk stops no episode, and nothing waits for two disks in a row: what fails is named
and not tried again.
"""

import logging
import socket
from collections.abc import Callable
from threading import Lock
from typing import Final, Literal
from uuid import UUID

from detection.ports import EvidenceStore
from detection.services import episodes, troubles
from detection.services.claims import Lease

logger = logging.getLogger(__name__)

Kind = Literal["snapshot", "recording"]
FILE_NAMES: Final[dict[Kind, str]] = {
    "snapshot": "snapshot.jpg",
    "recording": "recording.json.gz",
}
# Held in memory while a disk is slow: a picture takes 0.1 MB, a recording up to 4.
MOST_UNSAVED: Final[dict[Kind, int]] = {"snapshot": 8, "recording": 3}


class EvidenceKeeper:
    """`hold` is the watch's; `save` and `attach` are called by one thread that may wait."""

    def __init__(self, lease: Lease, store: EvidenceStore) -> None:
        self._lease = lease
        self._store = store
        self._lock = Lock()  # never kept while anybody is waited for
        self._unsaved: dict[tuple[UUID, Kind], Callable[[], bytes]] = {}
        self._unattached: dict[tuple[UUID, Kind], str] = {}

    def hold(self, episode_id: UUID, kind: Kind, content: Callable[[], bytes]) -> None:
        """Keep the file in memory until it is saved; of a kind and episode the newest counts."""
        with self._lock:
            self._unsaved[episode_id, kind] = content
            held = [key for key in self._unsaved if key[1] == kind]
            for key in held[: -MOST_UNSAVED[kind]]:
                del self._unsaved[key]

    def save(self) -> None:
        """Write what is held; no file is tried twice. The rest waits once one has failed."""
        for (episode_id, kind), content in list(self._unsaved.items()):
            with self._lock:
                if self._unsaved.get((episode_id, kind)) is content:
                    del self._unsaved[episode_id, kind]
            try:
                name = self._store.save(f"episodes/{episode_id}/{FILE_NAMES[kind]}", content())
            except OSError as error:
                logger.error(
                    "camera %s: the %s is not kept: %s", self._lease.camera_id, kind, error
                )
                text = f"no {'picture' if kind == 'snapshot' else kind} is kept: {error}"
                troubles.name_trouble(subject=evidence_trouble(), text=text)
                return
            troubles.end_trouble(subject=evidence_trouble())
            self._unattached[episode_id, kind] = name

    def attach(self) -> None:
        """Tell the database what was saved. Raises django.db.Error."""
        for (episode_id, kind), name in list(self._unattached.items()):
            if kind == "snapshot":
                episodes.attach_snapshot(lease=self._lease, episode_id=episode_id, name=name)
            else:
                episodes.attach_recording(lease=self._lease, episode_id=episode_id, name=name)
            del self._unattached[episode_id, kind]

    def forget(self, episode_id: UUID) -> None:
        """The episode will never be written; what was saved of it goes by retention."""
        for key in [key for key in self._unattached if key[0] == episode_id]:
            del self._unattached[key]

    def forget_all(self) -> None:
        """The lease is lost."""
        with self._lock:
            self._unsaved.clear()
        self._unattached.clear()


def evidence_trouble() -> str:
    """How a disk that takes no file is called: each host has its own."""
    return f"Evidence on {socket.gethostname()}"
