"""Settings in layers: what holds where, and what nobody can set."""

from typing import Any

import pytest
from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.episodes import Thresholds
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import RuleOptions
from detection.rules.settings import (
    Settings,
    SettingsError,
    check_layer,
    faults_in,
    faults_in_zone,
    without_faults,
)

CORNERS = [[0.2, 0.2], [0.8, 0.2], [0.5, 0.8]]


class Dwelling(RuleOptions):
    dwell_seconds: float = Field(4.0, ge=0, description="How long.")


SECTIONS = {"dwelling": Dwelling}


def zone(settings: dict[str, Any]) -> Zone:
    return Zone.of("yard", ZoneKind.RESTRICTED, CORNERS, settings)


# --- what holds ----------------------------------------------------------------------------------


def test_without_layers_the_defaults_hold() -> None:
    assert Settings().of("dwelling", Dwelling).dwell_seconds == 4.0


def test_the_camera_goes_before_the_site_and_the_zone_before_both() -> None:
    settings = Settings(({"dwelling": {"dwell_seconds": 10}}, {"dwelling": {"dwell_seconds": 7}}))
    assert settings.of("dwelling", Dwelling).dwell_seconds == 7
    own = zone({"dwelling": {"dwell_seconds": 2}})
    assert settings.of("dwelling", Dwelling, own).dwell_seconds == 2


def test_options_are_inherited_one_by_one() -> None:
    settings = Settings(({"dwelling": {"least_height": 0.2, "dwell_seconds": 10}},))
    options = settings.of("dwelling", Dwelling, zone({"dwelling": {"enabled": False}}))
    assert (options.enabled, options.least_height, options.dwell_seconds) == (False, 0.2, 10)


def test_a_zone_without_settings_of_its_own_has_the_cameras() -> None:
    settings = Settings(({"dwelling": {"dwell_seconds": 7}},))
    assert settings.of("dwelling", Dwelling, zone({})).dwell_seconds == 7


def test_thresholds_are_inherited_level_by_level() -> None:
    site = {"thresholds": {"theft": {"alert": 60}, "assault": {"crime": 90}}}
    camera = {"thresholds": {"theft": {"crime": 85}}}
    thresholds = Settings((site, camera), alert=55, crime=75).thresholds()
    assert thresholds[CrimeType.THEFT] == Thresholds(60, 85)
    assert thresholds[CrimeType.ASSAULT] == Thresholds(55, 90)
    assert thresholds[CrimeType.ROBBERY] == Thresholds(55, 75)
    assert thresholds.keys() == set(CrimeType)


def test_no_crime_is_surer_of_itself_than_of_its_alert() -> None:
    """Layers that were written without knowing of each other."""
    layers = {"thresholds": {"theft": {"crime": 55}}}, {"thresholds": {"theft": {"alert": 70}}}
    assert Settings(layers).thresholds()[CrimeType.THEFT] == Thresholds(70, 70)


# --- what nobody can set -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        {},
        {"dwelling": {}},
        {"dwelling": {"dwell_seconds": 0, "armed_in": ["night", "closed"]}},
        {"thresholds": {}},
        {"thresholds": {"theft": {"alert": 60, "crime": 90}, "assault": {"crime": 100}}},
    ],
)
def test_a_sound_layer_is_returned_as_it_is(layer: dict[str, Any]) -> None:
    assert check_layer(layer, SECTIONS) is layer


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ([], "settings are sections of options"),
        ("dwelling", "settings are sections of options"),
        ({"dweling": {}}, "dweling: no such rule; there are dwelling, thresholds"),
        ({"dwelling": None}, "dwelling: give options"),
        ({"dwelling": [1]}, "dwelling: give options"),
        ({"dwelling": {"dwel": 1}}, "dwelling.dwel: no such option; there are armed_in, dwell_sec"),
        ({"dwelling": {"dwell_seconds": -1}}, "dwelling.dwell_seconds: Input should be greater"),
        ({"dwelling": {"dwell_seconds": "long"}}, "dwelling.dwell_seconds: Input should be a val"),
        ({"dwelling": {"armed_in": ["noon"]}}, "dwelling.armed_in.0: Input should be 'day', 'ni"),
        ({"dwelling": {"least_confidence": 101}}, "dwelling.least_confidence: Input should be l"),
        ({"thresholds": {"thievery": {"alert": 1}}}, "thresholds.thievery: no such crime; there"),
        ({"thresholds": {"theft": 60}}, "thresholds.theft: give"),
        ({"thresholds": {"theft": {}}}, "thresholds.theft: give"),
        ({"thresholds": {"theft": {"alarm": 60}}}, "thresholds.theft: give"),
        ({"thresholds": {"theft": {"alert": True}}}, "thresholds.theft.alert: give a number"),
        ({"thresholds": {"theft": {"alert": "60"}}}, "thresholds.theft.alert: give a number"),
        ({"thresholds": {"theft": {"alert": 101}}}, "thresholds.theft.alert: give a number"),
        ({"thresholds": {"theft": {"alert": float("nan")}}}, "thresholds.theft.alert: give a"),
        ({"thresholds": {"theft": {"alert": 70, "crime": 70}}}, "thresholds.theft.crime: crime"),
        ({"thresholds": {"theft": {"alert": 85}}}, "thresholds.theft.alert: crime (80) must be"),
        ({"thresholds": {"theft": {"crime": 40}}}, "thresholds.theft.crime: crime (40) must be"),
    ],
)
def test_what_nobody_knows_or_takes_is_named_by_section_and_option(layer: Any, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        check_layer(layer, SECTIONS)
    assert str(error.value).startswith(told)


def test_all_faults_are_named_at_once() -> None:
    layer = {"dweling": {}, "dwelling": {"dwel": 1, "dwell_seconds": -1}}
    with pytest.raises(SettingsError) as error:
        check_layer(layer, SECTIONS)
    where = {(fault.section, fault.option) for fault in error.value.faults}
    assert where == {("dweling", ""), ("dwelling", "dwel"), ("dwelling", "dwell_seconds")}


def test_thresholds_are_judged_above_what_they_inherit() -> None:
    below = Settings(({"thresholds": {"theft": {"alert": 30}}},))
    assert list(faults_in({"thresholds": {"theft": {"crime": 40}}}, SECTIONS, below)) == []
    assert list(faults_in({"thresholds": {"assault": {"crime": 40}}}, SECTIONS, below))


def test_thresholds_of_a_zone_are_checked_above_what_it_inherits() -> None:
    layer = {"thresholds": {"theft": {"alert": 60}}, "dwelling": {"dwell_seconds": 1}}
    assert list(faults_in_zone(layer, SECTIONS, Settings())) == []
    (fault,) = faults_in_zone(layer, SECTIONS, Settings(crime=55))
    assert str(fault) == "thresholds.theft.alert: crime (55) must be above alert (60)"


def test_what_is_left_without_the_faulty_sections_is_used() -> None:
    layer = {"dweling": {}, "dwelling": {"dwell_seconds": 1}}
    assert without_faults(layer, faults_in(layer, SECTIONS)) == {"dwelling": {"dwell_seconds": 1}}
