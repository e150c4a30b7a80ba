"""What a camera or zone inherits, and from whom: environment, site, camera, layer above layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from detection.domain.crimes import CrimeType
from detection.models import Camera, Site, Zone
from detection.rules.settings import (
    THRESHOLDS,
    Fault,
    Layer,
    Settings,
    faults_in,
    faults_in_zone,
    without_faults,
)
from detection.services import setups

Owner = Site | Camera | Zone


@dataclass(frozen=True)
class Inheritance:
    """The layers below an owner's own, by whose they are, the most general first."""

    layers: tuple[tuple[str, Layer], ...]

    @cached_property
    def settings(self) -> Settings:
        return setups.settings_of(*(layer for _, layer in self.layers))

    def value(self, section: str, option: str) -> Any:
        """What holds of an option (`theft.alert` of the thresholds) where the owner is silent."""
        if section == THRESHOLDS:
            crime, _, level = option.partition(".")
            return getattr(self.settings.thresholds_of(CrimeType(crime)), level)
        return getattr(self.settings.of(section, setups.sections()[section]), option)

    def source(self, section: str, option: str) -> str:
        """Whose word that is."""
        for name, layer in reversed(self.layers):
            if value_in(layer, section, option) is not None:
                return name
        if section == THRESHOLDS:
            level = option.partition(".")[2]
            given = f"{level}_threshold" in settings.ENVIRONMENT.model_fields_set
            return "environment" if given else "default"
        return "default"

    def above(self, name: str, layer: object) -> "Inheritance":
        """With one more layer, without what in it is broken."""
        broken = faults_in(layer, setups.sections(), self.settings)
        return Inheritance((*self.layers, (name, without_faults(layer, broken))))


def inherited_by(owner: Owner) -> Inheritance:
    """All that is below the owner's own layer."""
    below = Inheritance((("environment", setups.environment_layer()),))
    if not isinstance(owner, Site):
        below = below.above("site", (Site.objects.first() or Site()).rule_settings)
    if isinstance(owner, Zone):
        own = Camera.objects.values_list("rule_settings", flat=True).get(pk=owner.camera_id)
        below = below.above("camera", own)
    return below


def faults_of(owner: Owner, layer: object, below: Settings) -> Iterator[Fault]:
    """What is wrong with a layer where this owner has it."""
    check = faults_in_zone if isinstance(owner, Zone) else faults_in
    return check(layer, setups.sections(), below)


def value_in(layer: Mapping[str, Any], section: str, option: str) -> Any:
    """What a layer itself says of an option; None where it says nothing."""
    value: Any = layer.get(section)
    for part in option.split(".") if section == THRESHOLDS else [option]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
