"""The form of a layer of settings: what is left empty is inherited, and says from whom."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crimeops.translations import told_by, words_of
from detection.admin.option_fields import (
    form_field,
    initial_of,
    percent_field,
    spell,
    stored,
    takes,
)
from detection.admin.telling import told
from detection.domain.crimes import CrimeType
from detection.domain.zones import ZoneKind
from detection.models import Zone
from detection.rules.rule import Rule
from detection.rules.settings import LEVELS, THRESHOLDS, Fault, Layer, without_faults
from detection.services.inheritance import (
    Inheritance,
    Owner,
    faults_of,
    inherited_by,
    value_in,
)
from detection.services.setups import rule_types, sections

THRESHOLDS_TEXT = gettext_lazy(
    "Confidence, 0 to 100, from which each type of crime sounds the siren and alerts, and from "
    "which it is reported as a crime."
)
ZONE_THRESHOLDS_TEXT = gettext_lazy(
    "Confidence, 0 to 100, from which what is seen in this zone sounds the siren and alerts, and "
    "from which it is reported as a crime. It is judged alone then, without other witnesses."
)


WITHOUT_AREA_TO_WATCH = {ZoneKind.ENTRY_LINE, ZoneKind.MASK, ZoneKind.PRIVACY}


@dataclass(frozen=True, slots=True)
class Row:
    """One option: its field, what is in force, and whose word that is."""

    field: BoundField
    name: str
    in_force: str
    source: str
    is_own: bool

    @property
    def takes(self) -> str:
        """What a script reads from the field: truth, number, word, words, many or json."""
        return takes(self.field.field)


@dataclass(frozen=True, slots=True)
class Section:
    """One rule, or the thresholds."""

    title: str
    text: str
    rows: list[Row]
    is_paired: bool = False
    looks_everywhere: bool = False  # at a zone: the rule has options here, but is not made for it

    @property
    def own(self) -> int:
        return sum(row.is_own for row in self.rows)

    @property
    def is_open(self) -> bool:
        return bool(self.own) or any(row.field.errors for row in self.rows)


class SettingsForm(forms.Form):
    """`seen` tells whether the settings are still those that were shown."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, owner: Owner, data: Any = None, below: Inheritance | None = None) -> None:
        """`below` is what the owner inherits, where that is known already."""
        self.owner = owner
        self._stored = owner.rule_settings if isinstance(owner.rule_settings, Mapping) else {}
        self._below = below or inherited_by(owner)
        self._used = without_faults(owner.rule_settings, self.faults())
        super().__init__(data, label_suffix="")
        self.fields["seen"].initial = digest(owner.rule_settings)
        for section, option in self._options():
            name = f"{section}.{option}"
            self.fields[name] = self._field_of(section, option)
            self.fields[name].label = _words(option)
            self.fields[name].initial = initial_of(self._own(section, option))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.show_faults(faults_of(self.owner, self.layer(), self._below.settings))
        return cleaned

    def show_faults(self, faults: Any) -> None:
        """Each at its field."""
        fault: Fault
        for fault in faults:
            name = f"{fault.section}.{fault.option}"
            known = name in self.fields
            self.add_error(name if known else None, told(fault.message if known else str(fault)))

    def layer(self) -> Layer:
        """Only what was set."""
        layer: dict[str, dict[str, Any]] = {}
        for section, option in self._options():
            value = stored(self.cleaned_data.get(f"{section}.{option}"))
            if value is None:
                continue
            place = layer.setdefault(section, {})
            if section == THRESHOLDS:
                crime, _, option = option.partition(".")
                place = place.setdefault(crime, {})
            place[option] = value
        return layer

    def changed_meanwhile(self) -> bool:
        return bool(self.cleaned_data["seen"] != digest(self.owner.rule_settings))

    def shown_sections(self) -> list[Section]:
        """What the page shows, rule by rule."""
        shown = [
            Section(
                _(words_of(rule.NAME)),
                _(told_by(rule)),
                self._rows(rule.NAME),
                looks_everywhere=isinstance(self.owner, Zone)
                and self.owner.kind not in rule.ZONE_KINDS,
            )
            for rule in self._rules()
        ]
        if rows := self._rows(THRESHOLDS):
            text = ZONE_THRESHOLDS_TEXT if isinstance(self.owner, Zone) else THRESHOLDS_TEXT
            shown.append(Section(_("thresholds"), str(text), rows, is_paired=True))
        return shown

    def faults(self) -> list[Fault]:
        """What in the stored layer is not used because it is broken."""
        return list(faults_of(self.owner, self.owner.rule_settings, self._below.settings))

    # --- one option -----------------------------------------------------------------------------

    def _rules(self) -> list[type[Rule[Any]]]:
        """Of a zone those that look at it, and those of which it says something."""
        if not isinstance(self.owner, Zone):
            return rule_types()
        kind = self.owner.kind
        return [
            rule
            for rule in rule_types()
            if kind in rule.ZONE_KINDS
            or (rule.HEEDS_EVERY_ZONE and kind not in WITHOUT_AREA_TO_WATCH)
            or rule.NAME in self._stored
        ]

    def _options(self) -> Iterator[tuple[str, str]]:
        for rule in self._rules():
            hidden = rule.Options.OF_A_CAMERA if isinstance(self.owner, Zone) else ()
            yield from (
                (rule.NAME, name) for name in rule.Options.model_fields if name not in hidden
            )
        yield from ((THRESHOLDS, f"{c}.{level}") for c in self._crimes() for level in LEVELS)

    def _crimes(self) -> list[CrimeType]:
        """Of a zone those that are suspected by its name."""
        if not isinstance(self.owner, Zone):
            return list(CrimeType)
        own = self._stored.get(THRESHOLDS, {})
        named = crimes_of(self.owner.kind)
        return [crime for crime in CrimeType if crime in named or crime in own]

    def _field_of(self, section: str, option: str) -> forms.Field:
        if section == THRESHOLDS:
            return percent_field(self._below.value(section, option))
        return form_field(
            sections()[section].model_fields[option], self._below.value(section, option)
        )

    def _rows(self, section: str) -> list[Row]:
        return [self._row(name, option) for name, option in self._options() if name == section]

    def _row(self, section: str, option: str) -> Row:
        own = self._own(section, option)
        is_own = own is not None and value_in(self._used, section, option) is not None
        value = own if is_own else self._below.value(section, option)
        source = _("set here") if is_own else _(self._below.source(section, option))
        return Row(self[f"{section}.{option}"], option, spell(value), source, is_own)

    def _own(self, section: str, option: str) -> Any:
        return value_in(self._stored, section, option)


def crimes_of(kind: str) -> set[CrimeType]:
    """What is suspected by the name of a zone of this kind."""
    return {crime for rule in rule_types() if kind in rule.ZONE_KINDS for crime in rule.ZONE_CRIMES}


def digest(layer: object) -> str:
    """A mark by which two states of a layer differ."""
    return hashlib.sha256(json.dumps(layer, sort_keys=True).encode()).hexdigest()[:16]


def _words(option: str) -> str:
    """An option's name; of a threshold, the crime and the level."""
    return ": ".join(_(words_of(part)) for part in option.split("."))
