"""Zones: on the page of their camera, and in a list of their own."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from detection.admin.base import StackedInline
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, link
from detection.admin.settings_page import WithSettings, settings_cell
from detection.admin.settings_summary import summary_of
from detection.domain.geometry import PolygonError
from detection.domain.zones import ZoneKind
from detection.models import Camera, Zone

if TYPE_CHECKING:
    _ZoneForm = forms.ModelForm[Zone]
else:
    _ZoneForm = forms.ModelForm  # cannot be subscripted at run time

ZONE_FIELDS = ("name", "kind", "polygon", "outline", "enabled", "settings_link")


KINDS_TOLD = (
    "Restricted: nobody may be there. Loitering: nobody may linger. Entry line (two points, from "
    "outside on its left to inside on its right) and door: nobody may go in while it is armed. "
    "Protected: a wall or thing that nobody may change or strike. Mask: nothing there is looked at."
)


class ZoneForm(_ZoneForm):
    """Corners are written on few lines, and the site's dwell is offered by leaving it empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].help_text = KINDS_TOLD
        polygon = self.fields.get("polygon")
        if polygon is not None:
            polygon.error_messages["invalid"] = "Write corners like [[0.1, 0.2], [0.9, 0.2], …]."
            polygon.widget.attrs.update(
                {"rows": 3, "placeholder": "[[0.1, 0.2], [0.9, 0.2], [0.9, 0.8], [0.1, 0.8]]"}
            )


def outline_of(zone: Zone) -> str:
    """The zone drawn in an empty picture, or what is wrong with it."""
    if zone.polygon is None:
        return "drawn here once the zone is saved"
    try:
        corners = zone.to_domain().outline
    except (PolygonError, TypeError, ValueError) as error:
        return f"cannot be drawn: {error}"
    points = format_html_join(
        " ", "{},{}", ((f"{x * 160:.1f}", f"{y * 90:.1f}") for x, y in corners)
    )
    return format_html(
        '<svg class="co-outline" viewBox="0 0 160 90" role="img" aria-label="{}">'
        '<{} points="{}"/></svg>',
        f"Outline of zone {zone.name}: {len(corners)} corners",
        "polyline" if zone.kind == ZoneKind.ENTRY_LINE else "polygon",
        points,
    )


class ZoneInline(StackedInline[Zone, Camera]):
    model = Zone
    form = ZoneForm
    extra = 0
    fields = (("name", "kind"), "polygon", "outline", ("enabled", "settings_link"))
    readonly_fields = ("outline", "settings_link")

    @admin.display(description="outline")
    def outline(self, zone: Zone) -> str:
        return outline_of(zone)

    @admin.display(description="settings of the rules")
    def settings_link(self, zone: Zone) -> str:
        return settings_cell(zone)


@admin.register(Zone)
class ZoneAdmin(WithSettings[Zone]):
    empty_title = "No zone yet"
    empty_text = (
        "Without a zone, a camera is watched for what needs none: fights, theft, loitering. "
        "Add one here, or on the page of its camera."
    )
    form = ZoneForm
    fields = ("camera", *ZONE_FIELDS)
    readonly_fields = ("outline", "settings_link")
    autocomplete_fields = ("camera",)
    list_display = ("name", "camera_link", "kind", "outline", "settings", "enabled")
    list_filter = ("kind", "enabled")
    search_fields = ("name", "camera__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        return without_credentials(super().get_queryset(request).select_related("camera"), "camera")

    @admin.display(description="camera", ordering="camera__name")
    def camera_link(self, zone: Zone) -> str:
        return link("detection_camera", zone.camera_id, zone.camera.name)

    @admin.display(description="outline")
    def outline(self, zone: Zone) -> str:
        return outline_of(zone)

    @admin.display(description="settings of its own")
    def settings(self, zone: Zone) -> str:
        return summary_of(zone) if zone.rule_settings else NOTHING

    @admin.display(description="settings of the rules")
    def settings_link(self, owner: Zone) -> str:
        return settings_cell(owner)
