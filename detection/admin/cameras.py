"""Cameras: which are watched, by whom and how well, and how each is set up."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timezone import localtime

from detection.admin.arming import said_of
from detection.admin.base import key_of
from detection.admin.camera_columns import (
    LIVE_CELLS,
    WatchFilter,
    live_cell,
    with_live_columns,
)
from detection.admin.camera_form import CREDENTIALS, LOCAL_REGISTRY, CameraForm, shown_stream
from detection.admin.health import coverage_days, last_day_percent, recent_health, with_last_day
from detection.admin.presentation import moment, plain
from detection.admin.settings_page import WithSettings, settings_cell
from detection.admin.setup_warnings import warnings_list, warnings_of
from detection.admin.zones import ZoneInline
from detection.domain.schedules import Profile
from detection.models import AuditAction, Camera, Zone, stations_of
from detection.services.arming import arm_cameras

LIVE_LIMIT = 200
LISTED_FIELDS = (
    "name",
    "address",
    "public_address",
    "latitude",
    "longitude",
    "station_id",
    "storage_type",
)
WATCH_FIELDS = (
    ("state_now", "remark_now"),
    ("last_frame", "frames_each_second"),
    ("watcher", "open_episode"),
    ("changed", "retry"),
    "listed",
)
SETUP_FIELDS = (
    "name",
    "enabled",
    ("address", "public_address"),
    "control_address",
    ("latitude", "longitude"),
    ("station_id", "storage_type"),
)
WARNED = ("What this setup does not watch", {"fields": ("warnings",)})
ARMING_FIELDS = ("armed_now", ("profile", "schedule"), "settings_link")
IDENTITY_FIELDS = (("registry", "external_id"),)


@admin.register(Camera)
class CameraAdmin(WithSettings[Camera]):
    empty_title = "No camera yet"
    empty_text = (
        "Cameras of the back end appear by themselves while `celery -A crimeops beat` and a worker "
        "run. A camera that no back end lists can be added by hand."
    )
    form = CameraForm
    inlines = (ZoneInline,)
    list_before_template = "admin/detection/camera/live_status.html"
    list_display = (
        "name_and_address",
        "state_now",
        "remark_now",
        "last_frame",
        "frames_each_second",
        "watcher",
        "open_episode",
        "armed_now",
        "covered",
        "station_id",
    )
    list_filter = (WatchFilter, "state", "enabled", "profile", "station_id", "registry")
    search_fields = ("name", "address", "public_address")
    search_help_text = "Name or address"
    actions = (
        "enable",
        "disable",
        "arm_as_day",
        "arm_as_night",
        "arm_as_closed",
        "arm_by_schedule",
    )

    class Media:
        js = ("detection/live_cameras.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Camera]:
        return with_last_day(with_live_columns(super().get_queryset(request)))

    # --- the list -------------------------------------------------------------------------------

    @admin.display(description="camera", ordering="name")
    def name_and_address(self, camera: Camera) -> str:
        return format_html(
            '<span class="co-two-lines">{}<small>{}</small></span>', camera.name, camera.address
        )

    @admin.display(description="state", ordering="state")
    def state_now(self, camera: Camera) -> str:
        return live_cell("state", camera, timezone.now())

    @admin.display(description="why")
    def remark_now(self, camera: Camera) -> str:
        return live_cell("remark", camera, timezone.now())

    @admin.display(description="last frame", ordering="claim__last_frame_at")
    def last_frame(self, camera: Camera) -> str:
        return live_cell("frame", camera, timezone.now())

    @admin.display(description="frames/s", ordering="claim__frames_per_second")
    def frames_each_second(self, camera: Camera) -> str:
        return live_cell("fps", camera, timezone.now())

    @admin.display(description="watched by", ordering="claim__instance")
    def watcher(self, camera: Camera) -> str:
        return live_cell("watcher", camera, timezone.now())

    @admin.display(description="episode")
    def open_episode(self, camera: Camera) -> str:
        return live_cell("episode", camera, timezone.now())

    @admin.display(description="armed as", ordering="profile")
    def armed_now(self, camera: Camera) -> str:
        return live_cell("armed", camera, timezone.now())

    @admin.display(description="watched, 24 h")
    def covered(self, camera: Camera) -> str:
        return last_day_percent(camera)

    @admin.action(description="Watch: enable, and try again now", permissions=["change"])
    def enable(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._set_enabled(request, cameras, True)

    @admin.action(description="Stop watching: disable", permissions=["change"])
    def disable(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._set_enabled(request, cameras, False)

    @transaction.atomic
    def _set_enabled(self, request: HttpRequest, cameras: QuerySet[Camera], enabled: bool) -> None:
        chosen = list(cameras)
        rows = Camera.objects.filter(pk__in=[camera.pk for camera in chosen])
        rows.update(enabled=enabled, retry_at=None)
        done = "Enabled" if enabled else "Disabled"
        for camera in chosen:
            self.log_change(request, camera, f"{done}.")
        self.message_user(
            request, f"{done} {len(chosen)} camera{'s' * (len(chosen) != 1)}.", messages.SUCCESS
        )

    @admin.action(description="Arm as: day", permissions=["change"])
    def arm_as_day(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.DAY)

    @admin.action(description="Arm as: night", permissions=["change"])
    def arm_as_night(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.NIGHT)

    @admin.action(description="Arm as: closed", permissions=["change"])
    def arm_as_closed(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.CLOSED)

    @admin.action(description="Arm as: by schedule", permissions=["change"])
    def arm_by_schedule(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, None)

    @transaction.atomic
    def _arm(
        self, request: HttpRequest, cameras: QuerySet[Camera], profile: Profile | None
    ) -> None:
        chosen = list(cameras)
        arm_cameras(camera_ids=[camera.pk for camera in chosen], profile=profile)
        for camera in chosen:
            self.log_act(request, AuditAction.ARMED, camera, said_of(profile))
        count = f"{len(chosen)} camera{'s' * (len(chosen) != 1)}"
        self.message_user(request, f"{count}: {said_of(profile)}", messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(self.live)
        return [path("live/", live, name="detection_camera_live"), *super().get_urls()]

    def live(self, request: HttpRequest) -> JsonResponse:
        """The living cells of the cameras in `ids`, as the list drew them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("ids", "").split(",")[:LIVE_LIMIT]
        ids = [key for key in map(key_of, asked) if key is not None]
        now = timezone.now()
        cells = {
            f"{camera.pk}:{name}": LIVE_CELLS[name](camera, now)
            for camera in self.get_queryset(request).filter(pk__in=ids)
            for name in LIVE_CELLS
        }
        return JsonResponse({"at": f"{localtime(now):%H:%M:%S}", "cells": cells})

    # --- one camera -----------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Camera | None = None) -> Any:
        if obj is None:
            inputs = tuple(f"new_{name}" for name in CREDENTIALS)
            return ((None, {"fields": SETUP_FIELDS}), ("Access", {"fields": inputs}))
        return (
            *((WARNED,) if warnings_of(obj) else ()),
            ("Watching", {"fields": WATCH_FIELDS}),
            ("Rules and hours", {"fields": ARMING_FIELDS}),
            ("View and coverage", {"fields": ("health", "coverage")}),
            ("Camera", {"fields": (*SETUP_FIELDS, *IDENTITY_FIELDS)}),
            ("Access", {"fields": self._access_fields(request, obj)}),
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Who sees some stations only cannot give a camera away, nor to nobody."""
        stations = stations_of(request.user)
        if db_field.name == "station_id" and stations is not None:
            return forms.TypedChoiceField(
                choices=[(number, number) for number in stations], coerce=int
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _access_fields(self, request: HttpRequest, camera: Camera) -> tuple[str, ...]:
        if not self.has_change_permission(request, camera):
            return ("stream", "username_set", "password_set", "control_password_set")
        if camera.registry == LOCAL_REGISTRY:
            return ("stream", *(f"new_{name}" for name in CREDENTIALS), "forget")
        return ("stream", "username_set", "password_set", "new_control_password", "forget")

    def get_readonly_fields(self, request: HttpRequest, obj: Camera | None = None) -> Any:
        always = (
            "state_now",
            "remark_now",
            "last_frame",
            "frames_each_second",
            "watcher",
            "open_episode",
            "changed",
            "retry",
            "listed",
            "health",
            "coverage",
            "armed_now",
            "settings_link",
            "warnings",
            "registry",
            "external_id",
            "stream",
            "username_set",
            "password_set",
            "control_password_set",
        )
        listed = obj is not None and obj.registry != LOCAL_REGISTRY
        return (*always, *LISTED_FIELDS) if listed else always

    @admin.display(description="in this state since")
    def changed(self, camera: Camera) -> str:
        return moment(camera.state_changed_at)

    @admin.display(description="not tried again before")
    def retry(self, camera: Camera) -> str:
        return moment(camera.retry_at)

    @admin.display(description="listed as free by its registry")
    def listed(self, camera: Camera) -> str:
        return moment(camera.listed_at)

    @admin.display(description="settings of the rules")
    def settings_link(self, owner: Camera) -> str:
        return settings_cell(owner)

    @admin.display(description="warnings")
    def warnings(self, camera: Camera) -> str:
        return warnings_list(camera)

    @admin.display(description="last troubles with its view")
    def health(self, camera: Camera) -> str:
        return recent_health(camera)

    @admin.display(description="really watched")
    def coverage(self, camera: Camera) -> str:
        return coverage_days(camera)

    @admin.display(description="stream address, without user and password")
    def stream(self, camera: Camera) -> str:
        # The path may hold them too: whatever this process has decrypted is blanked as well.
        return plain(shown_stream(camera.stream_url)) if camera.stream_url else "not set"

    @admin.display(description="user name")
    def username_set(self, camera: Camera) -> str:
        return _set_or_not(camera.username)

    @admin.display(description="password")
    def password_set(self, camera: Camera) -> str:
        return _set_or_not(camera.password)

    @admin.display(description="Tapo account password")
    def control_password_set(self, camera: Camera) -> str:
        return _set_or_not(camera.control_password)

    def save_model(self, request: HttpRequest, obj: Camera, form: Any, change: bool) -> None:
        """Writes only what was changed: a watcher may be writing the state meanwhile."""
        if not change:
            obj.registry, obj.external_id = LOCAL_REGISTRY, _next_local_id()
            obj.save()
            return
        ours = {field.name for field in Camera._meta.fields}
        changed = ours.intersection(form.changed_data).union(form.changed_credentials())
        obj.save(update_fields=changed)

    def has_delete_permission(self, request: HttpRequest, obj: Camera | None = None) -> bool:
        """A registry would list its camera again; such a camera is disabled instead."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.registry == LOCAL_REGISTRY)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Claim and siren rows go with their camera, though nobody deletes them by hand."""
        shown, counts, needed, protected = super().get_deleted_objects(objs, request)
        ours = {str(model._meta.verbose_name) for model in (Camera, Zone)}
        return shown, counts, needed & ours, protected


def _set_or_not(credential: str) -> str:
    return "set" if credential else "not set"


def _next_local_id() -> int:
    highest = Camera.objects.filter(registry=LOCAL_REGISTRY).aggregate(top=Max("external_id"))[
        "top"
    ]
    return (highest or 0) + 1
