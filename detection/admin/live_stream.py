"""A live picture as the parts of one long answer, for as long as somebody looks and may."""

import json
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from crimeops.serving import is_ending
from detection.ports import TransportError
from detection.transport.live import LivePicture, LivePictures
from detection.transport.viewers import Viewers

LOOK_SECONDS = 0.06  # between two looks for a newer picture
ASK_SECONDS = 1.0
RIGHTS_SECONDS = 15.0  # after which rights that were taken away end the stream
SILENCE_SECONDS = 20.0  # a stream without a picture for so long ends
BOUNDARY = "picture"

# Why a stream ended, as its last part says.
LIMIT, DISPLACED, SILENT, FORBIDDEN, AWAY = "limit", "displaced", "silent", "forbidden", "away"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who looks: at which camera, from which place, for how long, and still with the right."""

    camera_id: int
    place: str
    seconds: float
    still_may: Callable[[], bool]
    tells: bool  # reads what is no picture too; a bare <img> would not
    zone: tzinfo  # the reader's, for as long as the answer lasts


def parts(viewer: Viewer, pictures: LivePictures, viewers: Viewers) -> Iterator[bytes]:
    """Each new picture as a part; when the browser has left, the next part finds out.

    A viewer who is told hears something every second, and at the end why it is over.
    """
    try:
        why = yield from _pictures(viewer, pictures, viewers)
        if viewer.tells:
            yield _part("application/json", json.dumps({"ended": why}).encode(), {})
    finally:
        _leave(viewers, viewer.place)


def _pictures(
    viewer: Viewer, pictures: LivePictures, viewers: Viewers
) -> Generator[bytes, None, str]:
    began = shown = said = time.monotonic()
    asked, sure = float("-inf"), began
    last: datetime | None = None
    while (now := time.monotonic()) - began < viewer.seconds:
        if is_ending():
            return AWAY
        try:
            if now - asked >= ASK_SECONDS:
                asked = now
                pictures.want(viewer.camera_id)
                if not viewers.renew(viewer.place):
                    return DISPLACED
            picture = pictures.newer(viewer.camera_id, last)
        except TransportError:
            return AWAY
        if now - sure >= RIGHTS_SECONDS:
            sure = now
            if not viewer.still_may():
                return FORBIDDEN
        if picture is not None:
            last, shown, said = picture.taken_at, now, now
            yield _picture_part(picture, viewer)
        elif now - shown > SILENCE_SECONDS:
            return SILENT
        elif viewer.tells and now - said >= ASK_SECONDS:
            said = now
            yield _part("application/json", b"{}", {})
        time.sleep(LOOK_SECONDS)
    return LIMIT


def _picture_part(picture: LivePicture, viewer: Viewer) -> bytes:
    heads = facts_of(picture, viewer.zone)
    if viewer.tells:
        heads["X-Boxes"] = json.dumps(picture.boxes, separators=(",", ":"))
    return _part("image/jpeg", picture.jpeg, heads)


def facts_of(picture: LivePicture, zone: tzinfo) -> dict[str, str]:
    """When it was taken, how old it is and when that was said, by this cluster's clock."""
    now = datetime.now(UTC)
    return {
        "X-Captured-At": picture.captured_at.isoformat(timespec="milliseconds"),
        "X-Captured-Local": f"{picture.captured_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "X-Age-Seconds": f"{max(0.0, (now - picture.taken_at).total_seconds()):.2f}",
        "X-Sent-At": f"{now.timestamp():.3f}",
    }


def _part(kind: str, body: bytes, heads: dict[str, str]) -> bytes:
    lines = [f"--{BOUNDARY}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in heads.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


def _leave(viewers: Viewers, place: str) -> None:
    try:
        viewers.leave(place)
    except TransportError:
        return  # the place lapses
