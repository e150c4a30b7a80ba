"""Draws what was seen onto the picture it was seen in."""

from collections.abc import Sequence
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.tracks import Track
from detection.domain.zones import Zone

_SUSPECT, _OTHER, _ZONE = (40, 40, 230), (200, 200, 200), (0, 200, 255)  # BGR
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotated_jpeg(
    picture: NDArray[np.uint8],
    *,
    tracks: Sequence[Track],
    suspects: Sequence[int],
    zones: Sequence[Zone],
    caption: str,
    at: datetime,
) -> bytes:
    """A JPEG of the picture (height, width, 3) BGR with zones, boxes, track ids and a caption."""
    canvas = picture.copy()
    height, width = canvas.shape[:2]
    scale = np.array([width, height])
    for zone in zones:
        corners = (np.array(zone.polygon.corners) * scale).astype(np.int32)
        cv2.polylines(canvas, [corners], True, _ZONE, 2, cv2.LINE_AA)
    for track in tracks:
        colour = _SUSPECT if track.id in suspects else _OTHER
        box = (np.array(track.box).reshape(2, 2) * scale).astype(int)
        top_left, bottom_right = tuple(box[0].tolist()), tuple(box[1].tolist())
        cv2.rectangle(canvas, top_left, bottom_right, colour, 2, cv2.LINE_AA)
        _write(canvas, f"{track.label} {track.id}  {track.confidence:.0%}", top_left, colour)
    _banner(canvas, f"{caption}   {at:%Y-%m-%d %H:%M:%S} UTC")
    encoded, jpeg = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not encoded:
        raise ValueError(f"the picture of shape {picture.shape} cannot be written as JPEG")
    return jpeg.tobytes()


def _write(
    canvas: NDArray[np.uint8], text: str, corner: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    text = _ascii(text)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    x, y = corner[0], max(corner[1], text_height + 8)
    cv2.rectangle(canvas, (x, y - text_height - 8), (x + text_width + 8, y), colour, -1)
    cv2.putText(canvas, text, (x + 4, y - 4), _FONT, 0.45, (20, 20, 20), 1, cv2.LINE_AA)


def _banner(canvas: NDArray[np.uint8], text: str) -> None:
    height = canvas.shape[0]
    canvas[height - 24 :] = canvas[height - 24 :] // 3
    cv2.putText(canvas, _ascii(text), (8, height - 8), _FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)


def _ascii(text: str) -> str:
    """What OpenCV's font can draw; other letters become a question mark."""
    return text.replace("“", '"').replace("”", '"').encode("ascii", "replace").decode()
