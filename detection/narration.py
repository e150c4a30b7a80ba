"""What there is to say while a scene is watched: news only, never the same thing every frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from detection.analysis import Judgement
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
)
from detection.domain.suspicions import Suspicion

STEP = 10.0  # points by which a suspicion must have moved to be told again
LEAST = 25.0  # what is weaker is not worth a line before it has grown
FORGOTTEN_SECONDS = 1.5  # a suspicion that pauses for less goes on


class Kind(StrEnum):
    """What a piece of news is about: a suspicion, or a step of an episode."""

    SUSPECTED = "suspected"
    CHANGED = "changed"
    OVER = "over"
    ALERT = "alert"
    ALERT_CHANGED = "alert_changed"
    CRIME = "crime"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class News:
    """One line. `rules` are those that hold the suspicion, `since` is when what
    became an episode or a crime began, or what is over was last seen."""

    kind: Kind
    at: datetime
    crime_type: CrimeType | None = None
    confidence: float | None = None
    reason: str = ""
    track_ids: tuple[int, ...] = ()
    rules: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(slots=True)
class _Suspected:
    """A suspicion that was told of."""

    crime_type: CrimeType
    track_ids: frozenset[int]
    told: float
    seen_at: datetime


class Narrator:
    """Follows the suspicions of one scene from their beginning to their end."""

    def __init__(self) -> None:
        self._open: list[_Suspected] = []

    def hear(self, judgement: Judgement) -> list[News]:
        """What is new with this judgement: suspicions first, then what came of them."""
        news = self._forget(judgement.at)
        for suspicion in _distinct(judgement.suspicions):
            news += self._follow(suspicion, judgement)
        return news + told_of(judgement.events)

    def _follow(self, suspicion: Suspicion, judgement: Judgement) -> list[News]:
        who = frozenset(suspicion.track_ids)
        known = next((one for one in self._open if _is_same(one, suspicion.crime_type, who)), None)
        kind = Kind.CHANGED
        if known is None:
            if suspicion.confidence < LEAST:
                return []
            kind = Kind.SUSPECTED
            known = _Suspected(suspicion.crime_type, who, suspicion.confidence, judgement.at)
            self._open.append(known)
        known.seen_at, known.track_ids = judgement.at, who
        if kind is Kind.CHANGED and abs(suspicion.confidence - known.told) < STEP:
            return []
        known.told = suspicion.confidence
        return [
            News(
                kind,
                judgement.at,
                suspicion.crime_type,
                suspicion.confidence,
                suspicion.reason,
                suspicion.track_ids,
                _rules_behind(suspicion, judgement),
            )
        ]

    def _forget(self, at: datetime) -> list[News]:
        """Suspicions that have paused for long; a clock that is set back ends them all."""
        pause = timedelta(seconds=FORGOTTEN_SECONDS)
        gone = [one for one in self._open if not one.seen_at <= at <= one.seen_at + pause]
        self._open = [one for one in self._open if one not in gone]
        return [
            News(
                Kind.OVER,
                at,
                one.crime_type,
                track_ids=tuple(sorted(one.track_ids)),
                since=one.seen_at,
            )
            for one in gone
        ]


def told_of(events: Iterable[EpisodeEvent]) -> list[News]:
    """The steps of an episode as news."""
    return [_step(event) for event in events]


def _step(event: EpisodeEvent) -> News:
    match event:
        case EpisodeEnded():
            return News(Kind.ENDED, event.at, reason=event.outcome.value)
        case ConfidenceChanged():
            return News(Kind.ALERT_CHANGED, event.at, event.crime_type, event.confidence)
        case EpisodeOpened() | CrimeConfirmed():
            return News(
                Kind.ALERT if isinstance(event, EpisodeOpened) else Kind.CRIME,
                event.at,
                event.crime_type,
                event.confidence,
                event.reason,
                since=event.started_at,
            )


def _distinct(suspicions: Iterable[Suspicion]) -> list[Suspicion]:
    """Of several that name nobody, which nothing tells apart, the surest of each crime."""
    kept: dict[object, Suspicion] = {}
    for suspicion in suspicions:
        key = (suspicion.crime_type, suspicion.track_ids)
        if key not in kept or kept[key].confidence < suspicion.confidence:
            kept[key] = suspicion
    return list(kept.values())


def _is_same(known: _Suspected, crime_type: CrimeType, who: frozenset[int]) -> bool:
    return known.crime_type is crime_type and (
        known.track_ids == who or bool(known.track_ids & who)
    )


def _rules_behind(suspicion: Suspicion, judgement: Judgement) -> tuple[str, ...]:
    rules = (
        rule
        for rule, one in judgement.by_rule
        if one.crime_type is suspicion.crime_type and set(one.track_ids) <= set(suspicion.track_ids)
    )
    return tuple(dict.fromkeys(rules))
