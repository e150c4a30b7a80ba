"""A rule that says it suspects something by a zone's name does name it."""

from typing import Any

import pytest

from detection.domain.crimes import CrimeType
from detection.domain.schedules import Profile
from detection.domain.zones import ZoneKind
from detection.rules.break_in import BreakIn
from detection.rules.loitering import Loitering
from detection.rules.rule import Rule
from detection.rules.settings import Settings
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import Walk, line_right_of, play, zone

SETTINGS = Settings(({"loitering": {"dwell_seconds": 4}},))


@pytest.mark.parametrize(
    ("rule", "steps", "crime"),
    [
        (
            Trespassing([zone(ZoneKind.RESTRICTED, "d", "f", name="here")], SETTINGS),
            "ddd",
            CrimeType.TRESPASSING,
        ),
        (
            Loitering([zone(ZoneKind.LOITERING, "d", "f", name="here")], SETTINGS),
            "dddddddd",
            CrimeType.SUSPICIOUS_ACTIVITY,
        ),
        (BreakIn([line_right_of("d", name="here")], SETTINGS), "cddeefff", CrimeType.BREAK_IN),
    ],
)
def test_a_suspicion_names_its_zone(rule: Rule[Any], steps: str, crime: CrimeType) -> None:
    said = [s for found in play(rule, Walk(steps), profile=Profile.NIGHT) for s in found]
    assert {(suspicion.zone, suspicion.crime_type) for suspicion in said} == {("here", crime)}
    assert (crime,) == type(rule).ZONE_CRIMES


def test_who_lingers_where_no_zone_is_drawn_is_suspected_by_no_name() -> None:
    said = [s for found in play(Loitering([], SETTINGS), Walk("dddddddd")) for s in found]
    assert {suspicion.zone for suspicion in said} == {""}
