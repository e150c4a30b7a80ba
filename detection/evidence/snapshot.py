"""The picture that is kept of an episode."""

from collections.abc import Sequence
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.evidence.drawing import (
    TEXT_SIZE,
    WHITE,
    draw_tracks,
    draw_zones,
    scale_of,
    write,
)
from detection.evidence.privacy import hide


def annotated_jpeg(
    picture: NDArray[np.uint8],
    *,
    tracks: Sequence[Track],
    suspects: Sequence[int],
    zones: Sequence[Zone],
    caption: str,
    at: datetime,
) -> bytes:
    """A JPEG of the picture (height, width, 3) BGR with zones, boxes, track ids and a caption.

    What its privacy zones hide is not in it.
    """
    canvas = hide(picture, zones)
    canvas = canvas.copy() if canvas is picture else canvas
    draw_zones(canvas, zones)
    draw_tracks(canvas, tracks, suspects)
    _banner(canvas, f"{caption}   {at:%Y-%m-%d %H:%M:%S} UTC")
    return clean_jpeg(canvas)


def clean_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """A JPEG of the picture (height, width, 3) BGR as it is."""
    encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not encoded:
        raise ValueError(f"the picture of shape {picture.shape} cannot be written as JPEG")
    return jpeg.tobytes()


def _banner(canvas: NDArray[np.uint8], text: str) -> None:
    scale, height = scale_of(canvas), canvas.shape[0]
    strip = round(28 * scale)
    canvas[max(0, height - strip) :] //= 3
    write(canvas, text, (round(8 * scale), height - round(9 * scale)), WHITE, TEXT_SIZE * scale)
