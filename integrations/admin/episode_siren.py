"""The siren on an episode's page: off for this episode, and on again while it lasts."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.admin.base import signed_in
from detection.admin.presentation import page_of, plain
from detection.models import Episode
from integrations.admin.siren_states import state_of
from integrations.models import Siren
from integrations.services.siren_rearming import CannotRearm, rearm, turn_off
from integrations.services.siren_silencing import CannotSilence

MAY_SILENCE = "integrations.change_siren"


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Both acts take a POST and answer a script in JSON, a form by the way back to the episode."""

    def off(request: HttpRequest, episode_id: UUID) -> HttpResponse:
        return _act(site, request, episode_id, turn_off)

    def on(request: HttpRequest, episode_id: UUID) -> HttpResponse:
        return _act(site, request, episode_id, rearm)

    return [
        path("episode/<uuid:episode_id>/off/", site.admin_view(off), name="integrations_siren_off"),
        path(
            "episode/<uuid:episode_id>/rearm/", site.admin_view(on), name="integrations_siren_rearm"
        ),
    ]


def _act(
    site: admin.AdminSite, request: HttpRequest, episode_id: UUID, act: Callable[..., str]
) -> HttpResponse:
    if not request.user.has_perm(MAY_SILENCE):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    # The episodes' own page says which of them this officer may see.
    episode = site.get_model_admin(Episode).get_queryset(request).filter(pk=episode_id).first()
    if episode is None:
        raise Http404("no such episode")
    try:
        said, done = act(episode=episode, user=signed_in(request), request=request), True
    except (CannotSilence, CannotRearm) as reason:
        said, done = _("Not done: %(reason)s.") % {"reason": str(reason)}, False
    return _answer(request, episode, _("Siren: %(said)s") % {"said": plain(said)}, done)


def _answer(request: HttpRequest, episode: Episode, said: str, done: bool) -> HttpResponse:
    if request.accepts("text/html") or not request.accepts("application/json"):
        messages.add_message(request, messages.INFO if done else messages.WARNING, said)
        return HttpResponseRedirect(page_of("detection_episode", episode.pk))
    row = Siren.objects.filter(camera=episode.camera_id, episode_id=episode.pk).first()
    state = state_of(row, timezone.now()) if row else None
    return JsonResponse(
        {
            "ok": done,
            "message": said,
            "verdict": episode.verdict,
            "undo": None,
            "state": state.key if state else "",
            "state_label": state.word if state else "",
        },
        status=HTTPStatus.OK if done else HTTPStatus.CONFLICT,
    )
