"""What operators set: sections of options in layers, the site's, the camera's, the zone's.

{"loitering": {"dwell_seconds": 90}, "thresholds": {"theft": {"alert": 60}}}
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detection.domain.crime_classes import CrimeClasses
from detection.domain.crimes import CrimeType
from detection.domain.thresholds import Thresholds
from detection.domain.zones import Zone

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Layer = Mapping[str, Mapping[str, Any]]
THRESHOLDS: Final = "thresholds"
LEVELS: Final = ("alert", "crime")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an option of a section; without an option, with the whole of it."""

    section: str
    option: str
    message: str

    def __str__(self) -> str:
        where = ".".join(part for part in (self.section, self.option) if part)
        return f"{where}: {self.message}" if where else self.message


class SettingsError(ValueError):
    """A layer holds what nobody knows or takes; the message names section and option."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class Options(BaseModel):
    """A section: its options, typed, with their defaults and what each does.

    `OF_A_CAMERA` are those that no zone can have for itself.
    """

    OF_A_CAMERA: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, extra="forbid")


OptionsType = TypeVar("OptionsType", bound=Options)
Sections = Mapping[str, type[Options]]


@dataclass(frozen=True, slots=True)
class Settings:
    """Layers of settings, the more special last; `alert` and `crime` hold where no layer says.

    `classes` says what the class names of the operator's own models mean.
    """

    layers: tuple[Layer, ...] = ()
    alert: float = 50.0
    crime: float = 80.0
    classes: CrimeClasses = field(default_factory=CrimeClasses)

    def above(self, layer: Layer) -> "Settings":
        """These settings with one more layer, which goes before all of them."""
        return replace(self, layers=(*self.layers, layer))

    def of(self, section: str, options: type[OptionsType], zone: Zone | None = None) -> OptionsType:
        """The options that hold in this zone, or where there is none. The layers were checked."""
        own = zone.settings.get(section, {}) if zone else {}
        return options.model_validate({**self.merged(section), **own})

    def merged(self, section: str) -> dict[str, Any]:
        """What the layers say of a section; where they say nothing, the default holds."""
        merged: dict[str, Any] = {}
        for layer in self.layers:
            merged |= layer.get(section, {})
        return merged

    def thresholds(self) -> dict[CrimeType, Thresholds]:
        """From which confidence each type of crime alerts and is sure."""
        return {crime_type: self.thresholds_of(crime_type) for crime_type in CrimeType}

    def thresholds_in(self, zone: Zone) -> dict[CrimeType, Thresholds]:
        """The zone's own: of those types of crime of which it says something."""
        own = zone.settings.get(THRESHOLDS, {})
        above = self.above({THRESHOLDS: own})
        return {CrimeType(name): above.thresholds_of(CrimeType(name)) for name in own}

    def thresholds_of(self, crime_type: CrimeType) -> Thresholds:
        """Nothing is a crime that would not alert."""
        merged = {"alert": self.alert, "crime": self.crime}
        for layer in self.layers:
            merged |= layer.get(THRESHOLDS, {}).get(crime_type.value, {})
        return Thresholds(merged["alert"], max(merged["alert"], merged["crime"]))


def check_layer(layer: object, sections: Sections, below: Settings | None = None) -> Layer:
    """Return the layer, or say what in it nobody knows or takes. Raises SettingsError."""
    if faults := list(faults_in(layer, sections, below)):
        raise SettingsError(faults)
    assert isinstance(layer, Mapping)
    return layer


def without_faults(layer: object, faults: Iterable[Fault]) -> Layer:
    """The layer without the sections in which something is wrong."""
    broken = {fault.section for fault in faults}
    sections = layer if isinstance(layer, Mapping) else {}
    return {name: options for name, options in sections.items() if name not in broken}


def faults_in(layer: object, sections: Sections, below: Settings | None = None) -> Iterator[Fault]:
    """All that is wrong with a layer, also what shows only above the settings `below` it."""
    below = below or Settings()
    if not isinstance(layer, Mapping):
        yield Fault("", "", 'settings are sections of options, like {"loitering": {…}}')
        return
    for section, options in layer.items():
        if section != THRESHOLDS and section not in sections:
            known = ", ".join([*sorted(sections), THRESHOLDS])
            yield Fault(section, "", f"no such rule; there are {known}")
        elif not isinstance(options, Mapping):
            yield Fault(section, "", 'give options, like {"enabled": true}')
        elif section == THRESHOLDS:
            yield from _faults_in_thresholds(options, below)
        else:
            yield from _faults_in_options(section, options, sections[section], below)


def faults_in_zone(layer: object, sections: Sections, below: Settings) -> Iterator[Fault]:
    """The same for the layer of a zone, whose thresholds judge what its rules say of it by name."""
    told = "holds for a whole camera: set it there"
    for section, options in layer.items() if isinstance(layer, Mapping) else ():
        if section in sections and isinstance(options, Mapping):
            for option in sorted(sections[section].OF_A_CAMERA & options.keys()):
                yield Fault(section, option, told)
    yield from faults_in(layer, sections, below)


def _faults_in_options(
    section: str, options: Mapping[str, Any], known: type[Options], below: Settings
) -> Iterator[Fault]:
    try:
        known.model_validate(below.merged(section) | dict(options))
    except ValidationError as error:
        for fault in error.errors():
            message = fault["msg"]
            if fault["type"] == "extra_forbidden":
                message = f"no such option; there are {', '.join(sorted(known.model_fields))}"
            yield Fault(section, ".".join(str(part) for part in fault["loc"]), message)


def _faults_in_thresholds(thresholds: Mapping[str, Any], below: Settings) -> Iterator[Fault]:
    for name, pair in thresholds.items():
        if name not in set(CrimeType):
            yield Fault(THRESHOLDS, name, f"no such crime; there are {', '.join(CrimeType)}")
        elif not isinstance(pair, Mapping) or not pair or pair.keys() - set(LEVELS):
            yield Fault(THRESHOLDS, name, 'give {"alert": 50, "crime": 80}, or one of them')
        elif wrong := [level for level, value in pair.items() if not _is_percent(value)]:
            for level in wrong:
                yield Fault(THRESHOLDS, f"{name}.{level}", "give a number from 0 to 100")
        else:
            inherited = below.thresholds_of(CrimeType(name))
            alert, crime = pair.get("alert", inherited.alert), pair.get("crime", inherited.crime)
            if crime <= alert:
                level = "crime" if "crime" in pair else "alert"
                yield Fault(
                    THRESHOLDS,
                    f"{name}.{level}",
                    f"crime ({crime:g}) must be above alert ({alert:g})",
                )


def _is_percent(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= 100
