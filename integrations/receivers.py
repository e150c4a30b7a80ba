"""Where telling listens to seeing."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from crimeops.ringing import ring
from detection import signals
from detection.models import Camera, Episode, EpisodeEvent
from integrations.services import outbox, sirens


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


@receiver(signals.camera_watched)
def on_camera_watched(camera: Camera, **_: Any) -> None:
    ring("integrations.warm_alarm", camera.pk, expires=10)


@receiver(signals.camera_leaving)
def on_camera_leaving(camera: Camera, **_: Any) -> None:
    outbox.wait_until_told(camera_id=camera.pk)
