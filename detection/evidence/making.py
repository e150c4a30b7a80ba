"""Makes the clip of a spooled episode: as the camera sent it wherever that may be shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detection.domain.packets import CodedPacket
from detection.evidence.clip import ClipError, ClipShape, is_playable, write_clip
from detection.evidence.spool import Entry, SpoolWriter, contents, index
from detection.evidence.spool_folder import ClipOrder, Masks, Part, part_path, polygons
from detection.evidence.transcoding import Transcoder

_SAME_SECONDS = 0.001
FILM = "clip.mp4"
_WHOLE = "whole.packets"


@dataclass(frozen=True, slots=True)
class MadeClip:
    """A finished film and how it came to be."""

    film: Path
    shape: ClipShape
    is_re_encoded: bool
    is_masked: bool


def make_clip(folder: Path, order: ClipOrder, masks: Masks) -> MadeClip:
    """Make the film of what was spooled, with these masks over all of it.

    Raises ClipError where nothing can be made of it, and OSError.
    """
    parts = _parts(folder, order)
    if not parts:
        raise ClipError("no key frame came")
    film = folder / FILM
    part, path, entries = parts[0]
    as_it_is = (
        len(parts) == 1 and is_playable(entries) and set(masks) <= set(polygons(part["masks"]))
    )
    if not as_it_is:
        path = folder / _WHOLE
        _transcode([(place, found) for _, place, found in parts], masks, path)
    try:
        shape = write_clip(path, film)
    finally:
        (folder / _WHOLE).unlink(missing_ok=True)
    return MadeClip(film, shape, not as_it_is or part["re_encoded"], bool(masks))


def _parts(folder: Path, order: ClipOrder) -> list[tuple[Part, Path, list[Entry]]]:
    """Each part without what the next one shows as well."""
    found: list[tuple[Part, Path, list[Entry]]] = []
    until = float("inf")
    for number in range(len(order.parts), 0, -1):
        path = part_path(folder, number)
        entries = index(path) if path.is_file() else []
        entries = [entry for entry in entries if entry.line + entry.place < until - _SAME_SECONDS]
        if entries:
            found.insert(0, (order.parts[number - 1], path, entries))
            until = entries[0].line + entries[0].place
    return found


def _transcode(parts: Sequence[tuple[Path, Sequence[Entry]]], masks: Masks, target: Path) -> None:
    target.unlink(missing_ok=True)
    transcoder, writer = Transcoder(masks), SpoolWriter(target)
    try:
        for segment, (path, entries) in enumerate(parts):
            writer.write(transcoder.take(_packets(path, entries, 1000 * segment)))
        writer.write(transcoder.finish())
    finally:
        writer.close()


def _packets(path: Path, entries: Sequence[Entry], first_segment: int) -> Iterator[CodedPacket]:
    for number, (entry, content) in enumerate(zip(entries, contents(path, entries), strict=True)):
        segment = first_segment + entry.run
        yield CodedPacket(
            number,
            segment,
            entry.coding,
            entry.place,
            entry.line,
            entry.is_key,
            entry.size,
            content,
        )
