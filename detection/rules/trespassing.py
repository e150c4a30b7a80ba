"""Trespassing: a person's feet stand inside a restricted zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.domain.crimes import CrimeType
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import RuleOptions, rising

# A person may step on the line, or be missed by the detector, for this long and still be inside.
STEP_OUT_SECONDS = 1.5
# Where frames are rare, as under overload, one of them may miss the person.
STEP_OUT_FRAMES = 2.2


@dataclass(slots=True)
class _Stay:
    entered_at: datetime
    last_inside_at: datetime


class Trespassing:
    """Confidence starts at the alert threshold and passes the crime threshold after the dwell.

    At the dwell it is 5 points above the crime threshold, and it ends at 95 or there, whichever is
    higher, after twice the dwell.
    """

    def __init__(self, zones: Sequence[Zone], options: RuleOptions) -> None:
        self._zones = [zone for zone in zones if zone.kind is ZoneKind.RESTRICTED]
        self._options = options
        self._stays: dict[tuple[str, int], _Stay] = {}
        self._last_at: datetime | None = None

    def observe(self, tracks: Sequence[Track], at: datetime) -> list[Suspicion]:
        self._forget_those_who_left(at)
        return [
            self._suspect(zone, track, at)
            for zone in self._zones
            for track in tracks
            if track.is_person and zone.polygon.contains(track.box.feet)
        ]

    def _suspect(self, zone: Zone, track: Track, at: datetime) -> Suspicion:
        stay = self._stays.setdefault((zone.name, track.id), _Stay(at, at))
        stay.last_inside_at = at
        inside_seconds = (at - stay.entered_at).total_seconds()
        return Suspicion(
            CrimeType.TRESPASSING,
            self._confidence(inside_seconds, zone),
            (track.id,),
            f"person {track.id} inside “{zone.name}” for {inside_seconds:.1f} s",
        )

    def _confidence(self, inside_seconds: float, zone: Zone) -> float:
        options = self._options
        dwell = zone.dwell_seconds
        if dwell is None:
            dwell = options.trespassing_dwell_seconds
        sure = min(100.0, options.crime_threshold + 5)
        if inside_seconds < dwell:
            return rising(inside_seconds, dwell, options.alert_threshold, sure)
        return rising(inside_seconds - dwell, dwell, sure, max(sure, 95.0))

    def _forget_those_who_left(self, at: datetime) -> None:
        apart = (at - self._last_at).total_seconds() if self._last_at else 0.0
        self._last_at = at
        step_out = max(STEP_OUT_SECONDS, min(STEP_OUT_FRAMES * apart, 4 * STEP_OUT_SECONDS))
        for key, stay in list(self._stays.items()):
            if (at - stay.last_inside_at).total_seconds() > step_out:
                del self._stays[key]
