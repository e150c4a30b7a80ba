"""Makes an MP4 of an episode's packets as the camera sent them: nothing is decoded.

Library: https://pyav.basswood-io.com
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
import av.error

from detection.evidence.parameter_sets import plays_in_browsers
from detection.evidence.spool import Entry, contents, index

_TICKS = 90_000  # a second, as cameras count
_TICK = Fraction(1, _TICKS)
# A line that moves further than this from one packet to the next was set, and did not drift.
_LINE_JUMP_SECONDS = 0.5
_USUAL_FRAME_SECONDS = 1 / 15
_OPTIONS = {"movflags": "+faststart"}


class ClipError(Exception):
    """No clip can be made of what was kept; the message says why."""


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What was written. `began_at` is when the first picture was captured, POSIX seconds."""

    began_at: float
    seconds: float
    width: int
    height: int
    pictures: int
    is_whole: bool  # False where the camera was away in between


def is_playable(entries: Sequence[Entry]) -> bool:
    """Whether a browser plays these packets as they are: H.264 of one size and format."""
    codings = {entry.coding for entry in entries}
    if len(codings) != 1:
        return False
    return plays_in_browsers(codings.pop())


def write_clip(spool: Path, film: Path) -> ClipShape:
    """Copy the packets of a spool into an MP4 with its index in front.

    Raises ClipError, and OSError where a file cannot be read or written.
    """
    entries = _showable(index(spool))
    if not entries:
        raise ClipError("no key frame came")
    shown, decoded = _times(entries)
    ordered = sorted(shown)
    step = ordered[-1] - ordered[-2] if len(ordered) > 1 else round(_USUAL_FRAME_SECONDS * _TICKS)
    coding = entries[0].coding
    try:
        with av.open(str(film), "w", format="mp4", options=_OPTIONS) as container:
            stream: Any = container.add_mux_stream(
                "h264", width=coding.width, height=coding.height, time_base=_TICK
            )
            for entry, content, pts, dts in zip(
                entries, contents(spool, entries), shown, decoded, strict=True
            ):
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, _TICK
                packet.pts, packet.dts, packet.is_keyframe = pts, dts, entry.is_key
                packet.duration = step  # of the last; that of others is told by the next
                container.mux_one(packet)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, ValueError):
            raise OSError(error.errno, error.strerror) from None
        raise ClipError(f"the packets cannot be put into a film: {error.strerror}") from None
    line = _lines(entries)[0]
    return ClipShape(
        began_at=line + entries[0].place,
        seconds=(ordered[-1] + step) / _TICKS,
        width=coding.width,
        height=coding.height,
        pictures=len(entries),
        is_whole=entries[0].run == entries[-1].run,
    )


def _showable(entries: Sequence[Entry]) -> list[Entry]:
    """Without pictures that lean on what came before the first key frame of their run."""
    kept: list[Entry] = []
    for _, run in groupby(entries, key=lambda entry: entry.run):
        key, keys = None, 0
        for entry in run:
            keys += entry.is_key
            key = entry if key is None and entry.is_key else key
            leads = keys == 1 and key is not None and entry.place < key.place
            if key is not None and not leads:
                kept.append(entry)
    return kept


def _times(entries: Sequence[Entry]) -> tuple[list[int], list[int]]:
    """When each packet is shown and when decoded, in ticks from the first picture.

    The order of decoding is that of the packets, and each is decoded before it is shown: the
    sorted times of showing, moved ahead as far as pictures wait for one another.
    """
    lines = _lines(entries)
    origin = lines[0] + entries[0].place
    shown, order = [0] * len(entries), [0] * len(entries)
    previous = -1
    for _, members in groupby(range(len(entries)), key=lambda number: entries[number].run):
        run = list(members)
        at = [round((lines[n] + entries[n].place - origin) * _TICKS) for n in run]
        ranked = sorted(range(len(run)), key=lambda number: at[number])
        for place, number in enumerate(ranked):
            previous = max(previous + 1, at[number])
            shown[run[number]] = previous
            order[run[place]] = previous
    delay = max(first - second for first, second in zip(order, shown, strict=True))
    return shown, [time - delay for time in order]


def _lines(entries: Sequence[Entry]) -> list[float]:
    """For each packet the line's zero, the same for all between two jumps.

    It wavers by milliseconds while the capture clock learns what the way from the camera takes;
    true distances are those of the stream.
    """
    lines: list[float] = []
    for stretch in _stretches(entries):
        lines += [median(entry.line for entry in stretch)] * len(stretch)
    return lines


def _stretches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    begins = [
        number
        for number, (one, two) in enumerate(pairwise(entries), 1)
        if one.run != two.run or abs(two.line - one.line) > _LINE_JUMP_SECONDS
    ]
    for first, end in pairwise([0, *begins, len(entries)]):
        yield entries[first:end]
