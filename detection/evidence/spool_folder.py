"""A folder of the spool: what clip is made of it, its files, and whose it is.

It holds `order.json`, one file of packets for each part, and a lock that is free once nobody writes
there.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, TypedDict
from uuid import UUID

from detection.domain.geometry import Polygon

ORDER = "order.json"
LOCK = "lock"
Corners = list[list[float]]
Masks = tuple[Polygon, ...]


class Part(TypedDict):
    """One file of packets: the masks that are burnt into it, and whether it was coded anew."""

    masks: list[Corners]
    re_encoded: bool


@dataclass(slots=True)
class ClipOrder:
    """What the clip is of. Times are capture times in POSIX seconds."""

    episode_id: str
    camera_id: int
    begins_at: float
    peak_at: float
    masks: list[Corners] = field(default_factory=list)  # wanted on the whole clip
    parts: list[Part] = field(default_factory=list)
    is_cut: bool = False

    def write(self, folder: Path) -> None:
        """Raises OSError."""
        unfinished = folder / f".{ORDER}.part"
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(folder / ORDER)

    @classmethod
    def read(cls, folder: Path) -> "ClipOrder":
        """Raises OSError; ValueError where it is none."""
        try:
            order = cls(**json.loads((folder / ORDER).read_text()))
            UUID(order.episode_id)
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from None
        return order


def part_path(folder: Path, number: int) -> Path:
    return folder / f"{number}.packets"


def corners_of(masks: Iterable[Polygon]) -> list[Corners]:
    return [[[x, y] for x, y in mask.corners] for mask in masks]


def polygons(masks: Iterable[Corners]) -> Masks:
    return tuple(Polygon.of(corners) for corners in masks)


class FolderLock:
    """Held by whoever writes in a folder; the system frees it when its process dies."""

    def __init__(self, folder: Path, *, is_new: bool = False) -> None:
        """Raises BlockingIOError where somebody has it, FileNotFoundError where all is done."""
        self._file: BinaryIO = (folder / LOCK).open("ab" if is_new else "rb")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise

    def free(self) -> None:
        self._file.close()


def abandoned(spool: Path) -> Sequence[Path]:
    """Folders whose writer is done or dead, the oldest first."""
    if not spool.is_dir():
        return []
    folders = [folder for folder in spool.iterdir() if (folder / ORDER).is_file()]
    return sorted(folders, key=lambda folder: os.stat(folder / ORDER).st_mtime)


def spooled_bytes(spool: Path) -> int:
    """What all of them take. Raises OSError."""
    if not spool.is_dir():
        return 0
    total = 0
    for path in spool.glob("*/*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total
