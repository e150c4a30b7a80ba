"""Whether a camera that streams still sees: black, covered, frozen or turned away.

Judged on a small grey picture a few times a second against what is normal for this camera, which is
learnt while all is well. Each measure is chosen for what must not disturb it: light that changes,
noise, the camera's own clock in a corner, and whoever walks or drives through the picture. How each
works and what it cannot see is in docs/view-health.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.domain.stillness import Stillness

LOOK_SIZE = (160, 90)  # width, height of the grey picture
LOOK_SECONDS = 0.45  # a look more often than this tells nothing new
GAP_SECONDS = 4.0  # after a longer one nothing is known of the time between

CELLS = (9, 16)  # rows, columns: for brightness
BLOCKS = (5, 8)  # rows, columns: for structure

BLACK_LEVEL = 20.0
BLACK_SHARE = 0.92  # the rest may be the camera's clock, written into the picture
EMPTY_ENERGY = 1.0  # grey levels², between neighbours four pixels apart: a picture of nothing
COVERED_SHARPNESS = 0.45  # of the normal; sprayed or out of focus it is below 0.3
COVERED_ENERGY = 0.1  # of the normal, where none of the normal structure is left either
COVERED_AGREEMENT = 0.15
STRUCTURED_ENERGY = 4.0  # a block with less shows nothing that could be recognised
AGREEING = 0.4  # correlation above which a block shows what it used to
MOVED_SHARE = 0.4  # of the blocks that normally agree
LEAST_NORMAL_AGREEMENT = 0.4  # crowds and bare asphalt look different all the time
FEWEST_BLOCKS = 10

LEARNING_LOOKS = 12
KNOWING_LOOKS = 26
REFERENCE_SECONDS = 120.0
ACCEPT_SECONDS = 300.0  # after this a moved view is the normal one
WELL_AGAIN_SECONDS = 1.5


class HealthKind(StrEnum):
    """What may be wrong with a camera's view."""

    BLACK = "black"
    COVERED = "covered"
    FROZEN = "frozen"
    MOVED = "moved"
    LOST = "lost"  # no picture at all: not seen here, but by the watchdog


# How long a condition must hold; less would name flashes, passing lorries and exposure.
PATIENCE_SECONDS = {
    HealthKind.BLACK: 3.0,
    HealthKind.COVERED: 4.0,
    HealthKind.FROZEN: 0.0,  # has its own, by the camera
    HealthKind.MOVED: 5.0,
}
SAID = {
    HealthKind.BLACK: "the picture is black: is the lens covered, or the night light off?",
    HealthKind.COVERED: "the lens is covered, sprayed or out of focus",
    HealthKind.FROZEN: "the stream goes on, but its picture does not change: restart the camera",
    HealthKind.MOVED: "the camera looks elsewhere than before: turn it back, or redraw its zones",
}


@dataclass(frozen=True, slots=True)
class ViewTrouble:
    """What is wrong and since when, on the clock of the looks."""

    kind: HealthKind
    since: float


class ViewHealth:
    """One camera's view. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Learn anew, as for another picture."""
        self.trouble: ViewTrouble | None = None
        self._stillness = Stillness()
        self._structure = _Structure()
        self._since: dict[HealthKind, float] = {}
        self._well_since: float | None = None
        self._last_look: float | None = None

    def is_due(self, at: float) -> bool:
        return self._last_look is None or at - self._last_look >= LOOK_SECONDS

    def look(self, luma: NDArray[np.uint8], at: float) -> ViewTrouble | None:
        """Judge a grey picture of LOOK_SIZE, (height, width)."""
        if self._last_look is not None and at - self._last_look > GAP_SECONDS:
            self._since.clear()
            self._stillness.interrupt()
        self._last_look = at
        seen = _Look.of(luma)
        agreement = self._structure.agreement_of(seen)
        kinds = self._conditions(seen, agreement, at)
        for kind in list(self._since):
            if kind not in kinds:
                del self._since[kind]
        for kind in kinds:
            self._since.setdefault(kind, at)
        if not kinds:
            self._structure.learn(seen, agreement, at)
        self._decide(at)
        return self.trouble

    def _conditions(self, seen: "_Look", agreement: float, at: float) -> list[HealthKind]:
        """What is wrong at this look, the gravest first."""
        found = []
        still = self._stillness.look(seen.luma, at)
        if seen.black_share >= BLACK_SHARE:
            found.append(HealthKind.BLACK)
        elif self._structure.is_covered(seen, agreement):
            found.append(HealthKind.COVERED)
        elif self._structure.is_moved(agreement) and not self._stillness.is_unusual(at):
            found.append(HealthKind.MOVED)  # else it stopped with something large before it
        if still is not None and not found:
            self._since.setdefault(HealthKind.FROZEN, still)
            found.append(HealthKind.FROZEN)
        return found

    def _decide(self, at: float) -> None:
        sure = [k for k, since in self._since.items() if at - since >= PATIENCE_SECONDS[k]]
        if sure:
            self._well_since = None
            if self.trouble is None or self.trouble.kind not in self._since:
                self.trouble = ViewTrouble(sure[0], self._since[sure[0]])
        elif self.trouble is not None and not self._since:
            self._well_since = at if self._well_since is None else self._well_since
            if at - self._well_since >= WELL_AGAIN_SECONDS:
                self.trouble = self._well_since = None
        if self.trouble is None or self.trouble.kind is not HealthKind.MOVED:
            return
        if at - self.trouble.since >= ACCEPT_SECONDS:
            self.forget()


