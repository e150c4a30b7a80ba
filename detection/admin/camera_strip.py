"""The last 24 hours of a camera as a strip: watched, blind and why, and not on duty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.health import SHORTEST_GAP_SECONDS, percent_label
from detection.admin.presentation import elapsed
from detection.domain import coverage as spans
from detection.domain.coverage import Span
from detection.models import Camera, Duty, Episode, HealthEvent, WatchedTime
from detection.services.coverage import coverage_of, with_coverage_rows

HOURS = 24
HOURS_BETWEEN_LABELS = 3
EPISODES_SHOWN = 200
# What the eye can still see of a day in a strip of a thousand pixels.
LEAST_PERCENT = 0.15


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the strip, from its left edge, in percent; `kind` is its class in the style."""

    kind: str
    left: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time that was wanted and not watched."""

    begin: datetime
    end: datetime
    why: str

    @property
    def lasted(self) -> str:
        return elapsed(self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Strip:
    """The strip, its hours, and the same in words."""

    segments: list[Segment]
    hours: list[tuple[float, str]]
    gaps: list[Gap]
    percent: str
    summary: str


def strip_of(camera: Camera, now: datetime) -> Strip:
    """Five queries, whatever happened in the day."""
    begin = now - timedelta(hours=HOURS)
    day = (begin, now)
    rows = with_coverage_rows(Camera.objects.filter(pk=camera.pk).only("pk"), begin=begin, end=now)
    found_camera = rows.get()
    found = coverage_of(found_camera, begin=begin, end=now, at=now)
    duties: list[Duty] = getattr(found_camera, "duties_due", [])
    watched: list[WatchedTime] = getattr(found_camera, "times_watched", [])
    due = spans.intersection([(duty.began_at, duty.ended_at or now) for duty in duties], [day])
    had = spans.intersection(due, [(row.began_at, row.ended_at) for row in watched])
    gaps = _reasoned(camera, found.gaps)
    segments = [
        *_segments(day, "off", spans.missing([day], due), _("not on duty")),
        *_segments(day, "watched", had, _("watched")),
        *(_segment(day, "blind", (gap.begin, gap.end), gap.why) for gap in gaps),
        *_episodes(camera, day),
    ]
    percent = str(percent_label(found))
    return Strip(segments, _hours(day), gaps, percent, _in_words(due, gaps, found.percent))


def _reasoned(camera: Camera, gaps: Sequence[Span]) -> list[Gap]:
    """The gaps that tell something, with what was wrong meanwhile."""
    telling = [gap for gap in gaps if (gap[1] - gap[0]).total_seconds() >= SHORTEST_GAP_SECONDS]
    if not telling:
        return []
    events = list(
        HealthEvent.objects.filter(
            Q(ended_at=None) | Q(ended_at__gt=telling[0][0]),
            camera_id=camera.pk,
            began_at__lt=telling[-1][1],
        )
    )
    return [Gap(begin, end, _why((begin, end), events)) for begin, end in telling]


def _why(gap: Span, events: Iterable[HealthEvent]) -> str:
    kinds = {
        str(event.get_kind_display())
        for event in events
        if event.began_at < gap[1] and (event.ended_at or gap[1]) > gap[0]
    }
    return _(", ").join(sorted(kinds)) or _("nobody watched it")


def _segments(day: Span, kind: str, parts: Iterable[Span], said: str) -> list[Segment]:
    return [_segment(day, kind, part, said) for part in parts]


def _segment(day: Span, kind: str, part: Span, said: str) -> Segment:
    begin, end = (timezone.localtime(moment) for moment in part)
    left, right = _place(day, part[0]), _place(day, part[1])
    title = f"{begin:%H:%M:%S} – {end:%H:%M:%S}: {said}"
    return Segment(kind, left, round(max(LEAST_PERCENT, right - left), 3), title)


def _episodes(camera: Camera, day: Span) -> list[Segment]:
    rows = Episode.objects.filter(camera_id=camera.pk, started_at__gte=day[0]).only(
        "started_at", "crime_type"
    )[:EPISODES_SHOWN]
    return [
        Segment(
            "episode",
            _place(day, row.started_at),
            0,
            f"{timezone.localtime(row.started_at):%H:%M:%S}: {row.get_crime_type_display()}",
        )
        for row in rows
    ]


def _place(day: Span, at: datetime) -> float:
    share = (at - day[0]).total_seconds() / (day[1] - day[0]).total_seconds()
    return round(100 * min(1.0, max(0.0, share)), 3)


def _hours(day: Span) -> list[tuple[float, str]]:
    at = timezone.localtime(day[0]).replace(minute=0, second=0, microsecond=0)
    marks = []
    for _hour in range(HOURS + 1):
        at += timedelta(hours=1)
        local = timezone.localtime(at)
        if at < day[1] and local.hour % HOURS_BETWEEN_LABELS == 0:
            marks.append((_place(day, at), f"{local:%H:%M}"))
    return marks


def _in_words(due: Sequence[Span], gaps: Sequence[Gap], percent: float | None) -> str:
    if not due or percent is None:
        return _("It was not on duty in the last 24 hours.")
    if not gaps:
        return _("Watched without a gap whenever it was on duty.")
    seconds = spans.total_seconds([(gap.begin, gap.end) for gap in gaps])
    times = ngettext(
        "Not watched once, for %(time)s.", "Not watched %(count)d times, for %(time)s in all.",
        len(gaps),
    )  # fmt: skip
    return times % {"count": len(gaps), "time": elapsed(timedelta(seconds=seconds))}
