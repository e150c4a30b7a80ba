"""Who has been here: people across the numbers that a tracker gives them, and where they went."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.objects import VEHICLES
from detection.domain.reach import shift, within_reach
from detection.domain.tracks import Track

# Who vanishes and appears again at once and nearby, about as tall, was given a new number.
HEIR_SECONDS: Final = 3.0
HEIR_HEIGHTS: Final = 0.4
HEIR_HEIGHTS_PER_SECOND: Final = 0.5
HEIR_GROWTH: Final = 1.5
MISSED_SECONDS: Final = 1.5
HIDING_SECONDS: Final = 3.0  # whoever sits before a thing is missed for longer than who walks
REMEMBERED_SECONDS: Final = 600.0
MOST_REMEMBERED: Final = 500
TRAIL_SECONDS: Final = 10.0
TRAIL_STEP_SECONDS: Final = 0.4


@dataclass(slots=True)
class Acquaintance:
    """One person, by the first number the tracker gave them, and by the newest."""

    id: int
    track_id: int
    first_seen_at: datetime
    last_seen_at: datetime
    box: Box


class Acquaintances:
    """The people of one camera; whom nobody has seen for ten minutes is forgotten."""

    def __init__(self) -> None:
        self.here: list[Acquaintance] = []
        self._lately: list[tuple[float, Acquaintance]] = []  # and the seconds since each was seen
        self._known: dict[int, Acquaintance] = {}  # by their newest number
        # Where everybody was, a few times a second for some seconds.
        self.trail: deque[tuple[datetime, dict[int, Box]]] = deque()

    def follow(self, moment: Moment, people: Iterable[Track]) -> None:
        """See who is here now."""
        tracks = list(people)
        present = {track.id for track in tracks}
        self.here = [self._meet(track, moment, present) for track in tracks]
        self._lately = [
            (unseen, known)
            for known in self._known.values()
            if (unseen := (moment.at - known.last_seen_at).total_seconds()) <= HIDING_SECONDS
        ]
        self._leave_trail(moment.at)
        self._forget(moment.at)

    def in_reach(self, thing: Box, aspect: float) -> set[int]:
        """Who could pick this up now; whoever is just missed is where they were."""
        return {
            known.id
            for known in self._lately_seen(MISSED_SECONDS)
            if within_reach(known.box, thing, aspect)
        }

    def lately_in_reach(self, thing: Box, aspect: float) -> set[int]:
        """Who was at this place within the last ten seconds."""
        return {
            one
            for _, people in self.trail
            for one, box in people.items()
            if within_reach(box, thing, aspect)
        }

    def before(self, moment: Moment, *, missed: bool = True) -> list[Box]:
        """What may hide a place: people, also those who are just `missed`, and vehicles."""
        return [
            *(track.box for track in moment.tracks if track.label in VEHICLES),
            *(known.box for known in self._lately_seen(HIDING_SECONDS if missed else 0.0)),
        ]

    def by_id(self, one: int) -> Acquaintance | None:
        return next((known for known in self._known.values() if known.id == one), None)

    def _lately_seen(self, seconds: float) -> list[Acquaintance]:
        return [known for unseen, known in self._lately if unseen <= seconds]

    def _meet(self, track: Track, moment: Moment, present: set[int]) -> Acquaintance:
        known = self._known.get(track.id) or self._heir_of(track, moment, present)
        if known is None:
            known = Acquaintance(track.id, track.id, moment.at, moment.at, track.box)
        elif known.track_id != track.id:
            del self._known[known.track_id]
        known.track_id, known.last_seen_at, known.box = track.id, moment.at, track.box
        self._known[track.id] = known
        return known

    def _heir_of(self, track: Track, moment: Moment, present: set[int]) -> Acquaintance | None:
        gone = [
            (shift(known.box, track.box, moment.aspect), known)
            for known in self._known.values()
            if known.track_id not in present and _may_be(known, track, moment)
        ]
        return min(gone, key=lambda pair: pair[0])[1] if gone else None

    def _leave_trail(self, at: datetime) -> None:
        trail = self.trail
        if not trail or (at - trail[-1][0]).total_seconds() >= TRAIL_STEP_SECONDS:
            trail.append((at, {one.id: one.box for one in self.here}))
        while (at - trail[0][0]).total_seconds() > TRAIL_SECONDS:
            trail.popleft()

    def _forget(self, at: datetime) -> None:
        """Who was not seen for long; in a throng, who was not seen for longest."""
        away = {
            track_id: unseen
            for track_id, known in self._known.items()
            if (unseen := (at - known.last_seen_at).total_seconds()) > 0
        }
        longest = sorted(away, key=lambda track_id: -away[track_id])
        too_many = max(0, len(self._known) - MOST_REMEMBERED)
        for number, track_id in enumerate(longest):
            if number < too_many or away[track_id] > REMEMBERED_SECONDS:
                del self._known[track_id]


def _may_be(known: Acquaintance, track: Track, moment: Moment) -> bool:
    seconds = (moment.at - known.last_seen_at).total_seconds()
    farthest = (HEIR_HEIGHTS + HEIR_HEIGHTS_PER_SECOND * seconds) * known.box.height
    growth = track.box.height / max(known.box.height, 1e-6)
    return (
        0 < seconds <= HEIR_SECONDS
        and shift(known.box, track.box, moment.aspect) <= farthest
        and 1 / HEIR_GROWTH <= growth <= HEIR_GROWTH
    )
