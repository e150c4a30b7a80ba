"""The book of reviews: each act is a step with what it changed, and an entry of the audit trail.

Whoever writes a step holds the episode's row locked, in the transaction of the step.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from detection.models import AuditAction, AuditRecord, Episode, ReviewAct, ReviewStep
from detection.services import audit

ACTIONS = {
    ReviewAct.CONFIRMED: AuditAction.REVIEWED,
    ReviewAct.DISMISSED: AuditAction.REVIEWED,
    ReviewAct.ESCALATED: AuditAction.ESCALATED,
    ReviewAct.DEESCALATED: AuditAction.DEESCALATED,
    ReviewAct.HELD: AuditAction.HELD,
    ReviewAct.RELEASED: AuditAction.RELEASED,
    ReviewAct.NOTED: AuditAction.NOTED,
    ReviewAct.UNDONE: AuditAction.UNDONE,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where."""

    user: AbstractBaseUser
    request: HttpRequest | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act, in words for the officer; `step` is what can be undone.

    `is_new` is false where all was so already.
    """

    episode: Episode
    message: str
    step: ReviewStep | None = None
    is_new: bool = True


def lock_episode(episode_id: UUID) -> Episode:
    """Raises Episode.DoesNotExist."""
    rows = Episode.objects.select_related("camera").select_for_update(of=("self",))
    return rows.get(pk=episode_id)


def write_step(
    episode: Episode,
    act: ReviewAct,
    by: Actor,
    changes: dict[str, Any],
    **remarks: Any,
) -> ReviewStep:
    """Change the fields of the episode, and write down who did it; `remarks` go into `after`."""
    step = prepare_step(episode, act, by, changes, **remarks)
    for name, value in changes.items():
        setattr(episode, name, value)
    if changes:
        episode.save(update_fields=list(changes))
    step.save()
    prepare_record(step, by).save()
    return step


def prepare_step(
    episode: Episode, act: ReviewAct, by: Actor, changes: dict[str, Any], **remarks: Any
) -> ReviewStep:
    """The step as a row that is not saved yet; the episode is not changed."""
    return ReviewStep(
        episode=episode,
        at=timezone.now(),
        user_id=by.user.pk,
        username=by.user.get_username(),
        act=act,
        before={name: _plain(getattr(episode, name)) for name in changes},
        after={name: _plain(value) for name, value in changes.items()} | remarks,
    )


def prepare_record(step: ReviewStep, by: Actor) -> AuditRecord:
    """The audit record of a step that is saved; itself it is not saved yet."""
    said = {"step": step.pk, "act": step.act, **step.after}
    return audit.prepare(
        ACTIONS[ReviewAct(step.act)],
        request=by.request,
        user=by.user,
        subject=step.episode,
        details={name: value for name, value in said.items() if value not in ("", None)},
    )


def steps_of(episode: Episode, *acts: ReviewAct) -> QuerySet[ReviewStep]:
    """Those that count, the newest first; an undoing is no such step."""
    rows = ReviewStep.objects.filter(episode=episode, undone_at=None).order_by("-pk")
    return rows.filter(act__in=acts) if acts else rows.exclude(act=ReviewAct.UNDONE)


def last_word(episode: Episode) -> ReviewStep | None:
    """The step that made the verdict what it is: a decision or an undoing, None before any."""
    rows = ReviewStep.objects.filter(episode=episode, after__has_key="verdict")
    return rows.order_by("-pk").first()


def in_words(at: datetime) -> str:
    """A moment in the officer's time zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
