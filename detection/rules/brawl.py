"""What the rules for fighting and assault have in common: only the side of a quarrel differs."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone
from detection.rules.quarrels import Quarrel, Quarrels
from detection.rules.rule import Rule, RuleOptions, large_enough
from detection.rules.settings import Settings

# What is as unlikely as this is not worth a word.
LEAST_CONFIDENCE = 10.0


class Brawl(Rule[RuleOptions]):
    """Suspects quarrels of one kind anywhere in the picture.

    A zone of any kind whose settings speak of the rule has its own options where it lies.
    """

    Options = RuleOptions
    HEEDS_EVERY_ZONE = True
    CRIME_TYPE: ClassVar[CrimeType]
    ONE_SIDED: ClassVar[bool]

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._quarrels = Quarrels()
        self._special = [
            (zone.polygon, options)
            for zone, options in self.zones
            if zone.polygon and self.NAME in zone.settings
        ]

    def observe(self, moment: Moment) -> list[Suspicion]:
        suspicions = []
        for quarrel in self._quarrels.observe(moment):
            options = self._options_at(quarrel.place)
            if (
                quarrel.sidedness.is_one_sided is self.ONE_SIDED
                and quarrel.confidence >= LEAST_CONFIDENCE
                and options.is_armed_at(moment)
                and _is_large_enough(quarrel, moment, options)
            ):
                reason = self._reason(quarrel, moment)
                suspicions.append(
                    Suspicion(self.CRIME_TYPE, quarrel.confidence, quarrel.people, reason)
                )
        return suspicions

    def _options_at(self, place: Box) -> RuleOptions:
        for polygon, options in self._special:
            if polygon.contains(place.feet):
                return options
        return self.options

    @abstractmethod
    def _reason(self, quarrel: Quarrel, moment: Moment) -> str: ...


def named(people: Sequence[int]) -> str:
    """Of whom it is said."""
    if not people:
        return "people near each other"
    if len(people) == 1:
        return f"person {people[0]} and somebody near"
    first = ", ".join(str(number) for number in people[:-1])
    return f"persons {first} and {people[-1]}"


def _is_large_enough(quarrel: Quarrel, moment: Moment, options: RuleOptions) -> bool:
    """By those who are seen; by the place where nobody is, as when two who grapple are missed."""
    seen = [person for person in moment.people if person.id in quarrel.people]
    if not seen:
        return quarrel.place.height >= options.least_height
    return bool(large_enough(seen, options))
