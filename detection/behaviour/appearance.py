"""What each place of a picture looks like, apart from its light, and where that has changed.

A place is a cell of the small grey picture and its look the edges in it. Edges keep their shape in
any light, so cells are compared after scaling one to the other; where many cells change together,
it is the light.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box, Point, Polygon

CELL: Final = 8  # pixels of a picture about 320 wide
KNOWN_SECONDS: Final = 6.0  # of free sight, until a cell's look is known
REFERENCE_SECONDS: Final = 60.0  # in which a look follows what changes slowly, as shadows do
LIGHT_SECONDS: Final = 5.0  # in which it follows a change of the light
RECENT_SECONDS: Final = 0.7
SETTLED_SECONDS: Final = 1.0  # of free sight after somebody stood there
LONGEST_STEP_SECONDS: Final = 2.0
LEAST_RESIDUAL: Final = 16.0  # grey levels squared: noise and compression lie below
LEAST_MOTION: Final = 60.0  # from one look to the next, whose noise is that of both
UNRESTS: Final = 5.0  # times what is usual for the cell, as for leaves in the wind
OTHER_SHAPE: Final = 0.4  # share of a cell's structure that the other does not explain
GAINS: Final = (0.5, 2.0)
BRIGHTNESS_STEP: Final = 0.25  # of the logarithm, against the whole picture
LIGHT_SHARE: Final = 0.06  # of the cells that nobody touched
FEWEST_CONTROLS: Final = 20
LEAST_TEXTURE: Final = 40.0  # grey levels squared, of a cell that a shadow leaves recognisable

Cells = NDArray[np.bool_]  # (rows, columns)


class Appearance:
    """One camera's picture; times are seconds of one steady clock."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """For grey pictures of this shape."""
        self.shape = shape
        rows, columns = shape[0] // CELL, shape[1] // CELL
        self.changed: Cells = np.zeros((rows, columns), bool)
        self._reference, self._recent = np.zeros((2, rows, columns, 2 * CELL**2), np.float32)
        self._reference_light, self._recent_light = np.zeros((2, rows, columns), np.float32)
        self._last_edges = np.zeros_like(self._recent)
        self._unrest = np.zeros((rows, columns), np.float32)
        self._noise = 0.0
        self._seen_seconds, self._free_seconds = np.zeros((2, rows, columns), np.float32)
        self._last_at: float | None = None

    def look(self, picture: NDArray[np.uint8], at: float, covered: Cells, held: Cells) -> None:
        """See the picture; `covered` cells are hidden, `held` ones keep the look they had before.

        While any is held, none is learnt: what is compared must be of one time.
        """
        apart = 0.0 if self._last_at is None else at - self._last_at
        step = min(max(0.0, apart), LONGEST_STEP_SECONDS)  # clocks step back a little
        self._last_at = at
        edges, light = _edges(picture), _light(picture)
        # What moves is somebody whom the detector has missed.
        hidden = covered | self._moves(edges)
        self._free_seconds = np.where(hidden, 0.0, self._free_seconds + step).astype(np.float32)
        fresh = self._free_seconds <= step  # first seen again: nothing is left of who stood there
        share = np.where(fresh, 1.0, min(1.0, step / RECENT_SECONDS)).astype(np.float32)
        self._recent += share[..., None] * (edges - self._recent)
        self._recent_light += share * (light - self._recent_light)
        settled = self._free_seconds >= SETTLED_SECONDS
        residual, differs = self._compare()
        self.changed = np.where(self._comparable(), differs, self.changed & hidden)
        if not held.any():
            self._learn(settled, residual, step)

    def has_other_light(self, touched: Cells) -> bool:
        """Whether the cells that nobody touched say that it is the light that changed."""
        controls = self._comparable() & ~touched
        if np.count_nonzero(controls) < FEWEST_CONTROLS:
            return True  # nothing is left to tell it by
        other = self._has_other_brightness() | self.changed
        return bool(other[controls].mean() > LIGHT_SHARE)

    def shaded(self) -> Cells:
        """The cells that are brighter or darker than the rest became, but look as they did."""
        textured = _product(self._reference, self._reference) > LEAST_TEXTURE
        alike = self._comparable() & ~self.changed
        return np.asarray(alike & textured & self._has_other_brightness())

    def _comparable(self) -> Cells:
        known = self._seen_seconds >= KNOWN_SECONDS
        return np.asarray(known & (self._free_seconds >= SETTLED_SECONDS))

    def _has_other_brightness(self) -> Cells:
        steps = np.log((self._recent_light + 8) / (self._reference_light + 8))
        comparable = self._comparable()
        usual = float(np.median(steps[comparable])) if comparable.any() else 0.0
        return np.asarray(np.abs(steps - usual) > BRIGHTNESS_STEP)

    def accept(self) -> None:
        """Take what is seen now for the look to keep."""
        free = self._free_seconds >= SETTLED_SECONDS
        self._reference[free] = self._recent[free]
        self._reference_light[free] = self._recent_light[free]
        self.changed &= ~free

    def _moves(self, edges: NDArray[np.float32]) -> Cells:
        steps = edges - self._last_edges
        self._last_edges = edges
        energy = _product(steps, steps)
        self._noise = float(np.median(energy))
        limit = np.maximum(LEAST_MOTION, UNRESTS * np.maximum(self._noise, self._unrest))
        return np.asarray(energy > limit)

    def _learn(self, settled: Cells, residual: NDArray[np.float32], step: float) -> None:
        known = self._seen_seconds >= KNOWN_SECONDS
        quick = LIGHT_SECONDS if self.has_other_light(~known) else REFERENCE_SECONDS
        # In equal parts at first, slowly from then on.
        parts = step / np.maximum(self._seen_seconds + step, 1e-6)
        share = np.where(settled, np.where(known, step / quick, parts), 0.0).astype(np.float32)
        self._unrest += np.where(known, share, 0.0) * (residual - self._unrest)
        self._reference += share[..., None] * (self._recent - self._reference)
        self._reference_light += share * (self._recent_light - self._reference_light)
        self._seen_seconds += np.where(settled, step, 0.0)

    def _compare(self) -> tuple[NDArray[np.float32], Cells]:
        """How far each cell is from its look in any light, and which differ."""
        before, now = self._reference, self._recent
        energy, energy_now = _product(before, before), _product(now, now)
        gain = np.clip(_product(before, now) / np.maximum(energy, 1e-3), *GAINS)
        residual = energy_now - 2 * gain * _product(before, now) + gain**2 * energy
        limit = np.maximum(LEAST_RESIDUAL + self._noise, UNRESTS * self._unrest)
        other = residual > OTHER_SHAPE * np.maximum(energy_now, gain**2 * energy)
        return residual.astype(np.float32), (residual > limit) & other

    def cells_of(self, box: Box) -> Cells:
        """The cells that a box touches."""
        cells = np.zeros(self.changed.shape, bool)
        height, width = self.shape[0] / CELL, self.shape[1] / CELL
        top, left = max(0, int(box.y1 * height)), max(0, int(box.x1 * width))
        cells[top : int(np.ceil(box.y2 * height)), left : int(np.ceil(box.x2 * width))] = True
        return cells

    def cells_in(self, area: Polygon) -> Cells:
        """The cells whose middles lie in an area."""
        rows, columns = self.changed.shape
        middles = [
            [
                area.contains(
                    Point((c + 0.5) * CELL / self.shape[1], (r + 0.5) * CELL / self.shape[0])
                )
                for c in range(columns)
            ]
            for r in range(rows)
        ]
        return np.array(middles, bool)


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The steps across and down in each cell: (rows, columns, 2 · pixels)."""
    grey = picture.astype(np.float32)
    smooth = grey.copy()
    smooth[1:-1, 1:-1] = (
        4 * grey[1:-1, 1:-1] + grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    ) / 8
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    across[:, 1:-1] = smooth[:, 2:] - smooth[:, :-2]
    down[1:-1] = smooth[2:] - smooth[:-2]
    return np.concatenate([_tiles(across), _tiles(down)], axis=2)


def _light(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(_tiles(picture.astype(np.float32)).mean(axis=2), np.float32)


def _tiles(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    tiles = picture[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return tiles.transpose(0, 2, 1, 3).reshape(rows, columns, -1)


def _product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(np.einsum("rcp,rcp->rc", a, b) / CELL**2, np.float32)
