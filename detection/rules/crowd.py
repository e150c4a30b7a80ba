"""Suspicious activity: people gather who were not there a minute ago."""

from collections.abc import Sequence

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.gatherings import Gathering
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Settings
from detection.rules.trails import Trails

STANDING_SPEED = 0.5  # body heights a second; who is faster passes by
MEASURED_SECONDS = 1.0
TRAIL_SECONDS = 4.0
UNLIKE_HEIGHTS = 1.6  # people whose heights differ by more do not stand side by side


class CrowdOptions(RuleOptions):
    people: int = Field(6, ge=2, le=100, description="People near each other that make a crowd.")
    reach: float = Field(
        1.5, gt=0, le=10, description="How far neighbours stand apart at most, in body heights."
    )
    forming_seconds: float = Field(
        60.0, ge=10, le=300, description="The time within which a group doubles to form a crowd."
    )
    learning_seconds: float = Field(
        300.0, ge=10, le=600, description="How long a place is watched before anything is said."
    )


class Crowd(Rule[CrowdOptions]):
    """Many people gather in a short time.

    Possible when a group has doubled to the number in time, sure at twice the number. Who stands in
    a zone with options of its own counts there and not elsewhere.
    """

    NAME = "crowd"
    Options = CrowdOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._trails = Trails(TRAIL_SECONDS)
        own = [options for zone, options in self.zones if self.NAME in zone.settings]
        self._places = [(options, Gathering()) for options in (self.options, *own)]

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._trails.follow(moment)
        standing = [
            (options_at(self, person.box.feet), person)
            for person in moment.people
            if self._stands(person, moment)
        ]
        suspicions = []
        for options, gathering in self._places:
            here = large_enough([p for theirs, p in standing if theirs is options], options)
            group = max(_groups(here, options.reach, moment.aspect), key=len, default=[])
            # Also while it is not armed: who is there by then has not just gathered.
            size = gathering.follow(len(group), moment.at, options)
            if size and group and options.is_armed_at(moment):
                suspicions.append(_suspicion(size, group, options))
        return suspicions

    def _stands(self, person: Track, moment: Moment) -> bool:
        move = self._trails.of(person.id).move(MEASURED_SECONDS, moment.aspect)
        return move is not None and move.speed <= STANDING_SPEED


def _suspicion(size: int, group: Sequence[Track], options: CrowdOptions) -> Suspicion:
    confidence = rising(size - options.people, options.people, POSSIBLE, SURE)
    reason = f"{size} people have gathered within {options.forming_seconds:.0f} s"
    who = tuple(person.id for person in group)
    return Suspicion(CrimeType.SUSPICIOUS_ACTIVITY, confidence, who, reason)


def _groups(people: Sequence[Track], reach: float, aspect: float) -> list[list[Track]]:
    """People chained to each other by neighbours within reach."""
    groups: list[list[Track]] = []
    for person in people:
        touching = [g for g in groups if any(_near(person, one, reach, aspect) for one in g)]
        groups = [group for group in groups if group not in touching]
        groups.append([person, *(one for group in touching for one in group)])
    return groups


def _near(a: Track, b: Track, reach: float, aspect: float) -> bool:
    """Depth looks shorter than it is, so ways up and down the picture count double."""
    small, tall = sorted((a.box.height, b.box.height))
    apart = max(abs(a.box.feet.x - b.box.feet.x) * aspect, 2 * abs(a.box.feet.y - b.box.feet.y))
    return tall <= UNLIKE_HEIGHTS * small and apart <= reach * (small + tall) / 2
