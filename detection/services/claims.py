"""Claims: who may watch a camera, at most one at any instant, proved by a token."""

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from detection.models import Camera, CameraState, Claim

LEASE_SECONDS = 12.0
RENEW_SECONDS = 2.0
# A list that was asked for before a claim may arrive after it.
LISTING_SECONDS = 5.0
# A ring that no worker answered in this time was lost, or every worker is full: ring again.
RING_EXPIRES_SECONDS = 10.0


class Overtaken(Exception):
    """Another watcher holds the camera now; stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of holding a camera: the token that every write is checked against."""

    camera_id: int
    token: int
    inherited: bool = False  # the registry counts it as this instance's from before: a crash


@dataclass(slots=True)
class WatchCounters:
    """What a watcher counted since its last renewal."""

    decoded: int = 0
    sampled: int = 0
    analysed: int = 0
    skipped: int = 0


def cameras_to_ring(*, at: datetime, listed_within_seconds: float) -> list[int]:
    """Cameras that should be watched, have no live lease and were not rung a moment ago.

    A camera of our own (registry `local`) is always free; another is where its registry said so
    lately, or where it still counts as ours there: its watcher died, or could not release it.
    Marks them as rung.
    """
    fresh = at - timedelta(seconds=listed_within_seconds)
    wanted = (
        Camera.objects.filter(enabled=True)
        .filter(Q(retry_at=None) | Q(retry_at__lte=at))
        .filter(Q(registry="local") | Q(listed_at__gte=fresh) | Q(claim__held=True))
        .exclude(claim__expires_at__gt=at)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return [camera_id for camera_id in wanted if _mark_rung(camera_id=camera_id, at=at)]


def _mark_rung(*, camera_id: int, at: datetime) -> bool:
    Claim.objects.get_or_create(camera_id=camera_id)
    quiet_since = at - timedelta(seconds=RING_EXPIRES_SECONDS)
    unrung = Claim.objects.filter(
        Q(rung_at=None) | Q(rung_at__lte=quiet_since) | Q(rung_at__gt=at),  # a clock set back
        camera_id=camera_id,
    )
    return unrung.update(rung_at=at) == 1


@transaction.atomic
def take_lease(
    *, camera_id: int, instance: str, worker: str, max_cameras: int, at: datetime
) -> Lease | None:
    """Take the camera if nobody holds it and this instance has room; None where not."""
    _one_at_a_time(instance)
    if not has_room(instance=instance, max_cameras=max_cameras, at=at):
        return None
    Claim.objects.get_or_create(camera_id=camera_id)
    before = Claim.objects.select_for_update().get(camera_id=camera_id)
    if not Camera.objects.filter(pk=camera_id, enabled=True).exists():
        return None
    inherited = before.held and before.instance == instance
    taken = Claim.objects.filter(
        Q(expires_at=None) | Q(expires_at__lte=at), camera_id=camera_id
    ).update(
        token=F("token") + 1,
        held=inherited,
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
    return Lease(camera_id, token, inherited)


def _one_at_a_time(instance: str) -> None:
    """Count and take as one step: SQLite's transactions are exclusive, PostgreSQL's need a lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"claims of {instance}"])


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
    held = Claim.objects.filter(camera_id=lease.camera_id, token=lease.token).update(
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
    if not Camera.objects.filter(pk=lease.camera_id, enabled=True).exists():
        raise Overtaken(f"camera {lease.camera_id} was disabled")


def note_held(*, lease: Lease, held: bool, at: datetime) -> None:
    """Remember whether the registry counts the camera as this instance's."""
    Claim.objects.filter(camera_id=lease.camera_id, token=lease.token).update(
        held=held, claimed_at=at
    )


def was_taken_back(*, lease: Lease) -> bool:
    """Whether the registry has listed the camera as free since it was claimed."""
    return Claim.objects.filter(
        camera_id=lease.camera_id,
        token=lease.token,
        held=True,
        camera__listed_at__gt=F("claimed_at") + timedelta(seconds=LISTING_SECONDS),
    ).exists()


def give_lease_back(*, lease: Lease) -> None:
    """End the lease now, so that the camera may be taken at once. Harmless if it was overtaken."""
    Claim.objects.filter(camera_id=lease.camera_id, token=lease.token).update(
        expires_at=None, rung_at=None, frames_per_second=0
    )
