"""Zones and settings from files that people write: what is read, and what is named as wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from detection.domain.geometry import Point
from detection.domain.zones import ZoneKind
from detection.rules.settings import Settings, SettingsError
from detection.rules.trespassing import Trespassing
from detection.rules.zone_file import ZoneFileError, read_layer, read_zones
from detection.services.setups import sections

SECTIONS = {"trespassing": Trespassing.Options}
TRIANGLE = [[0, 0], [1, 0], [1, 1]]
SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "samples" / "zones.json"


def read(*zones: Any) -> Any:
    return read_zones(json.dumps(zones), SECTIONS, Settings())


def zone(**entries: Any) -> dict[str, Any]:
    return {"name": "yard", "kind": "restricted", "corners": TRIANGLE} | entries


def fault(*zones: Any) -> str:
    with pytest.raises(ZoneFileError) as error:
        read(*zones)
    return str(error.value)


def test_zones_are_read_with_their_own_settings() -> None:
    own = {"trespassing": {"dwell_seconds": 2}}
    yard, gate = read(
        zone(settings=own),
        {"name": "gate", "kind": "entry_line", "polygon": [[0.1, 0.5], [0.9, 0.5]]},
    )
    assert (yard.name, yard.kind, yard.settings) == ("yard", ZoneKind.RESTRICTED, own)
    assert yard.area.contains(Point(0.9, 0.5))
    assert gate.outline == (Point(0.1, 0.5), Point(0.9, 0.5))
    assert gate.settings == {}


def test_no_zones_are_a_list_too() -> None:
    assert read() == ()


def test_the_sample_of_the_documents_is_sound_and_has_every_kind() -> None:
    zones = read_zones(SAMPLE.read_text(), sections(), Settings())
    assert {zone.kind for zone in zones} == set(ZoneKind)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1: no JSON"),
        ("[" * 100_000, "no JSON that can be read"),
        ("9" * 5_000, "no JSON that can be read"),
        ('[\n {"name": "a",}\n]', "line 2, column 1"),
        ('{"name": "yard"}', "zones are a list, like"),
        ("null", "zones are a list, like"),
    ],
)
def test_what_is_no_list_is_named_by_its_line(text: str, told: str) -> None:
    with pytest.raises(ZoneFileError) as error:
        read_zones(text, SECTIONS, Settings())
    assert str(error.value).startswith(told)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (7, "zone 1: a zone is {"),
        (zone(name=""), "zone 1: it needs a name"),
        (zone(name="  "), "zone 1 “  ”: it needs a name"),
        (zone(name=3), "zone 1: it needs a name"),
        (zone(kind="wall"), "zone 1 “yard”: no kind “wall”; there are restricted, loitering, ent"),
        (zone(kind=["mask"]), "zone 1 “yard”: no kind"),
        (zone(shape="round"), "zone 1 “yard”: no such entry “shape”; there are name, kind, cor"),
        (zone(corners=None), "zone 1 “yard”: it needs corners"),
        (zone(corners="0,0 1,1"), "zone 1 “yard”: it needs corners"),
        (zone(polygon=TRIANGLE), "zone 1 “yard”: it needs corners"),
        (zone(corners=TRIANGLE[:2]), "zone 1 “yard”: a zone needs at least 3 corners, this one h"),
        (zone(corners=[[0, 0], [1, 1], [1, 0], [0, 1]]), "zone 1 “yard”: the edges of the zone"),
        (zone(corners=[[0, 0], [640, 0], [1, 1]]), "zone 1 “yard”: corner 2 is at (640, 0), out"),
        (zone(kind="entry_line"), "zone 1 “yard”: a line has 2 points, this one has 3"),
        (zone(settings=[]), "zone 1 “yard”: settings are sections of options"),
        (zone(settings={"loitring": {}}), "zone 1 “yard”: loitring: no such rule"),
        (zone(settings={"trespassing": {"dwel": 1}}), "zone 1 “yard”: trespassing.dwel: no such"),
        (zone(settings={"thresholds": {"arson": {}}}), "zone 1 “yard”: thresholds.arson: no such"),
    ],
)
def test_a_zone_that_cannot_be_is_named_with_its_fault(entry: Any, told: str) -> None:
    assert fault(entry).startswith(told)


def test_all_faults_are_told_at_once() -> None:
    told = fault(zone(kind="wall"), zone(name="sound"), zone(name="gate", corners=[]))
    assert told.startswith("zone 1 “yard”: no kind")
    assert "\nzone 3 “gate”: a zone needs at least 3 corners" in told
    assert "sound" not in told


def test_two_zones_of_one_name_are_refused() -> None:
    assert fault(zone(), zone()) == "zone 2 “yard”: there is another zone of this name"


def test_settings_are_checked_above_what_they_inherit() -> None:
    below = Settings(({"thresholds": {"theft": {"alert": 30}}},))
    text = '{"thresholds": {"theft": {"crime": 40}}}'
    assert read_layer(text, SECTIONS, below) == {"thresholds": {"theft": {"crime": 40}}}
    with pytest.raises(SettingsError, match=r"theft\.crime: crime \(40\) must be above alert"):
        read_layer(text, SECTIONS, Settings())
    with pytest.raises(ZoneFileError, match="line 1, column 2: no JSON"):
        read_layer("{", SECTIONS, below)
