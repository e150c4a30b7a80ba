"""Undoing: a step is taken back as long as nobody has built on it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from detection.models import Episode, ReviewAct, ReviewStep, Verdict
from detection.services.review_notes import gather_notes
from detection.services.review_steps import (
    Actor,
    Outcome,
    in_words,
    lock_episode,
    steps_of,
    write_step,
)

UNDO_OTHERS = "detection.undo_others_review"
RELEASE_HOLD = "detection.release_hold"
# So long a hold is a slip of its officer's hand; then it is evidence that others rely on.
SLIP = timedelta(minutes=10)

# Acts that change the same: of these only the newest can be undone.
TOGETHER: tuple[tuple[ReviewAct, ...], ...] = (
    (ReviewAct.CONFIRMED, ReviewAct.DISMISSED),
    (ReviewAct.ESCALATED, ReviewAct.DEESCALATED),
    (ReviewAct.HELD, ReviewAct.RELEASED),
)


class CannotUndo(Exception):
    """The step stays; the message says why."""


def undoable_step(episode: Episode, user: AbstractBaseUser) -> ReviewStep | None:
    """What “undo” would take back for this officer, None where that is nothing."""
    step = _newest(episode, user)
    if step is None or _forbids(step, user) or _later(episode, step):
        return None
    return step


@transaction.atomic
def undo_step(*, episode_id: UUID, by: Actor, step_id: int | None = None) -> Outcome:
    """Take a step back: the one named, else the officer's newest. Asked twice, it is done once.

    A supervisor's newest is that of anybody.

    Raises:
        CannotUndo: there is none, it is another officer's, or somebody has built on it.
    """
    episode = lock_episode(episode_id)
    step = _named(episode, step_id) if step_id else _newest(episode, by.user)
    if step is None:
        raise CannotUndo(_whose(episode))
    if step.undone_at is not None:
        return Outcome(episode, _("It was undone already."), is_new=False)
    if reason := _forbids(step, by.user):
        raise CannotUndo(reason)
    if later := _later(episode, step):
        said = _("%(who)s has changed it since, on %(when)s: that must be undone first")
        raise CannotUndo(said % {"who": later.username, "when": in_words(later.at)})
    step.undone_at = timezone.now()
    step.save(update_fields=["undone_at"])
    write_step(episode, ReviewAct.UNDONE, by, _restored(step), undid=step.act, of=step.pk)
    if step.act == ReviewAct.NOTED:
        gather_notes(episode)
    return Outcome(episode, _undone(step))


def _named(episode: Episode, step_id: int) -> ReviewStep | None:
    """Also one that was undone already."""
    rows = ReviewStep.objects.filter(episode=episode).exclude(act=ReviewAct.UNDONE)
    return rows.filter(pk=step_id).first()


def _newest(episode: Episode, user: AbstractBaseUser) -> ReviewStep | None:
    steps = steps_of(episode)
    if not _may(user, UNDO_OTHERS):
        steps = steps.filter(user_id=user.pk)
    return steps.first()


def _whose(episode: Episode) -> str:
    """Why there is nothing to undo."""
    step = steps_of(episode).first()
    return _anothers(step) if step else _("there is nothing to undo")


def _forbids(step: ReviewStep, user: AbstractBaseUser) -> str:
    """Why this user may not undo the step, empty where they may."""
    if step.user_id != user.pk and not _may(user, UNDO_OTHERS):
        return _anothers(step)
    too_late = timezone.now() - step.at > SLIP
    if step.act == ReviewAct.HELD and too_late and not _may(user, RELEASE_HOLD):
        return _("a hold is ended by a supervisor")
    return ""


def _may(user: AbstractBaseUser, permission: str) -> bool:
    return isinstance(user, PermissionsMixin) and user.has_perm(permission)


def _anothers(step: ReviewStep) -> str:
    said = _("%(who)s did that on %(when)s; only %(who)s or a supervisor can undo it")
    return said % {"who": step.username, "when": in_words(step.at)}


def _later(episode: Episode, step: ReviewStep) -> ReviewStep | None:
    """A step that changed the same since."""
    together = next((acts for acts in TOGETHER if step.act in acts), None)
    return steps_of(episode, *together).filter(pk__gt=step.pk).first() if together else None


def _restored(step: ReviewStep) -> dict[str, Any]:
    """The fields as they were before the step; an officer who is gone cannot be named again."""
    fields = {name: _value(name, value) for name, value in step.before.items()}
    officers = {key for name, key in fields.items() if name.endswith("_by_id") and key}
    there = set(get_user_model()._default_manager.filter(pk__in=officers).values_list("pk"))
    gone = officers - {key for (key,) in there}
    return {name: None if value in gone else value for name, value in fields.items()}


def _value(name: str, value: Any) -> Any:
    return parse_datetime(value) if name.endswith("_at") and value else value


def _undone(step: ReviewStep) -> str:
    said = _("Undone: %(act)s.") % {"act": step.get_act_display().lower()}
    if step.act == Verdict.DISMISSED and step.after.get("silenced"):
        said += " " + _("The siren that it silenced stays silent; re-arm it if it must sound.")
    return said


def undo_steps(*, step_ids: Sequence[int], by: Actor) -> tuple[int, list[str]]:
    """Take back the steps of a bulk; returns how many were, and why others were not."""
    undone, kept = 0, []
    rows = ReviewStep.objects.filter(pk__in=step_ids).order_by("pk")
    for step_id, episode_id in rows.values_list("pk", "episode_id"):
        try:
            undo_step(episode_id=episode_id, by=by, step_id=step_id)
        except CannotUndo as reason:
            kept.append(str(reason))
        else:
            undone += 1
    return undone, kept
