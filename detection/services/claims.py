"""Claims: who may watch a camera, at most one at any instant, proved by a token.

Each `at` is a moment of `database_now`, the one clock that all hosts share.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from detection.models import Camera, Claim

LEASE_SECONDS = 12.0
RENEW_SECONDS = 2.0
# A ring that no worker answered in this time was lost, or every worker is full: ring again.
RING_EXPIRES_SECONDS = 10.0

# Since it was claimed, its registry has shown the camera as free: it is nobody's any more.
_SHOWN_FREE = Q(listed_at__gt=F("claim__claimed_at"))


class Overtaken(Exception):
    """Another watcher holds the camera now; stop, and write nothing more."""


class NotWanted(Exception):
    """The lease is ours, but the camera is not to be watched from here any more: give it back."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of holding a camera: the token that every write is checked against."""

    camera_id: int
    token: int
    inherited: bool = False  # the registry counts it as this instance's from before: a crash


@dataclass(frozen=True, slots=True)
class Ring:
    """A camera that waits for a watcher; with `holder`, for one of that instance alone."""

    camera_id: int
    holder: str = ""


@dataclass(slots=True)
class WatchCounters:
    """What a watcher counted since its last renewal."""

    decoded: int = 0
    sampled: int = 0
    analysed: int = 0
    skipped: int = 0
    wanted_per_second: float = 0.0
    analysed_per_second: float = 0.0


def database_now() -> datetime:
    """The moment by the one clock that all hosts share. Raises django.db.Error."""
    if connection.vendor != "postgresql":
        return timezone.now()  # whoever shares a file shares the host and its clock
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def instance_name() -> str:
    """How the registries know this host: by the address it speaks from, else by its name."""
    return settings.ENVIRONMENT.instance_address or socket.gethostname()


# --- ringing -------------------------------------------------------------------------------------


def cameras_to_ring(
    *, at: datetime, listed_within_seconds: float, lapsed_too: bool = True
) -> list[Ring]:
    """Cameras that should be watched, have no live lease and were not rung a moment ago.

    A camera of our own (registry `local`) is always free; another is where its registry said so
    lately. One that still counts as an instance's there is that instance's alone: its watcher died,
    or could not release it. A lease that lapsed is left to its watcher where not `lapsed_too`.
    Marks them as rung.
    """
    _forget_the_future(at)
    _forget_the_dead(at, lapsed_too=lapsed_too)
    unheld = Q(claim=None) | Q(claim__holder="")
    fresh = at - timedelta(seconds=listed_within_seconds)
    taken = Q(claim__expires_at__gt=at) if lapsed_too else Q(claim__expires_at__isnull=False)
    free = Q(registry="local") | (Q(listed_at__gte=fresh) & unheld)
    due = Camera.objects.filter(Q(retry_at=None) | Q(retry_at__lte=at)).exclude(taken)
    rings = [
        Ring(pk)
        for pk in due.filter(free, enabled=True, removed_at=None).values_list("pk", flat=True)
    ]
    # Also a disabled one: its registry has to be told that nobody watches it.
    held = due.exclude(Q(registry="local") | unheld)
    rings += [Ring(pk, holder) for pk, holder in held.values_list("pk", "claim__holder")]
    rings.sort(key=lambda ring: ring.camera_id)
    return [ring for ring in rings if _mark_rung(camera_id=ring.camera_id, at=at)]


def _forget_the_future(at: datetime) -> None:
    """After a clock was set back: nobody's lease can end later than one that is renewed now.

    What others wrote since `at` was read is no such future: whoever asks may have been held up.
    """
    lease = timedelta(seconds=LEASE_SECONDS)
    Claim.objects.filter(expires_at__gt=at + 2 * lease).update(expires_at=at + lease)
    Claim.objects.filter(claimed_at__gt=at + lease).update(claimed_at=at)
    Camera.objects.filter(listed_at__gt=at + lease).update(listed_at=None)


def _forget_the_dead(at: datetime, *, lapsed_too: bool) -> None:
    """What a registry shows as free is nobody's any more, and anybody may be rung at once.

    So is a disabled one of our own: nobody has to be told. Its watcher may only have been cut off:
    the token fences it off, for its place is given to another camera.
    """
    unwanted = Q(camera__registry="local", camera__enabled=False)
    nobodys = Q(camera__listed_at__gt=F("claimed_at")) | unwanted
    left = Claim.objects.exclude(holder="").filter(nobodys)
    if not lapsed_too:
        left = left.filter(expires_at=None)
    left.exclude(expires_at__gt=at).update(
        holder="", rung_at=None, expires_at=None, token=F("token") + 1
    )


def _mark_rung(*, camera_id: int, at: datetime) -> bool:
    Claim.objects.get_or_create(camera_id=camera_id)
    quiet_since = at - timedelta(seconds=RING_EXPIRES_SECONDS)
    unrung = Claim.objects.filter(
        Q(rung_at=None) | Q(rung_at__lte=quiet_since) | Q(rung_at__gt=at),  # a clock set back
        camera_id=camera_id,
    )
    return unrung.update(rung_at=at) == 1


