"""Suspicious activity: a person who lingers in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Point, distance
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import RuleOptions, rising

# A lingering person may be hidden or missed for this long and still be the same stay.
HIDDEN_SECONDS = 3.0


@dataclass(slots=True)
class _Stay:
    anchor: Point
    since: datetime
    last_seen_at: datetime


class Loitering:
    """A person stays within a small radius for the dwell; in loitering zones, or anywhere if none.

    Confidence reaches the alert threshold at the dwell and the crime threshold, with 5 points to
    spare, at twice the dwell; before the dwell nothing is said.
    """

    def __init__(self, zones: Sequence[Zone], options: RuleOptions) -> None:
        self._zones = [zone for zone in zones if zone.kind is ZoneKind.LOITERING]
        self._options = options
        self._stays: dict[int, _Stay] = {}

    def observe(self, tracks: Sequence[Track], at: datetime) -> list[Suspicion]:
        self._forget_the_hidden(at)
        suspicions = []
        for track in tracks:
            if not track.is_person:
                continue
            watched, dwell, place = self._dwell_at(track.box.feet)
            if watched:
                suspicion = self._suspect(track, dwell, place, at)
                suspicions += [suspicion] if suspicion else []
        return suspicions

    def _dwell_at(self, feet: Point) -> tuple[bool, float, str]:
        default = self._options.loitering_dwell_seconds
        if not self._zones:
            return True, default, "one place"
        for zone in self._zones:
            if zone.polygon.contains(feet):
                dwell = default if zone.dwell_seconds is None else zone.dwell_seconds
                return True, dwell, f"“{zone.name}”"
        return False, default, ""

    def _suspect(self, track: Track, dwell: float, place: str, at: datetime) -> Suspicion | None:
        feet = track.box.feet
        stay = self._stays.get(track.id)
        if stay is None or distance(stay.anchor, feet) > self._options.loitering_radius:
            stay = self._stays[track.id] = _Stay(feet, at, at)
        stay.last_seen_at = at
        stayed = (at - stay.since).total_seconds()
        if stayed < dwell:
            return None
        options = self._options
        ceiling = min(100.0, options.crime_threshold + 5)
        confidence = rising(stayed - dwell, dwell, options.alert_threshold, ceiling)
        reason = f"person {track.id} has lingered in {place} for {stayed:.0f} s"
        return Suspicion(CrimeType.SUSPICIOUS_ACTIVITY, confidence, (track.id,), reason)

    def _forget_the_hidden(self, at: datetime) -> None:
        for track_id, stay in list(self._stays.items()):
            if (at - stay.last_seen_at).total_seconds() > HIDDEN_SECONDS:
                del self._stays[track_id]
