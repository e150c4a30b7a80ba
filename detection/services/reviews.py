"""Reviews: what officers say of an episode."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from detection import signals
from detection.models import Episode, Verdict


class AlreadyReviewed(Exception):
    """Someone else decided first; the message says who."""


@transaction.atomic
def review_episode(
    *,
    episode_id: UUID,
    verdict: Verdict,
    reviewer: AbstractBaseUser,
    dismiss_reason: str = "",
    note: str = "",
    expected_verdict: Verdict = Verdict.UNREVIEWED,
) -> Episode:
    """Record an officer's verdict. A dismissed open episode silences its siren.

    Raises:
        AlreadyReviewed: the episode no longer has the verdict that the officer saw.
        ValueError: a dismissal without a reason.
    """
    if verdict is Verdict.DISMISSED and not dismiss_reason:
        raise ValueError("choose a reason for dismissing the episode")
    episode = Episode.objects.select_for_update(of=("self",)).get(pk=episode_id)
    if episode.verdict != expected_verdict:
        raise AlreadyReviewed(
            f"{episode.reviewed_by} has already set this episode to "
            f"{episode.get_verdict_display().lower()}"
        )
    episode.verdict = verdict
    episode.dismiss_reason = dismiss_reason if verdict is Verdict.DISMISSED else ""
    episode.note = note or episode.note
    episode.reviewed_by_id = reviewer.pk
    episode.reviewed_at = timezone.now()
    episode.save()
    if verdict is Verdict.DISMISSED:
        camera_id = episode.camera_id
        transaction.on_commit(
            lambda: signals.siren_unwanted.send(
                sender=Episode, camera_id=camera_id, episode_id=episode_id
            )
        )
    return episode
