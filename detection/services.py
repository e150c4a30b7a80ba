"""The verbs of seeing. Each owns its transaction; nothing else writes these tables."""

import logging
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from crimeops.adapters import load
from detection import signals
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.episodes import EpisodeEvent as DomainEvent
from detection.models import (
    OPEN_STATUSES,
    Camera,
    CameraState,
    Claim,
    Episode,
    EpisodeEvent,
    EpisodeEventKind,
    EpisodeStatus,
    Verdict,
)
from detection.ports import CameraRegistry, ListedCamera, RegistryError

logger = logging.getLogger(__name__)

LEASE_SECONDS = 12.0
RENEW_SECONDS = 2.0
# A ring that no worker answered in this time was lost, or every worker is full: ring again.
RING_EXPIRES_SECONDS = 10.0
# An episode whose watcher is gone this long is over as far as we can know.
ORPHAN_GRACE_SECONDS = 10.0


class Overtaken(Exception):
    """Another watcher holds the camera now; stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of holding a camera: the token that every write is checked against."""

    camera_id: int
    token: int
    inherited: bool = False  # this instance held it before and never gave it back: it crashed


@dataclass(slots=True)
class WatchCounters:
    """What a watcher counted since its last renewal."""

    decoded: int = 0
    sampled: int = 0
    analysed: int = 0
    skipped: int = 0


# --- cameras and claims ------------------------------------------------------------------------


def refresh_cameras(*, at: datetime) -> None:
    """Ask each registry which cameras are free; one that does not answer stops no other."""
    for name in settings.CAMERA_REGISTRIES:
        registry: CameraRegistry = load("CAMERA_REGISTRIES", name)
        try:
            listed = registry.list_cameras()
        except RegistryError as error:
            logger.error("the cameras of “%s” cannot be listed: %s", name, error)
            continue
        new = upsert_listed_cameras(registry=name, listed=listed, at=at)
        if new:
            logger.info("%d new cameras at “%s”", new, name)


def upsert_listed_cameras(*, registry: str, listed: Sequence[ListedCamera], at: datetime) -> int:
    """Bring our rows in line with what the registry shows as free; returns how many are new."""
    # Not decrypted, only written: the registry's word also replaces what no key opens any more.
    cameras = Camera.objects.defer("stream_url", "username", "password", "control_password")
    new = 0
    for camera in listed:
        _, created = cameras.update_or_create(
            registry=registry,
            external_id=camera.external_id,
            defaults={
                "name": camera.name,
                "stream_url": camera.stream_url,
                "address": camera.address,
                "public_address": camera.public_address,
                "username": camera.username,
                "password": camera.password,
                "latitude": camera.latitude,
                "longitude": camera.longitude,
                "station_id": camera.station_id,
                "storage_type": camera.storage_type,
                "listed_at": at,
                **(
                    {"control_password": camera.control_password} if camera.control_password else {}
                ),
            },
        )
        new += created
    return new


