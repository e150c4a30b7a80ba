"""What operators do to a camera's life: begin its watch anew, and remove it for good."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from detection import signals
from detection.models import Camera, Claim

logger = logging.getLogger(__name__)

CREDENTIALS = ("stream_url", "username", "password", "control_password")


@transaction.atomic
def restart_camera(*, camera_id: int, at: datetime) -> None:
    """Have its watcher let go of it, and take it anew; one that nobody watches is tried now.

    `at` is a moment of `claims.database_now`.
    """
    Camera.objects.filter(pk=camera_id).update(retry_at=None)
    Claim.objects.filter(camera_id=camera_id).update(restart_at=at, rung_at=None)
    logger.info("camera %s is asked to begin anew", camera_id)


def remove_cameras(*, camera_ids: Sequence[int]) -> list[Camera]:
    """Take cameras out of use and forget how they are reached; what they saw is kept.

    Their sirens are told to be silent before their passwords are forgotten, their watchers let go
    of them, and their back end is told. Returns those that were not removed before.
    """
    removed = []
    wanted = Camera.objects.filter(pk__in=camera_ids, removed_at=None).order_by("pk")
    for camera in wanted.defer(*CREDENTIALS):  # also one whose passwords no key opens
        with transaction.atomic():
            signals.camera_removed.send_robust(sender=Camera, camera=camera)
            _forget(camera)
        removed.append(camera)
        logger.warning("camera %s (%s) is removed", camera.pk, camera.name)
    return removed


def _forget(camera: Camera) -> None:
    nothing = dict.fromkeys(CREDENTIALS, "")
    camera.removed_at = timezone.now()
    Camera.objects.filter(pk=camera.pk).update(
        removed_at=camera.removed_at, enabled=False, retry_at=None, profile="", **nothing
    )
