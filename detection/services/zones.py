"""The zones of a camera as people draw them: kept all at once or not at all, and on record."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from detection.models import AuditAction, AuditRecord, Camera, Zone
from detection.services import audit
from detection.services.zone_drafts import (
    DraftError,
    DraftFault,
    Drawing,
    ZoneDraft,
    as_draft,
    examine_drafts,
)

FIELDS = ("name", "kind", "polygon", "enabled", "schedule_id", "rule_settings")


class DrawnMeanwhile(Exception):
    """Somebody else changed the zones since they were read; `by` is who, where that is known."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


@dataclass(frozen=True, slots=True)
class Saved:
    """How many zones were added, changed and deleted."""

    added: int
    changed: int
    deleted: int


def zones_of(camera: Camera) -> list[Zone]:
    return list(Zone.objects.filter(camera=camera).order_by("pk"))


def mark_of(zones: Sequence[Zone]) -> str:
    """By which two states of a camera's zones differ."""
    told = json.dumps([as_draft(zone) for zone in zones], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


@transaction.atomic
def save_zones(
    *, camera: Camera, drawing: Drawing, by: AbstractUser, request: HttpRequest | None = None
) -> Saved:
    """Make these the camera's zones; its watch follows within seconds.

    Raises:
        DrawnMeanwhile: they are not those that the drawing began with.
        DraftError: something in it cannot be kept; nothing is.
        PermissionDenied: `by` may not add, change or delete what the drawing does.
    """
    Camera.objects.select_for_update().only("pk").get(pk=camera.pk)
    stored = {zone.pk: zone for zone in zones_of(camera)}
    if drawing.mark != mark_of(list(stored.values())):
        raise DrawnMeanwhile(_last_hand(camera, list(stored)))
    unknown = [n for n, draft in enumerate(drawing.zones) if draft.id and draft.id not in stored]
    if unknown:
        raise DraftError([DraftFault(n, "id", _("it is no zone of this camera")) for n in unknown])
    examine_drafts(camera, drawing.zones)
    kept = {draft.id for draft in drawing.zones if draft.id}
    if len(kept) < sum(draft.id is not None for draft in drawing.zones):
        raise DraftError([DraftFault(None, "zones", _("a zone is there twice"))])
    gone = [zone for pk, zone in stored.items() if pk not in kept]
    pairs = [(draft, stored.get(draft.id or 0)) for draft in drawing.zones]
    return _write(camera, gone, pairs, by, request)


def _write(
    camera: Camera,
    gone: Sequence[Zone],
    pairs: Sequence[tuple[ZoneDraft, Zone | None]],
    by: AbstractUser,
    request: HttpRequest | None,
) -> Saved:
    for zone in gone:
        _allow(by, "delete")
        details = {"before": as_draft(zone)}
        audit.record(AuditAction.DELETED, request=request, user=by, subject=zone, details=details)
        zone.delete()
    changes = [(draft, zone, _difference(draft, zone)) for draft, zone in pairs if zone is not None]
    changed = [(draft, zone, fields) for draft, zone, fields in changes if fields]
    for _draft, zone, fields in changed:
        _allow(by, "change")
        if "name" in fields:  # two that swap their names would meet in between
            Zone.objects.filter(pk=zone.pk).update(name=f"~{uuid4()}")
    for draft, zone, fields in changed:
        _fill(zone, draft).save(update_fields=[name.removesuffix("_id") for name in fields])
        details = {"fields": fields}
        audit.record(AuditAction.CHANGED, request=request, user=by, subject=zone, details=details)
    new = [draft for draft, zone in pairs if zone is None]
    for draft in new:
        _allow(by, "add")
        zone = _fill(Zone(camera=camera), draft)
        zone.save()
        details = {"after": as_draft(zone)}
        audit.record(AuditAction.ADDED, request=request, user=by, subject=zone, details=details)
    return Saved(len(new), len(changed), len(gone))


def _allow(by: AbstractUser, act: str) -> None:
    if not by.has_perm(f"detection.{act}_zone"):
        raise PermissionDenied(act)


def _values(draft: ZoneDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "kind": draft.kind.value,
        "polygon": draft.polygon,
        "enabled": draft.enabled,
        "schedule_id": draft.schedule,
        "rule_settings": draft.layer,
    }


def _fill(zone: Zone, draft: ZoneDraft) -> Zone:
    for name, value in _values(draft).items():
        setattr(zone, name, value)
    return zone


def _difference(draft: ZoneDraft, zone: Zone) -> dict[str, list[Any]]:
    """Old and new value of each field that differs."""
    values = _values(draft)
    if [list(corner) for corner in draft.corners] == zone.polygon:
        values["polygon"] = zone.polygon  # drawn elsewhere, and more finely
    return {
        name: [getattr(zone, name), values[name]]
        for name in FIELDS
        if getattr(zone, name) != values[name]
    }


def _last_hand(camera: Camera, keys: Sequence[int]) -> str:
    """Who last changed a zone of the camera, also one that is gone."""
    rows = AuditRecord.objects.filter(object_type="detection.zone").order_by("-at", "-pk")
    mine = rows.filter(object_id__in=[str(key) for key in keys]) | rows.filter(
        label__endswith=f"({camera.name})"
    )
    return mine.values_list("username", flat=True).first() or ""