def cameras_to_ring(*, at: datetime, listed_within_seconds: float) -> list[int]:
    """Cameras that should be watched, have no live lease and were not rung a moment ago.

    A camera of our own (registry `local`) is always free; another is where its registry said so
    lately, or where its lease ran out without being given back: its watcher died. Marks them as
    rung.
    """
    fresh = at - timedelta(seconds=listed_within_seconds)
    wanted = (
        Camera.objects.filter(enabled=True)
        .filter(Q(retry_at=None) | Q(retry_at__lte=at))
        .filter(Q(registry="local") | Q(listed_at__gte=fresh) | Q(claim__expires_at__lte=at))
        .exclude(claim__expires_at__gt=at)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return [camera_id for camera_id in wanted if _mark_rung(camera_id=camera_id, at=at)]


def _mark_rung(*, camera_id: int, at: datetime) -> bool:
    Claim.objects.get_or_create(camera_id=camera_id)
    quiet_since = at - timedelta(seconds=RING_EXPIRES_SECONDS)
    unrung = Claim.objects.filter(
        Q(rung_at=None) | Q(rung_at__lte=quiet_since), camera_id=camera_id
    )
    return unrung.update(rung_at=at) == 1


@transaction.atomic
def take_lease(
    *, camera_id: int, instance: str, worker: str, max_cameras: int, at: datetime
) -> Lease | None:
    """Take the camera if nobody holds it and this instance has room; None where not."""
    if not has_room(instance=instance, max_cameras=max_cameras, at=at):
        return None
    before, _ = Claim.objects.get_or_create(camera_id=camera_id)
    taken = Claim.objects.filter(
        Q(expires_at=None) | Q(expires_at__lte=at), camera_id=camera_id, camera__enabled=True
    ).update(
        token=F("token") + 1,
        instance=instance,
        worker=worker,
        claimed_at=at,
        expires_at=at + timedelta(seconds=LEASE_SECONDS),
        last_frame_at=None,
        frames_per_second=0,
    )
    if taken != 1:
        return None
    token = Claim.objects.values_list("token", flat=True).get(camera_id=camera_id)
    inherited = before.expires_at is not None and before.instance == instance
    return Lease(camera_id, token, inherited)


def has_room(*, instance: str, max_cameras: int, at: datetime) -> bool:
    """Whether the instance may take one camera more."""
    return Claim.objects.live(at).filter(instance=instance).count() < max_cameras


def instance_name() -> str:
    """How the registries know this host: by the address it speaks from, else by its name."""
    return settings.ENVIRONMENT.instance_address or socket.gethostname()


def beating_workers(*, at: datetime) -> list[tuple[str, str]]:
    """One (instance, worker) pair for each worker with a live claim."""
    return sorted(set(Claim.objects.live(at).values_list("instance", "worker")))


def fresh_cameras(*, instance: str, at: datetime, stall_seconds: float) -> dict[str, list[int]]:
    """The cameras that the instance is really watching, as external ids by registry."""
    since = at - timedelta(seconds=stall_seconds)
    rows = (
        Claim.objects.live(at)
        .watching(since)
        .filter(instance=instance, camera__state=CameraState.RUNNING)
        .order_by("camera__external_id")
        .values_list("camera__registry", "camera__external_id")
    )
    fresh: dict[str, list[int]] = {}
    for registry, external_id in rows:
        fresh.setdefault(registry, []).append(external_id)
    return fresh


def renew_lease(
    *,
    lease: Lease,
    at: datetime,
    last_frame_at: datetime | None,
    counters: WatchCounters,
    frames_per_second: float,
) -> None:
    """Hold the camera for another lease time and publish how it goes.

    A lease that ran out while the database was away is ours as long as nobody else took it.

    Raises:
        Overtaken: someone else has it, or an operator disabled the camera.
    """
    held = Claim.objects.filter(
        camera_id=lease.camera_id, token=lease.token, camera__enabled=True
    ).update(
        expires_at=at + timedelta(seconds=LEASE_SECONDS),
        last_frame_at=last_frame_at,
        frames_decoded=F("frames_decoded") + counters.decoded,
        frames_sampled=F("frames_sampled") + counters.sampled,
        frames_analysed=F("frames_analysed") + counters.analysed,
        frames_skipped=F("frames_skipped") + counters.skipped,
        frames_per_second=frames_per_second,
    )
    if held != 1:
        raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} is no longer ours")


def give_lease_back(*, lease: Lease) -> None:
    """End the lease now, so that the camera may be taken at once. Harmless if it was overtaken."""
    Claim.objects.filter(camera_id=lease.camera_id, token=lease.token).update(
        expires_at=None, rung_at=None, frames_per_second=0
    )


def set_camera_state(
    *, camera_id: int, state: CameraState, reason: str = "", retry_at: datetime | None = None
) -> None:
    """Publish where the camera is in its life; a repeated state and reason is not a transition."""
    reason = reason[:500]
    changed = (
        Camera.objects.filter(pk=camera_id)
        .exclude(state=state, reason=reason)
        .update(state=state, reason=reason, state_changed_at=timezone.now())
    )
    Camera.objects.filter(pk=camera_id).exclude(retry_at=retry_at).update(retry_at=retry_at)
    if changed:
        logger.info(
            "camera %s is %s%s", camera_id, state.label.upper(), f": {reason}" if reason else ""
        )


