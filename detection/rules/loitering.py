"""Suspicious activity: a person who lingers in one place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box, Point, distance
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.lifeless import Lifeless
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings
from detection.rules.succession import stands_where

# A lingering person may be hidden or missed for this long and still be the same stay.
HIDDEN_SECONDS = 3.0


class LoiteringOptions(RuleOptions):
    dwell_seconds: Seconds = Field(
        60.0, description="Stay in one place after which a person is suspicious."
    )
    radius: float = Field(
        0.15, gt=0, le=1, description="How far a loiterer may wander, as a share of the picture."
    )


@dataclass(slots=True)
class _Stay:
    anchor: Point
    since: datetime
    last_seen_at: datetime
    box: Box


class Loitering(Rule[LoiteringOptions]):
    """A person stays within a small radius for the dwell; in loitering zones, or anywhere if none.

    Possible at the dwell, sure at twice the dwell; before the dwell nothing is said. The time also
    runs while the rule is not armed: who has lingered since before closing time lingers.
    """

    NAME = "loitering"
    Options = LoiteringOptions
    ZONE_KINDS = (ZoneKind.LOITERING,)
    ZONE_CRIMES = (CrimeType.SUSPICIOUS_ACTIVITY,)

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._zones = self.zones_of(ZoneKind.LOITERING)
        self._lifeless = Lifeless()
        self._stays: dict[int, _Stay] = {}

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._forget_the_hidden(moment.at)
        self._lifeless.follow(moment)
        suspicions = []
        for person in moment.people:
            options, zone = self._judged_by(person.box.feet)
            if options and large_enough([person], options):
                stayed = self._stay(person, options, moment)
                if options.is_armed_at(moment):
                    suspicions += self._suspect(person, options, zone, stayed)
        return suspicions

    def _judged_by(self, feet: Point) -> tuple[LoiteringOptions | None, str]:
        if not self._zones:
            return self.options, ""
        for zone, options in self._zones:
            if zone.area.contains(feet):
                return options, zone.name
        return None, ""

    def _stay(self, person: Track, options: LoiteringOptions, moment: Moment) -> float:
        """For how many seconds they have been here."""
        feet, at = person.box.feet, moment.at
        stay = self._stays.get(person.id) or self._of_a_predecessor(person, moment)
        if stay is None or distance(stay.anchor, feet) > options.radius:
            stay = _Stay(feet, at, at, person.box)
        stay.last_seen_at, stay.box = at, person.box
        self._stays[person.id] = stay
        return (at - stay.since).total_seconds()

    def _of_a_predecessor(self, person: Track, moment: Moment) -> _Stay | None:
        """That of whoever was here under another number; they keep it, should they come back."""
        here = {one.id for one in moment.people}
        gone = [
            stay
            for track_id, stay in self._stays.items()
            if track_id not in here and stands_where(stay.box, stay.last_seen_at, person, moment)
        ]
        eldest = min(gone, key=lambda stay: stay.since, default=None)
        return replace(eldest) if eldest else None

    def _suspect(
        self, track: Track, options: LoiteringOptions, zone: str, stayed: float
    ) -> list[Suspicion]:
        dwell = options.dwell_seconds
        if stayed < dwell or self._lifeless.holds(track.id):
            return []
        confidence = rising(stayed - dwell, dwell, POSSIBLE, SURE)
        where = f"“{zone}”" if zone else "one place"
        reason = f"person {track.id} has lingered in {where} for {stayed:.0f} s"
        return [Suspicion(CrimeType.SUSPICIOUS_ACTIVITY, confidence, (track.id,), reason, zone)]

    def _forget_the_hidden(self, at: datetime) -> None:
        for track_id, stay in list(self._stays.items()):
            if (at - stay.last_seen_at).total_seconds() > HIDDEN_SECONDS:
                del self._stays[track_id]
