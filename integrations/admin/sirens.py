"""Sirens, for reading only: which may be sounding, and why one does not."""

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, Tone, label, link, moment, plain
from integrations.models import Siren


def siren_label(siren: Siren, at: datetime) -> SafeString:
    """`silent_at` is empty until the camera has confirmed that it is quiet."""
    if siren.silent_at is not None:
        return label("Silent", Tone.GOOD)
    if siren.wanted_until is None or siren.wanted_until <= at:
        return label(
            "Not confirmed silent", Tone.BAD, "asked to be quiet; the camera has not said so"
        )
    if siren.sounded_at is None:
        return label("Asked to sound", Tone.WARNING, "the camera has not said so yet")
    return label("Sounding", Tone.BAD)


class SoundingFilter(admin.SimpleListFilter):
    """Sirens that may be sounding, and those known to be silent."""

    title = "siren"
    parameter_name = "siren"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("sounding", "May be sounding"), ("silent", "Silent")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Siren]) -> QuerySet[Siren]:
        if self.value() in {"sounding", "silent"}:
            return queryset.filter(silent_at__isnull=self.value() == "sounding")
        return queryset


@admin.register(Siren)
class SirenAdmin(ReadOnlyAdmin[Siren]):
    empty_title = "No siren has been used"
    empty_text = (
        "A siren appears when its camera is first watched or first raises an alarm. Sirens are "
        "sounded by the `alarms` worker while SIREN_ENABLED is on."
    )
    list_display = (
        "camera_name",
        "state",
        "rung",
        "wanted",
        "method",
        "attempts",
        "error",
    )
    list_filter = (SoundingFilter, "method")
    search_fields = ("camera__name", "last_error")
    fields = (
        "camera_link",
        "state",
        "episode_link",
        ("rung", "sounded"),
        ("wanted", "silent"),
        ("method", "attempts"),
        "next_attempt",
        "error",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Siren]:
        return without_credentials(super().get_queryset(request).select_related("camera"), "camera")

    @admin.display(description="camera", ordering="camera__name")
    def camera_name(self, siren: Siren) -> str:
        return siren.camera.name

    @admin.display(description="camera")
    def camera_link(self, siren: Siren) -> str:
        return link("detection_camera", siren.camera_id, siren.camera.name)

    @admin.display(description="state", ordering="silent_at")
    def state(self, siren: Siren) -> SafeString:
        return siren_label(siren, timezone.now())

    @admin.display(description="episode")
    def episode_link(self, siren: Siren) -> str:
        if siren.episode_id is None:
            return NOTHING
        return link("detection_episode", siren.episode_id, "the episode it was last asked for")

    @admin.display(description="asked for", ordering="rung_at")
    def rung(self, siren: Siren) -> str:
        return moment(siren.rung_at)

    @admin.display(description="last sounded")
    def sounded(self, siren: Siren) -> str:
        return moment(siren.sounded_at)

    @admin.display(description="wanted until")
    def wanted(self, siren: Siren) -> str:
        return moment(siren.wanted_until)

    @admin.display(description="silent since")
    def silent(self, siren: Siren) -> str:
        return moment(siren.silent_at)

    @admin.display(description="next attempt")
    def next_attempt(self, siren: Siren) -> str:
        return moment(siren.next_attempt_at)

    @admin.display(description="last error")
    def error(self, siren: Siren) -> str:
        text = plain(siren.last_error)
        return format_html('<span class="co-remark" title="{}">{}</span>', text, text)
