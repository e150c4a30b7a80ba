"""Episodes: the list that officers work through, and the page on which they decide."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_filter import CameraFilter
from detection.admin.camera_form import without_credentials
from detection.admin.course_filter import CourseFilter
from detection.admin.episode_additions import ADDITIONS
from detection.admin.episode_page import (
    duration_of,
    kind_of,
    page_context,
    snapshot_url,
    status_label,
    verdict_label,
)
from detection.admin.presentation import NOTHING, link, moment, page_of
from detection.admin.review import record_verdict
from detection.models import OPEN_STATUSES, AuditAction, Episode
from detection.services import audit

PICTURE_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


class OpenFilter(CourseFilter):
    """Episodes that are going on, and those that are over."""

    going_on = Q(status__in=OPEN_STATUSES)
    going_on_label = "Open"


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
        return kind_of(episode)

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
            path(
                "<uuid:episode_id>/recording/",
                wrap(self.recording),
                name="detection_episode_recording",
            ),
            path("<uuid:episode_id>/review/", wrap(self.review), name="detection_episode_review"),
            *super().get_urls(),
        ]

    def snapshot(self, request: HttpRequest, episode_id: UUID) -> FileResponse:
        """The annotated picture, for those who may see the episode."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        episode = self.get_queryset(request).filter(pk=episode_id).first()
        name = episode.snapshot if episode else ""
        suffix = f".{name.rpartition('.')[2].lower()}" if name else ""
        if episode is None or not name or suffix not in PICTURE_TYPES:
            raise Http404("this episode has no picture")
        try:
            picture = default_storage.open(name)
        except FileNotFoundError:
            raise Http404("the picture of this episode is no longer kept") from None
        audit.record_view(AuditAction.SNAPSHOT_VIEWED, request=request, subject=episode)
        return FileResponse(
            picture,
            content_type=PICTURE_TYPES[suffix],
            headers={"Cache-Control": "private, max-age=60"},
        )

    def recording(self, request: HttpRequest, episode_id: UUID) -> FileResponse:
        """What the rules saw and said, as JSON, for those who may see the episode."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        episode = self.get_queryset(request).filter(pk=episode_id).first()
        if episode is None or not episode.recording:
            raise Http404("this episode has no recording")
        try:
            recording = default_storage.open(episode.recording)
        except FileNotFoundError:
            raise Http404("the recording of this episode is no longer kept") from None
        audit.record_view(AuditAction.EPISODE_VIEWED, request=request, subject=episode)
        return FileResponse(
            recording,
            content_type="application/json",
            headers={"Cache-Control": "private, max-age=60", "Content-Encoding": "gzip"},
        )

    def review(self, request: HttpRequest, episode_id: UUID) -> HttpResponse:
        """Take a posted verdict and return to the episode, which says what became of it."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.get_queryset(request).filter(pk=episode_id).exists():
            raise Http404("no such episode")
        with transaction.atomic():
            self._record(request, episode_id)
        return HttpResponseRedirect(page_of("detection_episode", episode_id))

    def _record(self, request: HttpRequest, episode_id: UUID) -> None:
        if (episode := record_verdict(request, episode_id)) is not None:
            reason = f" ({episode.get_dismiss_reason_display()})" if episode.dismiss_reason else ""
            said = f"Verdict: {episode.get_verdict_display()}{reason}."
            self.log_act(request, AuditAction.REVIEWED, episode, said)

    def has_review_permission(self, request: HttpRequest) -> bool:
        """A verdict is the one change an officer makes to an episode."""
        return bool(request.user.has_perm("detection.change_episode"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        episode: Episode = context["original"]
        audit.record_view(AuditAction.EPISODE_VIEWED, request=request, subject=episode)
        context |= page_context(episode, request.user) | {
            "sections": [addition.section(request, episode) for addition in ADDITIONS],
            "may_review": self.has_review_permission(request),
        }
        return super().render_change_form(request, context, *args, **kwargs)
