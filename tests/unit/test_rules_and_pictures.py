"""A rule that looks at pictures must say so: replays have none, and would judge it wrongly."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import Rule, RuleOptions
from detection.rules.settings import Settings
from tests.unit.scenes import START, Walk

CORNERS = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
RULES = {name: import_string(path) for name, path in settings.DETECTION_RULES.items()}


class Asked(Exception):
    """Somebody looked at the picture."""


class Guarded(Moment):
    """A moment whose picture nobody may look at unnoticed."""

    @property
    def picture(self) -> Any:
        raise Asked

    @picture.setter
    def picture(self, _: object) -> None:
        """Taken and not kept."""


def zones() -> list[Zone]:
    """One of each kind, each as large as the picture."""
    return [
        Zone.of(kind, kind, CORNERS[:2] if kind is ZoneKind.ENTRY_LINE else CORNERS)
        for kind in ZoneKind
    ]


def looks_at_pictures(rule: type[Rule[Any]]) -> bool:
    """Two people, a bag and a car for a minute; then the bag is gone."""
    watching = rule(zones(), Settings())
    walks = (
        Walk("abcdef" + "e" * 60, 1),
        Walk("jihgf" + "e" * 60, 2),
        Walk("e" * 40, 3, "backpack"),
        Walk("f" * 60, 4, "car"),
    )
    bodies = {1: np.full((17, 3), 0.5, np.float32), 2: np.full((17, 3), 0.6, np.float32)}
    try:
        for number in range(60):
            tracks = [track for walk in walks for track in walk.at(number)]
            watching.observe(Guarded(START + timedelta(seconds=number), tracks, bodies))
    except Asked:
        return True
    return False


class Looking(Rule[RuleOptions]):
    """Looks, and sees nothing. See Rule."""

    NAME = "looking"
    Options = RuleOptions

    def observe(self, moment: Moment) -> list[Suspicion]:
        assert moment.picture is None
        return []


def test_who_looks_is_found_out() -> None:
    assert looks_at_pictures(Looking)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_that_looks_at_pictures_needs_them_and_says_so(rule: type[Rule[Any]]) -> None:
    assert rule.NEEDS_PICTURES or not looks_at_pictures(rule)
