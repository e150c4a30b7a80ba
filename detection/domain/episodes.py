"""When suspicion becomes an alert, a crime, and an end: one state machine for each camera.

Pure: time is the argument `at`, the capture time of the frame that is judged. The back end cuts
its evidence video by the times given here, so none of them is ever the time of processing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from detection.domain.crimes import CrimeType
from detection.domain.suspicions import Suspicion
from detection.domain.thresholds import Thresholds as Thresholds


class EpisodeState(StrEnum):
    """QUIET has no episode; the others are the states of one."""

    QUIET = "quiet"
    SUSPICIOUS = "suspicious"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class EpisodePolicy:
    """Thresholds (0..100) and times (seconds) of the machine.

    `thresholds` are those of the types of crime that have their own.
    """

    alert_threshold: float = 50.0
    crime_threshold: float = 80.0
    hysteresis: float = 10.0
    persistence_seconds: float = 0.6
    confirm_seconds: float = 2.0
    clear_seconds: float = 5.0
    gap_seconds: float = 1.0  # a detector that misses the person this long resets nothing
    gap_frames: float = 2.2  # nor one that misses the person once where frames are rare
    longest_gap_seconds: float = 5.0
    blind_grace_seconds: float = 15.0
    update_step: float = 10.0  # an alert is updated when its confidence moved this far
    thresholds: Mapping[CrimeType, Thresholds] = field(default_factory=dict)

    def of(self, crime_type: CrimeType) -> Thresholds:
        """The thresholds of a type of crime."""
        own = self.thresholds.get(crime_type)
        return own or Thresholds(self.alert_threshold, self.crime_threshold)

    def of_suspicion(self, suspicion: Suspicion) -> Thresholds:
        """Its zone's own go before those of its type."""
        return suspicion.thresholds or self.of(suspicion.crime_type)


@dataclass(frozen=True, slots=True)
class EpisodeOpened:
    """Suspicion lasted: sound the siren, send the alert."""

    at: datetime
    crime_type: CrimeType
    confidence: float
    started_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ConfidenceChanged:
    """The alert's confidence moved by at least the policy's step."""

    at: datetime
    crime_type: CrimeType
    confidence: float


@dataclass(frozen=True, slots=True)
class CrimeConfirmed:
    """A crime is sure: `started_at` is its first suspicious frame, `at` the confirming one."""

    at: datetime
    crime_type: CrimeType
    confidence: float
    started_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """The scene is over (CLEARED) or the camera went blind for too long (LOST)."""

    at: datetime
    outcome: EpisodeState


EpisodeEvent = EpisodeOpened | ConfidenceChanged | CrimeConfirmed | EpisodeEnded


@dataclass(slots=True)
class _Evidence:
    """What is held against the camera's scene for one type of crime.

    `thresholds` are those of the suspicion that counted last.
    """

    thresholds: Thresholds
    since: datetime
    last_suspicious_at: datetime
    confidence: float = 0.0
    reason: str = ""
    sure_since: datetime | None = None
    last_sure_at: datetime | None = None
    reported: bool = False


