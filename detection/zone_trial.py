"""Zones tried on tracks that were kept: what each would have said, by the rules themselves.

Pure: no clock and no database. The pages come newest first, in stretches that belong together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeMachine,
    EpisodeOpened,
    EpisodePolicy,
)
from detection.domain.fusion import fuse
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.track_log import Sample
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.rule import Rule
from detection.rules.rule_set import RuleSet
from detection.rules.setup import CameraSetup

EMPTY_SECONDS: Final = 12.0  # after everybody has left: as long as a rule remembers somebody
EMPTY_STEP: Final = 0.5
QUIET_SECONDS: Final = 20.0  # a zone's machine that heard nothing for so long has nothing to say

RuleTypes = Sequence[type[Rule[Any]]]


@dataclass(slots=True)
class Trigger:
    """One time that a zone would have raised an alert."""

    zone: str
    rules: tuple[str, ...]
    crime_type: CrimeType
    started_at: datetime
    alerted_at: datetime
    confidence: float
    reason: str
    place: tuple[float, float] | None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None


def naming(rules: RuleTypes, zones: Sequence[Zone]) -> list[type[Rule[Any]]]:
    """The rules that suspect something by the name of one of these zones, from tracks alone."""
    kinds = {zone.kind for zone in zones}
    return [
        rule
        for rule in rules
        if rule.ZONE_CRIMES and not rule.NEEDS_PICTURES and not kinds.isdisjoint(rule.ZONE_KINDS)
    ]


def left_out(rules: RuleTypes, zone: Zone) -> list[str]:
    """The rules that heed the zone but cannot be tried on tracks, or judge more than the zone."""
    tried = naming(rules, [zone])
    return [
        rule.NAME
        for rule in rules
        if rule not in tried and (zone.kind in rule.ZONE_KINDS or rule.NAME in zone.settings)
    ]


@dataclass(slots=True)
class _Heard:
    """A zone's own machine, and what it has said."""

    machine: EpisodeMachine
    last_at: datetime | None = None
    open: Trigger | None = None


@dataclass(slots=True)
class Trial:
    """Plays one stretch after another; each begins with rules that remember nothing."""

    rules: RuleTypes
    setup: CameraSetup
    policy: EpisodePolicy
    triggers: list[Trigger] = field(default_factory=list)
    _profiles: dict[datetime, tuple[Profile | None, dict[str, Profile]]] = field(
        default_factory=dict
    )

    def play(self, samples: Sequence[Sample], aspect: float) -> None:
        """Judge a stretch, in order of time."""
        named = {zone.name for zone in self.setup.zones}
        policy = replace(self.policy, thresholds=self.setup.settings.thresholds())
        heard = {name: _Heard(EpisodeMachine(policy)) for name in named}
        judges = RuleSet(self.rules)
        judges.follow(self.setup.zones, self.setup.settings)
        for moment in self._moments(samples, aspect):
            said: dict[str, list[tuple[str, Suspicion]]] = {}
            for rule, suspicion in judges.observe(moment):
                if suspicion.zone in named:
                    said.setdefault(suspicion.zone, []).append((rule, suspicion))
            for name, zone in heard.items():
                if name in said or _is_listening(zone, moment.at):
                    self._tell(name, zone, said.get(name, []), moment)

    def _tell(
        self, name: str, zone: _Heard, said: list[tuple[str, Suspicion]], moment: Moment
    ) -> None:
        if said:
            zone.last_at = moment.at
        suspicions = fuse(said)
        for event in zone.machine.observe(suspicions, moment.at):
            self._note(name, zone, event, said, moment)
        if zone.open is not None:
            surest = (suspicion.confidence for suspicion in suspicions)
            zone.open.confidence = max(zone.open.confidence, *surest, 0.0)

    def _note(
        self,
        name: str,
        zone: _Heard,
        event: EpisodeEvent,
        said: list[tuple[str, Suspicion]],
        moment: Moment,
    ) -> None:
        if isinstance(event, EpisodeOpened):
            about = [pair for pair in said if pair[1].crime_type is event.crime_type]
            zone.open = Trigger(
                zone=name,
                rules=tuple(dict.fromkeys(rule for rule, _ in about)),
                crime_type=event.crime_type,
                started_at=event.started_at,
                alerted_at=event.at,
                confidence=event.confidence,
                reason=event.reason,
                place=_place(about, moment.tracks),
            )
            self.triggers.append(zone.open)
        elif zone.open is None:
            return
        elif isinstance(event, CrimeConfirmed):
            zone.open.confirmed_at = zone.open.confirmed_at or event.at
        elif isinstance(event, EpisodeEnded):
            zone.open.ended_at, zone.open = event.at, None

    def _moments(self, samples: Sequence[Sample], aspect: float) -> Iterator[Moment]:
        masks = [zone.area for zone in self.setup.zones if zone.is_overlooked]
        for number, sample in enumerate(samples):
            seen = [
                track
                for track in sample.tracks
                if not any(m.contains(_stand(track)) for m in masks)
            ]
            yield self._moment(sample.at, seen, aspect)
            if not sample.tracks:  # everybody has left, and was seen to have
                after = samples[number + 1].at if number + 1 < len(samples) else None
                for step in range(1, round(EMPTY_SECONDS / EMPTY_STEP) + 1):
                    at = sample.at + timedelta(seconds=step * EMPTY_STEP)
                    if after is not None and at >= after:
                        break
                    yield self._moment(at, [], aspect)

    def _moment(self, at: datetime, tracks: list[Track], aspect: float) -> Moment:
        minute = at.replace(second=0, microsecond=0)
        if minute not in self._profiles:
            zones = dict(self.setup.zone_profiles_at(at))
            self._profiles = {minute: (self.setup.profile_at(at), zones)}
        profile, zone_profiles = self._profiles[minute]
        return Moment(at, tracks, profile=profile, aspect=aspect, zone_profiles=zone_profiles)


def _is_listening(zone: _Heard, at: datetime) -> bool:
    return zone.last_at is not None and (at - zone.last_at).total_seconds() < QUIET_SECONDS


def _stand(track: Track) -> Any:
    return track.box.feet if track.is_person else track.box.centre


def _place(
    about: Sequence[tuple[str, Suspicion]], tracks: Sequence[Track]
) -> tuple[float, float] | None:
    suspects = {key for _, suspicion in about for key in suspicion.track_ids}
    feet = (track.box.feet for track in tracks if track.id in suspects)
    return next(((round(x, 4), round(y, 4)) for x, y in feet), None)