def forget_rings(rings: Iterable[Ring], *, at: datetime) -> None:
    """They were not sent after all: the next look may ring."""
    cameras = [ring.camera_id for ring in rings]
    Claim.objects.filter(camera_id__in=cameras, rung_at=at).update(rung_at=None)


# --- leases --------------------------------------------------------------------------------------


@transaction.atomic
def take_lease(
    *, camera_id: int, instance: str, worker: str, max_cameras: int, at: datetime
) -> Lease | None:
    """Take the camera if nobody holds it and this instance has room; None where not.

    A camera that its registry counts as another instance's is left to that instance.
    """
    one_at_a_time(instance)
    if not has_room(instance=instance, max_cameras=max_cameras, at=at, but=camera_id):
        return None
    Claim.objects.get_or_create(camera_id=camera_id)
    before = Claim.objects.select_for_update().get(camera_id=camera_id)
    camera = Camera.objects.filter(pk=camera_id)
    is_free = not before.holder or camera.filter(Q(registry="local") | _SHOWN_FREE).exists()
    inherited = not is_free and before.holder == instance
    wanted = inherited or (is_free and camera.filter(enabled=True).exists())
    if not wanted or (before.expires_at is not None and before.expires_at > at):
        return None
    Claim.objects.filter(camera_id=camera_id).update(
        token=F("token") + 1,
        holder=instance if inherited else "",
        instance=instance,
        worker=worker,
        claimed_at=at,
        expires_at=at + timedelta(seconds=LEASE_SECONDS),
        beaten_at=None,
        last_frame_at=None,
        frames_per_second=0,
        wanted_per_second=0,
        analysed_per_second=0,
    )
    return Lease(camera_id, before.token + 1, inherited)


def one_at_a_time(instance: str) -> None:
    """Count and take as one step: SQLite's transactions are exclusive, PostgreSQL's need a lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"claims of {instance}"])


def has_room(*, instance: str, max_cameras: int, at: datetime, but: int = 0) -> bool:
    """Whether the instance may take one camera more; those it left at their registry count too."""
    taken = Claim.objects.filter(Q(instance=instance, expires_at__gt=at) | Q(holder=instance))
    return taken.exclude(camera_id=but).count() < max_cameras


def prove_lease(*, lease: Lease, at: datetime) -> None:
    """Hold the camera for another lease time.

    A lease that ran out while the database was away is ours as long as nobody else took it.

    Raises:
        Overtaken: someone else has it.
    """
    _renew(lease, at)


def renew_lease(
    *,
    lease: Lease,
    at: datetime,
    last_frame_at: datetime | None,
    counters: WatchCounters,
    frames_per_second: float,
) -> None:
    """Hold the camera for another lease time and publish how it goes.

    Raises:
        Overtaken: someone else has it.
        NotWanted: an operator disabled the camera, or has it begin anew.
    """
    _renew(
        lease,
        at,
        last_frame_at=last_frame_at,
        frames_decoded=F("frames_decoded") + counters.decoded,
        frames_sampled=F("frames_sampled") + counters.sampled,
        frames_analysed=F("frames_analysed") + counters.analysed,
        frames_skipped=F("frames_skipped") + counters.skipped,
        frames_per_second=frames_per_second,
        wanted_per_second=round(counters.wanted_per_second, 2),
        analysed_per_second=round(counters.analysed_per_second, 2),
    )
    facts = _ours(lease).values_list("camera__enabled", "restart_at", "claimed_at").first()
    if facts is None:
        raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} was taken just now")
    enabled, restart_at, claimed_at = facts
    if not enabled:
        raise NotWanted(f"camera {lease.camera_id} was disabled")
    if restart_at and claimed_at and restart_at > claimed_at:
        raise NotWanted(f"camera {lease.camera_id} is to be taken anew")


def _renew(lease: Lease, at: datetime, **published: object) -> None:
    until = at + timedelta(seconds=LEASE_SECONDS)
    if _ours(lease).update(expires_at=until, **published) != 1:
        raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} is no longer ours")


def give_lease_back(*, lease: Lease) -> None:
    """End the lease now, so that the camera may be taken at once. Harmless if it was overtaken."""
    _ours(lease).update(expires_at=None, rung_at=None, frames_per_second=0)


def _ours(lease: Lease) -> QuerySet[Claim]:
    return Claim.objects.filter(camera_id=lease.camera_id, token=lease.token)


# --- what the registry counts --------------------------------------------------------------------


def note_held(*, lease: Lease, held: bool, at: datetime) -> None:
    """Remember whether the registry counts the camera as this instance's."""
    _ours(lease).update(holder=F("instance") if held else "", claimed_at=at)


def is_held(*, lease: Lease) -> bool:
    """Whether the registry may count the camera as this instance's."""
    return _ours(lease).exclude(holder="").exists()


def was_taken_back(*, lease: Lease) -> bool:
    """Whether the registry has shown the camera as free since it was claimed."""
    return _ours(lease).filter(camera__listed_at__gt=F("claimed_at")).exclude(holder="").exists()
