"""Packets of an episode on their way to a clip, in a file that may end anywhere.

Each record: kind, place, line, size, content. Kinds: a coding (JSON), a key picture, another one. A
worker that is killed leaves what it has written, and any other on its host reads it.
"""

import json
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from detection.domain.packets import CodedPacket, Coding
from detection.evidence.parameter_sets import parameter_sets, unpacked, with_parameter_sets

_HEAD = struct.Struct("<cddI")
_CODING, _KEY, _PICTURE = b"C", b"K", b"P"
_MOST_BYTES = 64_000_000  # of one record; what is larger is no packet


class Entry(NamedTuple):
    """Where a packet lies, and when it was captured: `run` counts what continues one another."""

    run: int
    coding: Coding
    place: float
    line: float
    is_key: bool
    offset: int
    size: int


class SpoolWriter:
    """Takes packets in their order; after a gap it waits for the next key picture.

    Raises OSError from each method.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab", buffering=1 << 16)
        self.has_gap = False
        self.size = 0  # bytes
        self._coding: Coding | None = None
        self._segment = -1
        self._last = -1
        self._sets = b""

    def write(self, packets: Iterable[CodedPacket]) -> None:
        for packet in packets:
            if not self._continues(packet):
                self.has_gap = self.has_gap or self._coding is not None
                if not packet.is_key:
                    continue
                self._begin(packet)
            self._last = packet.number
            self._append(packet)

    def flush(self) -> None:
        """Hand it all to the system: a process that dies loses none of it."""
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _continues(self, packet: CodedPacket) -> bool:
        return (packet.number, packet.segment) == (self._last + 1, self._segment)

    def _begin(self, packet: CodedPacket) -> None:
        coding = packet.coding
        self._coding, self._segment = coding, packet.segment
        said = {
            "codec": coding.codec,
            "width": coding.width,
            "height": coding.height,
            "extradata": coding.extradata.hex(),
        }
        if coding.codec == "h264":
            self._sets = parameter_sets(coding.extradata)
            said["extradata"] = self._sets.hex()
        self._record(_CODING, 0.0, 0.0, json.dumps(said).encode())

    def _append(self, packet: CodedPacket) -> None:
        content = bytes(packet.content)
        if packet.coding.codec == "h264":
            content = unpacked(content, packet.coding.extradata)
            if packet.is_key:
                content = with_parameter_sets(content, self._sets)
        self._record(_KEY if packet.is_key else _PICTURE, packet.place, packet.line, content)

    def _record(self, kind: bytes, place: float, line: float, content: bytes) -> None:
        self._file.write(_HEAD.pack(kind, place, line, len(content)) + content)
        self.size += _HEAD.size + len(content)


def index(path: Path) -> list[Entry]:
    """What the file holds, as far as it was written. Raises OSError."""
    entries: list[Entry] = []
    coding, run = None, -1
    whole = path.stat().st_size
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            kind, place, line, size = _HEAD.unpack(head)
            offset = file.tell()
            if size > _MOST_BYTES or offset + size > whole:
                break  # written in part
            if kind == _CODING:
                coding, run = _coding_of(file.read(size)), run + 1
                continue
            if coding is not None:
                entries.append(Entry(run, coding, place, line, kind == _KEY, offset, size))
            file.seek(size, os.SEEK_CUR)
    return entries


def contents(path: Path, entries: Sequence[Entry]) -> Iterator[bytes]:
    """The packets of these entries, one by one. Raises OSError."""
    with path.open("rb") as file:
        for entry in entries:
            file.seek(entry.offset)
            yield file.read(entry.size)


def _coding_of(said: bytes) -> Coding:
    given = json.loads(said)
    extradata = bytes.fromhex(given["extradata"])
    return Coding(given["codec"], given["width"], given["height"], extradata)
