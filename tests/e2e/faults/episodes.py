"""Writes episodes into a cluster's database as a watcher does; run inside `manage.py shell`."""

import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.models import Camera
from detection.services import claims, episodes

BEGAN = datetime(2026, 2, 27, 14, 0, tzinfo=UTC)


def began(external_id: int, number: int) -> datetime:
    """When the episode of that number began at that camera: no two at the same moment."""
    return BEGAN + timedelta(minutes=external_id, seconds=number * 20)


def write(external_ids: Sequence[int], numbers: Sequence[int], confidence: float = 55.0) -> None:
    """A whole episode of each number at each camera: alert, crime, stop."""
    for external_id in external_ids:
        for number in numbers:
            _record(external_id, number, confidence)


def write_and_die(external_id: int) -> None:
    """As a watcher that is killed between the decision and the commit."""
    with transaction.atomic():
        _record(external_id, 1, 55.0)
        os.kill(os.getpid(), signal.SIGKILL)


def _record(external_id: int, number: int, confidence: float) -> None:
    camera, _ = Camera.objects.get_or_create(
        registry="laravel", external_id=external_id, defaults={"name": f"C{external_id}"}
    )
    lease = claims.take_lease(
        camera_id=camera.pk, instance="a test", worker="t", max_cameras=1000, at=timezone.now()
    )
    assert lease is not None
    start, key = began(external_id, number), uuid4()
    kind = CrimeType.TRESPASSING
    steps: list[EpisodeEvent] = [
        EpisodeOpened(start + timedelta(seconds=1), kind, confidence, start, "seen"),
        CrimeConfirmed(start + timedelta(seconds=6), kind, 85.0, start, "stayed"),
        EpisodeEnded(start + timedelta(seconds=9), EpisodeState.CLEARED),
    ]
    for step, event in enumerate(steps, start=1):
        episodes.record_event(
            lease=lease,
            episode_id=key,
            event=event,
            step=step,
            timeline=[],
            decided_at=timezone.now(),
        )
    claims.give_lease_back(lease=lease)