@dataclass(frozen=True, slots=True)
class _Look:
    """A grey picture and what is measured of it."""

    luma: NDArray[np.uint8]
    black_share: float
    edges: NDArray[np.float32]  # (rows, columns, pixels of a block), mean 0 in each block
    edge_norms: NDArray[np.float32]  # of each block
    block_energy: NDArray[np.float32]
    fine: float  # energy between neighbours …
    coarse: float  # … and between neighbours four pixels apart

    @classmethod
    def of(cls, luma: NDArray[np.uint8]) -> "_Look":
        grey = luma.astype(np.float32)
        cells = _tiles(grey, CELLS).mean(axis=2)
        across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
        strength = np.zeros_like(grey)
        strength[:, 1:] = np.abs(across)
        strength[1:] += np.abs(down)
        blocks = _tiles(strength, BLOCKS)
        energy = np.einsum("rcp,rcp->rc", blocks, blocks) / blocks.shape[2]
        edges = blocks - blocks.mean(axis=2, keepdims=True)
        norms = np.sqrt(np.einsum("rcp,rcp->rc", edges, edges))
        small = grey[:88].reshape(22, 4, 40, 4).mean(axis=(1, 3))
        return cls(
            luma,
            float((cells < BLACK_LEVEL).mean()),
            edges,
            norms,
            energy,
            _energy(across) + _energy(down),
            _energy(np.diff(small, axis=1)) + _energy(np.diff(small, axis=0)),
        )


class _Structure:
    """Where the edges of the camera's normal picture are, and how sharp they are."""

    def __init__(self) -> None:
        self._looks = 0
        self._last_at = 0.0
        self._edges: NDArray[np.float32] | None = None
        self._energy: NDArray[np.float32] | None = None
        self._norms = np.zeros(BLOCKS, np.float32)
        self._fine = self._coarse = self._agreement = 0.0

    def learn(self, seen: _Look, agreement: float, at: float) -> None:
        """Follow the normal picture: in equal parts at first, slowly from then on."""
        self._looks += 1
        share = min(1.0, (at - self._last_at) / REFERENCE_SECONDS)
        if self._looks <= KNOWING_LOOKS:
            share = 1 / self._looks
        self._last_at = at
        if self._edges is None or self._energy is None:
            self._edges, self._energy = seen.edges.copy(), seen.block_energy.copy()
        self._edges += share * (seen.edges - self._edges)
        self._norms = np.sqrt(np.einsum("rcp,rcp->rc", self._edges, self._edges))
        self._energy += share * (seen.block_energy - self._energy)
        self._fine += share * (seen.fine - self._fine)
        self._coarse += share * (seen.coarse - self._coarse)
        if self._looks > LEARNING_LOOKS:  # before, a look agrees with itself in the reference
            share = max(share, 1 / (self._looks - LEARNING_LOOKS))
            self._agreement += share * (agreement - self._agreement)

    def is_covered(self, seen: _Look, agreement: float) -> bool:
        if seen.coarse < EMPTY_ENERGY:
            return True
        if self._looks < LEARNING_LOOKS:
            return False
        sharpness, normal = seen.fine / seen.coarse, self._fine / self._coarse
        if sharpness < COVERED_SHARPNESS * normal:
            return True
        faint = seen.coarse < COVERED_ENERGY * self._coarse
        return faint and agreement < COVERED_AGREEMENT

    def is_moved(self, agreement: float) -> bool:
        if self._looks < KNOWING_LOOKS or self._agreement < LEAST_NORMAL_AGREEMENT:
            return False
        return agreement < MOVED_SHARE * self._agreement

    def agreement_of(self, seen: _Look) -> float:
        """The share of the structured blocks that show what they used to; 1 without any."""
        if self._edges is None or self._energy is None:
            return 1.0
        structured = self._energy > STRUCTURED_ENERGY
        if np.count_nonzero(structured) < FEWEST_BLOCKS:
            return 1.0
        products = np.einsum("rcp,rcp->rc", seen.edges, self._edges)
        norms = seen.edge_norms * self._norms
        return float((products > AGREEING * norms + 1e-3)[structured].mean())


def _tiles(picture: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """The pixels of each tile: (rows, columns, pixels)."""
    rows, columns = grid
    height, width = picture.shape
    tiles = picture.reshape(rows, height // rows, columns, width // columns)
    return tiles.transpose(0, 2, 1, 3).reshape(rows, columns, -1)


def _energy(steps: NDArray[Any]) -> float:
    return float(np.mean(steps * steps))
