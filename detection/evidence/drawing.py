"""Draws what was seen onto the picture it was seen in: for snapshots and for films."""

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind

Colour = tuple[int, int, int]  # BGR
Pixels = NDArray[np.uint8]
Corner = tuple[int, int]

RED: Colour = (60, 50, 230)
AMBER: Colour = (0, 170, 255)
YELLOW: Colour = (0, 200, 255)
GREY: Colour = (200, 200, 200)
WHITE: Colour = (245, 245, 245)
INK: Colour = (20, 20, 20)

USUAL_HEIGHT = 480  # of a picture: in it letters have their plain size
TEXT_SIZE = 13.0  # pixels
REGULAR, BOLD = 400, 700
_TINT = 0.12  # of a zone's colour over its area
_MASKED = 0.35  # of the light that is left under a mask


def scale_of(canvas: Pixels) -> float:
    """By how much letters and lines are larger than on a picture of the usual height."""
    return min(4.0, max(0.85, float(canvas.shape[0]) / USUAL_HEIGHT))


def draw_zones(canvas: Pixels, zones: Sequence[Zone]) -> None:
    """Outline the zones, with their names; a line has an arrow to its inside."""
    for zone in zones:
        points = _pixels(canvas, zone.outline)
        if zone.kind.is_mask:
            if zone.kind is not ZoneKind.PRIVACY:  # there, nothing is left to be seen
                _blend(canvas, points, INK, 1 - _MASKED)
            _outline(canvas, points, GREY)
        elif zone.line is not None:
            _draw_line(canvas, points)
        else:
            _blend(canvas, points, YELLOW, _TINT)
            _outline(canvas, points, YELLOW)
    for zone in zones:  # names over all outlines
        points = _pixels(canvas, zone.outline)
        corner = min(points.tolist(), key=lambda point: point[0] + 2 * point[1])
        label(canvas, zone.name, (corner[0], corner[1]), YELLOW)


def draw_tracks(canvas: Pixels, tracks: Sequence[Track], suspects: Collection[int]) -> None:
    """Box the objects with their numbers; suspects, in red, over the others."""
    scale = scale_of(canvas)
    drawn = []
    for track in sorted(tracks, key=lambda track: track.id in suspects):
        colour = RED if track.id in suspects else GREY
        (left, top), (right, bottom) = _pixels(canvas, [track.box[:2], track.box[2:]]).tolist()
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, round(2 * scale), cv2.LINE_AA)
        text = f"{track.label} {track.id}"
        sure = f"{text}  {track.confidence:.0%}"
        # Where people stand close to each other, there is no room for more than their numbers.
        has_room = text_width(sure, TEXT_SIZE * scale) < 2 * (right - left)
        drawn.append((sure if has_room else text, (left, top), colour))
    for text, corner, colour in drawn:  # over all boxes
        label(canvas, text, corner, colour)


def label(canvas: Pixels, text: str, corner: Corner, colour: Colour) -> None:
    """Write on a plate that stands on the corner, moved so that it lies within the picture."""
    size = TEXT_SIZE * scale_of(canvas)
    pad = round(0.3 * size)
    width, height = round(text_width(text, size)) + 2 * pad, round(1.35 * size)
    x = max(0, min(corner[0], canvas.shape[1] - width))
    y = max(corner[1], height)
    cv2.rectangle(canvas, (x, y - height), (x + width, y), colour, -1)
    light = WHITE if colour == RED else INK
    write(canvas, text, (x + pad, y - round(0.36 * size)), light, size)


def write(
    canvas: Pixels, text: str, corner: Corner, colour: Colour, size: float, weight: int = REGULAR
) -> None:
    """Write on the base line that begins at the corner."""
    # https://docs.opencv.org/5.x/d6/d6e/group__imgproc__draw.html
    cv2.putText(canvas, _writable(text), corner, colour, cv2.FontFace("sans"), round(size), weight)


def text_width(text: str, size: float, weight: int = REGULAR) -> float:
    """How many pixels a text takes."""
    face = cv2.FontFace("sans")
    _, _, width, _ = cv2.getTextSize((1, 1), _writable(text), (0, 0), face, round(size), weight)
    return float(width)


def _writable(text: str) -> str:
    """OpenCV ends the process over text that is no UTF-8."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _pixels(canvas: Pixels, points: Sequence[Sequence[float]]) -> NDArray[np.int32]:
    """Normalised points as pixels (n, 2)."""
    height, width = canvas.shape[:2]
    return (np.array(points) * [width, height]).round().astype(np.int32)


def _outline(canvas: Pixels, points: NDArray[np.int32], colour: Colour) -> None:
    cv2.polylines(canvas, [points], True, colour, round(2 * scale_of(canvas)), cv2.LINE_AA)


def _blend(canvas: Pixels, points: NDArray[np.int32], colour: Colour, share: float) -> None:
    """Lay a colour over the area, in its surrounding rectangle only."""
    height, width = canvas.shape[:2]
    left, top = np.maximum(points.min(axis=0), 0).tolist()
    right, bottom = (points.max(axis=0) + 1).tolist()
    part = canvas[top : min(bottom, height), left : min(right, width)]
    if part.size == 0:
        return
    inked = part.copy()
    cv2.fillPoly(inked, [points - np.array([left, top], np.int32)], colour)
    part[:] = cv2.addWeighted(part, 1 - share, inked, share, 0)


def _draw_line(canvas: Pixels, points: NDArray[np.int32]) -> None:
    thickness = round(3 * scale_of(canvas))
    start, end = points.tolist()
    cv2.line(canvas, tuple(start), tuple(end), YELLOW, thickness, cv2.LINE_AA)
    along = (points[1] - points[0]).astype(float)
    length = float(np.hypot(*along))
    if length == 0:
        return
    inwards = np.array([-along[1], along[0]]) / length  # the right of who walks along it
    middle = points.mean(axis=0)
    tip = middle + inwards * min(36 * scale_of(canvas), max(14.0, 0.2 * length))
    begins, points_at = (place.round().astype(int).tolist() for place in (middle, tip))
    cv2.arrowedLine(canvas, begins, points_at, YELLOW, thickness, cv2.LINE_AA, tipLength=0.4)
