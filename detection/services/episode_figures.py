"""Figures of many episodes: when, where, of what, and how often it was nothing.

Two queries, each over an index alone. Days and hours are the reader's, so they are told from
quarters of an hour here (no time zone is off by less), and not by the database.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from django.db.models import Count, F, Func, IntegerField, QuerySet

from detection.models import DismissReason, Episode, Verdict

QUARTER_SECONDS: Final = 900


class QuarterHour(Func):
    """Quarters of an hour since 1970, by the database's own arithmetic."""

    output_field = IntegerField()
    template = "CAST(FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / 900) AS integer)"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / 900"
        return super().as_sql(compiler, connection, template=template, **extra)


@dataclass
class When:
    """How many began on each day, and in each hour of the week (0 is Monday)."""

    days: Counter[date] = field(default_factory=Counter)
    hours: Counter[tuple[int, int]] = field(default_factory=Counter)


@dataclass
class Tally:
    """What became of some episodes. Drills are counted, but prove no rule right or wrong."""

    total: int = 0
    waiting: int = 0
    confirmed: int = 0
    dismissed: int = 0
    types: Counter[str] = field(default_factory=Counter)

    @property
    def reviewed(self) -> int:
        return self.confirmed + self.dismissed

    def add(self, crime_type: str, verdict: str, dismiss_reason: str, count: int) -> None:
        self.total += count
        self.types[crime_type] += count
        if verdict == Verdict.UNREVIEWED:
            self.waiting += count
        elif verdict == Verdict.CONFIRMED:
            self.confirmed += count
        elif dismiss_reason != DismissReason.TEST:
            self.dismissed += count


def when(episodes: QuerySet[Episode], zone: tzinfo) -> When:
    """When the episodes began, as clocks of the zone said."""
    quarters = (
        episodes.order_by().values_list(QuarterHour(F("started_at"))).annotate(count=Count("*"))
    )
    return told_in(quarters, zone)


def told_in(quarters: Iterable[tuple[int, int]], zone: tzinfo) -> When:
    """Days and hours of the zone from counts by quarter of an hour."""
    found = When()
    for quarter, count in quarters:
        began = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)
        found.days[began.date()] += count
        found.hours[began.weekday(), began.hour] += count
    return found


def by_camera(episodes: QuerySet[Episode]) -> dict[int, Tally]:
    """What became of them at each camera."""
    columns = ("camera_id", "crime_type", "verdict", "dismiss_reason")
    rows = episodes.order_by().values_list(*columns).annotate(count=Count("*"))
    found: dict[int, Tally] = {}
    for camera_id, crime_type, verdict, reason, count in rows:
        found.setdefault(camera_id, Tally()).add(crime_type, verdict, reason, count)
    return found


def altogether(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    found = Tally()
    for tally in tallies:
        found.total += tally.total
        found.waiting += tally.waiting
        found.confirmed += tally.confirmed
        found.dismissed += tally.dismissed
        found.types.update(tally.types)
    return found
