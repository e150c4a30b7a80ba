"""The settings of the rules as people change them: checked, whole or not at all, and audited."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest

from detection.domain.crimes import CrimeType
from detection.models import AuditAction, Camera, Site, Zone
from detection.rules.settings import (
    THRESHOLDS,
    Fault,
    Layer,
    Settings,
    SettingsError,
    without_faults,
)
from detection.services import audit
from detection.services.inheritance import Owner, faults_of, inherited_by


class ChangedMeanwhile(Exception):
    """Somebody else changed the settings since they were read."""


@transaction.atomic
def save_settings(
    *,
    owner: Owner,
    layer: Layer,
    by: AbstractBaseUser,
    expected: Layer | None = None,
    request: HttpRequest | None = None,
) -> bool:
    """Make this the owner's layer; the watches follow within seconds. False if it was already.

    Raises:
        SettingsError: a fault in it, or one that it would make in a layer above; nothing is saved.
        ChangedMeanwhile: the stored layer is not the `expected` one.
    """
    row = _locked(owner)
    if expected is not None and row.rule_settings != expected:
        raise ChangedMeanwhile
    beneath = inherited_by(row).settings
    if faults := list(faults_of(row, layer, beneath)) or list(_upset(row, beneath, layer)):
        raise SettingsError(faults)
    before, row.rule_settings = row.rule_settings, dict(layer)
    if changed := difference(before, layer):
        row.save(update_fields=["rule_settings"])
        details = {"settings": changed}
        audit.record(AuditAction.CHANGED, request=request, user=by, subject=row, details=details)
    owner.rule_settings = row.rule_settings
    return bool(changed)


def set_threshold(
    *,
    camera: Camera,
    crime_type: CrimeType,
    alert: float | None,
    by: AbstractBaseUser,
    request: HttpRequest | None = None,
) -> float | None:
    """Give the camera a threshold of its own, or with None the inherited one again.

    Returns the camera's own one until now; handing it in again undoes the change.

    Raises:
        SettingsError: crime would not be above alert.
    """
    with transaction.atomic():
        row = _locked(camera)
        if faults := list(faults_of(row, row.rule_settings, inherited_by(row).settings)):
            raise SettingsError(faults)
        thresholds = dict(row.rule_settings.get(THRESHOLDS, {}))
        pair = dict(thresholds.pop(crime_type.value, {}))
        before: float | None = pair.pop("alert", None)
        if alert is not None:
            pair["alert"] = alert
        layer = {**row.rule_settings, THRESHOLDS: thresholds}
        if pair:
            thresholds[crime_type.value] = pair
        if not thresholds:
            del layer[THRESHOLDS]
        save_settings(owner=row, layer=layer, by=by, request=request)
    camera.rule_settings = layer
    return before


def _locked(owner: Owner) -> Any:
    """The row as it is now, kept from others until this transaction ends; no credentials."""
    if isinstance(owner, Site):
        return Site.objects.select_for_update().get(pk=owner.pk)
    if isinstance(owner, Camera):
        cameras = Camera.objects.only("rule_settings", "name")
        return cameras.select_for_update().get(pk=owner.pk)
    zones = Zone.objects.select_related("camera").only(
        "rule_settings", "name", "kind", "camera__name"
    )
    return zones.select_for_update(of=("self",)).get(pk=owner.pk)


def _upset(owner: Owner, beneath: Settings, layer: Layer) -> Iterator[Fault]:
    """Faults that the new layer would make in those that inherit it."""
    stored = owner.rule_settings
    before = beneath.above(without_faults(stored, faults_of(owner, stored, beneath)))
    after = beneath.above(layer)
    for row in _heirs(owner):
        already = {(f.section, f.option) for f in faults_of(row, row.rule_settings, before)}
        for fault in faults_of(row, row.rule_settings, after):
            if (fault.section, fault.option) not in already:
                yield Fault(fault.section, fault.option, f"at {_named(row)}: {fault.message}")


def _heirs(owner: Owner) -> Iterator[Camera | Zone]:
    """Cameras and zones with settings of their own, above the owner's."""
    if isinstance(owner, Site):
        yield from Camera.objects.exclude(rule_settings={}).only("name", "rule_settings")
    zones = Zone.objects.exclude(rule_settings={}).select_related("camera")
    if isinstance(owner, Camera):
        yield from zones.filter(camera=owner).only("name", "rule_settings", "camera__name")


def _named(row: Camera | Zone) -> str:
    return f"{'zone' if isinstance(row, Zone) else 'camera'} “{row.name}”"


def difference(before: object, after: Layer) -> dict[str, list[Any]]:
    """Old and new value of each option that differs; None where it is inherited."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = sorted(old.keys() | new.keys())
    return {n: [old.get(n), new.get(n)] for n in names if old.get(n) != new.get(n)}


def _flat(layer: object) -> Iterator[tuple[str, Any]]:
    if not isinstance(layer, dict):
        yield "settings", layer
        return
    for section, options in layer.items():
        if not isinstance(options, dict):
            yield section, options
            continue
        for option, value in options.items():
            if section == THRESHOLDS and isinstance(value, dict):
                yield from ((f"{section}.{option}.{level}", v) for level, v in value.items())
            else:
                yield f"{section}.{option}", value
