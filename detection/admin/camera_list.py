"""Parts of the camera list: the latest still of each, and whether removed ones are shown."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection.admin.live_pictures import live
from detection.admin.presentation import elapsed
from detection.models import Camera
from detection.ports import TransportError

FRESH = timedelta(seconds=60)  # a still is taken every ten seconds


class RemovedFilter(admin.SimpleListFilter):
    """Cameras in use, unless those that were removed are asked for."""

    title = gettext_lazy("removed")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("yes", _("Removed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Camera]) -> QuerySet[Camera]:
        return queryset.filter(removed_at__isnull=self.value() != "yes")


def stills_taken(cameras: Iterable[Camera]) -> dict[int, datetime]:
    """When the latest still of each camera was taken; of none where Redis is away."""
    try:
        return live().pictures.stills_at([camera.pk for camera in cameras])
    except TransportError:
        return {}


def still_place(camera: Camera) -> str:
    """Where the page's script puts the still."""
    if camera.removed_at is not None:
        return format_html('<span class="co-no-picture">{}</span>', _("removed"))
    return format_html(
        '<span data-live="{}:still"><span class="co-no-picture">{}</span></span>', camera.pk, "…"
    )


def still_cell(camera: Camera, taken_at: datetime | None, at: datetime) -> str:
    """The latest still with its age; greyed where the camera is not seen now."""
    if taken_at is None:
        return format_html('<span class="co-no-picture">{}</span>', _("no picture"))
    age = at - taken_at
    return format_html(
        '<span class="cam-still{}"><img class="co-thumbnail" src="{}?at={}" alt="{}">{}</span>',
        " cam-stale" if age > FRESH else "",
        reverse("admin:detection_camera_still", args=(camera.pk,)),
        round(taken_at.timestamp()),
        _("Latest picture of %(name)s") % {"name": camera.name},
        format_html("<small>{}</small>", elapsed(age)) if age > FRESH else "",
    )
