"""Settings in layers: who may set what, what is refused, and what reaches a watch."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings as DjangoSettings

from detection.domain.crimes import CrimeType
from detection.models import AuditRecord, Camera, Site, Zone
from detection.rules.loitering import LoiteringOptions
from detection.rules.settings import SettingsError
from detection.rules.trespassing import TrespassingOptions
from detection.services.inheritance import inherited_by
from detection.services.rule_settings import ChangedMeanwhile, save_settings, set_threshold
from detection.services.setups import load_setup

pytestmark = pytest.mark.django_db

CORNERS = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="x")


@pytest.fixture
def camera() -> Camera:
    return Camera.objects.create(registry="local", external_id=1, name="Yard")


def a_zone(camera: Camera, name: str = "gate", **fields: Any) -> Zone:
    given = {"kind": "restricted", "polygon": CORNERS}
    return Zone.objects.create(camera=camera, name=name, **{**given, **fields})


def dwell(camera: Camera, zone: str = "") -> float:
    """For how long one must stay there to be a trespasser, as a watch reads it."""
    setup = load_setup(camera.pk)
    there = next((z for z in setup.zones if z.name == zone), None)
    return setup.settings.of("trespassing", TrespassingOptions, there).dwell_seconds


# --- inheritance ------------------------------------------------------------------------------


def test_each_layer_goes_before_the_one_below(
    camera: Camera, boss: User, settings: DjangoSettings
) -> None:
    gate = a_zone(camera)
    other = Camera.objects.create(registry="local", external_id=2, name="Street")
    assert dwell(camera) == 4
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"trespassing_dwell_seconds": 5.0}
    )
    assert dwell(camera, "gate") == 5
    for owner, seconds in ((Site.objects.create(pk=1), 6), (camera, 7), (gate, 8)):
        layer = {"trespassing": {"dwell_seconds": seconds}}
        assert save_settings(owner=owner, layer=layer, by=boss)
    assert (dwell(other), dwell(camera), dwell(camera, "gate")) == (6, 7, 8)
    save_settings(owner=gate, layer={}, by=boss)
    save_settings(owner=camera, layer={}, by=boss)
    assert (dwell(camera), dwell(camera, "gate")) == (6, 6)


def test_an_option_that_a_layer_leaves_out_is_inherited_beside_one_that_it_sets(
    camera: Camera, boss: User
) -> None:
    site = Site.objects.create(pk=1)
    save_settings(owner=site, layer={"loitering": {"dwell_seconds": 90, "radius": 0.3}}, by=boss)
    save_settings(owner=camera, layer={"loitering": {"dwell_seconds": 30}}, by=boss)
    options = load_setup(camera.pk).settings.of("loitering", LoiteringOptions)
    assert (options.dwell_seconds, options.radius) == (30, 0.3)


# --- thresholds -------------------------------------------------------------------------------


def thresholds(camera: Camera, crime_type: CrimeType) -> tuple[float, float]:
    pair = load_setup(camera.pk).settings.thresholds_of(crime_type)
    return pair.alert, pair.crime


def test_a_threshold_is_set_by_one_act_and_unset_by_another(camera: Camera, boss: User) -> None:
    def set_alert(alert: float | None) -> float | None:
        return set_threshold(camera=camera, crime_type=CrimeType.THEFT, alert=alert, by=boss)

    assert set_alert(65.0) is None
    assert thresholds(camera, CrimeType.THEFT) == (65, 80)
    assert thresholds(camera, CrimeType.ROBBERY) == (50, 80)
    before = set_alert(70.0)
    assert before == 65
    assert set_alert(before) == 70
    assert set_alert(None) == 65
    camera.refresh_from_db()
    assert camera.rule_settings == {}
    assert [record.details for record in AuditRecord.objects.order_by("pk")] == [
        {"settings": {"thresholds.theft.alert": [None, 65.0]}},
        {"settings": {"thresholds.theft.alert": [65.0, 70.0]}},
        {"settings": {"thresholds.theft.alert": [70.0, 65.0]}},
        {"settings": {"thresholds.theft.alert": [65.0, None]}},
    ]


def test_a_threshold_leaves_the_other_settings_alone(camera: Camera, boss: User) -> None:
    stored: dict[str, dict[str, Any]] = {
        "loitering": {"radius": 0.2},
        "thresholds": {"theft": {"crime": 90}, "robbery": {"alert": 40}},
    }
    save_settings(owner=camera, layer=stored, by=boss)
    set_threshold(camera=camera, crime_type=CrimeType.THEFT, alert=85, by=boss)
    set_threshold(camera=camera, crime_type=CrimeType.ROBBERY, alert=None, by=boss)
    assert camera.rule_settings == {
        "loitering": {"radius": 0.2},
        "thresholds": {"theft": {"crime": 90, "alert": 85}},
    }


def test_an_alert_above_the_inherited_crime_is_refused_and_changes_nothing(
    camera: Camera, boss: User
) -> None:
    with pytest.raises(SettingsError) as refused:
        set_threshold(camera=camera, crime_type=CrimeType.THEFT, alert=80, by=boss)
    assert str(refused.value) == "thresholds.theft.alert: crime (80) must be above alert (80)"
    camera.refresh_from_db()
    assert camera.rule_settings == {}
    assert not AuditRecord.objects.exists()


def test_the_site_may_not_upset_what_a_camera_has_set(camera: Camera, boss: User) -> None:
    site = Site.objects.create(pk=1)
    set_threshold(camera=camera, crime_type=CrimeType.THEFT, alert=75, by=boss)
    with pytest.raises(SettingsError) as refused:
        save_settings(owner=site, layer={"thresholds": {"theft": {"crime": 70}}}, by=boss)
    assert str(refused.value) == (
        "thresholds.theft.alert: at camera “Yard”: crime (70) must be above alert (75)"
    )
    site.refresh_from_db()
    assert site.rule_settings == {}


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            {"loiterin": {"radius": 0.2}},
            "loiterin: no such rule; there are ",
        ),
        (
            {"trespassing": {"dwell": 4}},
            "trespassing.dwell: no such option; there are armed_in, ",
        ),
        (
            {"trespassing": {"dwell_seconds": -1}},
            "trespassing.dwell_seconds: Input should be greater than or equal to 0",
        ),
        ({"loitering": 5}, 'loitering: give options, like {"enabled": true}'),
        (
            {"thresholds": {"thef": {"alert": 60}}},
            "thresholds.thef: no such crime; there are theft, assault, ",
        ),
        (
            {"thresholds": {"theft": {"alert": "much"}}},
            "thresholds.theft.alert: give a number from 0 to 100",
        ),
        ([], 'settings are sections of options, like {"loitering": {…}}'),
    ],
)
def test_a_fault_is_named_by_section_and_option_and_nothing_is_half_applied(
    layer: Any, said: str, camera: Camera, boss: User
) -> None:
    sound = {"loitering": {"radius": 0.2}}
    save_settings(owner=camera, layer=sound, by=boss)
    sent = {**sound, "loitering": {"radius": 0.3}, **layer} if layer else layer
    with pytest.raises(SettingsError) as refused:
        save_settings(owner=camera, layer=sent, by=boss)
    assert str(refused.value).startswith(said)
    camera.refresh_from_db()
    assert camera.rule_settings == sound


def test_thresholds_of_a_zone_are_checked_above_those_of_its_camera(
    camera: Camera, boss: User
) -> None:
    zone = a_zone(camera)
    with pytest.raises(SettingsError, match=r"trespassing\.alert: crime \(80\) must be above"):
        save_settings(owner=zone, layer={"thresholds": {"trespassing": {"alert": 90}}}, by=boss)
    assert save_settings(owner=zone, layer={"thresholds": {"trespassing": {"alert": 70}}}, by=boss)
    with pytest.raises(SettingsError, match=r"trespassing\.least_confidence: holds for a whole"):
        save_settings(owner=zone, layer={"trespassing": {"least_confidence": 9}}, by=boss)


def test_who_read_old_settings_does_not_write_over_new_ones(camera: Camera, boss: User) -> None:
    save_settings(owner=camera, layer={"loitering": {"radius": 0.2}}, by=boss, expected={})
    with pytest.raises(ChangedMeanwhile):
        save_settings(owner=camera, layer={"loitering": {"radius": 0.3}}, by=boss, expected={})
    assert camera.rule_settings == {"loitering": {"radius": 0.2}}


def test_what_is_inherited_says_from_whom(
    camera: Camera, boss: User, settings: DjangoSettings
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"loitering_dwell_seconds": 9.0})
    save_settings(owner=Site.objects.create(pk=1), layer={"loitering": {"radius": 0.2}}, by=boss)
    save_settings(owner=camera, layer={"trespassing": {"enabled": False}}, by=boss)
    assert inherited_by(a_zone(camera)).layers == (
        ("environment", {"loitering": {"dwell_seconds": 9.0}}),
        ("site", {"loitering": {"radius": 0.2}}),
        ("camera", {"trespassing": {"enabled": False}}),
    )
