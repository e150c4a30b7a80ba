"""A zip that is sent while it is made: nothing of it is held but the piece at hand.

Files are stored as they are: videos and pictures are packed already, and whoever unpacks gets the
very bytes that were kept.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, cast


class _Sink:
    """What zipfile has written and nobody has fetched yet. It cannot be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits anywhere."""

    def fetch(self) -> bytes:
        fetched = b"".join(self._pieces)
        self._pieces.clear()
        return fetched


class StreamedZip:
    """Its files go into one folder; `sums` holds the SHA-256 of each that was sent."""

    def __init__(self, folder: str, at: datetime) -> None:
        self._folder = folder
        self._at = max(at, datetime(1980, 1, 1, tzinfo=at.tzinfo)).timetuple()[:6]
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast(IO[bytes], self._sink), "w", zipfile.ZIP_STORED)
        self.sums: dict[str, str] = {}

    def add(self, name: str, pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
        """Send a file. `size` is what is expected; a file of 4 GB needs to be known as such."""
        digest = hashlib.sha256()
        entry = zipfile.ZipInfo(f"{self._folder}/{name}", self._at)
        entry.external_attr = 0o600 << 16
        with self._zip.open(entry, "w", force_zip64=size >= 2**31) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
                yield self._sink.fetch()
        self.sums[name] = digest.hexdigest()
        yield self._sink.fetch()

    def add_text(self, name: str, text: str) -> Iterator[bytes]:
        content = text.encode()
        return self.add(name, [content], len(content))

    def end(self) -> Iterator[bytes]:
        """The list of hashes, as `sha256sum -c` takes it, and the zip's own directory."""
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in self.sums.items())
        yield from self.add_text("SHA256SUMS", lines)
        self._zip.close()
        yield self._sink.fetch()
