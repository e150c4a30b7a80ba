"""Pictures of a brick wall in the street of scenes.py, drawn frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box
from detection.domain.tracks import Track
from tests.unit.scenes import Walk

WIDTH, HEIGHT = 320, 180
Picture = NDArray[np.uint8]
Grey = NDArray[np.float32]


@dataclass
class Wall:
    """What is drawn: who walks before it, and paint, light and shade from a frame on.

    `limbs` says by frame and id whether somebody's arms are at `work`, or deal `blows`. `noise` is
    the camera's, in grey levels. `marks` are (frame from which it is there, box, how): `paint` is
    scrawled over, `shade` is half as bright, `lump` is something plain. `nudged` is the frame from
    which the camera looks a little more to the left.
    """

    walks: Sequence[Walk]
    limbs: Callable[[int, int], str] = lambda number, track_id: ""
    marks: Sequence[tuple[int, Box, str]] = ()
    light: Callable[[int], float] = lambda number: 1.0
    noise: float = 2.0
    nudged: int | None = None
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def __call__(self, number: int) -> Picture:
        picture = BRICKS.copy()
        for since, box, how in self.marks:
            if number >= since:
                rows, columns = _pixels(box)
                picture[rows, columns] = _marked(picture[rows, columns], how)
        for walk in self.walks:
            for track in walk.at(number):
                _draw(picture, track, number, self.limbs(number, track.id))
        picture *= self.light(number)
        if self.nudged is not None and number >= self.nudged:
            picture = np.roll(picture, 3, axis=1)
        picture += self._random.normal(0, self.noise, picture.shape)
        return np.clip(picture, 0, 255).astype(np.uint8)


def _bricks() -> Grey:
    """Bricks of 16 by 8 pixels with dark joints, lit more on the left."""
    wall = np.full((HEIGHT, WIDTH), 120, np.float32)
    wall[::8] = 80
    for row in range(0, HEIGHT, 8):
        wall[row : row + 8, (row // 8 % 2) * 8 :: 16] = 80
    return np.asarray(wall * np.linspace(1.1, 0.9, WIDTH), np.float32)


def _marked(wall: Grey, how: str) -> Grey:
    if how == "shade":
        return (wall / 2).astype(np.float32)
    if how == "lump":
        return np.full_like(wall, 60)
    rows, columns = np.indices(wall.shape)
    return np.where((rows + columns) % 9 < 4, 230, wall).astype(np.float32)


def _draw(picture: Grey, track: Track, number: int, limbs: str) -> None:
    rows, columns = _pixels(track.box)
    if not track.is_person:
        picture[rows, columns] = 200
        return
    picture[rows, columns] = 40
    tall = rows.stop - rows.start
    # An arm to the right: along the hip, or out at the shoulder in every other frame.
    raised = bool(limbs) and number % 2 == 0
    top = rows.start + round(tall * (0.1 if raised else 0.4))
    reach = round(tall * (0.35 if raised else 0.15))
    picture[top : top + round(tall * 0.14), columns.stop : columns.stop + reach] = 40
    if limbs:  # and the upper body with it
        lean = round(tall * {"work": 0.12, "blows": 0.2}[limbs]) * (1 if raised else -1)
        upper = slice(rows.start, rows.start + tall // 2)
        picture[upper, max(0, columns.start + lean) : columns.stop + lean] = 40


def _pixels(box: Box) -> tuple[slice, slice]:
    return (
        slice(max(0, round(box.y1 * HEIGHT)), round(box.y2 * HEIGHT)),
        slice(max(0, round(box.x1 * WIDTH)), round(box.x2 * WIDTH)),
    )


BRICKS = _bricks()
