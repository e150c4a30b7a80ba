"""The page of figures: a calendar of twelve weeks, the hours of the week, cameras and types."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.queue_filter import QueueFilter
from detection.domain.rates import wilson_interval
from detection.models import Episode, seen_by
from detection.services.episode_figures import Tally, altogether, by_camera, when

WEEKS: Final = 12
LEVELS: Final = 4
FIELDS: Final = ("crime_type", "camera", "station")


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a heat map: how many, how strong (0 to 4), what it says and where it leads."""

    count: int
    level: int
    words: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A camera, what became of its episodes, and the address that lists them."""

    name: str
    url: str
    tally: Tally
    types: list[int]
    false_alarms: str
    between: str


def figures_context(request: HttpRequest) -> dict[str, Any]:
    """What the page's template needs."""
    today = timezone.localdate()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    began = timezone.make_aware(datetime.combine(first, time()))
    asked = QueueFilter({name: request.GET.get(name, "") for name in FIELDS}, request.user)
    episodes = seen_by(request.user, Episode.objects.filter(started_at__gte=began))
    rows = asked.rows(episodes)
    tallies = by_camera(rows)
    all_of_them = altogether(tallies.values())
    moments = when(rows, timezone.get_current_timezone())
    types = [key for key, _count in all_of_them.types.most_common()]
    names = _type_names()
    return {
        "title": _("Figures of episodes"),
        "since": first,
        "selects": [asked[name] for name in FIELDS],
        "is_filtered": bool(asked.asked),
        "zone": timezone.get_current_timezone_name(),
        "tally": all_of_them,
        "rate": _rate(all_of_them),
        "calendar": _calendar(first, today, moments.days, asked),
        "weeks": [first + timedelta(weeks=week) for week in range(WEEKS)],
        "hours": _hours(moments.hours),
        "type_bars": _type_bars(all_of_them, asked, first),
        "type_names": [names[key] for key in types],
        "cameras": _cameras(asked, tallies, types, first),
        "queue": reverse("admin:detection_episode_changelist"),
    }


def _type_names() -> dict[str, str]:
    choices = dict(Episode._meta.get_field("crime_type").flatchoices)
    return {key: str(name).capitalize() for key, name in choices.items()}


def _said(count: int) -> str:
    return ngettext("%(n)d episode", "%(n)d episodes", count) % {"n": count}


def _level(count: int, most: int) -> int:
    return -(-LEVELS * count // most) if count else 0


def _queue(asked: QueueFilter, **other: object) -> str:
    said = {**asked.asked, **{name: str(value) for name, value in other.items()}}
    return f"{reverse('admin:detection_episode_changelist')}?{urlencode(said)}"


def _calendar(
    first: date, today: date, days: Counter[date], asked: QueueFilter
) -> list[tuple[str, list[Cell | None]]]:
    """A line for each day of the week, a cell for each week; None for days to come."""
    most = max(days.values(), default=0)

    def cell(day: date) -> Cell | None:
        if day > today:
            return None
        words = f"{date_format(day, 'l, j F')}: {_said(days[day])}"
        url = _queue(asked, since=day, until=day)
        return Cell(days[day], _level(days[day], most), words, url)

    starts = [first + timedelta(weeks=week) for week in range(WEEKS)]
    return [
        (str(WEEKDAYS_ABBR[n]), [cell(start + timedelta(days=n)) for start in starts])
        for n in range(7)
    ]


def _hours(hours: Counter[tuple[int, int]]) -> list[tuple[str, list[Cell]]]:
    most = max(hours.values(), default=0)

    def cell(weekday: int, hour: int) -> Cell:
        count = hours[weekday, hour]
        words = f"{WEEKDAYS[weekday]}, {hour:02}:00–{hour:02}:59: {_said(count)}"
        return Cell(count, _level(count, most), words)

    return [(str(WEEKDAYS_ABBR[n]), [cell(n, hour) for hour in range(24)]) for n in range(7)]


def _type_bars(tally: Tally, asked: QueueFilter, first: date) -> list[tuple[str, int, int, str]]:
    """Name, count, share of the most frequent in per cent, address."""
    names = _type_names()
    most = max(tally.types.values(), default=1)
    return [
        (
            names[key],
            count,
            round(100 * count / most),
            _queue(asked, crime_type=key, since=first),
        )
        for key, count in tally.types.most_common()
    ]


def _cameras(
    asked: QueueFilter, tallies: Mapping[int, Tally], types: list[str], first: date
) -> list[Row]:
    """The cameras with any episode, the busiest first."""
    rows = []
    for key, name, _station in asked.cameras:
        if (tally := tallies.get(key)) is None:
            continue
        url = _queue(asked, camera=key, since=first)
        counts = [tally.types[crime_type] for crime_type in types]
        rows.append(Row(name, url, tally, counts, *_rate(tally)))
    return sorted(rows, key=lambda row: -row.tally.total)


def _rate(tally: Tally) -> tuple[str, str]:
    """The share that was dismissed, of how many, and between what the true share lies."""
    if not tally.reviewed:
        return "", ""
    low, high = wilson_interval(tally.dismissed, tally.reviewed)
    said = _("%(rate)d %% of %(count)d") % {
        "rate": round(100 * tally.dismissed / tally.reviewed),
        "count": tally.reviewed,
    }
    between = _("%(low)d to %(high)d %%") % {"low": round(100 * low), "high": round(100 * high)}
    return said, between
