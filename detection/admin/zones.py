"""Zones in a list of their own, and as they stand on the page of their camera.

They are drawn in the editor (zone_editor.py); here nobody types corners.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, link
from detection.admin.settings_page import WithSettings, settings_cell
from detection.admin.settings_summary import summary_of
from detection.admin.telling import told
from detection.admin.zone_words import kinds
from detection.domain.geometry import PolygonError
from detection.domain.zones import ZoneKind
from detection.models import Camera, Zone

if TYPE_CHECKING:
    _ZoneForm = forms.ModelForm[Zone]
else:
    _ZoneForm = forms.ModelForm  # cannot be subscripted at run time

FAULTY = (PolygonError, TypeError, ValueError)


class ZoneForm(_ZoneForm):
    """A kind is explained, and offered only where the zone has its shape."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            help_texts = (f"{kind['label']}: {kind['told']}" for kind in kinds().values())
            self.fields["kind"].help_text = " ".join(help_texts)


def editor_of(camera_id: int) -> str:
    return reverse("admin:detection_camera_zones", args=(camera_id,))


def outline_of(zone: Zone) -> str:
    """The zone drawn in an empty picture, or what is wrong with it."""
    try:
        shape = _shape(zone)
    except FAULTY as error:
        return _("cannot be drawn: %(fault)s") % {"fault": told(str(error))}
    said = _("Outline of zone %(name)s") % {"name": zone.name}
    return _picture(shape, said)


def zones_drawn(camera: Camera) -> SafeString:
    """All zones of a camera in one small picture, their names, and the way to draw them."""
    zones = list(camera.zones.order_by("name")) if camera.pk else []
    shapes = [shape for zone in zones if (shape := _shape_or_nothing(zone))]
    said = _("Outlines of all zones")
    names = _(", ").join(
        zone.name if zone.enabled else f"{zone.name} ({_('off')})" for zone in zones
    )
    return format_html(
        '<span class="co-two-lines">{}<span>{}</span><a class="co-link" href="{}">{}</a></span>',
        _picture(SafeString("").join(shapes), said) if shapes else "",
        names or _("No zone yet."),
        editor_of(camera.pk),
        _("Draw and change zones"),
    )


def _picture(shapes: str, said: str) -> SafeString:
    return format_html(
        '<svg class="co-outline" viewBox="0 0 160 90" role="img" aria-label="{}">{}</svg>',
        said,
        shapes,
    )


def _shape_or_nothing(zone: Zone) -> str:
    try:
        return _shape(zone)
    except FAULTY:
        return ""


def _shape(zone: Zone) -> SafeString:
    """Raises what is wrong with the zone's corners."""
    corners = zone.to_domain().outline
    points = format_html_join(
        " ", "{},{}", ((f"{x * 160:.1f}", f"{y * 90:.1f}") for x, y in corners)
    )
    name = "polyline" if zone.kind == ZoneKind.ENTRY_LINE else "polygon"
    return format_html('<{} points="{}"/>', name, points)


@admin.register(Zone)
class ZoneAdmin(WithSettings[Zone]):
    empty_title = gettext_lazy("No zone yet")
    empty_text = gettext_lazy(
        "Without a zone, a camera is watched for what needs none: fights, theft, loitering. "
        "Open a camera and draw its zones on its picture."
    )
    form = ZoneForm
    fields = ("camera_link", "name", "kind", "schedule", "enabled", "outline", "settings_link")
    readonly_fields = ("camera_link", "outline", "settings_link")
    list_display = ("name", "camera_link", "kind", "outline", "settings", "schedule", "enabled")
    list_filter = ("kind", "enabled")
    list_select_related = ("schedule",)
    search_fields = ("name", "camera__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        zones = super().get_queryset(request).filter(camera__removed_at=None)
        return without_credentials(zones.select_related("camera", "schedule"), "camera")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A zone is drawn on its camera's picture: first comes the camera."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        messages.info(
            request,
            _("Choose a camera; on its page, “Zones” leads to its picture."),
        )
        return HttpResponseRedirect(reverse("admin:detection_camera_changelist"))

    @admin.display(description=gettext_lazy("camera"), ordering="camera__name")
    def camera_link(self, zone: Zone) -> str:
        return link("detection_camera", zone.camera_id, zone.camera.name)

    @admin.display(description=gettext_lazy("outline"))
    def outline(self, zone: Zone) -> str:
        return format_html(
            '<span class="co-two-lines">{}<a class="co-link" href="{}">{}</a></span>',
            outline_of(zone),
            editor_of(zone.camera_id),
            _("Draw and change"),
        )

    @admin.display(description=gettext_lazy("settings of its own"))
    def settings(self, zone: Zone) -> str:
        return summary_of(zone) if zone.rule_settings else NOTHING

    @admin.display(description=gettext_lazy("settings of the rules"))
    def settings_link(self, owner: Zone) -> str:
        return settings_cell(owner)
