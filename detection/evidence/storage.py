"""Keeps evidence in Django's default storage: local files, or whatever STORAGES names."""

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
class Kept:
    """What is kept of one episode: the name of its folder, its size and its newest file's date."""

    folder: str
    size: int
    newest: datetime | None  # None for a folder that is empty


class DjangoEvidenceStore:
    """See EvidenceStore."""

    def save(self, name: str, content: bytes) -> str:
        return default_storage.save(name, ContentFile(content))

    def read(self, name: str) -> bytes:
        """What was kept under this name. Raises OSError."""
        with default_storage.open(name) as file:
            content: bytes = file.read()
        return content

    def is_there(self) -> bool:
        """False where nothing was ever kept, or the disk that keeps it is not mounted."""
        try:
            default_storage.listdir(FOLDER)
        except FileNotFoundError:
            return False
        return True

    def kept(self) -> Iterator[Kept]:
        """What is kept, folder by folder, in no order."""
        try:
            folders, _ = default_storage.listdir(FOLDER)
        except FileNotFoundError:
            return
        for folder in folders:
            names = [f"{FOLDER}/{folder}/{name}" for name in self._files(folder)]
            try:
                size = sum(default_storage.size(name) for name in names)
                newest = max(map(default_storage.get_modified_time, names), default=None)
            except FileNotFoundError:  # removed or renamed meanwhile
                continue
            yield Kept(folder, size, newest)

    def remove(self, folder: str) -> None:
        """Remove all that is kept of one episode; what is gone already is no fault."""
        for name in self._files(folder):
            default_storage.delete(f"{FOLDER}/{folder}/{name}")
        with suppress(OSError):  # somebody just kept a picture there, or there are no folders
            default_storage.delete(f"{FOLDER}/{folder}")

    def _files(self, folder: str) -> list[str]:
        try:
            return list(default_storage.listdir(f"{FOLDER}/{folder}")[1])
        except FileNotFoundError:
            return []
