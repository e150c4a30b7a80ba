"""Setups that watch nothing, and what is said of them."""

import inspect
import sys
from typing import Any

import pytest
from django.utils.module_loading import import_string

from detection.domain.schedules import Profile, Schedule
from detection.domain.zones import Zone, ZoneKind
from detection.rules.contradictions import contradictions
from detection.rules.loitering import Loitering
from detection.rules.rule import Rule
from detection.rules.settings import Layer, Settings
from detection.rules.setup import CameraSetup
from detection.rules.trespassing import Trespassing

SQUARE = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]]
PICTURE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
DAYS = Schedule.read("mon-sun 00:00-24:00 day")
DAY_AND_NIGHT = Schedule.read("mon-sun 06:00-22:00 day\nmon-sun 22:00-06:00 night")
RULES: list[type[Rule[Any]]] = [Trespassing, Loitering]


def yard(**settings: Any) -> Zone:
    return Zone.of("yard", ZoneKind.RESTRICTED, SQUARE, {"trespassing": settings})


def mask(corners: list[list[float]] = PICTURE) -> Zone:
    return Zone.of("mask", ZoneKind.MASK, corners)


def said(
    *zones: Zone,
    layer: Layer | None = None,
    schedule: Schedule | None = None,
    profile: Profile | None = None,
    off: tuple[str, ...] = (),
) -> list[str]:
    setup = CameraSetup(zones, Settings((layer or {},)), schedule, profile)
    return contradictions(setup, RULES, off)


def test_a_setup_that_watches_is_not_spoken_of() -> None:
    assert said() == []
    assert said(yard(), mask([[0.7, 0.7], [0.9, 0.7], [0.9, 0.9]])) == []
    assert said(yard(armed_in=["night"]), schedule=DAY_AND_NIGHT) == []


def test_settings_of_a_rule_that_does_not_look_at_the_zone() -> None:
    zone = Zone.of("yard", ZoneKind.RESTRICTED, SQUARE, {"loitering": {"dwell_seconds": 5}})
    assert said(zone) == [
        "Zone “yard” (restricted) has settings of loitering, which looks at no zone of this kind."
    ]


def test_a_zone_whose_rule_is_never_armed_by_the_schedule() -> None:
    never = [
        "Zone “yard” (restricted) is never watched: trespassing is armed by night and closed only, "
        "and the schedule has day only."
    ]
    assert said(yard(armed_in=["night", "closed"]), schedule=DAYS) == never
    layer = {"trespassing": {"armed_in": ["night", "closed"]}}
    assert said(yard(), layer=layer, schedule=DAYS) == never
    assert said(yard(armed_in=["day"]), layer=layer, schedule=DAYS) == []


def test_a_zone_whose_rule_is_not_armed_by_the_profile_set_by_hand() -> None:
    found = said(yard(armed_in=["day"]), schedule=DAY_AND_NIGHT, profile=Profile.CLOSED)
    assert found == [
        "Zone “yard” (restricted) is never watched: trespassing is armed by day only, and it is "
        "closed by hand."
    ]


def test_a_zone_whose_rule_is_switched_off_or_armed_in_nothing() -> None:
    assert said(yard(enabled=False)) == [
        "Zone “yard” (restricted) is never watched: trespassing is switched off."
    ]
    assert said(yard(armed_in=[])) == [
        "Zone “yard” (restricted) is never watched: trespassing is armed in no profile."
    ]


def test_a_zone_at_which_no_rule_looks() -> None:
    assert said(Zone.of("wall", ZoneKind.PROTECTED, SQUARE)) == [
        "Zone “wall” (protected) is watched by no rule: none looks at zones of this kind."
    ]


def test_a_zone_that_is_switched_off() -> None:
    assert said(off=("gate",)) == ["Zone “gate” is switched off."]


def test_a_picture_that_is_wholly_masked_by_one_mask_or_by_two() -> None:
    nothing = ["The whole picture is masked: nothing is watched."]
    assert said(yard(), mask()) == nothing
    left = mask([[0, 0], [0.5, 0], [0.5, 1], [0, 1]])
    right = mask([[0.5, 0], [1, 0], [1, 1], [0.5, 1]])
    assert said(left, right) == nothing
    assert said(left) == []


def test_a_zone_or_a_line_that_lies_under_a_mask() -> None:
    cover = mask([[0.1, 0.1], [0.7, 0.1], [0.7, 0.7], [0.1, 0.7]])
    assert said(yard(), cover) == ["Zone “yard” (restricted) lies wholly under a mask."]
    line = Zone.of("step", ZoneKind.ENTRY_LINE, [[0.2, 0.2], [0.6, 0.6]])
    assert "Zone “step” (entry line) lies wholly under a mask." in contradictions(
        CameraSetup((line, cover)), [EntryRule]
    )
    longer = Zone.of("step", ZoneKind.ENTRY_LINE, [[0.2, 0.2], [0.9, 0.9]])
    assert contradictions(CameraSetup((longer, cover)), [EntryRule]) == []


def test_a_camera_at_which_no_rule_is_armed() -> None:
    off: Layer = {"trespassing": {"enabled": False}, "loitering": {"armed_in": ["closed"]}}
    assert said(layer=off, schedule=DAYS) == [
        "No rule is ever armed here: trespassing is switched off; loitering is armed by closed "
        "only, and the schedule has day only."
    ]


def test_confidences_that_nothing_reaches() -> None:
    layer: Layer = {
        "loitering": {"least_confidence": 96},
        "thresholds": {"theft": {"alert": 96, "crime": 99}},
    }
    assert said(layer=layer) == [
        "loitering drops all it sees: least_confidence is 96, and nothing is surer than 95.",
        "Theft hardly ever alerts: its threshold is 96, and a rule alone is never surer than 95.",
    ]


class EntryRule(Trespassing):
    NAME = "entry"
    ZONE_KINDS = (ZoneKind.ENTRY_LINE,)


# --- what a rule says of itself -----------------------------------------------------------------


def every_rule() -> list[type[Rule[Any]]]:
    from django.conf import settings

    return [import_string(path) for path in settings.DETECTION_RULES.values()]


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.NAME)
def test_a_rule_names_the_kinds_of_zones_that_it_looks_at(
    rule: type[Rule[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its settings are missing on the pages of these zones, and warnings are wrong."""
    asked: set[ZoneKind] = set()
    zones_of = Rule.zones_of

    def noting(self: Rule[Any], *kinds: ZoneKind) -> Any:
        asked.update(kinds)
        return zones_of(self, *kinds)

    monkeypatch.setattr(Rule, "zones_of", noting)
    rule((), Settings())
    assert asked <= set(rule.ZONE_KINDS)


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.NAME)
def test_a_rule_that_reads_a_zones_own_options_says_that_it_heeds_every_zone(
    rule: type[Rule[Any]],
) -> None:
    own = [kind for kind in rule.__mro__ if issubclass(kind, Rule) and kind is not Rule]
    text = "".join(inspect.getsource(sys.modules[kind.__module__]) for kind in own)
    reads = "in zone.settings" in text or "options_at(" in text
    assert reads == rule.HEEDS_EVERY_ZONE


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.NAME)
def test_each_option_says_what_it_does_and_has_a_default(rule: type[Rule[Any]]) -> None:
    for name, info in rule.Options.model_fields.items():
        assert info.description, name
        assert not info.is_required(), name
    assert rule.__doc__
