"""Doorbells of telling: ids in, one call, nothing returned, safe to ring twice."""

from threading import BoundedSemaphore
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from crimeops.patience import one_at_a_time
from crimeops.ringing import ring
from detection.services.claims import database_now
from integrations.services import delivering, outbox, retention, sirens

# State of the process, named as such: how many deliveries may be on their way at once.
_delivering = BoundedSemaphore(outbox.CHAINS)


@shared_task(name="integrations.sound_siren")
def sound_siren(camera_id: int, episode_id: str) -> None:
    sirens.sound_siren(camera_id=camera_id, episode_id=UUID(episode_id))


@shared_task(name="integrations.silence_siren")
def silence_siren(camera_id: int, episode_id: str) -> None:
    sirens.silence_siren(camera_id=camera_id, episode_id=UUID(episode_id))


@shared_task(name="integrations.tend_sirens")
@one_at_a_time
def tend_sirens() -> None:
    for siren_id in sirens.sirens_to_tend(at=timezone.now()):
        ring("integrations.tend_siren", siren_id, expires=5)


@shared_task(name="integrations.tend_siren")
def tend_siren(siren_id: int) -> None:
    sirens.tend_siren(siren_id=siren_id)


@shared_task(name="integrations.keep_alarms_warm")
@one_at_a_time
def keep_alarms_warm() -> None:
    for camera_id in sirens.cameras_to_keep_warm():
        ring("integrations.warm_alarm", camera_id, expires=10)


@shared_task(name="integrations.warm_alarm")
def warm_alarm(camera_id: int) -> None:
    sirens.warm_camera(camera_id=camera_id)


@shared_task(name="integrations.deliver")
def deliver(delivery_id: str) -> None:
    """Back ends that hang may hold half of this worker's threads, and no siren's or heartbeat's."""
    if not _delivering.acquire(blocking=False):
        return  # those under way ring the most urgent next, and the sweep rings again
    try:
        following = delivering.deliver(delivery_id=UUID(delivery_id))
    finally:
        _delivering.release()
    if following is not None:
        outbox.ring_delivery(delivery_id=following)


@shared_task(name="integrations.sweep_deliveries")
@one_at_a_time
def sweep_deliveries() -> None:
    """Ring what is due and was not rung, or whose ring was lost."""
    for delivery_id in outbox.due_deliveries(at=database_now()):
        outbox.ring_delivery(delivery_id=delivery_id)


@shared_task(name="integrations.prune")
def prune() -> None:
    retention.prune(at=timezone.now())
