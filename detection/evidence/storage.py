"""Keeps evidence by Django's storage API: a folder, or a bucket, as STORAGES says."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

FOLDER = "episodes"  # each episode has a folder of its own in it
PIECE = 256 * 1024


class WholeFileStorage(FileSystemStorage):
    """Local files that are there as a whole or not at all, however the writing ends."""

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{uuid4().hex}.part")
        try:
            with unfinished.open("wb") as file:
                for piece in content.chunks():
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        return name


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as its storage lists it."""

    name: str  # in its folder
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one episode: the name of its folder and the files in it."""

    folder: str
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def newest(self) -> datetime | None:
        """None for a folder that is empty."""
        return max((file.modified for file in self.files), default=None)


class Pieces:
    """A stretch of an open file, piece by piece; closes the file."""

    def __init__(self, file: Any, length: int | None) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        wanted = PIECE if self._left is None else min(PIECE, self._left)
        piece: bytes = self._file.read(wanted) if wanted else b""
        if not piece:
            self.close()
            raise StopIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


class DjangoEvidenceStore:
    """See EvidenceStore. Whatever is wrong with the storage is an OSError."""

    def save(self, name: str, content: bytes | Path) -> str:
        if isinstance(content, bytes):
            return default_storage.save(name, ContentFile(content))
        with content.open("rb") as file:
            return default_storage.save(name, File(file))

    def read(self, name: str) -> bytes:
        """What was kept under this name. Raises OSError."""
        return b"".join(self.stream(name))

    def stream(self, name: str, start: int = 0, length: int | None = None) -> Pieces:
        """The bytes from `start` on. Opened at once: what is missing raises OSError here."""
        open_range = getattr(default_storage, "open_range", None)
        if open_range is not None:
            return Pieces(open_range(name, start, length), length)
        file = default_storage.open(name)
        file.seek(start)
        return Pieces(file, length)

    def size(self, name: str) -> int:
        """Bytes of what is kept under this name. Raises OSError."""
        return default_storage.size(name)

    def is_there(self) -> bool:
        """False where nothing was ever kept, or the disk that keeps it is not mounted."""
        try:
            default_storage.listdir(FOLDER)
        except FileNotFoundError:
            return False
        return True

    def kept(self) -> Iterator[Kept]:
        """What is kept, folder by folder, in no order."""
        list_folders = getattr(default_storage, "list_folders", None)
        if list_folders is not None:
            yield from list_folders(FOLDER)
            return
        try:
            folders, _ = default_storage.listdir(FOLDER)
        except FileNotFoundError:
            return
        for folder in folders:
            with suppress(FileNotFoundError):  # removed or renamed meanwhile
                yield self.kept_in(folder)

    def kept_in(self, folder: str) -> Kept:
        """What is kept of one episode."""
        list_folder = getattr(default_storage, "list_folder", None)
        if list_folder is not None:
            kept: Kept = list_folder(f"{FOLDER}/{folder}")
            return kept
        files = []
        for name in self._files(folder):
            path = f"{FOLDER}/{folder}/{name}"
            size = default_storage.size(path)
            files.append(StoredFile(name, size, default_storage.get_modified_time(path)))
        return Kept(folder, tuple(files))

    def delete(self, name: str) -> None:
        """Remove one file; what is gone already is no fault."""
        default_storage.delete(name)

    def remove(self, folder: str) -> None:
        """Remove all that is kept of one episode; what is gone already is no fault."""
        for name in self._files(folder):
            default_storage.delete(f"{FOLDER}/{folder}/{name}")
        if getattr(default_storage, "has_folders", True):
            with suppress(OSError):  # somebody just kept a picture there
                default_storage.delete(f"{FOLDER}/{folder}")

    def _files(self, folder: str) -> list[str]:
        try:
            return list(default_storage.listdir(f"{FOLDER}/{folder}")[1])
        except FileNotFoundError:
            return []


def fingerprint(content: bytes | Path) -> tuple[int, str]:
    """Bytes and SHA-256 of what is about to be kept."""
    if isinstance(content, bytes):
        return len(content), hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return content.stat().st_size, digest
