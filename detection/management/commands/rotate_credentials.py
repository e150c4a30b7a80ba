"""Encrypts every camera's credentials anew, after a new key was put first in CREDENTIALS_KEY."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from detection.models import Camera

FIELDS = ["stream_url", "username", "password", "control_password"]


class Command(BaseCommand):
    help = __doc__

    @transaction.atomic
    def handle(self, **_: Any) -> None:
        cameras = Camera.objects.select_for_update().only("pk", *FIELDS)
        count = 0
        for camera in cameras:
            camera.save(update_fields=FIELDS)
            count += 1
        self.stdout.write(f"{count} cameras encrypted with the newest key; the older ones can go.")
