"""A schedule drawn: a row for each day, its hours in the colours of their profiles."""

from datetime import datetime

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from detection.domain.schedules import DAY_MINUTES, DAYS
from detection.models import Schedule
from detection.services.arming import week_of

LEFT, WIDTH, ROW = 34, 288, 12  # a minute is a fifth of a unit wide
NAMED_MINUTES = 150  # a shorter bar has no room for the name of its profile


def drawn_week(schedule: Schedule, at: datetime) -> SafeString | str:
    """The week with a mark at this minute, or that it is broken."""
    week = week_of(schedule)
    if week is None:
        return _("broken: every rule is armed")
    bars = []
    for span in week.spans:
        for day in range(span.began // DAY_MINUTES, (span.ended - 1) // DAY_MINUTES + 1):
            began = max(span.began - day * DAY_MINUTES, 0)
            ended = min(span.ended - day * DAY_MINUTES, DAY_MINUTES)
            bars.append((span.profile.value, day, began, ended))
    now = localtime(at, get_default_timezone())
    minute = now.hour * 60 + now.minute
    return format_html(
        '<svg class="co-week" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}'
        '<line class="co-week-now" x1="{}" x2="{}" y1="{}" y2="{}"/></svg>',
        LEFT + WIDTH,
        ROW * len(DAYS) + 10,
        _("Week of %(name)s; now %(profile)s")
        % {"name": schedule.name, "profile": _(week.profile_at(now).value)},
        format_html_join("", '<text x="0" y="{}">{}</text>', _names()),
        format_html_join(
            "",
            '<rect class="co-week-{}" x="{}" y="{}" width="{}" height="{}">'
            '<title>{}</title></rect><text class="co-week-name" x="{}" y="{}">{}</text>',
            (_bar(*bar) for bar in bars),
        ),
        format_html_join("", '<text class="co-week-hour" x="{}" y="{}">{}</text>', _hours()),
        _x(minute),
        _x(minute),
        now.weekday() * ROW,
        now.weekday() * ROW + ROW - 2,
    )


def _names() -> list[tuple[int, str]]:
    return [(number * ROW + ROW - 4, WEEKDAYS_ABBR[number]) for number in range(len(DAYS))]


def _hours() -> list[tuple[float, int, str]]:
    return [(_x(hour * 60), ROW * len(DAYS) + 8, f"{hour:02d}") for hour in (0, 6, 12, 18)]


def _bar(profile: str, day: int, began: int, ended: int) -> tuple[object, ...]:
    width = round((ended - began) * WIDTH / DAY_MINUTES, 1)
    hours = f"{WEEKDAYS[day]} {_clock(began)}-{_clock(ended)} {_(profile)}"
    name = _(profile) if ended - began >= NAMED_MINUTES else ""
    middle = round(_x(began) + width / 2, 1)
    return profile, _x(began), day * ROW, width, ROW - 2, hours, middle, day * ROW + 7.5, name


def _x(minute: int) -> float:
    return round(LEFT + minute * WIDTH / DAY_MINUTES, 1)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
