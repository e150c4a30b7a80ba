"""The same clip as other cameras might have shown it: slower, darker, smaller, worse compressed."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST: Final = (640, 384)  # width, height: what the detector is given
Picture = NDArray[np.uint8]


class UnreadableClip(Exception):
    """The clip cannot be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class View:
    """How a clip is looked at. Ranges are drawn from once for each clip."""

    name: str
    rate: float  # pictures a second
    first_at: float = 0.0  # seconds
    gain: tuple[float, float] = (1.0, 1.0)
    gamma: tuple[float, float] = (1.0, 1.0)
    noise: tuple[float, float] = (0.0, 0.0)  # standard deviation in grey levels
    scale: tuple[float, float] = (1.0, 1.0)  # of the people in the picture
    quality: tuple[int, int] | None = None  # of JPEG
    mirrored: bool = False  # one clip in two
    colourless: bool = False  # one clip in three


def _worse(name: str, rate: float, first_at: float) -> View:
    return View(
        name,
        rate,
        first_at,
        gain=(0.35, 1.15),
        gamma=(0.7, 1.5),
        noise=(0.0, 8.0),
        scale=(0.45, 1.0),
        quality=(18, 60),
        mirrored=True,
        colourless=True,
    )


PLAIN: Final = View("plain", 5.0)
TRAINING_VIEWS: Final = (
    PLAIN,
    View("later", 5.0, 0.1),
    _worse("worse at 5", 5.0, 0.05),
    _worse("worse at 6", 6.0, 0.0),
    _worse("worse at 4", 4.0, 0.1),
    _worse("worse at 10", 10.0, 0.0),
)
"""What is trained on. Figures are those of the plain view unless another is named."""

STRESS_VIEWS: Final = (
    View("3.3 pictures a second", 10 / 3),
    View("10 pictures a second", 10.0),
    View("dark and noisy", 5.0, gain=(0.3, 0.3), gamma=(1.3, 1.3), noise=(6.0, 6.0)),
    View("people half as large", 5.0, scale=(0.5, 0.5)),
)
"""What is only tested on."""


def pictures(path: Path, view: View, seed: int) -> Iterator[tuple[float, Picture]]:
    """Seconds and pictures (h, w, 3) BGR of a clip. Raises UnreadableClip."""
    name = f"{path.parent.name}/{path.name}/{view.name}"
    randomness = np.random.default_rng([seed, zlib.crc32(name.encode())])
    change = _Change(view, randomness)
    for at, picture in _decoded(path, view):
        yield at, change.of(picture)


def _decoded(path: Path, view: View) -> Iterator[tuple[float, Picture]]:
    count = 0
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 25)
            for number, frame in enumerate(container.decode(stream)):
                # By number: cut clips begin anywhere and often repeat a time stamp.
                at = number / rate
                if at + 1e-6 >= view.first_at + count / view.rate:
                    count = int((at + 1e-6 - view.first_at) * view.rate) + 1
                    yield at, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise UnreadableClip(f"it cannot be decoded ({type(error).__name__}: {error})") from error
    if not count:
        raise UnreadableClip("it has no pictures")


class _Change:
    """One draw of a view's ranges, the same for every picture of a clip."""

    def __init__(self, view: View, randomness: np.random.Generator) -> None:
        self._view, self._randomness = view, randomness
        self._mirrored = view.mirrored and randomness.random() < 1 / 2
        self._colourless = view.colourless and randomness.random() < 1 / 3
        self._gain, self._gamma, self._noise, self._scale = (
            float(randomness.uniform(*span))
            for span in (view.gain, view.gamma, view.noise, view.scale)
        )
        self._quality = int(randomness.integers(*view.quality)) if view.quality else None

    def of(self, picture: Picture) -> Picture:
        if self._mirrored:
            picture = np.ascontiguousarray(picture[:, ::-1])
        if self._view.quality or self._noise or self._scale < 1:
            picture = _at_most(picture, LARGEST)
        if self._colourless:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
        picture = self._lit(picture)
        if self._scale < 1:
            picture = self._smaller(picture)
        if self._quality is not None:
            _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
            picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        return picture

    def _lit(self, picture: Picture) -> Picture:
        if (self._gain, self._gamma, self._noise) == (1.0, 1.0, 0.0):
            return picture
        light = np.power(picture.astype(np.float32) / 255, self._gamma) * self._gain * 255
        light += self._randomness.standard_normal(light.shape, np.float32) * self._noise
        return np.clip(light, 0, 255).astype(np.uint8)

    def _smaller(self, picture: Picture) -> Picture:
        """The picture in the middle of a dark one of its size."""
        height, width = picture.shape[:2]
        small = cv2.resize(
            picture,
            (max(1, round(width * self._scale)), max(1, round(height * self._scale))),
            interpolation=cv2.INTER_AREA,
        )
        canvas = np.full_like(picture, 40 * min(1.0, self._gain))
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        return canvas


def _at_most(picture: Picture, size: tuple[int, int]) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, size[0] / width, size[1] / height)
    if scale == 1.0:
        return picture
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, wanted, interpolation=cv2.INTER_AREA), np.uint8)
