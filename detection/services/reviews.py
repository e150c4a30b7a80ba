"""Reviews: what officers decide of an episode, and what they ask of others."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from detection import signals
from detection.models import Episode, ReviewAct, ReviewStep, Verdict
from detection.services.review_notes import add_note
from detection.services.review_steps import (
    Actor,
    Outcome,
    in_words,
    last_word,
    lock_episode,
    write_step,
)


class AlreadyReviewed(Exception):
    """Someone else decided first; the message says who, what and when."""


def expectation_of(episode: Episode) -> str:
    """What a page that shows the episode sends as `expected`: the verdict and whose word it is.

    Two that are equal mean that nobody has decided in between, nor undone a decision.
    """
    return _expectation(episode, last_word(episode))


def _expectation(episode: Episode, word: ReviewStep | None) -> str:
    return f"{episode.verdict}:{word.pk if word else 0}"


@transaction.atomic
def review_episode(
    *,
    episode_id: UUID,
    verdict: Verdict,
    by: Actor,
    reason: str = "",
    note: str = "",
    expected: str = Verdict.UNREVIEWED,
) -> Outcome:
    """Record an officer's verdict. A dismissed open episode silences its siren.

    `expected` is what `expectation_of` gave when the officer saw the episode, or the verdict alone.
    Whoever says the same twice is heard once.

    Raises:
        AlreadyReviewed: somebody has decided since.
        ValueError: a dismissal without a reason.
    """
    if verdict is Verdict.DISMISSED and not reason:
        raise ValueError(_("choose a reason for dismissing the episode"))
    reason = reason if verdict is Verdict.DISMISSED else ""
    episode = lock_episode(episode_id)
    word = last_word(episode)
    same = (episode.verdict, episode.dismiss_reason) == (verdict, reason)
    if same and word is not None and word.act == verdict and word.user_id == by.user.pk:
        step, is_new = word, False
    elif expected not in {episode.verdict, _expectation(episode, word)}:
        raise AlreadyReviewed(_who_decided(episode, word))
    else:
        step, is_new = _decide(episode, verdict, reason, by), True
    if note:
        add_note(episode, note, by)
    return Outcome(episode, _recorded(episode), step, is_new)


def _decide(episode: Episode, verdict: Verdict, reason: str, by: Actor) -> ReviewStep:
    silences = verdict is Verdict.DISMISSED and episode.is_open
    remarks = {"silenced": True} if silences else {}
    fields = verdict_fields(verdict, reason, by)
    step = write_step(episode, ReviewAct(verdict.value), by, fields, **remarks)
    if verdict is Verdict.DISMISSED:
        transaction.on_commit(
            lambda: signals.siren_unwanted.send(
                sender=Episode, camera_id=episode.camera_id, episode_id=episode.pk
            )
        )
    return step


def verdict_fields(verdict: Verdict, reason: str, by: Actor) -> dict[str, Any]:
    """The columns of an episode that say what was decided, and by whom."""
    return {
        "verdict": verdict.value,
        "dismiss_reason": reason,
        "reviewed_by_id": by.user.pk,
        "reviewed_at": timezone.now(),
    }


def _recorded(episode: Episode) -> str:
    if episode.verdict == Verdict.CONFIRMED:
        return _("Recorded: confirmed.")
    reason = episode.get_dismiss_reason_display()
    return _("Recorded: dismissed (%(reason)s).") % {"reason": reason}


def _who_decided(episode: Episode, word: ReviewStep | None) -> str:
    verdict = episode.get_verdict_display().lower()
    if word is not None and word.act == ReviewAct.UNDONE:
        undone = Verdict(word.before["verdict"]).label
        said = _("%(who)s has undone the verdict “%(undone)s” on %(when)s; it is %(verdict)s now")
        return said % {
            "who": word.username,
            "undone": undone.lower(),
            "when": in_words(word.at),
            "verdict": verdict,
        }
    who = word.username if word else str(episode.reviewed_by or _("a former user"))
    at = word.at if word else episode.reviewed_at
    if at is None:
        return _("it is %(verdict)s by now") % {"verdict": verdict}
    said = _("%(who)s has already set this episode to %(verdict)s, on %(when)s")
    return said % {"who": who, "verdict": verdict, "when": in_words(at)}


@transaction.atomic
def note_on_episode(*, episode_id: UUID, text: str, by: Actor) -> Outcome:
    """Add a note to those there are. Raises ValueError where it says nothing."""
    episode = lock_episode(episode_id)
    step = add_note(episode, text, by)
    return Outcome(episode, _("Noted."), step)
