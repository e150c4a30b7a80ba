"""What in a camera's setup watches nothing: seen before a burglar finds it."""

from collections.abc import Iterator, Sequence
from typing import Any

from detection.domain.geometry import Point, Polygon
from detection.domain.schedules import Profile
from detection.domain.zones import Zone
from detection.rules.rule import SUREST, Rule, RuleOptions
from detection.rules.settings import THRESHOLDS
from detection.rules.setup import CameraSetup

GRID = 40  # points along each side by which an area counts as masked
RuleTypes = Sequence[type[Rule[Any]]]


def contradictions(
    setup: CameraSetup, rules: RuleTypes, switched_off: Sequence[str] = ()
) -> list[str]:
    """A sentence for each; `switched_off` are the names of zones that are."""
    masks = [zone.area for zone in setup.zones if zone.is_overlooked]
    found = [f"Zone “{name}” is switched off." for name in switched_off]
    if _covered(_grid(), masks):
        return [*found, "The whole picture is masked: nothing is watched."]
    for zone in setup.zones:
        found += _of_zone(zone, setup, rules, masks)
    found += _of_rules(setup, rules)
    return [*found, *_of_thresholds(setup)]


def _of_zone(
    zone: Zone, setup: CameraSetup, rules: RuleTypes, masks: Sequence[Polygon]
) -> Iterator[str]:
    if zone.kind.is_mask:
        return
    kind = zone.kind.value.replace("_", " ")
    named = f"Zone “{zone.name}” ({kind})"
    for rule in rules:
        if rule.NAME in zone.settings and not _heeds(rule, zone):
            yield f"{named} has settings of {_name(rule)}, which looks at no zone of this kind."
    crimes = {crime for rule in rules if zone.kind in rule.ZONE_KINDS for crime in rule.ZONE_CRIMES}
    for crime in zone.settings.get(THRESHOLDS, {}):
        if crime not in crimes:
            yield f"{named} has thresholds of {crime}, which no rule suspects by its name."
    watching = [rule for rule in rules if zone.kind in rule.ZONE_KINDS]
    if not watching:
        yield f"{named} is watched by no rule: none looks at zones of this kind."
        return
    whys = [_why_unarmed(rule, zone, setup) for rule in watching]
    if all(whys):
        yield f"{named} is never watched: {'; '.join(dict.fromkeys(filter(None, whys)))}."
    if _covered(_points_of(zone), masks):
        yield f"{named} lies wholly under a mask."


def _heeds(rule: type[Rule[Any]], zone: Zone) -> bool:
    return zone.kind in rule.ZONE_KINDS or (rule.HEEDS_EVERY_ZONE and zone.polygon is not None)


def _of_rules(setup: CameraSetup, rules: RuleTypes) -> Iterator[str]:
    whys = [_why_unarmed(rule, None, setup) for rule in rules]
    zones = [zone for zone in setup.zones if not zone.kind.is_mask]
    if rules and all(whys) and not zones:
        yield f"No rule is ever armed here: {'; '.join(dict.fromkeys(filter(None, whys)))}."
    for rule in rules:
        options = _options(rule, None, setup)
        if options.enabled and options.least_confidence > SUREST:
            yield (
                f"{_name(rule)} drops all it sees: least_confidence is "
                f"{options.least_confidence:g}, and nothing is surer than {SUREST:g}."
            )


def _of_thresholds(setup: CameraSetup) -> Iterator[str]:
    for crime_type, thresholds in setup.settings.thresholds().items():
        if thresholds.alert > SUREST:
            name = crime_type.value.replace("_", " ").capitalize()
            yield (
                f"{name} hardly ever alerts: its threshold is {thresholds.alert:g}, and a rule "
                f"alone is never surer than {SUREST:g}."
            )


def _why_unarmed(rule: type[Rule[Any]], zone: Zone | None, setup: CameraSetup) -> str:
    """Why a rule never looks there; empty where at some hour it does."""
    options = _options(rule, zone, setup)
    if not options.enabled:
        return f"{_name(rule)} is switched off"
    if not options.armed_in:
        return f"{_name(rule)} is armed in no profile"
    profiles, said = _profiles_of(zone, setup)
    if any(options.is_armed(profile) for profile in profiles):
        return ""
    armed = " and ".join(options.armed_in)
    return f"{_name(rule)} is armed by {armed} only, and {said}"


def _profiles_of(zone: Zone | None, setup: CameraSetup) -> tuple[list[Profile | None], str]:
    """The profiles that can come into force."""
    if setup.profile is not None:
        return [setup.profile], f"it is {setup.profile.value} by hand"
    schedule = zone.schedule if zone and zone.schedule else setup.schedule
    if schedule is not None:
        profiles = sorted({span.profile for span in schedule.spans})
        return [*profiles], f"the schedule has {' and '.join(profiles)} only"
    return [None], ""


def _options(rule: type[Rule[Any]], zone: Zone | None, setup: CameraSetup) -> RuleOptions:
    return setup.settings.of(rule.NAME, rule.Options, zone)


def _name(rule: type[Rule[Any]]) -> str:
    return rule.NAME.replace("_", " ")


def _grid() -> list[Point]:
    return [Point((x + 0.5) / GRID, (y + 0.5) / GRID) for x in range(GRID) for y in range(GRID)]


def _points_of(zone: Zone) -> list[Point]:
    """Points all over a zone: of a line, along it."""
    if zone.line is not None:
        (x1, y1), (x2, y2) = zone.line.start, zone.line.end
        shares = [step / GRID for step in range(GRID + 1)]
        return [Point(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share) for share in shares]
    inside = [point for point in _grid() if zone.area.contains(point)]
    return inside or list(zone.outline)


def _covered(points: Sequence[Point], masks: Sequence[Polygon]) -> bool:
    return all(any(mask.contains(point) for mask in masks) for point in points)
