"""Telling posts, posters and shop dummies, which the network takes for people, from people."""

from dataclasses import dataclass, replace
from datetime import datetime

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.tracks import Track
from detection.rules.succession import stands_where
from detection.rules.trails import LEAST_HEIGHT

WATCHED_SECONDS = 30.0  # nobody who is alive stands so long as if painted
MOVED_HEIGHTS = 0.15  # a detector's box of a post sways by less
MOVED_FRAMES = 3  # who walks past a post moves its box in fewer, or moves only one end of it
FORGET_SECONDS = 3.0


@dataclass(slots=True)
class _Watched:
    first: Box
    since: datetime
    last_at: datetime
    last: Box
    moved_frames: int = 0


class Lifeless:
    """What has been taken for a person for half a minute and was never seen to move."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}

    def follow(self, moment: Moment) -> None:
        """Take in who is where; moments come in order of time."""
        for track_id, watched in list(self._watched.items()):
            if abs((moment.at - watched.last_at).total_seconds()) > FORGET_SECONDS:
                del self._watched[track_id]
        for person in moment.people:
            watched = self._watched.get(person.id) or self._under_another_number(person, moment)
            watched.last_at, watched.last = moment.at, person.box
            watched.moved_frames += _has_moved(watched.first, person.box, moment.aspect)
            self._watched[person.id] = watched

    def _under_another_number(self, person: Track, moment: Moment) -> _Watched:
        """A post is numbered anew when it was missed."""
        here = {one.id for one in moment.people}
        gone = (
            watched
            for track_id, watched in self._watched.items()
            if track_id not in here and stands_where(watched.last, watched.last_at, person, moment)
        )
        eldest = min(gone, key=lambda watched: watched.since, default=None)
        if eldest is None:
            return _Watched(person.box, moment.at, moment.at, person.box)
        return replace(eldest)

    def holds(self, track_id: int) -> bool:
        """Whether this is one of them."""
        watched = self._watched.get(track_id)
        if watched is None or watched.moved_frames >= MOVED_FRAMES:
            return False
        return (watched.last_at - watched.since).total_seconds() >= WATCHED_SECONDS


def _has_moved(first: Box, now: Box, aspect: float) -> bool:
    right = abs(now.centre.x - first.centre.x) * aspect
    down = min(abs(now.y1 - first.y1), abs(now.y2 - first.y2))
    return max(right, down) > MOVED_HEIGHTS * max(LEAST_HEIGHT, first.height)
