"""Heartbeats: which cameras an instance is really watching, said once in each interval.

Each `at` is a moment of `claims.database_now`.
"""

from datetime import datetime, timedelta

from django.db import transaction

from crimeops.celery import heartbeat_look_seconds
from detection.models import Camera, CameraState, Claim
from detection.services.claims import one_at_a_time


def beating_workers(*, at: datetime) -> list[tuple[str, str]]:
    """One (instance, worker) pair for each worker with a live claim."""
    return sorted(set(Claim.objects.live(at).values_list("instance", "worker")))


@transaction.atomic
def take_beat(*, instance: str, at: datetime, interval_seconds: float) -> bool:
    """Whether a heartbeat is due, for whoever asks first: another worker, or beat, may ask too."""
    one_at_a_time(instance)
    ours = Claim.objects.live(at).filter(instance=instance)
    soonest = interval_seconds - heartbeat_look_seconds(interval_seconds) / 2
    since = at - timedelta(seconds=soonest)
    if ours.filter(beaten_at__gt=since, beaten_at__lte=at).exists():
        return False
    return ours.update(beaten_at=at) > 0


def note_missed_beat(*, instance: str) -> None:
    """It did not arrive: one is due at once."""
    Claim.objects.filter(instance=instance).update(beaten_at=None)


def note_refused_camera(*, registry: str, external_id: int, at: datetime) -> None:
    """The registry does not count it as ours: its watcher has to claim it again, or let it go."""
    Camera.objects.filter(registry=registry, external_id=external_id).update(listed_at=at)


def fresh_cameras(*, instance: str, at: datetime, stall_seconds: float) -> dict[str, list[int]]:
    """The cameras that the instance is really watching, as external ids by registry."""
    since = at - timedelta(seconds=stall_seconds)
    rows = (
        Claim.objects.live(at)
        .watching(since)
        .filter(instance=instance, camera__state=CameraState.RUNNING)
        .exclude(holder="")
        .order_by("camera__external_id")
        .values_list("camera__registry", "camera__external_id")
    )
    fresh: dict[str, list[int]] = {}
    for registry, external_id in rows:
        fresh.setdefault(registry, []).append(external_id)
    return fresh
