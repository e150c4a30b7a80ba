"""What the page of the zone editor is given: zones, rights, pictures, words and options."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from detection.admin.base import signed_in
from detection.admin.presentation import page_of
from detection.admin.settings_form import Section, SettingsForm
from detection.admin.zone_words import kinds, words
from detection.domain.zones import ZoneKind
from detection.models import Camera, EvidenceFile, EvidenceKind, Schedule, Zone
from detection.services.inheritance import inherited_by
from detection.services.zone_drafts import as_draft
from detection.services.zones import mark_of, zones_of


def state_of(camera: Camera) -> dict[str, Any]:
    """The zones as the browser draws them, and their mark."""
    zones = zones_of(camera)
    return {"mark": mark_of(zones), "zones": [as_draft(zone) for zone in zones]}


def page_context(request: HttpRequest, camera: Camera) -> dict[str, Any]:
    """All that the page and its scripts need to know."""
    officer = signed_in(request)
    may = {act: officer.has_perm(f"detection.{act}_zone") for act in ("add", "change", "delete")}
    told = kinds()
    return {
        "title": _("Zones of %(camera)s") % {"camera": camera.name},
        "camera": camera,
        "back": page_of("detection_camera", camera.pk) if _sees_camera(officer) else "",
        "kinds": told,
        "may_edit": any(may.values()),
        "may": may,
        "weeks": list(Schedule.objects.values_list("pk", "name")),
        "options": _options(camera),
        "desk": {
            **state_of(camera),
            "may": may,
            "kinds": told,
            "words": words(),
            "pictures": _pictures(camera),
            "save": request.path,
            "preview": reverse("admin:detection_camera_zones_preview", args=(camera.pk,)),
        },
    }


def _sees_camera(officer: AbstractUser) -> bool:
    return officer.has_perm("detection.view_camera")


def _options(camera: Camera) -> list[tuple[str, list[Section], list[Section]]]:
    """For each kind of zone the rules made for it, then the others, and what options inherit."""
    below = inherited_by(Zone(camera=camera))
    found = []
    for kind in ZoneKind:
        shown = SettingsForm(Zone(camera=camera, kind=kind), below=below).shown_sections()
        here = [section for section in shown if not section.looks_everywhere]
        found.append((kind.value, here, [s for s in shown if s.looks_everywhere]))
    return found


def _pictures(camera: Camera) -> list[str]:
    """Addresses of pictures of this camera to draw on, the best first."""
    files = EvidenceFile.objects.filter(
        episode__camera=camera, kind=EvidenceKind.CLEAN_SNAPSHOT, removed_at=None
    )
    episode = files.order_by("-kept_at").values_list("episode_id", flat=True).first()
    found: list[tuple[str, tuple[object, ...]]] = [("camera_picture", (camera.pk,))]
    if episode is not None:
        found.append(("episode_evidence", (episode, EvidenceKind.CLEAN_SNAPSHOT.value)))
    return [address for name, key in found if (address := _address(f"admin:detection_{name}", key))]


def _address(name: str, key: tuple[object, ...]) -> str:
    try:
        return reverse(name, args=key)
    except NoReverseMatch:
        return ""
