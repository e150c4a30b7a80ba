"""Things that stand about: where they came to rest, who brought them, who was at them since."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from detection.domain.geometry import Box
from detection.domain.looks import Look
from detection.domain.moments import Moment
from detection.domain.objects import are_alike
from detection.domain.reach import is_hidden, shift, size
from detection.domain.tracks import Track
from detection.rules.acquaintances import Acquaintances

AT_PLACE_SIZES: Final = 0.5  # a detector's boxes tremble by less
LEAST_SIGHTINGS: Final = 3
# What is there when the watch begins was brought by nobody we saw.
BEGINNING_SECONDS: Final = 10.0
FORGOTTEN_SECONDS: Final = 120.0  # after it was there
UNSEEN_SECONDS: Final = 600.0  # though the picture still shows its place as it was
VISITS_KEPT_SECONDS: Final = 30.0
BREAK_SECONDS: Final = 2.5
MOST_BELONGINGS: Final = 64


@dataclass(slots=True)
class Visit:
    """Somebody within reach of a thing, without a break."""

    since: datetime
    until: datetime
    moments: int = 1

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()


@dataclass(slots=True, eq=False)
class Belonging:
    """A thing. `box` is where it stands, `there_at` when it was last seen there.

    `owners` and the keys of `visits` are acquaintances. `seen` is its track in this moment, at its
    place or away from it.
    """

    label: str
    track_id: int
    box: Box
    stands_since: datetime
    there_at: datetime
    owners: set[int]
    sightings: int = 1
    visits: dict[int, Visit] = field(default_factory=dict)
    look: Look | None = None
    seen: Track | None = None
    seen_at: datetime | None = None

    def stands(self, rest_seconds: float) -> bool:
        """Whether it has come to rest."""
        rested = (self.there_at - self.stands_since).total_seconds()
        return self.sightings >= LEAST_SIGHTINGS and rested >= rest_seconds

    def is_seen_at_place(self, aspect: float) -> bool:
        return self.seen is not None and self.is_place_of(self.seen, aspect)

    def is_place_of(self, track: Track, aspect: float) -> bool:
        return shift(self.box, track.box, aspect) <= AT_PLACE_SIZES * size(self.box, aspect)

    def is_remembered(self, at: datetime) -> bool:
        """The picture alone keeps nothing for ever: a network sees things in walls, too."""
        unseen = (at - (self.seen_at or self.there_at)).total_seconds()
        gone = (at - self.there_at).total_seconds()
        return unseen <= UNSEEN_SECONDS and gone <= FORGOTTEN_SECONDS

    def move_to(self, track: Track, at: datetime, owners: set[int]) -> None:
        """Begin anew elsewhere, with whoever moves it."""
        self.box, self.stands_since, self.there_at = track.box, at, at
        self.owners, self.sightings, self.look = owners or self.owners, 1, None
        self.visits.clear()


class Belongings:
    """The things of one camera, matched by place and kind first, and by their numbers then."""

    def __init__(self, labels: Collection[str], rest_seconds: float) -> None:
        self._labels = frozenset(labels)
        self._rest_seconds = rest_seconds
        self._known: list[Belonging] = []
        self._began_at: datetime | None = None

    def __iter__(self) -> Iterator[Belonging]:
        return iter(list(self._known))

    def forget(self, belonging: Belonging) -> None:
        """Where it is known at all: after a long blindness it is not."""
        self._known = [known for known in self._known if known is not belonging]

    def follow(self, moment: Moment, people: Acquaintances) -> None:
        """Find every thing again, get to know the new ones, and note who is at them."""
        self._began_at = self._began_at or moment.at
        things = [track for track in moment.tracks if track.label in self._labels]
        strangers = self._match(things, moment.aspect)
        for belonging in self._known:
            self._note(belonging, moment, people.in_reach(belonging.box, moment.aspect), people)
        for track in strangers:
            if not self._is_known(track, moment.aspect):
                self._known.append(self._get_to_know(track, moment, people))
        self._forget_the_lost(moment.at)

    def _match(self, things: Iterable[Track], aspect: float) -> list[Track]:
        """Give each thing its track; return the tracks that are nobody's."""
        free = {track.id: track for track in things}
        for belonging in self._known:
            belonging.seen = None
        near = sorted(
            (shift(belonging.box, track.box, aspect), number, track.id)
            for number, belonging in enumerate(self._known)
            for track in free.values()
            if are_alike(belonging.label, track.label) and belonging.is_place_of(track, aspect)
        )
        for _, number, track_id in near:
            if self._known[number].seen is None and track_id in free:
                self._known[number].seen = free.pop(track_id)
        for belonging in self._known:
            if belonging.seen is None:
                belonging.seen = free.pop(belonging.track_id, None)
        return list(free.values())

    def _is_known(self, track: Track, aspect: float) -> bool:
        """Whether it is a thing that the network sees twice."""
        return any(
            are_alike(belonging.label, track.label) and belonging.is_seen_at_place(aspect)
            for belonging in self._known
            if belonging.is_place_of(track, aspect)
        )

    def _note(
        self, belonging: Belonging, moment: Moment, here: set[int], people: Acquaintances
    ) -> None:
        stands, at = belonging.stands(self._rest_seconds), moment.at
        track = belonging.seen
        belonging.seen_at = at if track else belonging.seen_at
        if track is not None and belonging.is_seen_at_place(moment.aspect):
            belonging.track_id, belonging.there_at = track.id, at
            belonging.sightings += 1
            if not stands:
                belonging.owners |= here
            _look_at(belonging, moment, people)
        elif track is not None and not stands:
            belonging.move_to(track, at, people.in_reach(track.box, moment.aspect))
        if stands:
            _note_visits(belonging, here, at)

    def _get_to_know(self, track: Track, moment: Moment, people: Acquaintances) -> Belonging:
        """A thing seen for the first time belongs to whoever is, or just was, at its place."""
        assert self._began_at is not None
        watched = (moment.at - self._began_at).total_seconds() >= BEGINNING_SECONDS
        owners = (
            people.lately_in_reach(track.box, moment.aspect)
            if watched
            else people.in_reach(track.box, moment.aspect)
        )
        belonging = Belonging(track.label, track.id, track.box, moment.at, moment.at, owners)
        belonging.seen, belonging.seen_at = track, moment.at
        _look_at(belonging, moment, people)
        return belonging

    def _forget_the_lost(self, at: datetime) -> None:
        kept = [belonging for belonging in self._known if belonging.is_remembered(at)]
        kept.sort(key=lambda belonging: belonging.there_at)
        self._known = kept[-MOST_BELONGINGS:]


def _look_at(belonging: Belonging, moment: Moment, people: Acquaintances) -> None:
    if moment.picture is None or is_hidden(belonging.box, people.before(moment)):
        return
    if belonging.look is None:
        belonging.look = Look.of(moment.picture, belonging.box)
    else:
        belonging.look.refresh(moment.picture)


def _note_visits(belonging: Belonging, here: set[int], at: datetime) -> None:
    visits = belonging.visits
    for one in here:
        visit = visits.get(one)
        if visit is None or (at - visit.until).total_seconds() > BREAK_SECONDS:
            visit = visits[one] = Visit(at, at, 0)
        visit.until, visit.moments = at, visit.moments + 1
    for one, visit in list(visits.items()):
        if (at - visit.until).total_seconds() > VISITS_KEPT_SECONDS:
            del visits[one]
