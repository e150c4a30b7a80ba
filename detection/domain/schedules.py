"""Which profile holds when: a week of hours, read from lines that a person can write."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

WEEK_MINUTES = 7 * 24 * 60
DAY_MINUTES = 24 * 60
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST = 3  # letters of a day's name
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Profile(StrEnum):
    """What a site is at an hour; a rule is armed in some of them."""

    DAY = "day"
    NIGHT = "night"
    CLOSED = "closed"


class ScheduleError(ValueError):
    """The lines make no week; the message names the line, or the hours that are missing."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Minutes of the week from Monday 00:00, the end excluded."""

    began: int
    ended: int
    profile: Profile
    line: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole week without a gap."""

    spans: tuple[_Span, ...]

    @classmethod
    def read(cls, text: str) -> "Schedule":
        """Read lines like `mon-fri 07:00-19:00 day` or `sat,sun 00:00-24:00 closed`.

        Hours over midnight (`19:00-07:00`) belong to the day on which they begin. Empty lines and
        what follows a `#` are passed over.

        Raises:
            ScheduleError: a line that cannot be read, hours given twice, hours that are missing.
        """
        spans: list[_Span] = []
        for number, line in enumerate(text.splitlines(), start=1):
            if words := line.partition("#")[0].split():
                spans += _spans_of(words, number)
        spans.sort(key=lambda span: span.began)
        _check_whole(spans)
        return cls(tuple(spans))

    def profile_at(self, local: datetime) -> Profile:
        """The profile at a local time, by the wall clock."""
        minute = local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute
        return next(span.profile for span in self.spans if span.began <= minute < span.ended)


def _spans_of(words: list[str], number: int) -> list[_Span]:
    if len(words) != 3:
        raise ScheduleError(
            f"line {number}: write days, hours and profile, like “mon-fri 07:00-19:00 day”"
        )
    days, hours, profile = words
    try:
        holds = Profile(profile.lower())
    except ValueError:
        known = ", ".join(Profile)
        raise ScheduleError(f"line {number}: no profile “{profile}”; there are {known}") from None
    began, ended = _hours(hours, number)
    spans: list[_Span] = []
    for day in _days(days, number):
        start = day * DAY_MINUTES + began
        end = day * DAY_MINUTES + (ended if ended > began else ended + DAY_MINUTES)
        spans.append(_Span(start, min(end, WEEK_MINUTES), holds, number))
        if end > WEEK_MINUTES:  # Sunday's night ends on Monday
            spans.append(_Span(0, end - WEEK_MINUTES, holds, number))
    return spans


def _days(text: str, number: int) -> list[int]:
    days: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first), _day(last if dash else first)
        if begin is None or end is None:
            raise ScheduleError(f"line {number}: “{part}” names no days; write mon-fri, or sat,sun")
        days += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return days


def _day(text: str) -> int | None:
    """The day whose name begins so."""
    if len(text) < _SHORTEST:
        return None
    return next((day for day, name in enumerate(DAYS) if name.startswith(text)), None)


def _hours(text: str, number: int) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise ScheduleError(f"line {number}: write hours as 07:00-19:00, not “{text}”")
    began, ended = _minute(first, number), _minute(last, number)
    if began in (ended, DAY_MINUTES):
        raise ScheduleError(f"line {number}: “{text}” is no time; a whole day is 00:00-24:00")
    return began, ended


def _minute(text: str, number: int) -> int:
    if text == "24:00":
        return DAY_MINUTES
    hour = _HOUR.fullmatch(text)
    if hour is None:
        raise ScheduleError(f"line {number}: “{text}” is no hour, 00:00 to 24:00")
    return int(hour[1]) * 60 + int(hour[2])


def _check_whole(spans: list[_Span]) -> None:
    if not spans:
        raise ScheduleError("the schedule has no lines; a whole week is “mon-sun 00:00-24:00 day”")
    for before, after in pairwise(spans):
        if after.began < before.ended:
            lines = sorted({before.line, after.line})
            where = f"line{'s' if len(lines) > 1 else ''} {' and '.join(map(str, lines))}"
            raise ScheduleError(f"{where}: {_spell(after.began)} is given twice")
        if after.began > before.ended:
            raise ScheduleError(
                f"a gap: nothing holds from {_spell(before.ended)} to {_spell(after.began)}"
            )
    if spans[0].began > 0:
        raise ScheduleError(f"a gap: nothing holds from mon 00:00 to {_spell(spans[0].began)}")
    if spans[-1].ended < WEEK_MINUTES:
        raise ScheduleError(f"a gap: nothing holds from {_spell(spans[-1].ended)} to sun 24:00")


def _spell(minute: int) -> str:
    day, rest = divmod(minute, DAY_MINUTES)
    return f"{DAYS[day % 7][:_SHORTEST]} {rest // 60:02d}:{rest % 60:02d}"
