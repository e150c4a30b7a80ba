"""Protected places of one camera: what they look like, who is at work on them, what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detection.behaviour.appearance import CELL, Appearance, Cells
from detection.behaviour.visits import WORK_SECONDS, Visit
from detection.domain.geometry import Box, Polygon
from detection.domain.moments import Moment
from detection.domain.objects import VEHICLES
from detection.domain.tracks import Track

REACH_HEIGHTS: Final = 0.25  # to each side, and above the head
FEWEST_CELLS: Final = 3
# The detector loses what is parked for seconds, and then the wall behind it seems to have changed.
PARKED: Final = VEHICLES | {"bicycle"}


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who has stopped at a place; `at_work` where limbs move fast."""

    person: Track
    at_work: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """What a change must be: after which stay, in how much of the picture, and when it is sure."""

    dwell_seconds: float
    least_change: float
    lasting_seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    """A place that looks different, for how long, in which share of the picture, after whom."""

    seconds: float
    share: float
    visitors: tuple[int, ...]


class ProtectedPlaces:
    """Fed with every moment that has a picture; forgets all when the picture's size changes."""

    def __init__(self, areas: Mapping[str, Polygon]) -> None:
        self._polygons = areas
        self._areas: dict[str, Cells] = {}
        self._visits: dict[str, Visit] = {}
        self._appearance: Appearance | None = None

    def observe(
        self, moment: Moment, demands: Mapping[str, Demand], workers: Mapping[str, Sequence[Worker]]
    ) -> dict[str, Change]:
        """What has changed, by the name of the place; only places of a demand are watched."""
        if not self._polygons or moment.picture is None or min(moment.picture.shape) < CELL:
            return {}
        if self._appearance is None or self._appearance.shape != moment.picture.shape:
            self._begin_anew(moment.picture.shape)
        appearance, at = self._appearance, moment.at.timestamp()
        assert appearance is not None
        for name in self._visits.keys() - demands.keys():
            del self._visits[name]
        for name in demands:
            self._follow(name, workers.get(name, ()), at, moment.aspect)
        covered, parked = self._covered(moment)
        for visit in self._visits.values():
            visit.foreign |= parked
        held = np.zeros_like(covered)
        for visit in self._visits.values():
            held |= visit.touched
        appearance.look(moment.picture, at, covered, held)
        found = {name: self._judge(name, demand, at) for name, demand in demands.items()}
        return {name: change for name, change in found.items() if change}

    def _begin_anew(self, shape: tuple[int, ...]) -> None:
        self._appearance = Appearance(shape)
        self._areas = {n: self._appearance.cells_in(area) for n, area in self._polygons.items()}
        self._visits.clear()

    def _covered(self, moment: Moment) -> tuple[Cells, Cells]:
        """The cells that anybody or anything hides, and those that what is parked there does."""
        assert self._appearance is not None
        covered = np.zeros(self._appearance.changed.shape, bool)
        parked = covered.copy()
        for track in moment.tracks:
            box = reach_of(track, moment.aspect) if track.is_person else track.box
            cells = self._appearance.cells_of(box)
            covered |= cells
            if track.label in PARKED:
                parked |= cells
        return covered, parked

    def _follow(self, name: str, workers: Sequence[Worker], at: float, aspect: float) -> None:
        """Note who stands at the place now."""
        assert self._appearance is not None
        area = self._areas[name]
        reached, there = np.zeros_like(area), []
        for worker in workers:
            cells = area & self._appearance.cells_of(reach_of(worker.person, aspect))
            if cells.any():
                reached |= cells
                there.append(worker)
        if there:
            visit = self._visits.setdefault(name, Visit.begin(at, area.shape))
            at_work = any(worker.at_work for worker in there)
            visit.go_on(at, [worker.person.id for worker in there], reached, at_work=at_work)

    def _judge(self, name: str, demand: Demand, at: float) -> Change | None:
        visit, appearance = self._visits.get(name), self._appearance
        if visit is None or appearance is None:
            return None
        cells, lasted = appearance.changed.size, None
        if visit.dwell_seconds >= demand.dwell_seconds and visit.work_seconds >= WORK_SECONDS:
            least = max(FEWEST_CELLS, demand.least_change * cells)
            lasted = visit.judge(appearance, at, least)
        if visit.is_over(at, demand.lasting_seconds):
            del self._visits[name]
            appearance.accept()
        if lasted is None:
            return None
        share = float(np.count_nonzero(visit.changes(appearance))) / cells
        return Change(lasted, share, tuple(visit.visitors))


def reach_of(person: Track, aspect: float) -> Box:
    """The box with what the arms reach."""
    box, reach = person.box, REACH_HEIGHTS * person.box.height
    return Box(box.x1 - reach / aspect, box.y1 - reach, box.x2 + reach / aspect, box.y2)
