"""The last seconds of a camera's own packets, kept as they came so that a clip can begin earlier.

A packet is one coded picture. It is dated by two numbers: its place on the stream's own line, which
keeps the true distances, and the moment of that line's zero, which the capture clock corrects.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple

# Of an episode's clip, before its first suspicious picture and after its end.
PRE_ROLL_SECONDS = 10.0
POST_ROLL_SECONDS = 10.0
# What the ring holds: the pre-roll, what a rule takes to be sure, and what a busy disk takes.
RING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Coding:
    """How packets are coded: FFmpeg's name of the codec, pixels, and what a decoder must know."""

    codec: str
    width: int
    height: int
    extradata: bytes = field(default=b"", repr=False)


class CodedPacket(NamedTuple):
    """One coded picture; `place` and `line` in seconds, `line` being POSIX time of place 0."""

    number: int  # rises by one within a ring
    segment: int  # another one begins where the packets before are not continued
    coding: Coding
    place: float
    line: float
    is_key: bool
    size: int  # bytes
    content: Any  # a buffer of bytes; the decoder's own, not copied

    @property
    def at(self) -> float:
        """When the picture was captured, POSIX seconds on the camera's clock line."""
        return self.line + self.place


class PacketRing:
    """Holds groups of pictures, each beginning with a key frame, within seconds and bytes.

    Of a group that is larger than all of it only the newest part is held: no clip can begin with
    that, but those that began before go on.

    Written by the reader's thread, read by any other; nobody waits for more than a few appends.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._groups: deque[list[CodedPacket]] = deque()
        self._bytes = 0
        self._number = 0
        self._segment = 0
        self._lock = Lock()

    def begin_segment(self) -> None:
        """What comes now does not continue what came: a new connection, or another format."""
        self._segment += 1

    def append(
        self, coding: Coding, place: float, line: float, is_key: bool, size: int, content: Any
    ) -> None:
        """Keep a packet; one that no key frame precedes cannot be shown and is dropped."""
        self._number += 1
        packet = CodedPacket(
            self._number, self._segment, coding, place, line, is_key, size, content
        )
        with self._lock:
            if is_key:
                self._groups.append([packet])
            elif self._groups and self._groups[-1][-1].number == packet.number - 1:
                if self._groups[-1][-1].segment != packet.segment:
                    return
                self._groups[-1].append(packet)
            else:
                return
            self._bytes += size
            while self._is_too_much(packet.at):
                self._bytes -= sum(dropped.size for dropped in self._drop_oldest())

    def since(self, at: float) -> list[CodedPacket]:
        """From the last key frame at or before this moment on; else from the first there is."""
        with self._lock:
            whole = [index for index, group in enumerate(self._groups) if group[0].is_key]
            early = [index for index in whole if self._groups[index][0].at <= at]
            return self._from((early[-1] if early else whole[0]) if whole else len(self._groups))

    def after(self, number: int) -> list[CodedPacket]:
        """What came after the packet of this number and is still held."""
        with self._lock:
            newer = [index for index, group in enumerate(self._groups) if group[0].number > number]
            first = max(0, (newer[0] if newer else len(self._groups)) - 1)
            return [packet for packet in self._from(first) if packet.number > number]

    @property
    def newest(self) -> CodedPacket | None:
        with self._lock:
            return self._groups[-1][-1] if self._groups else None

    @property
    def held_bytes(self) -> int:
        return self._bytes

    @property
    def held_seconds(self) -> float:
        with self._lock:
            return self._groups[-1][-1].at - self._groups[0][0].at if self._groups else 0.0

    def _from(self, first: int) -> list[CodedPacket]:
        return flat(group for index, group in enumerate(self._groups) if index >= first)

    def _drop_oldest(self) -> list[CodedPacket]:
        """A group as a whole; of the only one its older half: whoever follows needs the rest."""
        if len(self._groups) > 1:
            return self._groups.popleft()
        (group,) = self._groups
        half = (len(group) + 1) // 2
        dropped, self._groups[0] = group[:half], group[half:]
        if not self._groups[0]:
            self._groups.clear()
        return dropped

    def _is_too_much(self, now: float) -> bool:
        """The oldest group goes once the next one reaches back far enough by itself."""
        if self._bytes > self._most_bytes:
            return bool(self._groups)
        return len(self._groups) > 1 and self._groups[1][0].at <= now - self._seconds


def flat(groups: Iterable[list[CodedPacket]]) -> list[CodedPacket]:
    return list(chain.from_iterable(groups))
