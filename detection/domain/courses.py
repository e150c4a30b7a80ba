"""The course an episode took, and how another course of the same scene differs from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from detection.domain.crimes import CrimeType
from detection.domain.episodes import CrimeConfirmed, EpisodeEnded, EpisodeEvent, EpisodeOpened
from detection.domain.severity import WEIGHTS


@dataclass(frozen=True, slots=True)
class Course:
    """What an episode came to: when it alerted, as what, and which crimes were sure when."""

    opened_as: CrimeType
    started_at: datetime
    alerted_at: datetime
    ended_at: datetime | None = None  # None where nobody saw its end
    crimes: Mapping[CrimeType, datetime] = field(default_factory=dict)

    @property
    def crime_type(self) -> CrimeType:
        """As an episode is called: after its worst crime, or else after its alert."""
        return max(self.crimes, key=WEIGHTS.__getitem__, default=self.opened_as)


class Change(StrEnum):
    """What becomes of an episode under other settings."""

    KEPT = "kept"
    OTHER_TYPE = "other type"
    LOST = "lost"
    UNDECIDED = "undecided"  # the recording does not hold what the rules would have to know


@dataclass(frozen=True, slots=True)
class Difference:
    """How the new course differs; a positive shift is an alert that comes later."""

    change: Change
    crime_type: CrimeType | None = None
    alert_shift_seconds: float = 0.0
    crimes_gained: tuple[CrimeType, ...] = ()
    crimes_lost: tuple[CrimeType, ...] = ()


def courses_of(events: Iterable[EpisodeEvent]) -> list[Course]:
    """One course for each opening, from the events of a machine in their order."""
    courses: list[Course] = []
    for event in events:
        match event:
            case EpisodeOpened():
                courses.append(Course(event.crime_type, event.started_at, event.at))
            case CrimeConfirmed() if courses:
                crimes = {**courses[-1].crimes, event.crime_type: event.at}
                courses[-1] = replace(courses[-1], crimes=crimes)
            case EpisodeEnded() if courses:
                courses[-1] = replace(courses[-1], ended_at=event.at)
    return courses


def differ(was: Course, now: Sequence[Course]) -> Difference:
    """Compare an episode with the courses that its scene takes now: those of its own time count."""
    same = [course for course in now if _overlap(was, course)]
    if not same:
        return Difference(Change.LOST, crimes_lost=tuple(was.crimes))
    first = same[0]
    crimes = {crime for course in same for crime in course.crimes}
    called = first.crime_type
    return Difference(
        Change.KEPT if called is was.crime_type else Change.OTHER_TYPE,
        called,
        (first.alerted_at - was.alerted_at).total_seconds(),
        tuple(sorted(crimes - was.crimes.keys())),
        tuple(sorted(was.crimes.keys() - crimes)),
    )


def _overlap(one: Course, other: Course) -> bool:
    return (other.ended_at is None or other.ended_at >= one.started_at) and (
        one.ended_at is None or other.started_at <= one.ended_at
    )
