"""Episodes: each step is written with all that must be told of it, by the holder of the camera."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from detection import signals
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.episodes import EpisodeEvent as DomainEvent
from detection.domain.severity import severity_of
from detection.models import (
    OPEN_STATUSES,
    Claim,
    Episode,
    EpisodeEvent,
    EpisodeEventKind,
    EpisodeStatus,
    Verdict,
)
from detection.services.claims import Lease, Overtaken
from detection.services.evidence import KeptFile, attach_file

logger = logging.getLogger(__name__)

# An episode whose watcher is gone this long is over as far as we can know.
ORPHAN_GRACE_SECONDS = 10.0


def record_event(
    *,
    lease: Lease,
    episode_id: UUID,
    event: DomainEvent,
    step: int,
    timeline: Sequence[tuple[float, float]],
    decided_at: datetime,
    stages: Mapping[str, float] | None = None,
) -> Episode | None:
    """Write one step of an episode, with all that must be told of it, in one transaction.

    `stages` are when the frame behind it passed each, in POSIX seconds; “captured” is by the
    camera's clock, the others are by ours.

    A step that is there already (its commit was not heard of) is not written twice. A step of an
    episode that the sweep has closed in the meantime opens it again: its watcher lives after all.

    Raises:
        Overtaken: the lease is no longer ours; nothing was written.
    """
    with transaction.atomic():
        holds = Claim.objects.select_for_update().filter(
            camera_id=lease.camera_id, token=lease.token
        )
        if not holds.exists():
            raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} is no longer ours")
        if EpisodeEvent.objects.filter(episode_id=episode_id, step=step).exists():
            return None
        if isinstance(event, EpisodeOpened):
            episode = _open_episode(lease, episode_id, event, decided_at)
        else:
            episode = Episode.objects.select_for_update().get(pk=episode_id)
            if isinstance(event, EpisodeEnded) and not episode.is_open:
                return None
        if timeline:
            episode.confidence_timeline = [list(sample) for sample in timeline]
        episode.confidence = max([episode.confidence, *(sample[1] for sample in timeline)])
        _apply(episode, event)
        _tell(episode, _event_row(episode, event, step, stages))
    return episode


def _open_episode(
    lease: Lease, episode_id: UUID, event: EpisodeOpened, decided_at: datetime
) -> Episode:
    others = Episode.objects.filter(camera_id=lease.camera_id, status__in=OPEN_STATUSES)
    for orphan in others.select_for_update():  # all of its columns are written
        _end_orphan(orphan, event.at)
    return Episode.objects.create(
        id=episode_id,
        camera_id=lease.camera_id,
        claim_token=lease.token,
        crime_type=event.crime_type,
        confidence=event.confidence,
        reason=event.reason,
        started_at=event.started_at,
        alerted_at=event.at,
        decided_at=decided_at,
    )


def _apply(episode: Episode, event: DomainEvent) -> None:
    if isinstance(event, CrimeConfirmed) and _is_worse(event, episode):
        _ask_again(episode)
    if isinstance(event, CrimeConfirmed) and _says_more(event, episode):
        episode.crime_type, episode.reason = event.crime_type, event.reason
        episode.confirmed_at = episode.confirmed_at or event.at
    if isinstance(event, EpisodeEnded):
        # Whether it was a crime stays readable in `confirmed_at`.
        episode.status = EpisodeStatus(event.outcome.value)
        episode.ended_at = max(event.at, episode.alerted_at)
    else:
        confirmed = episode.confirmed_at is not None
        episode.status = EpisodeStatus.CONFIRMED if confirmed else EpisodeStatus.SUSPICIOUS
        episode.ended_at = None
        episode.confidence = max(episode.confidence, event.confidence)
    was_confirmed = episode.confirmed_at is not None
    episode.severity = severity_of(CrimeType(episode.crime_type), confirmed=was_confirmed)
    episode.save()


def _says_more(event: CrimeConfirmed, episode: Episode) -> bool:
    """An episode is called after its first crime, and after a worse one that follows."""
    return episode.confirmed_at is None or _is_worse(event, episode)


def _is_worse(event: CrimeConfirmed, episode: Episode) -> bool:
    known = severity_of(CrimeType(episode.crime_type), confirmed=True)
    return severity_of(event.crime_type, confirmed=True) > known


def _ask_again(episode: Episode) -> None:
    """A dismissal was of what was suspected then: a worse crime waits for a verdict of its own."""
    if episode.verdict == Verdict.DISMISSED:
        episode.verdict, episode.dismiss_reason = Verdict.UNREVIEWED, ""
        episode.reviewed_by = episode.reviewed_at = None


def _event_row(
    episode: Episode,
    event: DomainEvent,
    step: int | None = None,
    stages: Mapping[str, float] | None = None,
) -> EpisodeEvent:
    row = EpisodeEvent(episode=episode, step=step, at=event.at)
    match event:
        case EpisodeOpened() | CrimeConfirmed():
            opened = isinstance(event, EpisodeOpened)
            row.kind = EpisodeEventKind.OPENED if opened else EpisodeEventKind.CONFIRMED
            row.started_at, row.detail = event.started_at, event.reason
            row.stages = dict(stages or {})
        case ConfidenceChanged():
            row.kind = EpisodeEventKind.CONFIDENCE
        case EpisodeEnded():
            lost = event.outcome is EpisodeState.LOST
            row.kind = EpisodeEventKind.LOST if lost else EpisodeEventKind.CLEARED
    if not isinstance(event, EpisodeEnded):
        row.crime_type, row.confidence = event.crime_type, event.confidence
    row.save()
    return row


def _tell(episode: Episode, row: EpisodeEvent) -> None:
    signals.episode_recorded.send(sender=Episode, episode=episode, event=row)


def _end_orphan(episode: Episode, at: datetime) -> None:
    event = EpisodeEnded(at, EpisodeState.LOST)
    _apply(episode, event)
    _tell(episode, _event_row(episode, event))
    signals.siren_unwanted.send(sender=Episode, camera_id=episode.camera_id, episode_id=episode.pk)


def close_orphaned_episodes(*, at: datetime) -> int:
    """End open episodes whose watcher is gone; nobody else would ever stop their alert."""
    suspects = Episode.objects.filter(status__in=OPEN_STATUSES).values_list("pk", flat=True)
    closed = 0
    for episode_id in list(suspects):
        try:
            closed += _close_if_orphaned(episode_id, at)
        except Exception:  # whatever is wrong with one, the alerts of the others must end
            logger.exception("episode %s cannot be closed; it is tried again", episode_id)
    return closed


@transaction.atomic
def _close_if_orphaned(episode_id: UUID, at: datetime) -> bool:
    """The claim is locked first, as `record_event` does: a watcher that is back may be writing."""
    camera = Episode.objects.filter(pk=episode_id).values("camera_id")
    claim = Claim.objects.select_for_update().filter(camera_id__in=camera).first()
    episode = Episode.objects.select_for_update().filter(pk=episode_id).first()
    if episode is None:
        return False  # pruned in the meantime
    if not episode.is_open or (claim and _may_be_watched(claim, episode, at)):
        return False
    _end_orphan(episode, (claim and claim.last_frame_at) or at)
    return True


def _may_be_watched(claim: Claim, episode: Episode, at: datetime) -> bool:
    grace = at - timedelta(seconds=ORPHAN_GRACE_SECONDS)
    is_held = claim.expires_at is not None and claim.expires_at > grace
    return claim.token == episode.claim_token and is_held


def attach_evidence(
    *,
    lease: Lease,
    episode_id: UUID,
    kept: KeptFile,
    discard: Callable[[str], None] | None = None,
) -> None:
    """Make a kept file a link of its episode, as long as the lease holds the camera.

    `discard` is told which files this one took the place of; without it they are removed at once.
    """
    with transaction.atomic():
        if _of_holder(lease, episode_id).exists():
            attach_file(
                episode_id=episode_id,
                kind=kept.kind,
                name=kept.name,
                size=kept.size,
                sha256=kept.sha256,
                facts=kept.facts,
                discard=discard,
            )


def save_timeline(
    *, lease: Lease, episode_id: UUID, timeline: Iterable[tuple[float, float]]
) -> None:
    """Keep the confidence so far, so that the page of an open episode shows it."""
    _of_holder(lease, episode_id).update(confidence_timeline=[list(s) for s in timeline])


def _of_holder(lease: Lease, episode_id: UUID) -> QuerySet[Episode]:
    """The episode, as long as the lease holds its camera."""
    return Episode.objects.filter(pk=episode_id, camera__claim__token=lease.token)
