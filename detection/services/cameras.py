"""Cameras: listed by their registries, and shown as what they are."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from crimeops.adapters import load
from crimeops.logging import redact
from detection.models import Camera, CameraState
from detection.ports import CameraRegistry, ListedCamera, RegistryError
from detection.services.claims import Lease

logger = logging.getLogger(__name__)


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
    """Bring our rows in line with what the registry shows as free; returns how many are new.

    One camera that the database cannot hold is named in the log and stops no other.
    """
    new = 0
    for camera in listed:
        try:
            with transaction.atomic():
                new += _upsert(registry, camera, at)
        except (DataError, OverflowError, UnicodeError) as error:
            logger.error(
                "camera %d of “%s” cannot be kept: %s", camera.external_id, registry, error
            )
    return new


def _upsert(registry: str, camera: ListedCamera, at: datetime) -> bool:
    # Not decrypted, only written: the registry's word also replaces what no key opens any more.
    cameras = Camera.objects.defer("stream_url", "username", "password", "control_password")
    again = cameras.filter(
        registry=registry, external_id=camera.external_id, removed_at__isnull=False
    ).update(removed_at=None, enabled=True)
    if again:
        logger.warning(
            "camera %d of “%s” was removed, but is listed again: it is back",
            camera.external_id,
            registry,
        )
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
            **({"control_password": camera.control_password} if camera.control_password else {}),
        },
    )
    return created


def set_camera_state(
    *, lease: Lease, state: CameraState, reason: str = "", retry_at: datetime | None = None
) -> None:
    """Publish where the camera is in its life; a repeated state and reason is not a transition.

    Whoever was overtaken changes nothing: the state is the new watcher's.
    """
    reason = redact(reason)[:500]
    ours = Camera.objects.filter(pk=lease.camera_id, claim__token=lease.token)
    changed = ours.exclude(state=state, reason=reason).update(
        state=state, reason=reason, state_changed_at=timezone.now()
    )
    ours.exclude(retry_at=retry_at).update(retry_at=retry_at)
    if changed:
        logger.info(
            "camera %s is %s%s",
            lease.camera_id,
            state.label.upper(),
            f": {reason}" if reason else "",
        )


def postpone_camera(*, camera_id: int, until: datetime) -> None:
    """Leave a camera alone for a while without calling it faulty (someone else has it)."""
    Camera.objects.filter(pk=camera_id).update(retry_at=until)
