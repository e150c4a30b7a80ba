"""What a camera would have made of a clip: pure figures, with nothing of the picture in them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from detection.domain.crimes import CrimeType
from detection.evaluation.labels import crime_of, seen_as
from detection.labelled_clips import LabelledClip

AFTER_SECONDS: Final = 5.0  # what is said this long after the act still belongs to it
APART_SECONDS: Final = 5.0  # alarms closer than this are one
NIGHT_BRIGHTNESS: Final = 70.0  # of 255: below this the picture counts as night
SMALL_HEIGHT, LARGE_HEIGHT = 0.2, 0.5  # shares of the picture's height

OPENED, NAMED, CONFIRMED = "opened", "named", "confirmed"
Curve = tuple[tuple[float, float], ...]  # seconds from the first picture, 0 to 100


@dataclass(frozen=True, slots=True)
class Step:
    """An episode was OPENED for a crime, its alert NAMED another one, or one was CONFIRMED."""

    seconds: float
    kind: str
    crime: CrimeType


@dataclass(frozen=True)
class Viewing:
    """A labelled clip as the shipped defaults judge it.

    `confidences` are the rules', fused, where they are above 0. `brightness` is the median grey,
    `height` the people's median share of the picture.
    """

    clip: LabelledClip
    sha256: str
    seconds: float
    pictures: int
    brightness: float
    height: float | None
    confidences: tuple[tuple[float, CrimeType, float], ...]
    steps: tuple[Step, ...]

    @cached_property
    def crime(self) -> CrimeType | None:
        return crime_of(self.clip.label)

    @property
    def act(self) -> tuple[float, float]:
        """The seconds that the label speaks of; the whole clip where nothing else is said."""
        began, ended = self.clip.began or 0.0, self.clip.ended
        return began, self.seconds if ended is None else ended

    @property
    def quiet_seconds(self) -> float:
        """How much of the clip shows no crime."""
        if self.crime is None:
            return self.seconds
        began, ended = self.act
        return max(0.0, self.seconds - (min(ended, self.seconds) - began))

    @property
    def light(self) -> str:
        """Day or night, as the list says or by the brightness."""
        return self.clip.light or ("night" if self.brightness < NIGHT_BRIGHTNESS else "day")

    @property
    def size(self) -> str:
        """How large the people are in the picture."""
        if self.height is None:
            return "nobody seen"
        if self.height < SMALL_HEIGHT:
            return "small"
        return "large" if self.height >= LARGE_HEIGHT else "medium"

    def curve(self, crime: CrimeType) -> Curve:
        """How sure the rules are at each moment."""
        types = seen_as(crime)
        surest: dict[float, float] = {}
        for at, suspected, value in self.confidences:
            if suspected in types:
                surest[at] = max(value, surest.get(at, 0.0))
        return tuple(sorted(surest.items()))

    def shows(self, crime: CrimeType) -> bool:
        """Whether to suspect it here is right."""
        return self.crime is not None and self.crime in seen_as(crime)

    def score(self, crime: CrimeType) -> float:
        """The surest moment; of the act only, where the clip shows that crime."""
        within = self._within(crime)
        return max((value for at, value in self.curve(crime) if within(at)), default=0.0)

    def first(self, crime: CrimeType, *kinds: str) -> float | None:
        """When an episode first told of the crime, in seconds from where the act began."""
        within, (began, _) = self._within(crime), self.act
        found = [
            step.seconds - began
            for step in self.steps
            if step.crime in seen_as(crime) and step.kind in kinds and within(step.seconds)
        ]
        return min(found, default=None)

    def false_episodes(self) -> list[CrimeType]:
        """What episodes were opened for while nothing happened."""
        return [s.crime for s in self.steps if s.kind == OPENED and self.is_quiet_at(s.seconds)]

    def is_quiet_at(self, at: float) -> bool:
        """Whether nothing happens then, nor did a moment ago."""
        return self.crime is None or not self._is_of_the_act(at)

    def _within(self, crime: CrimeType) -> Callable[[float], bool]:
        return self._is_of_the_act if self.shows(crime) else lambda _: True

    def _is_of_the_act(self, at: float) -> bool:
        began, ended = self.act
        return began <= at <= ended + AFTER_SECONDS


def alarms(curve: Curve, threshold: float) -> int:
    """How often a curve rises to the threshold; times close together are one."""
    count, last = 0, float("-inf")
    for at, value in curve:
        if value >= threshold:
            count += at - last > APART_SECONDS
            last = at
    return count
