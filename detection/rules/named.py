"""What an operator's own models name: a detection or a frame that they call a crime."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from pydantic import Field

from detection.domain.crime_classes import folded
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, rising
from detection.rules.settings import Settings

FEWEST_LOOKS: Final = 3  # one frame is never enough, nor are two
LEAST_SPAN: Final = 0.5  # of the window, that the looks must cover
MOST_LOOKS: Final = 200
MOST_IDS: Final = 10


class NamedOptions(RuleOptions):
    OF_A_CAMERA: ClassVar[frozenset[str]] = RuleOptions.OF_A_CAMERA | {
        "window_seconds", "possible_at", "sure_at"
    }  # fmt: skip

    window_seconds: float = Field(
        4.0, ge=2, le=60, description="Over how long what a model holds is averaged."
    )
    possible_at: float = Field(
        0.4, gt=0, lt=1, description="The average, of 1, from which a named crime is suspicious."
    )
    sure_at: float = Field(
        0.75, gt=0, le=1, description="The average, of 1, from which a named crime is sure."
    )


@dataclass(slots=True)
class _Looks:
    """What one model held of one class, look by look: 0 where it did not see it."""

    held: deque[tuple[datetime, float]] = field(default_factory=lambda: deque(maxlen=MOST_LOOKS))

    def add(self, at: datetime, probability: float) -> None:
        self.held.append((at, probability))

    def forget(self, at: datetime, window: float) -> bool:
        """Whether nothing is left that lies in the window and is more than nothing."""
        while self.held and (at - self.held[0][0]).total_seconds() > window:
            self.held.popleft()
        return not any(probability for _, probability in self.held)

    def mean(self, window: float) -> float:
        """The average of the looks; 0 while they are few or lie close together."""
        span = (self.held[-1][0] - self.held[0][0]).total_seconds()
        if len(self.held) < FEWEST_LOOKS or span < LEAST_SPAN * window:
            return 0.0
        return sum(probability for _, probability in self.held) / len(self.held)


class Named(Rule[NamedOptions]):
    """What models of your own call a crime, by `CRIME_CLASSES`.

    Boxes of a detection model are one witness, opinions of a classifier another. Boxes are judged
    by the zone in which they stand; a classifier speaks of the whole picture.
    """

    NAME = "named"
    Options = NamedOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._classes = settings.classes
        self._boxes: dict[str, _Looks] = {}
        self._frames: dict[str, _Looks] = {}

    def observe(self, moment: Moment) -> list[Suspicion]:
        tracks = self._named_tracks(moment)
        seen: dict[str, float] = {}
        for track in tracks:
            name = folded(track.label)
            seen[name] = max(seen.get(name, 0.0), track.confidence)
        said: dict[str, float] = {}
        for opinion in moment.opinions:
            if opinion.own and self._classes.crime_of(opinion.label):
                name = folded(opinion.label)
                said[name] = max(said.get(name, 0.0), opinion.probability)
        self._note(self._boxes, seen, moment.at)
        if said:  # the classifier looks twice a second only
            self._note(self._frames, said, moment.at)
        self._forget(moment.at)
        people = [person.id for person in moment.people][:MOST_IDS]
        found = [*self._suspicions(self._boxes, "boxes", tracks, people)]
        if self.options.is_armed_at(moment):
            found += self._suspicions(self._frames, "frames", tracks, people)
        return found

    def _named_tracks(self, moment: Moment) -> list[Track]:
        named = [track for track in moment.tracks if self._classes.crime_of(track.label)]
        placed = [(track, options_at(self, track.box.feet)) for track in named]
        return [
            track
            for track, options in placed
            if options.is_armed_at(moment) and track.box.height >= options.least_height
        ]

    def _note(self, looks: dict[str, _Looks], held: dict[str, float], at: datetime) -> None:
        """What is not seen in this look counts as nothing."""
        for name in held:
            looks.setdefault(name, _Looks())
        for name, known in looks.items():
            known.add(at, held.get(name, 0.0))

    def _forget(self, at: datetime) -> None:
        for looks in (self._boxes, self._frames):
            for name, known in list(looks.items()):
                if known.forget(at, self.options.window_seconds):
                    del looks[name]

    def _suspicions(
        self, looks: dict[str, _Looks], what: str, tracks: list[Track], people: list[int]
    ) -> Iterator[Suspicion]:
        options = self.options
        for name, known in looks.items():
            mean, crime = known.mean(options.window_seconds), self._classes.crime_of(name)
            if crime is None or mean < options.possible_at:
                continue
            ids = [track.id for track in tracks if folded(track.label) == name][:MOST_IDS]
            yield Suspicion(
                crime,
                rising(
                    mean - options.possible_at,
                    options.sure_at - options.possible_at,
                    POSSIBLE,
                    SURE,
                ),
                tuple(ids or people),
                f"a model of your own names “{name}” in {what}, on average at {mean:.0%}",
            )
