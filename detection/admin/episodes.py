"""Episodes: the list that officers work through, and the page on which they decide."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from detection.admin.base import ReadOnlyAdmin, key_of
from detection.admin.camera_form import without_credentials
from detection.admin.confidence_chart import confidence_chart
from detection.admin.episode_additions import ADDITIONS
from detection.admin.presentation import NOTHING, Tone, elapsed, label, link, moment, page_of, plain
from detection.admin.review import record_verdict
from detection.models import (
    OPEN_STATUSES,
    Camera,
    DismissReason,
    Episode,
    EpisodeStatus,
    Verdict,
)

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter

PICTURE_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
STATUS_TONES = {
    EpisodeStatus.SUSPICIOUS: Tone.WARNING,
    EpisodeStatus.CONFIRMED: Tone.BAD,
    EpisodeStatus.CLEARED: Tone.NEUTRAL,
    EpisodeStatus.LOST: Tone.WARNING,
}
VERDICT_TONES = {
    Verdict.UNREVIEWED: Tone.ACTIVE,
    Verdict.CONFIRMED: Tone.BAD,
    Verdict.DISMISSED: Tone.NEUTRAL,
}


class OpenFilter(admin.SimpleListFilter):
    """Episodes that are going on, and those that are over."""

    title = "course"
    parameter_name = "course"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "Open"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Episode]) -> QuerySet[Episode]:
        match self.value():
            case "open":
                return queryset.filter(status__in=OPEN_STATUSES)
            case "over":
                return queryset.exclude(status__in=OPEN_STATUSES)
        return queryset


class CameraFilter(DropdownFilter):
    """Cameras by name; Django's own filter would load and decrypt each of them."""

    title = "camera"
    parameter_name = "camera"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Camera.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Episode]) -> QuerySet[Episode]:
        camera_id = key_of(self.value())
        return queryset if camera_id is None else queryset.filter(camera_id=camera_id)


