"""Who a track was before the tracker gave it a new number."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from math import hypot

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.tracks import Track
from detection.rules.trails import LEAST_HEIGHT

HIDDEN_SECONDS = 3.0  # between the last sight under one number and the first under the next
FORGET_SECONDS = 10.0
REACH_HEIGHTS = 0.5  # how far a successor may appear at once, and
HEIGHTS_PER_SECOND = 1.5  # how much farther for each second
STILL_HEIGHTS = 0.4  # who has not gone anywhere appears no farther away
UNLIKE_HEIGHTS = 1.5  # a successor is not taller or smaller by more


@dataclass(frozen=True, slots=True)
class _Known:
    person: int
    box: Box
    seen_at: datetime


class Succession:
    """Gives a person one number for as long as they are followed, whatever the tracker's are.

    Two people who meet behind a pillar may take each other's number; so this is for rules about
    one place where somebody goes on being there, not for rules about who somebody is.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._numbers = count(1)

    def follow(self, moment: Moment) -> dict[int, int]:
        """The number of each person of this moment, by track; moments come in order of time."""
        for track_id, known in list(self._known.items()):
            if abs((moment.at - known.seen_at).total_seconds()) > FORGET_SECONDS:
                del self._known[track_id]
        here = {person.id for person in moment.people}
        for person in moment.people:
            same = self._known.get(person.id) or self._predecessor(person, here, moment)
            number = same.person if same else next(self._numbers)
            self._known[person.id] = _Known(number, person.box, moment.at)
        return {track_id: self._known[track_id].person for track_id in here}

    def _predecessor(self, person: Track, here: set[int], moment: Moment) -> _Known | None:
        """The nearest of those who were lost within reach; they have no number of their own now."""
        gone = [
            (apart, track_id)
            for track_id, known in self._known.items()
            if track_id not in here and (apart := _apart(known, person, moment)) is not None
        ]
        return self._known.pop(min(gone)[1]) if gone else None


def _apart(known: _Known, person: Track, moment: Moment) -> float | None:
    """How far they are apart, in body heights; None where it cannot be the same person."""
    hidden = (moment.at - known.seen_at).total_seconds()
    small, tall = sorted((known.box.height, person.box.height))
    if not 0 < hidden <= HIDDEN_SECONDS or tall > UNLIKE_HEIGHTS * small:
        return None
    was, now = known.box.centre, person.box.centre
    way = hypot((now.x - was.x) * moment.aspect, now.y - was.y) / max(LEAST_HEIGHT, tall)
    return way if way <= REACH_HEIGHTS + HEIGHTS_PER_SECOND * hidden else None


def stands_where(was: Box, seen_at: datetime, person: Track, moment: Moment) -> bool:
    """Whether this may be who stood there until they were lost, and has stayed in that place."""
    way = _apart(_Known(0, was, seen_at), person, moment)
    return way is not None and way <= STILL_HEIGHTS
