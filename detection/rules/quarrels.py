"""Where people may be fighting and how surely: what the rules for fighting and assault share.

Single opinions of the fight model are reasons to look again. What counts is what it holds of one
place for a while, the newest opinions most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import exp2
from typing import Final

from detection.domain.geometry import Box
from detection.domain.moments import FIGHTING, Moment
from detection.domain.poses import overlap
from detection.domain.tracks import Track
from detection.rules.rule import POSSIBLE, SURE, SUREST
from detection.rules.sidedness import Courses, Sidedness

# Of the fight model: one in twenty quiet windows reaches the first.
ALARM_PROBABILITY, SURE_PROBABILITY = 0.67, 0.9
MEMORY_SECONDS: Final = 2.5
HALF_LIFE_SECONDS: Final = 0.7
# Stands for the second opinion where there is only one, which so never reaches 50.
UNHEARD_PROBABILITY: Final = 0.3
SAME_PLACE_OVERLAP: Final = 0.2
INSIDE_SHARE: Final = 0.5  # of a person's box in the place, who then belongs to it


@dataclass(slots=True)
class Quarrel:
    """A place of nearness, what was said of it lately, and who is there."""

    place: Box
    began_at: datetime
    sidedness: Sidedness = field(default_factory=Sidedness)
    _opinions: list[tuple[datetime, float]] = field(default_factory=list)
    _inside_at: dict[int, datetime] = field(default_factory=dict)

    def hear(self, at: datetime, probability: float, place: Box, people: Sequence[int]) -> None:
        self._opinions.append((at, probability))
        self.place = place
        self._inside_at |= dict.fromkeys(people, at)

    def forget(self, at: datetime) -> bool:
        """Forget what is old; whether no opinion is left."""
        self._opinions = [o for o in self._opinions if _apart(o[0], at) <= MEMORY_SECONDS]
        self._inside_at = {
            track_id: when
            for track_id, when in self._inside_at.items()
            if _apart(when, at) <= MEMORY_SECONDS
        }
        return not self._opinions

    @property
    def people(self) -> tuple[int, ...]:
        """Who was in the place lately: who falls or retreats may leave it."""
        return tuple(self._inside_at)

    @property
    def probability(self) -> float:
        """The mean of what was said, the newest weighing most; never one opinion's alone."""
        newest = self._opinions[-1][0]
        weights = [exp2(-_apart(at, newest) / HALF_LIFE_SECONDS) for at, _ in self._opinions]
        said = [probability for _, probability in self._opinions]
        mean = sum(w * p for w, p in zip(weights, said, strict=True)) / sum(weights)
        two_highest = sorted([*said, UNHEARD_PROBABILITY] if len(said) == 1 else said)[-2:]
        return min(mean, sum(two_highest) / 2)

    @property
    def confidence(self) -> float:
        """50 at the model's alarm threshold, 85 at a steady 0.9, at most 95."""
        probability = self.probability
        if probability < ALARM_PROBABILITY:
            return POSSIBLE * probability / ALARM_PROBABILITY
        if probability < SURE_PROBABILITY:
            span = SURE_PROBABILITY - ALARM_PROBABILITY
            return POSSIBLE + (SURE - POSSIBLE) * (probability - ALARM_PROBABILITY) / span
        share = (probability - SURE_PROBABILITY) / (1 - SURE_PROBABILITY)
        return SURE + (SUREST - SURE) * share


class Quarrels:
    """The quarrels of one camera, brought up to date moment by moment."""

    def __init__(self) -> None:
        self._known: list[Quarrel] = []
        self._courses = Courses()
        self._last_at: datetime | None = None

    def observe(self, moment: Moment) -> Sequence[Quarrel]:
        """What there is now, each decided as mutual or one-sided."""
        seconds = _apart(self._last_at, moment.at) if self._last_at else 0.0
        self._last_at = moment.at
        self._courses.follow(moment)
        self._known = [quarrel for quarrel in self._known if not quarrel.forget(moment.at)]
        for opinion in moment.opinions:
            if opinion.label == FIGHTING and not opinion.own:
                quarrel = self._at(opinion.box, moment)
                people = _inside(opinion.box, moment)
                quarrel.hear(moment.at, opinion.probability, opinion.box, people)
        for quarrel in self._known:
            there = [person for person in moment.people if person.id in quarrel.people]
            if len(there) > 1:  # of one alone it cannot be told
                quarrel.sidedness.note(self._courses.one_sided(there, moment), seconds)
        return self._known

    def _at(self, place: Box, moment: Moment) -> Quarrel:
        """The quarrel that this place belongs to; a new one if there is none."""
        common = max(self._known, key=lambda known: overlap(known.place, place), default=None)
        if common is None or overlap(common.place, place) < SAME_PLACE_OVERLAP:
            common = Quarrel(place, moment.at)
            self._known.append(common)
        return common


def _inside(place: Box, moment: Moment) -> list[int]:
    return [person.id for person in moment.people if _belongs(person, place)]


def _belongs(person: Track, place: Box) -> bool:
    box = person.box
    width = min(box.x2, place.x2) - max(box.x1, place.x1)
    height = min(box.y2, place.y2) - max(box.y1, place.y1)
    return width > 0 and height > 0 and width * height >= INSIDE_SHARE * box.width * box.height


def _apart(before: datetime, now: datetime) -> float:
    return (now - before).total_seconds()
