"""Settings by place, for rules that watch the whole picture."""

from typing import TypeVar

from detection.domain.geometry import Point
from detection.rules.rule import Rule, RuleOptions

OptionsType = TypeVar("OptionsType", bound=RuleOptions)


def options_at(rule: Rule[OptionsType], feet: Point) -> OptionsType:
    """The settings of the first zone around these feet that has its own, else the camera's."""
    for zone, options in rule.zones:
        if rule.NAME in zone.settings and zone.polygon and zone.polygon.contains(feet):
            return options
    return rule.options
