"""Trying a stream before it is saved as a camera: its first picture, or what to do about it."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from detection.admin.base import ModelAdmin, signed_in
from detection.models import AuditAction, Camera, seen_by
from detection.ports import SourceError
from detection.services import audit
from detection.services.probing import LIMIT_SECONDS, Probe, probe_stream, watched_camera
from detection.sources.addresses import host_of, with_login
from detection.transport.live import connect

PROBED = "probed_stream"  # in the session: a mark of the address that was last tried with success


class Busy(Exception):
    """This user's last trial still goes on, or it cannot be told whether it does."""


class WithProbe(ModelAdmin[Camera]):
    """`…/probe/`: posted by the page on which a camera is added."""

    def get_urls(self) -> list[URLPattern]:
        probe = self.admin_site.admin_view(self.probe_view)
        return [path("probe/", probe, name="detection_camera_probe"), *super().get_urls()]

    def probe_view(self, request: HttpRequest) -> HttpResponse:
        """Try the posted address. No answer repeats any part of it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        posted = {name: request.POST.get(name, "") for name in ("url", "username", "password")}
        url = with_login(posted["url"].strip(), posted["username"].strip(), posted["password"])
        if not url:
            return _refusal("empty", _("Enter the stream address first."))
        if (camera := watched_camera(url)) is not None:
            return _refusal("watched", _watched(request, camera))
        try:
            with _alone(signed_in(request).pk):
                probe = probe_stream(url)
        except Busy:
            return _refusal("busy", _("Your last trial still goes on. Wait a few seconds."))
        except SourceError as error:
            _note(request, url, error.reason)
            return _refusal(error.reason, advice_on(error))
        _note(request, url, "ok")
        request.session[PROBED] = mark_of(url)
        return JsonResponse({"ok": True, "said": _described(probe), "picture": _inline(probe)})

    def was_probed(self, request: HttpRequest, url: str) -> bool:
        """Whether this very address was tried with success in this session."""
        return bool(request.session.get(PROBED) == mark_of(url))


def advice_on(error: SourceError) -> str:
    """The reason in words, and what an operator does about it."""
    match error.reason:
        case "auth_failed":
            return _(
                "The camera refuses the user name or the password. Use the camera account that is "
                "set in the camera's own app, and mind that some cameras lock after a few tries."
            )
        case "refused":
            return _(
                "The camera refuses the connection. Check the port, switch RTSP on in the camera, "
                "and close other viewers: many cameras serve only two."
            )
        case "timed_out":
            return _(
                "The camera does not answer. Check that it has power and that this server reaches "
                "its network."
            )
        case "no_video":
            return _("There is no picture at this address. Check the path after the host.")
        case "codec":
            return _(
                "There is a stream, but it cannot be read. Set the camera to H.264 and use its "
                "smaller stream."
            )
        case "bad_address":
            return _("The address cannot be used: %(why)s.") % {"why": str(error)}
        case "ended":
            return _("The camera ended the stream at once. Try again, or restart the camera.")
    return _("The camera cannot be reached. Check its address, its power and its network.")


def mark_of(url: str) -> str:
    """By which an address is known again without being kept."""
    return salted_hmac("detection.probed_stream", url).hexdigest()


def _described(probe: Probe) -> str:
    facts = {
        "width": probe.width,
        "height": probe.height,
        "codec": probe.codec.upper() or "?",
        "rate": f"{probe.frames_per_second:.0f}",
    }
    return _("%(width)d × %(height)d pixels, %(codec)s, about %(rate)s frames a second") % facts


def _inline(probe: Probe) -> str:
    return f"data:image/jpeg;base64,{b64encode(probe.jpeg).decode()}"


def _watched(request: HttpRequest, camera: Camera) -> str:
    if seen_by(request.user, Camera.objects.filter(pk=camera.pk)).exists():
        return _("“%(name)s” reads this stream already: see its live picture instead.") % {
            "name": camera.name
        }
    return _("Another camera of this site reads this stream already.")


def _refusal(reason: str, said: str) -> JsonResponse:
    return JsonResponse({"ok": False, "reason": reason, "said": said})


def _note(request: HttpRequest, url: str, came: str) -> None:
    """On record: whoever tries streams looks at whatever answers, and finds out what does."""
    said = f"Tried a stream at {host_of(url) or 'a file'}: {came}"
    audit.record(AuditAction.LIVE_VIEWED, request=request, details={"said": said})


@contextmanager
def _alone(user_id: int) -> Iterator[None]:
    """One trial of a user at a time, wherever the web runs. Raises Busy."""
    key = f"crimeops:probe:{user_id}"
    client = connect(settings.ENVIRONMENT.redis_url)
    try:
        taken = client.set(key, 1, nx=True, px=round((LIMIT_SECONDS + 2) * 1000))
    except redis.RedisError:
        raise Busy from None
    if not taken:
        raise Busy
    try:
        yield
    finally:
        try:
            client.delete(key)
            client.close()
        except redis.RedisError:
            pass  # it lapses
