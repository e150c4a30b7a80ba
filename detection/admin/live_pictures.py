"""A camera's pictures for the browser: the live stream, the latest still, and one of full size.

They come from whoever watches the camera; nothing here opens a stream.
"""

import time
from functools import cache, partial
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone

from crimeops.serving import wait_at_most
from detection.admin.base import ModelAdmin, signed_in
from detection.admin.live_stream import BOUNDARY, Viewer, facts_of, parts
from detection.models import AuditAction, Camera, seen_by
from detection.ports import TransportError
from detection.services import audit
from detection.transport.live import LivePicture, LivePictures
from detection.transport.viewers import LAPSES_SECONDS, Viewers

PATIENCE_SECONDS = 2.5  # until a picture that is asked for now comes
STEP_SECONDS = 0.1
TOLD = "multipart/mixed"  # asked for by our script, which reads more than pictures


class Live(NamedTuple):
    """The process's connections to the pictures and to the places before them."""

    pictures: LivePictures
    viewers: Viewers


@cache
def _live_at(url: str) -> Live:
    return Live(LivePictures.connect(url), Viewers.connect(url))


def live() -> Live:
    return _live_at(settings.ENVIRONMENT.redis_url)


class WithLivePictures(ModelAdmin[Camera]):
    """`…/<camera>/live/stream/`, `…/still/` and `…/picture/`, by station rights and on record."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        views = {"stream": self.stream_view, "still": self.still_view, "picture": self.picture_view}
        ours = [
            path(f"<int:camera_id>/live/{name}/", wrap(view), name=f"detection_camera_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def stream_view(self, request: HttpRequest, camera_id: int) -> HttpResponseBase:
        """MJPEG of now; `Accept: multipart/mixed` brings boxes, heartbeats and the end's reason."""
        camera = self.camera_to_show(request, camera_id)
        environment = settings.ENVIRONMENT
        user_id = signed_in(request).pk
        try:
            place = live().viewers.enter(
                user_id, each=environment.live_viewers_each, site=environment.live_viewers
            )
        except TransportError:
            return _refusal("away")
        if place is None:
            return _refusal("full")
        audit.record_view(AuditAction.LIVE_VIEWED, request=request, subject=camera)
        # By the time the place of a browser that fell silent is another's, its thread is free too.
        if (connection := request.META.get("gunicorn.socket")) is not None:
            wait_at_most(connection, LAPSES_SECONDS)
        tells = TOLD in request.headers.get("Accept", "")

        still_may = partial(_still_may, user_id, camera.pk)
        zone = timezone.get_current_timezone()
        seconds = environment.live_minutes * 60
        viewer = Viewer(camera.pk, place, seconds, still_may, tells, zone)
        return StreamingHttpResponse(
            parts(viewer, *live()),
            content_type=f"{TOLD if tells else 'multipart/x-mixed-replace'}; boundary={BOUNDARY}",
            headers={"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"},
        )

    def still_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """The latest small picture; without one 404, or with `?if_any` nothing."""
        camera = self.camera_to_show(request, camera_id)
        try:
            picture = live().pictures.still(camera.pk)
        except TransportError:
            picture = None
        if picture is None and "if_any" in request.GET:
            return HttpResponse(status=204)
        return _jpeg(picture)

    def picture_view(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """One clean picture of full size: of now, else of the last minutes, else 404."""
        camera = self.camera_to_show(request, camera_id)
        try:
            picture = _one_of_now(live().pictures, camera.pk)
        except TransportError:
            raise Http404("no picture: Redis is out of reach") from None
        response = _jpeg(picture)
        audit.record_view(AuditAction.LIVE_VIEWED, request=request, subject=camera)
        return response

    def camera_to_show(self, request: HttpRequest, camera_id: int) -> Camera:
        """The camera, of the user's stations; 404 for any other and for one that was removed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = seen_by(request.user, Camera.objects.filter(pk=camera_id, removed_at=None))
        camera = shown.only("pk", "name", "station_id").first()
        if camera is None:
            raise Http404("no such camera")
        return camera


def _still_may(user_id: int, camera_id: int) -> bool:
    account = get_user_model().objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    if account is None or not any(
        account.has_perm(f"detection.{verb}_camera") for verb in ("view", "change")
    ):
        return False
    return seen_by(account, Camera.objects.filter(pk=camera_id, removed_at=None)).exists()


def _refusal(why: str) -> JsonResponse:
    return JsonResponse({"ended": why}, status=503, headers={"Retry-After": "5"})


def _jpeg(picture: LivePicture | None) -> HttpResponse:
    if picture is None:
        raise Http404("this camera has no picture")
    heads = facts_of(picture, timezone.get_current_timezone()) | {
        "Cache-Control": "private, no-store"
    }
    return HttpResponse(picture.jpeg, content_type="image/jpeg", headers=heads)


def _one_of_now(pictures: LivePictures, camera_id: int) -> LivePicture | None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pictures.want(camera_id)
    while (picture := pictures.newest(camera_id)) is None and time.monotonic() < deadline:
        time.sleep(STEP_SECONDS)
    return picture or pictures.large(camera_id)
