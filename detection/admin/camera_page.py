"""The page of one camera: what it sees, how it is watched, and what an operator does about it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from detection.admin.arming import PROFILES, said_of
from detection.admin.base import ModelAdmin
from detection.admin.camera_additions import ADDITIONS
from detection.admin.camera_columns import live_cell
from detection.admin.camera_form import without_credentials
from detection.admin.camera_strip import strip_of
from detection.admin.health import coverage_days, kind_label
from detection.admin.presentation import elapsed, moment, page_of, plain
from detection.admin.setup_warnings import warnings_of
from detection.models import AuditAction, Camera, Episode, HealthEvent, Zone, seen_by
from detection.services.arming import arm_cameras
from detection.services.camera_life import remove_cameras, restart_camera
from detection.services.claims import database_now

EPISODES_SHOWN = HEALTH_SHOWN = 8
LIVE_FACTS = ("remark", "frame", "fps", "watcher", "episode", "armed")


class WithCameraPage(ModelAdmin[Camera]):
    """`…/<camera>/course/`, `…/arm/`, `…/restart/` and `…/remove/`, around the change form."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        views = {
            "course": self.course_view,
            "arm": self.arm_view,
            "restart": self.restart_view,
            "remove": self.remove_view,
        }
        ours = [
            path(f"<int:camera_id>/{name}/", wrap(view), name=f"detection_camera_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        camera: Camera | None = context.get("original")
        if camera is not None:
            context |= self._page_context(request, camera)
        return super().render_change_form(request, context, *args, **kwargs)

    def _page_context(self, request: HttpRequest, camera: Camera) -> dict[str, Any]:
        now = timezone.now()
        may_change = self.has_change_permission(request, camera)
        return {
            "removed_on": moment(camera.removed_at) if camera.removed_at else "",
            "setup_warnings": () if camera.removed_at else warnings_of(camera),
            "state_now": live_cell("state", camera, now),
            "remark_now": live_cell("remark", camera, now),
            "facts": [(_FACTS[name](), live_cell(name, camera, now)) for name in LIVE_FACTS],
            "older_facts": _older_facts(camera),
            "profiles": PROFILES if may_change else {},
            "armed_by_hand": camera.profile,
            "may_change": may_change,
            "may_remove": self.has_remove_permission(request, camera),
            "zones_url": _zones_url(camera),
            "zones_drawn": _zones_drawn(camera),
            "additions": [] if camera.removed_at else _buttons(request, camera),
            **_course(request, camera),
        }

    def course_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """The part of the page that tells of the last hours, for its script to renew."""
        camera = self._camera(request, camera_id)
        return render(request, "admin/detection/camera/course.html", _course(request, camera))

    def arm_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """Arm one camera by one button."""
        camera = self._camera_to_change(request, camera_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        choice = request.POST.get("profile", "")
        if choice in PROFILES:
            arm_cameras(camera_ids=[camera.pk], profile=PROFILES[choice])
            self.log_act(request, AuditAction.ARMED, camera, said_of(PROFILES[choice]))
            self.message_user(request, said_of(PROFILES[choice]), messages.SUCCESS)
        return HttpResponseRedirect(page_of("detection_camera", camera.pk))

    def restart_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """Have the camera's watch begin anew."""
        camera = self._camera_to_change(request, camera_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        restart_camera(camera_id=camera.pk, at=database_now())
        self.log_act(request, AuditAction.CHANGED, camera, "Asked for its watch to begin anew.")
        said = _("Its watcher lets go of it, and it is taken anew within half a minute.")
        if not camera.enabled:
            said = _("It is disabled: enable it to have it watched.")
        self.message_user(request, said, messages.SUCCESS if camera.enabled else messages.WARNING)
        return HttpResponseRedirect(page_of("detection_camera", camera.pk))

    def remove_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """Ask whether the camera is to go, and remove it."""
        camera = self._camera(request, camera_id)
        if not self.has_remove_permission(request, camera):
            raise PermissionDenied
        if request.method != "POST":
            return self.confirm_removal(request, [camera], reverse_of(camera))
        self.remove_chosen(request, [camera])
        return HttpResponseRedirect(reverse("admin:detection_camera_changelist"))

    def confirm_removal(
        self, request: HttpRequest, cameras: list[Camera], address: str, **kept: Any
    ) -> HttpResponse:
        """The page that says what becomes of the cameras, before anything does."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Remove cameras"),
            "opts": self.opts,
            "cameras": cameras,
            "listed": [camera for camera in cameras if camera.registry != "local"],
            "address": address,
            "back": reverse("admin:detection_camera_changelist"),
            **kept,
        }
        return render(request, "admin/detection/camera/remove.html", context)

    def remove_chosen(self, request: HttpRequest, cameras: list[Camera]) -> None:
        """Remove them, on record, and say so."""
        removed = remove_cameras(camera_ids=[camera.pk for camera in cameras])
        for camera in removed:
            self.log_act(request, AuditAction.DELETED, camera, "Removed; what it saw is kept.")
        names = ", ".join(camera.name for camera in removed)
        said = _("Removed: %(names)s. Their episodes and evidence are kept.") % {"names": names}
        self.message_user(request, said, messages.SUCCESS)

    def has_remove_permission(self, request: HttpRequest, obj: Camera | None = None) -> bool:
        """Whoever may delete; a camera is removed once."""
        allowed = bool(request.user.has_perm("detection.delete_camera"))
        return allowed and (obj is None or obj.removed_at is None)

    def _camera(self, request: HttpRequest, camera_id: int) -> Camera:
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = seen_by(request.user, without_credentials(Camera.objects.filter(pk=camera_id)))
        camera = shown.first()
        if camera is None:
            raise Http404("no such camera")
        return camera

    def _camera_to_change(self, request: HttpRequest, camera_id: int) -> Camera:
        camera = self._camera(request, camera_id)
        if not self.has_change_permission(request, camera):
            raise PermissionDenied
        return camera


_FACTS = {
    "remark": lambda: _("Why"),
    "frame": lambda: _("Last frame"),
    "fps": lambda: _("Frames a second"),
    "watcher": lambda: _("Watched by"),
    "episode": lambda: _("Open episode"),
    "armed": lambda: _("Armed as"),
}


def reverse_of(camera: Camera) -> str:
    """Where its removal is confirmed."""
    return reverse("admin:detection_camera_remove", args=(camera.pk,))


def _older_facts(camera: Camera) -> list[tuple[str, str]]:
    facts = [(_("In this state since"), moment(camera.state_changed_at))]
    if camera.retry_at and camera.retry_at > timezone.now():
        facts.append((_("Not tried again before"), moment(camera.retry_at)))
    if camera.listed_at:
        facts.append((_("Last listed as free"), moment(camera.listed_at)))
    return facts


def _buttons(request: HttpRequest, camera: Camera) -> list[str]:
    return [mark_safe(addition.buttons(request, camera)) for addition in ADDITIONS]  # noqa: S308 — of our own templates


def _zones_url(camera: Camera) -> str:
    try:
        return reverse("admin:detection_camera_zones", args=(camera.pk,))
    except NoReverseMatch:
        return f"{reverse('admin:detection_zone_changelist')}?camera={camera.pk}"


def _zones_drawn(camera: Camera) -> list[dict[str, Any]]:
    """What the live picture draws over itself."""
    zones = Zone.objects.filter(camera_id=camera.pk, enabled=True).order_by("name")
    return [{"name": zone.name, "kind": zone.kind, "corners": zone.polygon} for zone in zones]


def _health_row(event: HealthEvent, now: datetime) -> tuple[str, str, str, str]:
    lasted = elapsed((event.ended_at or now) - event.began_at)
    goes_on = _("for %(time)s so far") if event.ended_at is None else _("for %(time)s")
    return (
        kind_label(event),
        moment(event.began_at),
        goes_on % {"time": lasted},
        plain(event.detail),
    )


def _course(request: HttpRequest, camera: Camera) -> dict[str, Any]:
    """What the camera saw and missed lately."""
    now = timezone.now()
    episodes = Episode.objects.filter(camera_id=camera.pk).defer("confidence_timeline")
    may_see = request.user.has_perm("detection.view_episode")
    return {
        "camera": camera,
        "strip": strip_of(camera, now),
        "days": coverage_days(camera),
        "health": [_health_row(event, now) for event in camera.health_events.all()[:HEALTH_SHOWN]],
        "episodes": episodes.order_by("-started_at")[:EPISODES_SHOWN] if may_see else (),
        "may_see_episodes": may_see,
        "episodes_url": f"{reverse('admin:detection_episode_changelist')}?camera={camera.pk}",
    }
