"""The page on which zones are drawn on a camera's own picture."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.base import ModelAdmin, signed_in
from detection.admin.telling import told
from detection.admin.zone_answers import preview_answer
from detection.admin.zone_page import page_context, state_of
from detection.models import Camera, seen_by
from detection.services.zone_drafts import DraftError, read_drawing
from detection.services.zones import DrawnMeanwhile, Saved, save_zones, zones_of

MOST_BYTES = 1_000_000
# Whose drawings this process tries just now. Each costs seconds of a processor: without an end to
# them, a few impatient officers, or one with a script, would leave none for the pages.
MOST_TRIALS = 2
_trials: set[int] = set()
_trials_lock = Lock()


class Busy(Exception):
    """This officer's last trial still goes on, or those of others do."""


class ZoneEditor(ModelAdmin[Camera]):
    """Adds the editor and its addresses to the pages of a camera."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        ways = (
            ("zones", self.zones_page),
            ("zones/preview", self.zones_preview),
            ("zones/export", self.zones_export),
        )
        return [
            path(
                f"<int:key>/{way}/",
                page(view),
                name=f"detection_camera_{way.replace('/', '_')}",
            )
            for way, view in ways
        ] + super().get_urls()

    def zones_page(self, request: HttpRequest, key: int) -> HttpResponse:
        camera = _camera(request, key)
        if request.method == "POST":
            return _save(request, camera)
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return render(
            request, "admin/detection/zones/editor.html", context | page_context(request, camera)
        )

    def zones_preview(self, request: HttpRequest, key: int) -> HttpResponse:
        """What the drawn zones, saved or not, would have seen since yesterday."""
        camera = _camera(request, key)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            with _a_trial_of(signed_in(request).pk):
                told = preview_answer(camera, read_drawing(_body(request)))
        except DraftError as error:
            return _refused(error)
        except Busy:
            said = _("Another trial still goes on. Try again in a few seconds.")
            return _answer(429, said)
        return JsonResponse({"ok": True, **told})

    def zones_export(self, request: HttpRequest, key: int) -> HttpResponse:
        """What is saved, as `manage.py watch --zones` and the editor's import read it."""
        camera = _camera(request, key)
        told = [
            {
                "name": zone.name,
                "kind": zone.kind,
                "corners": zone.polygon,
                **({"settings": zone.rule_settings} if zone.rule_settings else {}),
            }
            for zone in zones_of(camera)
        ]
        body = json.dumps(told, indent=2, ensure_ascii=False)
        disposition = f'attachment; filename="zones-{camera.pk}.json"'
        return HttpResponse(
            body, content_type="application/json", headers={"Content-Disposition": disposition}
        )


@contextmanager
def _a_trial_of(user_id: int) -> Iterator[None]:
    """Raises Busy."""
    with _trials_lock:
        if user_id in _trials or len(_trials) >= MOST_TRIALS:
            raise Busy
        _trials.add(user_id)
    try:
        yield
    finally:
        with _trials_lock:
            _trials.discard(user_id)


def _camera(request: HttpRequest, key: int) -> Camera:
    """A camera of the officer's stations, without its credentials. Raises Http404."""
    if not request.user.has_perm("detection.view_zone"):
        raise PermissionDenied
    cameras = seen_by(request.user, Camera.objects.filter(removed_at=None))
    fields = ("name", "station_id", "rule_settings")
    camera = cameras.only(*fields).filter(pk=key).first()
    if camera is None:
        raise Http404
    return camera


def _save(request: HttpRequest, camera: Camera) -> JsonResponse:
    try:
        drawing = read_drawing(_body(request))
        saved = save_zones(camera=camera, drawing=drawing, by=signed_in(request), request=request)
    except DraftError as error:
        return _refused(error)
    except DrawnMeanwhile as meanwhile:
        return _answer(409, _meanwhile(meanwhile.by))
    except PermissionDenied as denied:
        return _answer(403, _denied(str(denied)))
    return JsonResponse({"ok": True, "message": _said(saved), **state_of(camera)})


def _body(request: HttpRequest) -> bytes:
    """Raises DraftError for more than zones can be."""
    return request.body[: MOST_BYTES + 1] if len(request.body) <= MOST_BYTES else b""


def _refused(error: DraftError) -> JsonResponse:
    faults = [
        {"zone": f.zone, "field": f.field, "message": told(f.message), "corner": f.corner}
        for f in error.faults
    ]
    count = ngettext(
        "Nothing was saved: %(count)d thing is to be corrected.",
        "Nothing was saved: %(count)d things are to be corrected.",
        len(faults),
    ) % {"count": len(faults)}
    return JsonResponse({"ok": False, "message": count, "faults": faults}, status=422)


def _answer(status: int, message: str) -> JsonResponse:
    return JsonResponse({"ok": False, "message": message}, status=status)


def _meanwhile(by: str) -> str:
    if not by:
        return _("Somebody else changed these zones meanwhile. Nothing was saved.")
    return _("%(name)s changed these zones meanwhile. Nothing was saved.") % {"name": by}


def _denied(act: str) -> str:
    told = {
        "add": _("You may not add zones. Nothing was saved."),
        "change": _("You may not change zones. Nothing was saved."),
        "delete": _("You may not delete zones. Nothing was saved."),
    }
    return told.get(act, _("You may not do this. Nothing was saved."))


def _said(saved: Saved) -> str:
    count = saved.added + saved.changed + saved.deleted
    if not count:
        return _("Nothing was changed.")
    return ngettext(
        "Saved: %(count)d zone. It is in force within seconds.",
        "Saved: %(count)d zones. They are in force within seconds.",
        count,
    ) % {"count": count}
