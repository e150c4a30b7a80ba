"""The demo's own use of the product's database: migrations, an admin, cameras and their zones."""

import logging
import os
import secrets
from datetime import datetime
from typing import Any

import django
from django.core.management import call_command


def prepare() -> str:
    """Migrate and make an admin user; returns its password if it is new, else an empty string."""
    django.setup()
    logging.getLogger().setLevel(logging.WARNING)  # the narrator speaks here
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from django.contrib.auth import get_user_model

    users: Any = get_user_model().objects
    if users.filter(username="admin").exists():
        return ""
    password = secrets.token_urlsafe(9)
    users.create_superuser("admin", "", password)
    return password


def list_cameras_and_draw_zones(zone: list[list[float]]) -> None:
    """Fetch the cameras as the workers will, and mark where nobody may stand."""
    from django.utils import timezone

    from detection.models import Camera, Claim, Zone
    from detection.services.cameras import refresh_cameras

    # What an earlier run left: more cameras, errors, claims at a back end that is no more.
    Camera.objects.update(enabled=False, state="idle", reason="", retry_at=None)
    Claim.objects.update(holder="", expires_at=None, rung_at=None)
    refresh_cameras(at=timezone.now())
    for camera in Camera.objects.filter(listed_at__gte=_just_now()):
        Camera.objects.filter(pk=camera.pk).update(enabled=True)
        Zone.objects.update_or_create(
            camera=camera,
            name="Restricted area",
            defaults={"kind": "restricted", "polygon": zone, "enabled": True},
        )


def _just_now() -> datetime:
    from datetime import timedelta

    from django.utils import timezone

    return timezone.now() - timedelta(seconds=10)


def use_environment(environment: dict[str, str]) -> None:
    """This process reads the same settings as the workers."""
    os.environ.update(environment)


def episodes_since(moment: datetime) -> list[Any]:
    """The episodes that began in this run."""
    from detection.models import Episode

    return list(
        Episode.objects.filter(decided_at__gte=moment)
        .select_related("camera")
        .order_by("decided_at")
    )


def undelivered_since(moment: datetime) -> int:
    """Reports of this run that have not arrived (superseded alerts are none)."""
    from integrations.models import Delivery

    return Delivery.objects.filter(
        created_at__gte=moment, status__in=["pending", "refused"]
    ).count()


def states() -> dict[str, tuple[str, str]]:
    """Camera name → (state, reason)."""
    from detection.models import Camera

    return {
        name: (state, reason)
        for name, state, reason in Camera.objects.filter(enabled=True).values_list(
            "name", "state", "reason"
        )
    }
