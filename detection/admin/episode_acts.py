"""One address for all that an officer does with an episode, answered for a page or a script."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _

from detection.admin.base import signed_in
from detection.admin.presentation import page_of
from detection.models import DismissReason, Episode, ReviewAct, Verdict
from detection.services import review_flags, reviews
from detection.services.review_notes import LONGEST
from detection.services.review_steps import Actor, Outcome
from detection.services.review_undoing import RELEASE_HOLD, CannotUndo, undo_step
from detection.services.reviews import AlreadyReviewed

MAY_REVIEW = "detection.change_episode"


class ActForm(forms.Form):
    """`expected` is what the officer saw (`reviews.expectation_of`, or the verdict alone).

    `step` is the step to undo; without it the newest.
    """

    act = forms.ChoiceField(choices=ReviewAct.choices)
    reason = forms.ChoiceField(choices=DismissReason.choices, required=False)
    note = forms.CharField(required=False, max_length=LONGEST)
    expected = forms.CharField(required=False, max_length=64)
    step = forms.IntegerField(required=False, min_value=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the officer is told; `undo` is the step that can be taken back."""

    status: HTTPStatus
    message: str
    outcome: Outcome | None = None

    @property
    def is_ok(self) -> bool:
        return self.status is HTTPStatus.OK


def act_on_episode(request: HttpRequest, episode_id: UUID) -> Answer:
    """Do what the posted form asks, for an officer who may review."""
    form = ActForm(request.POST)
    if not form.is_valid():
        return Answer(HTTPStatus.BAD_REQUEST, _not_recorded(_faults(form)))
    chosen = form.cleaned_data
    if chosen["act"] == ReviewAct.RELEASED and not request.user.has_perm(RELEASE_HOLD):
        fault = _("a hold is ended by a supervisor")
        return Answer(HTTPStatus.FORBIDDEN, _not_recorded(fault))
    by = Actor(signed_in(request), request)
    try:
        outcome = ACTS[ReviewAct(chosen["act"])](episode_id, by, chosen)
    except (AlreadyReviewed, CannotUndo) as fault:
        return Answer(HTTPStatus.CONFLICT, _not_recorded(str(fault)))
    except ValueError as fault:
        return Answer(HTTPStatus.BAD_REQUEST, _not_recorded(str(fault)))
    return Answer(HTTPStatus.OK, outcome.message, outcome)


def respond(request: HttpRequest, episode_id: UUID, answer: Answer) -> HttpResponse:
    """To a script as JSON, to a form by the way back to the episode, which shows the message."""
    if request.accepts("text/html") or not request.accepts("application/json"):
        level = messages.SUCCESS if answer.is_ok else messages.WARNING
        messages.add_message(request, level, answer.message)
        return HttpResponseRedirect(page_of("detection_episode", episode_id))
    episode = Episode.objects.select_related("reviewed_by").get(pk=episode_id)
    step = answer.outcome.step if answer.outcome else None
    said = {
        "ok": answer.is_ok,
        "message": answer.message,
        "undo": step.pk if step else None,
        "verdict": episode.verdict,
        "verdict_label": str(Verdict(episode.verdict).label),
        "reason_label": str(episode.get_dismiss_reason_display()),
        "expected": reviews.expectation_of(episode),
        "escalated": episode.escalated_at is not None,
        "held": episode.held_at is not None,
        "note": episode.note,
    }
    return JsonResponse(said, status=answer.status)


def _decide(verdict: Verdict) -> Callable[[UUID, Actor, dict[str, Any]], Outcome]:
    def decide(episode_id: UUID, by: Actor, chosen: dict[str, Any]) -> Outcome:
        return reviews.review_episode(
            episode_id=episode_id,
            verdict=verdict,
            by=by,
            reason=chosen["reason"],
            note=chosen["note"],
            expected=chosen["expected"] or Verdict.UNREVIEWED,
        )

    return decide


def _note(episode_id: UUID, by: Actor, chosen: dict[str, Any]) -> Outcome:
    return reviews.note_on_episode(episode_id=episode_id, text=chosen["note"], by=by)


def _undo(episode_id: UUID, by: Actor, chosen: dict[str, Any]) -> Outcome:
    return undo_step(episode_id=episode_id, by=by, step_id=chosen["step"])


def _flag(service: Callable[..., Outcome]) -> Callable[[UUID, Actor, dict[str, Any]], Outcome]:
    def act(episode_id: UUID, by: Actor, _chosen: dict[str, Any]) -> Outcome:
        return service(episode_id=episode_id, by=by)

    return act


ACTS: dict[ReviewAct, Callable[[UUID, Actor, dict[str, Any]], Outcome]] = {
    ReviewAct.CONFIRMED: _decide(Verdict.CONFIRMED),
    ReviewAct.DISMISSED: _decide(Verdict.DISMISSED),
    ReviewAct.ESCALATED: _flag(review_flags.escalate_episode),
    ReviewAct.DEESCALATED: _flag(review_flags.take_escalation_back),
    ReviewAct.HELD: _flag(review_flags.hold_episode),
    ReviewAct.RELEASED: _flag(review_flags.release_episode),
    ReviewAct.NOTED: _note,
    ReviewAct.UNDONE: _undo,
}


def _faults(form: forms.Form) -> str:
    return " ".join(f"{name}: {' '.join(map(str, said))}" for name, said in form.errors.items())


def _not_recorded(fault: str) -> str:
    return _("Not recorded: %(fault)s.") % {"fault": fault.rstrip(".")}