@dataclass(slots=True)
class EpisodeMachine:
    """At most one open episode; each crime type is confirmed at most once in it."""

    policy: EpisodePolicy = field(default_factory=EpisodePolicy)
    state: EpisodeState = EpisodeState.QUIET
    _evidence: dict[CrimeType, _Evidence] = field(default_factory=dict)
    _calm_since: datetime | None = None
    _last_at: datetime | None = None
    _told_confidence: float = 0.0
    _gap: timedelta = timedelta(0)

    @property
    def is_open(self) -> bool:
        return self.state is not EpisodeState.QUIET

    def observe(self, suspicions: Iterable[Suspicion], at: datetime) -> list[EpisodeEvent]:
        """Judge one frame. Frames come in order of capture; an older one is ignored."""
        if self._last_at is not None and at <= self._last_at:
            return []
        events = self.lose_sight(at)
        self._gap = self._gap_before(at)
        self._last_at = at
        self._weigh(suspicions, at)
        if not self.is_open:
            events += self._open(at)
        else:
            events += self._update(at)
        events += self._confirm(at)
        events += self._clear(at)
        return events

    def _gap_before(self, at: datetime) -> timedelta:
        policy = self.policy
        apart = (at - self._last_at).total_seconds() if self._last_at else 0.0
        few_frames = min(policy.gap_frames * apart, policy.longest_gap_seconds)
        return _seconds(max(policy.gap_seconds, few_frames))

    def lose_sight(self, at: datetime) -> list[EpisodeEvent]:
        """Say that it is `at` and no frame has come; ends an open episode after the grace."""
        if self._last_at is None or at - self._last_at <= _seconds(self.policy.blind_grace_seconds):
            return []
        was_open, last_at = self.is_open, self._last_at
        self._reset()
        return [EpisodeEnded(last_at, EpisodeState.LOST)] if was_open else []

    def abandon(self) -> list[EpisodeEvent]:
        """Begin anew, as when the camera's clock was set back; an open episode ends as lost."""
        was_open, last_at = self.is_open, self._last_at
        self._reset()
        self._last_at = None
        return [EpisodeEnded(last_at, EpisodeState.LOST)] if was_open and last_at else []

    def _reset(self) -> None:
        self.state = EpisodeState.QUIET
        self._evidence.clear()
        self._calm_since = None

    def _weigh(self, suspicions: Iterable[Suspicion], at: datetime) -> None:
        strongest: dict[CrimeType, Suspicion] = {}
        for suspicion in suspicions:
            known = strongest.get(suspicion.crime_type)
            if known is None or self._weight(suspicion) > self._weight(known):
                strongest[suspicion.crime_type] = suspicion
        for crime_type, suspicion in strongest.items():
            thresholds = self.policy.of_suspicion(suspicion)
            if suspicion.confidence >= thresholds.alert:
                self._evidence.setdefault(crime_type, _Evidence(thresholds, at, at))
        for crime_type, evidence in list(self._evidence.items()):
            self._weigh_one(crime_type, evidence, strongest.get(crime_type), at)

    def _weight(self, suspicion: Suspicion) -> tuple[bool, bool, float]:
        """What reaches its own thresholds counts for more than what is surer and does not."""
        thresholds, confidence = self.policy.of_suspicion(suspicion), suspicion.confidence
        return confidence >= thresholds.crime, confidence >= thresholds.alert, confidence

    def _weigh_one(
        self, crime_type: CrimeType, evidence: _Evidence, suspicion: Suspicion | None, at: datetime
    ) -> None:
        gap = self._gap
        own = suspicion.thresholds if suspicion else None
        evidence.thresholds = thresholds = own or self.policy.of(crime_type)
        evidence.confidence = suspicion.confidence if suspicion else 0.0
        if suspicion and evidence.confidence >= self._floor(evidence):
            evidence.last_suspicious_at = at
            evidence.reason = suspicion.reason
        elif at - evidence.last_suspicious_at > gap and not (self.is_open and evidence.reported):
            del self._evidence[crime_type]
            return
        if evidence.confidence >= thresholds.crime:
            evidence.sure_since = evidence.sure_since or at
            evidence.last_sure_at = at
        elif evidence.last_sure_at is not None and at - evidence.last_sure_at > gap:
            evidence.sure_since = None

    def _open(self, at: datetime) -> list[EpisodeEvent]:
        persistence = _seconds(self.policy.persistence_seconds)
        ready = [
            (evidence.confidence, crime_type)
            for crime_type, evidence in self._evidence.items()
            if evidence.confidence >= evidence.thresholds.alert
            and evidence.since < at  # one frame opens nothing, however short the persistence
            and at - evidence.since >= persistence
        ]
        if not ready:
            return []
        confidence, crime_type = max(ready)
        evidence = self._evidence[crime_type]
        self.state = EpisodeState.SUSPICIOUS
        self._calm_since = None
        self._told_confidence = confidence
        return [EpisodeOpened(at, crime_type, confidence, evidence.since, evidence.reason)]

    def _update(self, at: datetime) -> list[EpisodeEvent]:
        alerting = [
            (evidence.confidence, crime_type)
            for crime_type, evidence in self._evidence.items()
            if evidence.confidence >= evidence.thresholds.alert
        ]
        if self.state is not EpisodeState.SUSPICIOUS or not alerting:
            return []
        confidence, crime_type = max(alerting)
        if abs(confidence - self._told_confidence) < self.policy.update_step:
            return []
        self._told_confidence = confidence
        return [ConfidenceChanged(at, crime_type, confidence)]

    def _confirm(self, at: datetime) -> list[EpisodeEvent]:
        if not self.is_open:
            return []
        events: list[EpisodeEvent] = []
        for crime_type, evidence in self._evidence.items():
            sure = evidence.sure_since is not None and (
                evidence.confidence >= evidence.thresholds.crime
                and at - evidence.sure_since >= _seconds(self.policy.confirm_seconds)
            )
            if sure and not evidence.reported:
                evidence.reported = True
                self.state = EpisodeState.CONFIRMED
                events.append(
                    CrimeConfirmed(
                        at, crime_type, evidence.confidence, evidence.since, evidence.reason
                    )
                )
        return events

    def _floor(self, evidence: _Evidence) -> float:
        return evidence.thresholds.alert - self.policy.hysteresis

    def _clear(self, at: datetime) -> list[EpisodeEvent]:
        if not self.is_open:
            return []
        if any(
            evidence.confidence > 0 and evidence.confidence >= self._floor(evidence)
            for evidence in self._evidence.values()
        ):
            self._calm_since = None
            return []
        self._calm_since = self._calm_since or at
        if at - self._calm_since < _seconds(self.policy.clear_seconds):
            return []
        self._reset()
        return [EpisodeEnded(at, EpisodeState.CLEARED)]


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
