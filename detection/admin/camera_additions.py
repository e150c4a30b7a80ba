"""What another half of the house offers at a camera.

`detection` knows nothing of sirens. An app that does appends a `CameraAddition` to `ADDITIONS` in
its own `admin`; it gets a place beside the camera's own buttons.
"""

from typing import Protocol

from django.http import HttpRequest

from detection.models import Camera


class CameraAddition(Protocol):
    """Buttons on the page of a camera, within a form that has its token."""

    def buttons(self, request: HttpRequest, camera: Camera) -> str:
        """Safe HTML: buttons with a `formaction` of their own; empty for whoever may use none."""


ADDITIONS: list[CameraAddition] = []