@admin.register(Episode)
class EpisodeAdmin(ReadOnlyAdmin[Episode]):
    empty_title = "No episode yet"
    empty_text = (
        "An episode appears when a rule suspects something at a watched camera. See whether the "
        "cameras are running and have zones."
    )
    list_display = (
        "thumbnail",
        "kind",
        "camera_link",
        "peak",
        "status_now",
        "verdict_now",
        "started",
        "duration",
        "told",
    )
    list_display_links = ("thumbnail", "kind")
    list_filter = (OpenFilter, "status", "verdict", "crime_type", CameraFilter)
    list_filter_submit = True  # the drop-down of cameras needs a button
    date_hierarchy = "started_at"
    search_fields = ("camera__name", "reason", "note")
    fields = ("status",)  # the page has a template of its own

    def get_queryset(self, request: HttpRequest) -> QuerySet[Episode]:
        episodes = super().get_queryset(request).select_related("camera")
        for addition in ADDITIONS:
            episodes = addition.prepare(episodes)
        return without_credentials(episodes, "camera").defer("confidence_timeline")

    # --- the list -------------------------------------------------------------------------------

    @admin.display(description="picture")
    def thumbnail(self, episode: Episode) -> str:
        if not episode.snapshot:
            return format_html('<span class="co-no-picture">{}</span>', "no picture")
        return format_html(
            '<img class="co-thumbnail" src="{}" alt="{}" loading="lazy">',
            snapshot_url(episode),
            f"Picture of {episode.get_crime_type_display()} at {episode.camera.name}",
        )

    @admin.display(description="suspicion", ordering="crime_type")
    def kind(self, episode: Episode) -> str:
        return episode.get_crime_type_display().capitalize()

    @admin.display(description="camera", ordering="camera__name")
    def camera_link(self, episode: Episode) -> str:
        return link("detection_camera", episode.camera_id, episode.camera.name)

    @admin.display(description="confidence", ordering="confidence")
    def peak(self, episode: Episode) -> str:
        return f"{episode.confidence:.0f} %"

    @admin.display(description="status", ordering="status")
    def status_now(self, episode: Episode) -> SafeString:
        return status_label(episode)

    @admin.display(description="verdict", ordering="verdict")
    def verdict_now(self, episode: Episode) -> SafeString:
        return verdict_label(episode)

    @admin.display(description="start", ordering="started_at")
    def started(self, episode: Episode) -> str:
        return moment(episode.started_at)

    @admin.display(description="duration")
    def duration(self, episode: Episode) -> str:
        return duration_of(episode)

    @admin.display(description="told")
    def told(self, episode: Episode) -> str:
        lines = [addition.summary(episode) for addition in ADDITIONS]
        return format_html_join("", "{}", ((line,) for line in lines if line)) or NOTHING

    # --- one episode ----------------------------------------------------------------------------

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Episode | None:
        """An episode's name says when it started, in the zone that its start carries."""
        episode: Episode | None = super().get_object(request, object_id, from_field)
        if episode is not None:
            episode.started_at = timezone.localtime(episode.started_at)
        return episode

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:episode_id>/snapshot/",
                wrap(self.snapshot),
                name="detection_episode_snapshot",
            ),
            path("<uuid:episode_id>/review/", wrap(self.review), name="detection_episode_review"),
            *super().get_urls(),
        ]

    def snapshot(self, request: HttpRequest, episode_id: UUID) -> FileResponse:
        """The annotated picture, for those who may see the episode."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = Episode.objects.filter(pk=episode_id).values_list("snapshot", flat=True).first()
        suffix = f".{name.rpartition('.')[2].lower()}" if name else ""
        if not name or suffix not in PICTURE_TYPES:
            raise Http404("this episode has no picture")
        try:
            picture = default_storage.open(name)
        except FileNotFoundError:
            raise Http404("the picture of this episode is no longer kept") from None
        return FileResponse(
            picture,
            content_type=PICTURE_TYPES[suffix],
            headers={"Cache-Control": "private, max-age=60"},
        )

    def review(self, request: HttpRequest, episode_id: UUID) -> HttpResponse:
        """Take a posted verdict and return to the episode, which says what became of it."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not Episode.objects.filter(pk=episode_id).exists():
            raise Http404("no such episode")
        if (episode := record_verdict(request, episode_id)) is not None:
            reason = f" ({episode.get_dismiss_reason_display()})" if episode.dismiss_reason else ""
            self.log_change(request, episode, f"Verdict: {episode.get_verdict_display()}{reason}.")
        return HttpResponseRedirect(page_of("detection_episode", episode_id))

    def has_review_permission(self, request: HttpRequest) -> bool:
        """A verdict is the one change an officer makes to an episode."""
        return bool(request.user.has_perm("detection.change_episode"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        episode: Episode = context["original"]
        events = list(episode.events.all())
        context |= {
            "title": f"{self.kind(episode)} at {episode.camera.name}",
            "subtitle": "",
            "episode": episode,
            "facts": facts_of(episode),
            "chart": confidence_chart(episode, events),
            "event_rows": [
                (
                    moment(e.at),
                    e.get_kind_display(),
                    e.get_crime_type_display(),
                    e.confidence,
                    plain(e.detail),
                )
                for e in events
            ],
            "sections": [addition.section(request, episode) for addition in ADDITIONS],
            "snapshot_url": snapshot_url(episode) if episode.snapshot else "",
            "may_review": self.has_review_permission(request),
            "dismiss_reasons": DismissReason.choices,
            "neighbours": _neighbours(episode),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def snapshot_url(episode: Episode) -> str:
    """The picture's address behind the admin's door; the storage is never served openly."""
    return reverse("admin:detection_episode_snapshot", args=(episode.pk,))


def status_label(episode: Episode) -> SafeString:
    status = EpisodeStatus(episode.status)
    return label(status.label, STATUS_TONES[status])


def verdict_label(episode: Episode) -> SafeString:
    verdict = Verdict(episode.verdict)
    return label(verdict.label, VERDICT_TONES[verdict], episode.get_dismiss_reason_display())


def duration_of(episode: Episode) -> str:
    if episode.ended_at is None:
        so_far = elapsed(timezone.now() - episode.started_at)
        return format_html('<span class="co-steady">{}, open</span>', so_far)
    lasted = elapsed(episode.ended_at - episode.started_at)
    return format_html('<span class="co-steady">{}</span>', lasted)


def facts_of(episode: Episode) -> list[tuple[str, str]]:
    """What the page says of the episode, in the order an officer asks."""
    confirmed = moment(episode.confirmed_at) if episode.confirmed_at else "not confirmed"
    return [
        ("Camera", link("detection_camera", episode.camera_id, episode.camera.name)),
        ("Status", status_label(episode)),
        ("Peak confidence", f"{episode.confidence:.0f} %"),
        ("Why", plain(episode.reason)),
        ("First suspicious frame", moment(episode.started_at)),
        ("Alert raised", moment(episode.alerted_at)),
        ("Crime confirmed", confirmed),
        ("Ended", moment(episode.ended_at) if episode.ended_at else "still open"),
        ("Duration", duration_of(episode)),
        ("Time zone", timezone.get_current_timezone_name()),
    ]


def _neighbours(episode: Episode) -> list[tuple[str, str]]:
    """Links to the episodes before and after, and to the oldest that nobody has reviewed."""
    others = Episode.objects.exclude(pk=episode.pk)
    same = Q(started_at=episode.started_at)
    older = others.filter(Q(started_at__lt=episode.started_at) | (same & Q(pk__lt=episode.pk)))
    newer = others.filter(Q(started_at__gt=episode.started_at) | (same & Q(pk__gt=episode.pk)))
    waiting = others.filter(verdict=Verdict.UNREVIEWED)
    found = (
        ("Previous", older.order_by("-started_at", "-pk")),
        ("Next", newer.order_by("started_at", "pk")),
        ("Next to review", waiting.order_by("started_at", "pk")),
    )
    keys = ((word, rows.values_list("pk", flat=True).first()) for word, rows in found)
    return [(word, page_of("detection_episode", key)) for word, key in keys if key]
