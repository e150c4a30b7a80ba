"""How much of the wanted time was watched: overlaps, gaps, days with 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.coverage import (
    Span,
    day_span,
    intersection,
    missing,
    total_seconds,
    union,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
numbers = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12)


def span(begin: float, end: float) -> Span:
    return NOON + timedelta(seconds=begin), NOON + timedelta(seconds=end)


def spans(*pairs: tuple[float, float]) -> list[Span]:
    return [span(*pair) for pair in pairs]


def test_time_that_two_watchers_had_counts_once() -> None:
    assert union(spans((10, 20), (0, 5), (15, 30), (5, 6))) == spans((0, 6), (10, 30))


def test_a_time_that_ends_before_it_begins_is_none() -> None:
    assert union(spans((10, 5), (3, 3))) == []


def test_what_is_watched_of_what_is_wanted() -> None:
    assert intersection(spans((0, 10), (20, 30)), spans((5, 25))) == spans((5, 10), (20, 25))


def test_what_is_missing_of_what_is_wanted() -> None:
    wanted = spans((0, 30), (50, 60))
    assert missing(wanted, spans((5, 10), (20, 55))) == spans((0, 5), (10, 20), (55, 60))
    assert missing(wanted, []) == wanted
    assert missing(wanted, spans((0, 100))) == []


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_lasts_from_midnight_to_midnight_at_the_site(day: date, hours: int) -> None:
    begin, end = day_span(day, ZoneInfo("Europe/Berlin"))
    assert total_seconds([(begin, end)]) == hours * 3600
    assert begin.hour == end.hour == 0


@given(numbers, numbers)
def test_had_and_missing_are_all_that_was_wanted(
    wanted: list[tuple[int, int]], had: list[tuple[int, int]]
) -> None:
    due, got = union(spans(*wanted)), spans(*had)
    common, gaps = intersection(due, got), missing(due, got)
    seconds = {n for begin, end in wanted for n in range(begin, end)}
    covered = {n for begin, end in had for n in range(begin, end)}
    assert total_seconds(common) == len(seconds & covered)
    assert total_seconds(gaps) == len(seconds - covered)
    assert union(common + gaps) == due
