"""Where telling listens to seeing."""

from collections.abc import Sequence
from threading import Thread
from typing import Any
from uuid import UUID

from celery.signals import worker_shutdown
from django.contrib.auth.models import AbstractBaseUser
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from crimeops.ringing import ring
from detection import signals
from detection.models import AuditAction, Camera, Episode, EpisodeEvent
from detection.services import audit
from integrations.services import outbox, retention, siren_addresses, siren_keeper, sirens
from integrations.services.siren_asking import load_alarms
from integrations.signals import siren_rearmed, siren_silenced, siren_tested


@receiver(signals.siren_wanted)
def on_siren_wanted(camera_id: int, episode_id: UUID, **_: Any) -> None:
    sirens.ring_siren(camera_id=camera_id, episode_id=episode_id)


@receiver(signals.siren_unwanted)
def on_siren_unwanted(camera_id: int, episode_id: UUID, **_: Any) -> None:
    sirens.ring_silence(camera_id=camera_id, episode_id=episode_id)


@receiver(signals.episode_recorded)
def on_episode_recorded(episode: Episode, event: EpisodeEvent, **_: Any) -> None:
    for delivery in outbox.queue_deliveries(episode=episode, event=event):
        outbox.ring_delivery(delivery_id=delivery.pk)


@receiver(signals.episodes_outdated)
def on_episodes_outdated(episode_ids: Sequence[UUID], **_: Any) -> set[UUID]:
    return retention.with_waiting_reports(episode_ids)


@receiver(signals.camera_watched)
def on_camera_watched(camera: Camera, **_: Any) -> None:
    siren_addresses.remember(camera)
    Thread(target=load_alarms, name="load-alarms", daemon=True).start()
    ring("integrations.warm_alarm", camera.pk, expires=10)


@receiver(signals.watch_renewed)
def on_watch_renewed(camera_id: int, **_: Any) -> None:
    siren_addresses.look_up(camera_id)


@receiver(pre_delete, sender=Camera)
def on_camera_deleted(instance: Camera, **_: Any) -> None:
    sirens.silence_for_good(camera=instance)


@receiver(signals.camera_removed)
def on_camera_removed(camera: Camera, **_: Any) -> None:
    sirens.silence_for_good(camera=camera)


@receiver(signals.camera_leaving)
def on_camera_leaving(camera: Camera, **_: Any) -> None:
    outbox.wait_until_told(camera_id=camera.pk)


@worker_shutdown.connect
def on_worker_shutdown(**_: Any) -> None:
    siren_keeper.KEEPER.farewell()


@receiver(siren_tested)
def on_siren_tested(**said: Any) -> None:
    _record_act(AuditAction.SIREN_TESTED, **said)


@receiver(siren_silenced)
def on_siren_silenced(**said: Any) -> None:
    _record_act(AuditAction.SIREN_SILENCED, **said)


@receiver(siren_rearmed)
def on_siren_rearmed(**said: Any) -> None:
    _record_act(AuditAction.SIREN_REARMED, **said)


def _record_act(
    action: AuditAction,
    *,
    camera: Camera,
    user: AbstractBaseUser,
    request: HttpRequest | None,
    outcome: str,
    episode: Episode | None = None,
    **_: Any,
) -> None:
    details = {"outcome": outcome}
    audit.record(action, request=request, user=user, subject=episode or camera, details=details)
