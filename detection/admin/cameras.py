"""Cameras: which are watched, by whom and how well, and how each is set up."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from detection.admin.base import key_of
from detection.admin.camera_actions import WithCameraActions
from detection.admin.camera_columns import (
    LIVE_CELLS,
    WatchFilter,
    live_cell,
    with_live_columns,
)
from detection.admin.camera_form import CREDENTIALS, LOCAL_REGISTRY, CameraForm, shown_stream
from detection.admin.camera_list import RemovedFilter, still_cell, still_place, stills_taken
from detection.admin.camera_probe import WithProbe
from detection.admin.health import last_day_percent, with_last_day
from detection.admin.live_pictures import WithLivePictures
from detection.admin.presentation import plain
from detection.admin.settings_page import WithSettings, settings_cell
from detection.admin.zone_editor import ZoneEditor
from detection.admin.zones import zones_drawn
from detection.models import Camera, stations_of

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
SETUP_FIELDS = (
    "name",
    "enabled",
    ("address", "public_address"),
    "control_address",
    ("latitude", "longitude"),
    ("station_id", "storage_type"),
)
ARMING_FIELDS = ("armed_now", ("profile", "schedule"), "settings_link")
IDENTITY_FIELDS = (("registry", "external_id"),)


@admin.register(Camera)
class CameraAdmin(ZoneEditor, WithLivePictures, WithCameraActions, WithProbe, WithSettings[Camera]):
    empty_title = _("No camera yet")
    empty_text = _(
        "Cameras of the back end appear by themselves while `celery -A crimeops beat` and a worker "
        "run. A camera that no back end lists can be added by hand."
    )
    form = CameraForm
    list_before_template = "admin/detection/camera/live_status.html"
    list_display = (
        "still",
        "name_and_address",
        "state_now",
        "remark_now",
        "last_frame",
        "frames_each_second",
        "open_episode",
        "armed_now",
        "covered",
        "station_id",
    )
    list_display_links = ("still", "name_and_address")
    list_filter = (
        WatchFilter,
        RemovedFilter,
        "state",
        "enabled",
        "profile",
        "station_id",
        "registry",
    )
    search_fields = ("name", "address", "public_address")
    search_help_text = _("Name or address")
    actions = (
        "enable",
        "disable",
        "arm_as_day",
        "arm_as_night",
        "arm_as_closed",
        "arm_by_schedule",
        "remove",
    )

    class Media:
        js = ("detection/live_cameras.js",)
        css = {"all": ("detection/desk/camera_list.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Camera]:
        return with_last_day(with_live_columns(super().get_queryset(request)))

    # --- the list -------------------------------------------------------------------------------

    @admin.display(description=_("picture"))
    def still(self, camera: Camera) -> str:
        return still_place(camera)

    @admin.display(description=_("camera"), ordering="name")
    def name_and_address(self, camera: Camera) -> str:
        return format_html(
            '<span class="co-two-lines">{}<small>{}</small></span>', camera.name, camera.address
        )

    @admin.display(description=_("state"), ordering="state")
    def state_now(self, camera: Camera) -> str:
        return live_cell("state", camera, timezone.now())

    @admin.display(description=_("why"))
    def remark_now(self, camera: Camera) -> str:
        return live_cell("remark", camera, timezone.now())

    @admin.display(description=_("last frame"), ordering="claim__last_frame_at")
    def last_frame(self, camera: Camera) -> str:
        return live_cell("frame", camera, timezone.now())

    @admin.display(description=_("frames/s"), ordering="claim__frames_per_second")
    def frames_each_second(self, camera: Camera) -> str:
        return live_cell("fps", camera, timezone.now())

    @admin.display(description=_("episode"))
    def open_episode(self, camera: Camera) -> str:
        return live_cell("episode", camera, timezone.now())

    @admin.display(description=_("armed as"), ordering="profile")
    def armed_now(self, camera: Camera) -> str:
        return live_cell("armed", camera, timezone.now())

    @admin.display(description=_("watched, 24 h"))
    def covered(self, camera: Camera) -> str:
        return last_day_percent(camera)

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
        cameras = list(self.get_queryset(request).filter(pk__in=ids, removed_at=None))
        cells = {
            f"{camera.pk}:{name}": LIVE_CELLS[name](camera, now)
            for camera in cameras
            for name in LIVE_CELLS
        }
        taken = stills_taken(cameras)
        for camera in cameras:
            cells[f"{camera.pk}:still"] = still_cell(camera, taken.get(camera.pk), now)
        return JsonResponse({"at": f"{localtime(now):%H:%M:%S}", "cells": cells})

    # --- one camera -----------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Camera | None = None) -> Any:
        if obj is None:
            inputs = tuple(f"new_{name}" for name in CREDENTIALS)
            return (
                (None, {"fields": ("name", "enabled")}),
                (_("Access"), {"fields": inputs}),
                (_("Place"), {"fields": SETUP_FIELDS[2:]}),
            )
        return (
            (_("Rules and hours"), {"fields": ARMING_FIELDS}),
            (_("Zones"), {"fields": ("zones",)}),
            (_("Camera"), {"fields": (*SETUP_FIELDS, *IDENTITY_FIELDS)}),
            (_("Access"), {"fields": self._access_fields(request, obj)}),
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
            "armed_now",
            "settings_link",
            "zones",
            "registry",
            "external_id",
            "stream",
            "username_set",
            "password_set",
            "control_password_set",
        )
        listed = obj is not None and obj.registry != LOCAL_REGISTRY
        return (*always, *LISTED_FIELDS) if listed else always

    @admin.display(description=_("settings of the rules"))
    def settings_link(self, owner: Camera) -> str:
        return settings_cell(owner)

    @admin.display(description=_("drawn on its picture"))
    def zones(self, camera: Camera) -> str:
        return zones_drawn(camera)

    @admin.display(description=_("stream address, without user and password"))
    def stream(self, camera: Camera) -> str:
        # The path may hold them too: whatever this process has decrypted is blanked as well.
        return plain(shown_stream(camera.stream_url)) if camera.stream_url else "not set"

    @admin.display(description=_("user name"))
    def username_set(self, camera: Camera) -> str:
        return _set_or_not(camera.username)

    @admin.display(description=_("password"))
    def password_set(self, camera: Camera) -> str:
        return _set_or_not(camera.password)

    @admin.display(description=_("Tapo account password"))
    def control_password_set(self, camera: Camera) -> str:
        return _set_or_not(camera.control_password)

    def save_model(self, request: HttpRequest, obj: Camera, form: Any, change: bool) -> None:
        """Writes only what was changed: a watcher may be writing the state meanwhile."""
        if not change:
            obj.registry, obj.external_id = LOCAL_REGISTRY, _next_local_id()
            obj.save()
            self._warn_of_untried(request, obj)
            return
        ours = {field.name for field in Camera._meta.fields}
        changed = ours.intersection(form.changed_data).union(form.changed_credentials())
        obj.save(update_fields=changed)

    def _warn_of_untried(self, request: HttpRequest, camera: Camera) -> None:
        if not camera.stream_url:
            said = _("Saved without a stream address: it cannot be watched before it has one.")
        elif not self.was_probed(request, camera.stream_url):
            said = _("Saved without having tried its stream: see here whether a picture comes.")
        else:
            return
        self.message_user(request, said, messages.WARNING)

    def has_change_permission(self, request: HttpRequest, obj: Camera | None = None) -> bool:
        """A camera that was removed is only read."""
        removed = obj is not None and obj.removed_at is not None
        return super().has_change_permission(request, obj) and not removed

    def has_delete_permission(self, request: HttpRequest, obj: Camera | None = None) -> bool:
        """Cameras are removed, and what they saw is kept: see `remove`."""
        return False


def _set_or_not(credential: str) -> str:
    return "set" if credential else "not set"


def _next_local_id() -> int:
    highest = Camera.objects.filter(registry=LOCAL_REGISTRY).aggregate(top=Max("external_id"))[
        "top"
    ]
    return (highest or 0) + 1
