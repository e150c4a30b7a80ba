"""The cells of the camera list that live: drawn with the page, and again every few seconds."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.arming import profile_label
from detection.admin.camera_form import without_credentials
from detection.admin.claims import claim_rates, watcher_text
from detection.admin.episode_words import kind_of
from detection.admin.presentation import NOTHING, label, link, plain
from detection.admin.watch_health import (
    claim_of,
    frame_age,
    is_live,
    judge,
    only_seem_watched,
    overloaded,
    really_watched,
)
from detection.models import OPEN_STATUSES, Camera, CameraState, Episode
from detection.services.arming import at_camera, with_site


def with_live_columns(cameras: QuerySet[Camera]) -> QuerySet[Camera]:
    """All that the cells below read, in two queries for any number of cameras."""
    open_episodes = Episode.objects.filter(status__in=OPEN_STATUSES).only(
        "camera_id", "status", "crime_type"
    )
    return without_credentials(with_site(cameras).select_related("claim")).prefetch_related(
        Prefetch("episodes", queryset=open_episodes, to_attr="open_episodes")
    )


def state_cell(camera: Camera, at: datetime) -> SafeString:
    health = judge(camera, at)
    return label(health.word, health.tone, health.remark)


def remark_cell(camera: Camera, at: datetime) -> str:
    remark = plain(judge(camera, at).remark)
    return format_html('<span class="co-remark" title="{}">{}</span>', remark, remark)


def frame_cell(camera: Camera, at: datetime) -> str:
    age, wrong = frame_age(camera, at)
    if not age:
        return NOTHING
    return format_html('<span class="co-steady{}">{}</span>', " co-alarming" if wrong else "", age)


def frames_per_second_cell(camera: Camera, at: datetime) -> str:
    claim = claim_of(camera)
    return claim_rates(claim) if claim and is_live(claim, at) else NOTHING


def watcher_cell(camera: Camera, at: datetime) -> str:
    claim = claim_of(camera)
    return watcher_text(claim) if claim and is_live(claim, at) else gettext("nobody")


def episode_cell(camera: Camera, at: datetime) -> str:
    episodes: list[Episode] = getattr(camera, "open_episodes", [])
    if not episodes:
        return NOTHING
    text = f"{kind_of(episodes[0])}: {episodes[0].get_status_display()}"
    return link("detection_episode", episodes[0].pk, text)


def armed_cell(camera: Camera, at: datetime) -> SafeString:
    return profile_label(at_camera(camera, at))


LIVE_CELLS: dict[str, Callable[[Camera, datetime], str]] = {
    "state": state_cell,
    "remark": remark_cell,
    "frame": frame_cell,
    "fps": frames_per_second_cell,
    "watcher": watcher_cell,
    "episode": episode_cell,
    "armed": armed_cell,
}


def live_cell(name: str, camera: Camera, at: datetime) -> SafeString:
    """The cell inside a mark by which the page's script finds it again."""
    return format_html(
        '<span data-live="{}:{}">{}</span>', camera.pk, name, LIVE_CELLS[name](camera, at)
    )


class WatchFilter(admin.SimpleListFilter):
    """Cameras by whether they are really watched, which their state alone does not tell."""

    title = _("watch")
    parameter_name = "watch"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [
            ("running", _("Really watched")),
            ("trouble", _("In trouble")),
            ("seems", _("Only seems watched")),
            ("overloaded", _("Overloaded")),
            ("idle", _("Enabled, but not watched")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Camera]) -> QuerySet[Camera]:
        condition = watch_condition(self.value())
        return queryset if condition is None else queryset.filter(condition)


def watch_condition(choice: str | None) -> Q | None:
    """The cameras of one choice of the filter; None for all."""
    now = timezone.now()
    match choice:
        case "running":
            return really_watched(now)
        case "trouble":
            return in_trouble(now)
        case "seems":
            return only_seem_watched(now)
        case "overloaded":
            return overloaded(now)
        case "idle":
            return Q(enabled=True, state=CameraState.IDLE) & ~Q(claim__expires_at__gt=now)
    return None


def in_trouble(at: datetime) -> Q:
    """Cameras that an operator should look at: in error, or only seemingly watched."""
    return Q(enabled=True, state=CameraState.ERROR) | only_seem_watched(at)
