"""What was wrong with the cameras' views, and how long each camera was really watched."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_filter import CameraFilter
from detection.admin.camera_form import without_credentials
from detection.admin.course_filter import CourseFilter
from detection.admin.presentation import NOTHING, Tone, elapsed, label, link, moment, plain
from detection.domain.coverage import Span, day_span
from detection.models import Camera, HealthEvent
from detection.services.coverage import Coverage, coverage_of, with_coverage_rows

DAYS_SHOWN = 7
GAPS_SHOWN = 5
# The lease's own pace: shorter gaps are no news.
SHORTEST_GAP_SECONDS = 5.0


class GoingOnFilter(CourseFilter):
    """Troubles that go on, and those that are over."""

    going_on = Q(ended_at=None)


@admin.register(HealthEvent)
class HealthEventAdmin(ReadOnlyAdmin[HealthEvent]):
    empty_title = _("Every view was good")
    empty_text = _(
        "An event appears when a camera is black, covered, frozen, turned away or lost, and "
        "tells from when to when."
    )
    list_display = ("kind_label", "camera_link", "began", "ended", "lasted", "said")
    list_filter = (GoingOnFilter, "kind", CameraFilter)
    list_filter_submit = True  # the drop-down of cameras needs a button
    search_fields = ("camera__name", "detail")
    date_hierarchy = "began_at"
    fields = ("kind_label", "camera_link", "began", "ended", "lasted", "said")

    def get_queryset(self, request: HttpRequest) -> QuerySet[HealthEvent]:
        return without_credentials(super().get_queryset(request).select_related("camera"), "camera")

    @admin.display(description=_("kind"), ordering="kind")
    def kind_label(self, event: HealthEvent) -> SafeString:
        return kind_label(event)

    @admin.display(description=_("camera"), ordering="camera__name")
    def camera_link(self, event: HealthEvent) -> str:
        return link("detection_camera", event.camera_id, event.camera.name)

    @admin.display(description=_("began"), ordering="began_at")
    def began(self, event: HealthEvent) -> str:
        return moment(event.began_at)

    @admin.display(description=_("ended"), ordering="ended_at")
    def ended(self, event: HealthEvent) -> str:
        return moment(event.ended_at) if event.ended_at else gettext("goes on")

    @admin.display(description=_("detail"), ordering="detail")
    def said(self, event: HealthEvent) -> str:
        return plain(event.detail)

    @admin.display(description=_("blind for"))
    def lasted(self, event: HealthEvent) -> str:
        return elapsed((event.ended_at or timezone.now()) - event.began_at)


def kind_label(event: HealthEvent) -> SafeString:
    """The kind as a word, in the colour of what goes on or of what is over."""
    word = event.get_kind_display().capitalize()
    return label(word, Tone.NEUTRAL if event.ended_at else Tone.BAD, event.detail)


def coverage_days(camera: Camera) -> str:
    """The last days: hours really watched of those wanted, and the longest gaps."""
    now = timezone.now()
    today, zone = timezone.localdate(now), timezone.get_current_timezone()
    spans = [(day, *day_span(day, zone)) for day in _days_back(today)]
    rows_of = Camera.objects.filter(pk=camera.pk).only("pk")
    recent = with_coverage_rows(rows_of, begin=spans[-1][1], end=now).get()
    shown = []
    for day, begin, end in spans:
        found = coverage_of(recent, begin=begin, end=end, at=now)
        if found.wanted_seconds:
            figures = (_hours(found.watched_seconds), _hours(found.wanted_seconds))
            shown.append(
                (date_format(day, "D j F"), *figures, percent_label(found), _gaps(found, camera))
            )
    if not shown:
        return gettext("not watched yet")
    cells = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    rows = format_html_join("", cells, shown)
    return _table((_("day"), _("watched"), _("wanted"), _("coverage"), _("longest gaps")), rows)


def _days_back(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS_SHOWN)]


def with_last_day(cameras: QuerySet[Camera]) -> QuerySet[Camera]:
    """What `last_day_percent` reads, for a list."""
    now = timezone.now()
    return with_coverage_rows(cameras, begin=now - timedelta(hours=24), end=now)


def last_day_percent(camera: Camera) -> str:
    """The coverage of the last 24 hours."""
    now = timezone.now()
    return percent_label(coverage_of(camera, begin=now - timedelta(hours=24), end=now, at=now))


def percent_label(coverage: Coverage) -> str:
    """Rounded down: a hundred percent means no second missing but the last two."""
    if coverage.percent is None:
        return NOTHING
    missing = sum((end - begin).total_seconds() for begin, end in _telling(coverage.gaps))
    percent = 100.0 if not missing else min(99.9, int(coverage.percent * 10) / 10)
    tone = Tone.GOOD if percent >= 99 else Tone.WARNING if percent >= 90 else Tone.BAD
    return label(
        f"{percent:.1f} %",
        tone,
        gettext("%(time)s not watched") % {"time": elapsed(timedelta(seconds=missing))},
    )


def _gaps(found: Coverage, camera: Camera) -> str:
    gaps = sorted(_telling(found.gaps), key=lambda gap: gap[1] - gap[0], reverse=True)
    if not gaps:
        return gettext("none")
    first, last = min(gap[0] for gap in gaps), max(gap[1] for gap in gaps)
    events = list(
        camera.health_events.filter(Q(ended_at=None) | Q(ended_at__gt=first), began_at__lt=last)
    )
    lines = [(_gap_line(gap, events),) for gap in sorted(gaps[:GAPS_SHOWN])]
    if len(gaps) > GAPS_SHOWN:
        lines.append((gettext("and %(count)d shorter ones") % {"count": len(gaps) - GAPS_SHOWN},))
    return format_html_join("", "{}<br>", lines)


def _gap_line(gap: Span, events: list[HealthEvent]) -> str:
    begin, end = map(timezone.localtime, gap)
    kinds = sorted(
        {e.kind for e in events if e.began_at < gap[1] and (e.ended_at or gap[1]) > gap[0]}
    )
    why = f" ({', '.join(gettext(kind) for kind in kinds)})" if kinds else ""
    return f"{begin:%H:%M:%S}–{end:%H:%M:%S}{why}"


def _telling(gaps: list[Span]) -> list[Span]:
    return [gap for gap in gaps if (gap[1] - gap[0]).total_seconds() >= SHORTEST_GAP_SECONDS]


def _hours(seconds: float) -> str:
    return gettext("%(hours).2f h") % {"hours": seconds / 3600}


def _table(heads: tuple[Any, ...], rows: SafeString) -> str:
    head = format_html_join("", "<th>{}</th>", ((text,) for text in heads))
    return format_html(
        '<div class="co-scroll" tabindex="0"><table class="co-table"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        head,
        rows,
    )
