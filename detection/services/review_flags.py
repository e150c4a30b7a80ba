"""What officers set on an episode and take off again: an escalation to a superior, and a hold."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.models import ReviewAct, ReviewStep
from detection.services.review_steps import (
    Actor,
    Outcome,
    in_words,
    lock_episode,
    steps_of,
    write_step,
)


def escalate_episode(*, episode_id: UUID, by: Actor) -> Outcome:
    """Ask a superior to look at it."""
    return _set_flag(
        episode_id,
        ReviewAct.ESCALATED,
        by,
        {"escalated_at": timezone.now(), "escalated_by_id": by.user.pk},
        _("Escalated: a superior is asked to look at it."),
    )


def take_escalation_back(*, episode_id: UUID, by: Actor) -> Outcome:
    """No superior is asked any more."""
    return _set_flag(
        episode_id,
        ReviewAct.DEESCALATED,
        by,
        {"escalated_at": None, "escalated_by_id": None},
        _("The escalation was taken back."),
    )


def hold_episode(*, episode_id: UUID, by: Actor) -> Outcome:
    """Keep all that is known of the episode until somebody ends the hold."""
    return _set_flag(
        episode_id,
        ReviewAct.HELD,
        by,
        {"held_at": timezone.now(), "held_by_id": by.user.pk},
        _("On hold: nothing of it is removed."),
    )


def release_episode(*, episode_id: UUID, by: Actor) -> Outcome:
    """End the hold; who may is asked before."""
    return _set_flag(
        episode_id,
        ReviewAct.RELEASED,
        by,
        {"held_at": None, "held_by_id": None},
        _("The hold has ended: it is kept as long as others like it."),
    )


@transaction.atomic
def _set_flag(
    episode_id: UUID, act: ReviewAct, by: Actor, changes: dict[str, Any], message: str
) -> Outcome:
    """Change it once: whoever asks for what is so already is told since when and by whom."""
    episode = lock_episode(episode_id)
    moment = next(name for name in changes if name.endswith("_at"))
    if (getattr(episode, moment) is None) is (changes[moment] is None):
        before = steps_of(episode, act).first()
        ours = before if before and before.user_id == by.user.pk else None
        return Outcome(episode, message if ours else _already_so(before), ours, False)
    return Outcome(episode, message, write_step(episode, act, by, changes))


def _already_so(before: ReviewStep | None) -> str:
    if before is None:
        return _("It is so already.")
    said = _("It is so already: %(who)s, on %(when)s.")
    return said % {"who": before.username, "when": in_words(before.at)}
