"""Two or more who close in on one, and what they take."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.domain.moments import Moment
from detection.domain.objects import THINGS
from detection.domain.reach import gaps
from detection.rules.acquaintances import Acquaintances

CLOSE_HEIGHTS: Final = 0.6
CAME_FROM_HEIGHTS: Final = 1.5
CLOSED_IN_SECONDS: Final = 6.0
STAYS_SECONDS: Final = 10.0  # whoever has closed in is with the victim for so long
CARRIED_SECONDS, CARRIED_MOMENTS = 1.5, 3
TAKEN_MOMENTS: Final = 2
FORGOTTEN_SECONDS: Final = 10.0
NOWHERE: Final = (nan,) * 4


@dataclass(slots=True)
class _Carried:
    since: datetime
    until: datetime
    moments: int = 0
    taken_since: datetime | None = None
    moments_taken: int = 0


@dataclass(slots=True)
class Ambush:
    """Somebody with others who closed in on them, and when each was last close."""

    closers: dict[int, datetime] = field(default_factory=dict)
    taken: int | None = None  # what the victim carried and one of them has now
    taken_seconds: float = 0.0


class Ambushes:
    """Who closes in on whom before one camera."""

    def __init__(self) -> None:
        self._ambushes: dict[int, Ambush] = {}
        self._carried: dict[tuple[int, int], _Carried] = {}  # by acquaintance and thing

    def follow(self, moment: Moment, people: Acquaintances) -> None:
        """See who is close to whom now, and who has what."""
        for victim, other in _closed_in(moment, people):
            ambush = self._ambushes.setdefault(victim, Ambush())
            ambush.closers[other] = moment.at
        self._follow_things(moment, people)
        self._forget(moment.at)

    def of_two_or_more(self) -> dict[int, Ambush]:
        """By victim."""
        return {one: ambush for one, ambush in self._ambushes.items() if len(ambush.closers) > 1}

    def _follow_things(self, moment: Moment, people: Acquaintances) -> None:
        ambushes = self.of_two_or_more()
        for thing in moment.tracks:
            if thing.label in THINGS:
                holders = people.in_reach(thing.box, moment.aspect)
                for one in holders:
                    self._note_carried(one, thing.id, moment.at)
                    self._note_regained(one, thing.id)
                for victim, ambush in ambushes.items():
                    if victim not in holders and holders & ambush.closers.keys():
                        self._note_taken(victim, thing.id, ambush, moment.at)

    def _note_carried(self, one: int, thing: int, at: datetime) -> None:
        carried = self._carried.setdefault((one, thing), _Carried(at, at))
        carried.until, carried.moments = at, carried.moments + 1
        carried.taken_since, carried.moments_taken = None, 0

    def _note_taken(self, victim: int, thing: int, ambush: Ambush, at: datetime) -> None:
        carried = self._carried.get((victim, thing))
        if carried is None or carried.moments < CARRIED_MOMENTS:
            return
        if (carried.until - carried.since).total_seconds() < CARRIED_SECONDS:
            return
        carried.taken_since = carried.taken_since or at
        carried.moments_taken += 1
        if carried.moments_taken >= TAKEN_MOMENTS:
            ambush.taken = thing
            ambush.taken_seconds = (at - carried.taken_since).total_seconds()

    def _note_regained(self, one: int, thing: int) -> None:
        ambush = self._ambushes.get(one)
        if ambush and ambush.taken == thing:
            ambush.taken = None

    def _forget(self, at: datetime) -> None:
        for victim, ambush in list(self._ambushes.items()):
            for closer, seen_at in list(ambush.closers.items()):
                if (at - seen_at).total_seconds() > STAYS_SECONDS:
                    del ambush.closers[closer]
            if not ambush.closers:
                del self._ambushes[victim]
        for key, carried in list(self._carried.items()):
            if (at - carried.until).total_seconds() > FORGOTTEN_SECONDS:
                del self._carried[key]


def _closed_in(moment: Moment, people: Acquaintances) -> Iterator[tuple[int, int]]:
    """Victim and other of each two of whom the other came to where the victim is, by their ids.

    In arrays: in a crowd of thirty there are thousands of ways to compare.
    """
    here = people.here
    now = np.array([one.box for one in here]).reshape(-1, 4)
    heights = (now[:, 3] - now[:, 1])[:, np.newaxis]
    close = gaps(now, moment.aspect) <= CLOSE_HEIGHTS * heights
    np.fill_diagonal(close, False)
    if not close.any():
        return
    was = np.array(
        [
            [boxes.get(one.id, NOWHERE) for one in here]
            for at, boxes in people.trail
            if (moment.at - at).total_seconds() <= CLOSED_IN_SECONDS
        ]
    ).reshape(-1, len(here), 4)
    far = gaps(was, moment.aspect) >= CAME_FROM_HEIGHTS * heights
    ways = _ways(was, now, moment.aspect)
    others_moved_more = ways[:, np.newaxis, :] > ways[:, :, np.newaxis]
    for victim, other in np.argwhere(close & (far & others_moved_more).any(axis=0)):
        yield here[victim].id, here[other].id


def _ways(was: NDArray[np.float64], now: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """How far each has come since each of these times: (times, people)."""
    steps = now - was
    across, along = steps[..., 0] + steps[..., 2], steps[..., 1] + steps[..., 3]
    return np.asarray(np.hypot(across * aspect, along) / 2)