def postpone_camera(*, camera_id: int, until: datetime) -> None:
    """Leave a camera alone for a while without calling it faulty (someone else has it)."""
    Camera.objects.filter(pk=camera_id).update(retry_at=until)


# --- episodes ----------------------------------------------------------------------------------


def record_event(
    *,
    lease: Lease,
    episode_id: UUID,
    event: DomainEvent,
    timeline: Sequence[tuple[float, float]],
    decided_at: datetime,
) -> Episode:
    """Write one step of an episode, with all that must be told of it, in one transaction.

    Raises:
        Overtaken: the lease is no longer ours; nothing was written.
    """
    with transaction.atomic():
        holds = Claim.objects.select_for_update().filter(
            camera_id=lease.camera_id, token=lease.token
        )
        if not holds.exists():
            raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} is no longer ours")
        if isinstance(event, EpisodeOpened):
            episode = _open_episode(lease, episode_id, event, decided_at)
        else:
            episode = Episode.objects.select_for_update().get(pk=episode_id)
        episode.confidence_timeline = [list(sample) for sample in timeline]
        episode.confidence = max([episode.confidence, *(sample[1] for sample in timeline)])
        _apply(episode, event)
        _tell(episode, _event_row(episode, event))
    return episode


def _open_episode(
    lease: Lease, episode_id: UUID, event: EpisodeOpened, decided_at: datetime
) -> Episode:
    for orphan in Episode.objects.filter(camera_id=lease.camera_id, status__in=OPEN_STATUSES):
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
    if isinstance(event, CrimeConfirmed):
        if episode.confirmed_at is None:
            episode.crime_type, episode.reason = event.crime_type, event.reason
            episode.confirmed_at = event.at
        episode.status = EpisodeStatus.CONFIRMED
    if isinstance(event, EpisodeEnded):
        # Whether it was a crime stays readable in `confirmed_at`.
        episode.status = EpisodeStatus(event.outcome.value)
        episode.ended_at = max(event.at, episode.alerted_at)
    else:
        episode.confidence = max(episode.confidence, event.confidence)
    episode.save()


def _event_row(episode: Episode, event: DomainEvent) -> EpisodeEvent:
    row = EpisodeEvent(episode=episode, at=event.at)
    match event:
        case EpisodeOpened() | CrimeConfirmed():
            opened = isinstance(event, EpisodeOpened)
            row.kind = EpisodeEventKind.OPENED if opened else EpisodeEventKind.CONFIRMED
            row.started_at, row.detail = event.started_at, event.reason
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
    grace = at - timedelta(seconds=ORPHAN_GRACE_SECONDS)
    suspects = Episode.objects.filter(status__in=OPEN_STATUSES).select_related("camera__claim")
    closed = 0
    for episode in suspects:
        claim = episode.camera.claim
        held = claim.token == episode.claim_token and (
            claim.expires_at is not None and claim.expires_at > grace
        )
        if held:
            continue
        with transaction.atomic():
            locked = Episode.objects.select_for_update().get(pk=episode.pk)
            if locked.is_open:
                _end_orphan(locked, claim.last_frame_at or at)
                closed += 1
    return closed


def attach_snapshot(*, episode_id: UUID, name: str) -> None:
    """Remember where the annotated picture of an episode is kept."""
    Episode.objects.filter(pk=episode_id).update(snapshot=name)


def save_timeline(*, episode_id: UUID, timeline: Iterable[tuple[float, float]]) -> None:
    """Keep the confidence so far, so that the page of an open episode shows it."""
    Episode.objects.filter(pk=episode_id).update(confidence_timeline=[list(s) for s in timeline])


# --- review ------------------------------------------------------------------------------------


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
