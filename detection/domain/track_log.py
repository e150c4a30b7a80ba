"""Where people and vehicles were, about twice a second, in few bytes: for trying zones out.

A page is zlib over a head (version, aspect) and samples: milliseconds since its beginning and a
number of tracks, then for each its id, what it is, how sure, and its box in 65535ths of the
picture. The last sample before everybody was gone is empty. Nothing else is kept: no picture, no
body, and nobody inside a mask, since those are not followed.
"""

import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.objects import PERSON, VEHICLES
from detection.domain.tracks import Track

STEP_SECONDS: Final = 0.45  # between samples, less what frames come too early
FIRST_PAGE_SECONDS: Final = 60.0  # then as long as the log is old: a new camera can be tried soon
PAGE_SECONDS: Final = 600.0
MOST_TRACKS: Final = 40  # of a sample; the surest
MOST_BYTES: Final = 256_000  # of a page, before it is packed; a crowd fills one sooner
MOST_WAITING: Final = 6  # pages that wait for a database that is away
_JITTER_SECONDS: Final = 1.0

LABELS: Final = (PERSON, *sorted(VEHICLES))
_NUMBERS = {label: number for number, label in enumerate(LABELS)}
_HEAD = struct.Struct("<Bf")
_SAMPLE = struct.Struct("<IB")
_TRACK = struct.Struct("<IBBHHHH")
_VERSION = 1
_WHOLE = 65_535


class TrackLogError(ValueError):
    """The bytes are no page that can be read."""


class Sample(NamedTuple):
    """Who was where at a moment."""

    at: datetime
    tracks: list[Track]


@dataclass(slots=True)
class Page:
    """Some minutes of one camera, before they are packed."""

    began_at: datetime
    aspect: float
    ended_at: datetime
    samples: bytearray = field(default_factory=bytearray)
    is_empty: bool = True  # its last sample

    def packed(self) -> bytes:
        return zlib.compress(_HEAD.pack(_VERSION, self.aspect) + bytes(self.samples), 6)


class TrackLog:
    """Written by one thread; another takes the finished pages."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._began_at: datetime | None = None
        self._finished: deque[Page] = deque(maxlen=MOST_WAITING)

    def see(self, moment: Moment) -> None:
        """Note who is there, if it is time."""
        page = self._page
        if page is not None:
            apart = (moment.at - page.ended_at).total_seconds()
            if -_JITTER_SECONDS <= apart < STEP_SECONDS:
                return
            if self._is_full(page, moment, apart):
                self.end()
                page = None
        followed = [track for track in moment.tracks if track.label in _NUMBERS]
        if page is None and followed:
            page = self._page = Page(moment.at, moment.aspect, moment.at)
            self._began_at = self._began_at or moment.at
        if page is not None and (followed or not page.is_empty):
            _write(page, moment.at, followed)

    def end(self) -> None:
        """Finish the page that is open."""
        if self._page is not None:
            self._finished.append(self._page)
            self._page = None

    def take(self) -> Page | None:
        """The oldest finished page, once."""
        return self._finished.popleft() if self._finished else None

    def _length(self, page: Page) -> float:
        """The seconds that a page takes: few at first, for who tries zones on a new camera."""
        age = (page.began_at - (self._began_at or page.began_at)).total_seconds()
        return min(PAGE_SECONDS, max(FIRST_PAGE_SECONDS, age))

    def _is_full(self, page: Page, moment: Moment, apart: float) -> bool:
        return (
            apart < 0
            or (moment.at - page.began_at).total_seconds() >= self._length(page)
            or len(page.samples) >= MOST_BYTES
            or moment.aspect != page.aspect
        )


def _write(page: Page, at: datetime, tracks: list[Track]) -> None:
    if len(tracks) > MOST_TRACKS:
        tracks = sorted(tracks, key=lambda track: -track.confidence)[:MOST_TRACKS]
    milliseconds = round((at - page.began_at).total_seconds() * 1000)
    page.samples += _SAMPLE.pack(milliseconds, len(tracks))
    for track in tracks:
        sure = round(min(1.0, max(0.0, float(track.confidence))) * 100)
        page.samples += _TRACK.pack(
            track.id & 0xFFFFFFFF, _NUMBERS[track.label], sure, *map(_share, track.box)
        )
    page.ended_at, page.is_empty = at, not tracks


def _share(edge: float) -> int:
    return round(min(1.0, max(0.0, float(edge))) * _WHOLE)


def read_page(content: bytes, began_at: datetime) -> tuple[float, Iterator[Sample]]:
    """The picture's aspect and what was seen, in order. Raises TrackLogError."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(content, 2 * MOST_BYTES)
        version, aspect = _HEAD.unpack_from(raw)
    except (zlib.error, struct.error) as error:
        raise TrackLogError(f"it cannot be read: {error}") from None
    if version != _VERSION or unpacker.unconsumed_tail or not unpacker.eof:
        raise TrackLogError("it is not of this version, too large, or torn")
    return aspect, _samples(raw, began_at)


def _samples(raw: bytes, began_at: datetime) -> Iterator[Sample]:
    offset = _HEAD.size
    while offset < len(raw):
        milliseconds, count = _SAMPLE.unpack_from(raw, offset)
        offset += _SAMPLE.size
        end = offset + count * _TRACK.size
        tracks = [
            Track(key, LABELS[label], sure / 100, Box(*(edge / _WHOLE for edge in edges)))
            for key, label, sure, *edges in _TRACK.iter_unpack(raw[offset:end])
        ]
        offset = end
        yield Sample(began_at + timedelta(milliseconds=milliseconds), tracks)


def feet_of(samples: Sequence[Sample], least: float) -> dict[int, list[tuple[float, float]]]:
    """The way of each track over the ground, by its id; steps shorter than `least` are left out."""
    ways: dict[int, list[tuple[float, float]]] = {}
    for sample in samples:
        for track in sample.tracks:
            x, y = track.box.feet
            way = ways.setdefault(track.id, [])
            if not way or abs(way[-1][0] - x) + abs(way[-1][1] - y) >= least:
                way.append((round(x, 4), round(y, 4)))
    return ways
