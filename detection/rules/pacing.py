"""Suspicious activity: a person who paces to and fro along a stretch."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import hypot
from typing import NamedTuple

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Point
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Settings
from detection.rules.trails import LEAST_HEIGHT

HIDDEN_SECONDS = 5.0  # a pacer may be hidden for this long
BACK = -0.7  # the cosine from which a walker has turned back and not just round a corner
SAME_END = 0.4  # of the leg: who turns farther from where they turned before last just wanders
TURNS_REMEMBERED = 100


class PacingOptions(RuleOptions):
    turns: int = Field(6, ge=2, le=50, description="Turns that make a walker a pacer.")
    within_seconds: float = Field(
        120.0, gt=0, le=3600, description="The time in which so many turns are made."
    )
    stretch: float = Field(
        2.0, gt=0, le=50, description="The shortest way between two turns, in body heights."
    )


class _Turn(NamedTuple):
    at: datetime
    place: Point


@dataclass(slots=True)
class _Way:
    """Where the present leg began, how far it has led, and the turns before it."""

    began: Point
    farthest: Point
    seen_at: datetime
    turns: deque[_Turn] = field(default_factory=lambda: deque(maxlen=TURNS_REMEMBERED))

    def walk_to(self, here: Point, stretch: float, at: datetime) -> None:
        """`stretch` and points are in heights of the picture."""
        self.seen_at = at
        if _far(self.began, here) > _far(self.began, self.farthest):
            self.farthest = here
        elif _far(self.farthest, here) >= stretch:
            leg = _far(self.began, self.farthest)
            if leg >= stretch and _cosine(self.began, self.farthest, here) <= BACK:
                self._turn(leg, at)
            self.began, self.farthest = self.farthest, here

    def _turn(self, leg: float, at: datetime) -> None:
        if len(self.turns) > 1 and _far(self.turns[-2].place, self.farthest) > SAME_END * leg:
            last = self.turns[-1]
            self.turns.clear()
            self.turns.append(last)
        self.turns.append(_Turn(at, self.farthest))


class Pacing(Rule[PacingOptions]):
    """A person walks to and fro between the same two ends.

    Possible at the turns that are asked for, sure at twice as many.
    """

    NAME = "pacing"
    Options = PacingOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._ways: dict[int, _Way] = {}

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._forget_the_hidden(moment.at)
        suspicions = []
        for person in moment.people:
            options = options_at(self, person.box.feet)
            if options.is_armed_at(moment) and large_enough([person], options):
                suspicions += self._suspect(person, options, moment)
        return suspicions

    def _suspect(self, person: Track, options: PacingOptions, moment: Moment) -> list[Suspicion]:
        feet = person.box.feet
        here = Point(feet.x * moment.aspect, feet.y)
        way = self._ways.setdefault(person.id, _Way(here, here, moment.at))
        way.walk_to(here, options.stretch * max(LEAST_HEIGHT, person.box.height), moment.at)
        since = moment.at - timedelta(seconds=options.within_seconds)
        turns = sum(turn.at > since for turn in way.turns)
        if turns < options.turns:
            return []
        confidence = rising(turns - options.turns, options.turns, POSSIBLE, SURE)
        reason = f"person {person.id} paces: {turns} turns within {options.within_seconds:.0f} s"
        return [Suspicion(CrimeType.SUSPICIOUS_ACTIVITY, confidence, (person.id,), reason)]

    def _forget_the_hidden(self, at: datetime) -> None:
        for track_id, way in list(self._ways.items()):
            if abs((at - way.seen_at).total_seconds()) > HIDDEN_SECONDS:
                del self._ways[track_id]


def _far(a: Point, b: Point) -> float:
    return hypot(b.x - a.x, b.y - a.y)


def _cosine(began: Point, turned: Point, here: Point) -> float:
    """Of the angle between the leg before a turn and the one after it: 1 straight on, -1 back."""
    product = (turned.x - began.x) * (here.x - turned.x) + (turned.y - began.y) * (
        here.y - turned.y
    )
    return product / (_far(began, turned) * _far(turned, here))
