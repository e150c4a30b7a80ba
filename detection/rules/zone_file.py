"""Zones and settings as an operator writes them into a file, to try them before they are in use.

[{"name": "yard", "kind": "restricted", "corners": [[0.1, 0.2], [0.9, 0.2], [0.9, 0.8]],
  "settings": {"trespassing": {"dwell_seconds": 2}}}]
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from detection.domain.geometry import PolygonError
from detection.domain.zones import Zone, ZoneKind
from detection.rules.settings import (
    Layer,
    Sections,
    Settings,
    SettingsError,
    check_layer,
    faults_in_zone,
)

KEYS: Final = ("name", "kind", "corners", "polygon", "settings")


class ZoneFileError(ValueError):
    """The text is no list of zones; the message names the line, or the zone and its fault."""


def read_zones(text: str, sections: Sections, below: Settings) -> tuple[Zone, ...]:
    """Read a list of zones whole; `corners` may be called `polygon`, as in the database.

    `below` are the settings that a zone inherits. Raises ZoneFileError: all faults, each with the
    zone's name.
    """
    entries = read_json(text)
    if not isinstance(entries, list):
        raise ZoneFileError('zones are a list, like [{"name": "yard", "kind": …, "corners": …}]')
    faults: list[str] = []
    zones: list[Zone] = []
    for number, entry in enumerate(entries, start=1):
        try:
            zone = _zone(entry, sections, below)
            if zone.name in {other.name for other in zones}:
                raise ZoneFileError("there is another zone of this name")
            zones.append(zone)
        except (ZoneFileError, PolygonError, SettingsError) as error:
            faults.append(f"{_called(entry, number)}: {error}")
    if faults:
        raise ZoneFileError("\n".join(faults))
    return tuple(zones)


def read_layer(text: str, sections: Sections, below: Settings) -> Layer:
    """Read settings, sections of options. Raises ZoneFileError, SettingsError."""
    return check_layer(read_json(text), sections, below)


def read_json(text: str) -> object:
    """Raises ZoneFileError that names the line and column."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ZoneFileError(
            f"line {error.lineno}, column {error.colno}: no JSON ({error.msg})"
        ) from None
    except (ValueError, RecursionError) as error:  # a number without end, or brackets
        raise ZoneFileError(f"no JSON that can be read ({error})") from None


def _zone(entry: Any, sections: Sections, below: Settings) -> Zone:
    if not isinstance(entry, dict):
        raise ZoneFileError('a zone is {"name": …, "kind": …, "corners": …}')
    if unknown := [key for key in entry if key not in KEYS]:
        raise ZoneFileError(f"no such entry “{unknown[0]}”; there are {', '.join(KEYS)}")
    name, settings = entry.get("name"), entry.get("settings", {})
    if not isinstance(name, str) or not name.strip():
        raise ZoneFileError("it needs a name")
    if broken := list(faults_in_zone(settings, sections, below)):
        raise SettingsError(broken)
    return Zone.of(name, _kind(entry), _corners(entry), settings)


def _kind(entry: Mapping[str, Any]) -> ZoneKind:
    kind = entry.get("kind")
    if kind not in list(ZoneKind):
        raise ZoneFileError(f"no kind “{kind}”; there are {', '.join(ZoneKind)}")
    return ZoneKind(kind)


def _corners(entry: Mapping[str, Any]) -> Sequence[Sequence[float]]:
    given = [entry[key] for key in ("corners", "polygon") if key in entry]
    if len(given) != 1 or not isinstance(given[0], list):
        raise ZoneFileError("it needs corners, [[x, y], …], each from 0 to 1 of the picture")
    corners: Sequence[Sequence[float]] = given[0]
    return corners


def _called(entry: Any, number: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"zone {number} “{name}”" if isinstance(name, str) and name else f"zone {number}"
