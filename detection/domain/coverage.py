"""Times from–to: how much of what was wanted was had, and what is missing."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

Span = tuple[datetime, datetime]


def day_span(day: date, zone: tzinfo) -> Span:
    """From midnight to midnight at the site; 23 or 25 hours where the clocks change."""
    begin = datetime.combine(day, time.min, zone)
    return begin, datetime.combine(day + timedelta(days=1), time.min, zone)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def intersection(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that is in both."""
    first, second = union(some), union(others)
    common, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        begin, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if begin < end:
            common.append((begin, end))
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
    return common


def missing(wanted: Iterable[Span], had: Iterable[Span]) -> list[Span]:
    """The parts of the wanted time that were not had."""
    gaps: list[Span] = []
    covered = union(had)
    for begin, end in union(wanted):
        at = begin
        for from_, to in covered:
            if to <= at or from_ >= end:
                continue
            if from_ > at:
                gaps.append((at, from_))
            at = max(at, to)
        if at < end:
            gaps.append((at, end))
    return gaps


def total_seconds(spans: Iterable[Span]) -> float:
    """Of times that do not overlap."""
    # Zones are left first: within one, subtraction ignores that the clocks were changed.
    return sum(end.timestamp() - begin.timestamp() for begin, end in spans)
