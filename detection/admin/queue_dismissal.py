"""Dismissing the chosen episodes of the queue with one reason, and taking it back."""

from collections.abc import Iterable
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.base import key_of, signed_in
from detection.admin.episode_words import kind_of
from detection.admin.neighbours import queue_address
from detection.models import ReviewStep, seen_by
from detection.services.review_bulk import Bulk, Left, dismiss_episodes
from detection.services.review_steps import Actor
from detection.services.review_undoing import undo_steps

NAMED = 5


def dismissal_answer(request: HttpRequest) -> HttpResponse:
    """Of a posted form: `keys` and a `reason`, or the steps to `undo`.

    To a script as JSON, to a form by the way back to the queue, which shows the message.
    """
    if "undo" in request.POST:
        return _answer(request, _undo(request), [])
    try:
        bulk = dismiss_episodes(
            episode_ids=_keys(request.POST.getlist("keys")),
            reason=request.POST.get("reason", ""),
            by=Actor(signed_in(request), request),
        )
    except ValueError as fault:
        said = _("Not dismissed: %(fault)s.") % {"fault": fault}
        return _answer(request, said, [], HTTPStatus.BAD_REQUEST)
    return _answer(request, _said(bulk), [step.pk for step in bulk.steps])


def _keys(words: Iterable[str]) -> Iterable[UUID]:
    for word in words:
        try:
            yield UUID(word)
        except ValueError:
            continue


def _said(bulk: Bulk) -> str:
    count = len(bulk.steps)
    said = ngettext("%(n)d episode dismissed.", "%(n)d episodes dismissed.", count)
    lines = [said % {"n": count}]
    if bulk.left:
        some = ngettext("%(n)d left as it was:", "%(n)d left as they were:", len(bulk.left))
        lines.append(some % {"n": len(bulk.left)})
        lines += [_named(left) for left in bulk.left[:NAMED]]
    if (more := len(bulk.left) - NAMED) > 0:
        lines.append(_("… and %(n)d more") % {"n": more})
    return "\n".join(lines)


def _named(left: Left) -> str:
    said = _("%(kind)s at %(camera)s, %(when)s: %(why)s")
    began = timezone.localtime(left.episode.started_at)
    return said % {
        "kind": kind_of(left.episode),
        "camera": left.episode.camera.name,
        "when": date_format(began, "j M, H:i:s"),
        "why": left.text,
    }


def _undo(request: HttpRequest) -> str:
    keys = [key for word in request.POST.getlist("undo") if (key := key_of(word)) is not None]
    mine = seen_by(request.user, ReviewStep.objects.filter(pk__in=keys))
    by = Actor(signed_in(request), request)
    undone, kept = undo_steps(step_ids=list(mine.values_list("pk", flat=True)), by=by)
    said = ngettext("%(n)d dismissal undone.", "%(n)d dismissals undone.", undone) % {"n": undone}
    return "\n".join([said, *(f"{reason}." for reason in kept[:NAMED])])


def _answer(
    request: HttpRequest, said: str, undo: list[int], status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    is_ok = status is HTTPStatus.OK
    if request.accepts("text/html") or not request.accepts("application/json"):
        messages.add_message(request, messages.SUCCESS if is_ok else messages.WARNING, said)
        return HttpResponseRedirect(f"{queue_address()}?{request.GET.urlencode()}")
    return JsonResponse({"ok": is_ok, "message": said, "undo": undo}, status=status)
