"""Paints over what must never be kept or shown: the privacy masks of a camera."""

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Polygon
from detection.domain.zones import Zone, ZoneKind

Pixels = NDArray[np.uint8]

_PAINT = (32, 32, 32)  # BGR: seen to be a mask, and no dark corner
_PAINT_YUV = (43, 128, 128)  # the same, as films have it
# Codecs share colours between neighbours: what touches a mask's edge is painted as well.
_MARGIN_PIXELS = 2


def masks_of(zones: Iterable[Zone]) -> tuple[Polygon, ...]:
    """The privacy masks among these zones."""
    return tuple(zone.area for zone in zones if zone.kind is ZoneKind.PRIVACY)


def hide(pixels: Pixels, zones: Iterable[Zone]) -> Pixels:
    """The picture (height, width, 3) without what its privacy zones hide; itself without any."""
    return paint(pixels, masks_of(zones))


def paint(pixels: Pixels, masks: Sequence[Polygon]) -> Pixels:
    """A copy of the picture with the masks over it; itself where there are none."""
    if not masks:
        return pixels
    painted = pixels.copy()
    _fill(painted, masks, _PAINT, pixels.shape[1])
    return painted


def paint_planes(planes: Pixels, size: tuple[int, int], masks: Sequence[Polygon]) -> None:
    """Paint a film's picture of this even width and height in place: (3/2 height, width) YUV 4:2:0.

    Without a detour by way of BGR, which darkens a picture and costs more than the painting.
    """
    width, height = size
    light = planes[:height]
    _fill(light, masks, (_PAINT_YUV[0],), width)
    chroma = planes[height:].reshape(-1)
    half = (height // 2) * (width // 2)
    for number, value in enumerate(_PAINT_YUV[1:]):
        plane = chroma[number * half : (number + 1) * half].reshape(height // 2, width // 2)
        _fill(plane, masks, (value,), width)


def _fill(
    canvas: Pixels, masks: Sequence[Polygon], colour: tuple[int, ...], picture_width: int
) -> None:
    height, width = canvas.shape[:2]
    for mask in masks:
        corners = np.array([[x * width, y * height] for x, y in mask.corners])
        # A corner within a pixel takes all of it.
        points = np.where(corners > corners.mean(axis=0), np.ceil(corners), np.floor(corners))
        outline = points.astype(np.int32)
        cv2.fillPoly(canvas, [outline], colour)
        cv2.polylines(canvas, [outline], True, colour, 2 * _margin(picture_width) + 1)


def _margin(width: int) -> int:
    """In pixels; wide pictures may be shown or kept smaller."""
    return max(_MARGIN_PIXELS, math.ceil(width / 640))
