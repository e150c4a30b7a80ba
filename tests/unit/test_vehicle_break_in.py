"""Break-ins into vehicles, by scenes of a street from a to j (see scenes.py).

A car stands at e, from 0.33 to 0.57 of the width and 0.25 to 0.5 of the height: c and g are beside
it. Whoever sits in it is seen from the hips up. Parked is what has stood for a minute; who is at it
for 20 s and then in it is a thief, after 8 s surely.
"""

from typing import Any

from detection.domain.crimes import CrimeType
from detection.domain.schedules import Profile
from detection.domain.zones import ZoneKind
from detection.rules.settings import Settings
from detection.rules.vehicle_break_in import VehicleBreakIn
from tests.unit.scenes import Walk, confidences, first_suspected, play, zone

PARKED = "." * 70
CAR = Walk("e" * 200, 100, "car")


def rule(**options: Any) -> VehicleBreakIn:
    return VehicleBreakIn([], Settings(({"vehicle_break_in": options},)))


def sitting(steps: str, number: int = 1) -> Walk:
    return Walk(steps, number, size=(0.04, 0.12), lift=0.1)


def theft(tarries: int = 30, sits: int = 12) -> tuple[Walk, Walk]:
    """Somebody comes from the left, tarries at d, and sits in the car."""
    outside = PARKED + "ab" + "d" * tarries
    return Walk(outside), sitting("." * len(outside) + "e" * sits)


def test_who_tarries_at_a_parked_car_and_is_then_in_it_is_a_thief() -> None:
    found = confidences(rule(), CAR, *theft())[: 70 + 2 + 30 + 12]
    assert found[:102] == [None] * 102
    assert found[102:] == [50, 54.375, 58.75, 63.125, 67.5, 71.875, 76.25, 80.625, 85, 85, 85, 85]


def test_a_driver_who_walks_up_and_gets_in_is_none() -> None:
    assert first_suspected(rule(), CAR, *theft(tarries=10)) is None


def test_a_driver_who_arrives_with_the_car_gets_out_waits_and_gets_in_again_is_none() -> None:
    arrival = Walk("abcd" + "e" * 196, 100, "car")
    driver = Walk("." * 20 + "d" * 60), sitting("." * 80 + "e" * 20)
    assert first_suspected(rule(), arrival, *driver) is None


def test_who_sat_in_the_parked_car_gets_out_and_in_again_is_none() -> None:
    """They were in it when they were first seen."""
    before, after = sitting(PARKED + "eee" + "." * 30 + "eeeee"), Walk(PARKED + "..." + "d" * 30)
    assert first_suspected(rule(), CAR, before, after) is None


def test_who_only_tarries_beside_a_car_is_none() -> None:
    assert first_suspected(rule(), CAR, Walk(PARKED + "ab" + "d" * 100)) is None


def test_who_stands_before_a_car_is_not_in_it() -> None:
    """Their box lies in the bus's, but for the feet, which are where its wheels are."""
    bus = Walk("e" * 200, 100, "bus")
    assert first_suspected(rule(), bus, Walk(PARKED + "ab" + "d" * 100)) is None


def test_a_car_that_passes_is_not_parked() -> None:
    passing = Walk(PARKED + "abcdefghij" * 12, 100, "car")
    assert first_suspected(rule(), passing, *theft()) is None


def test_a_parked_car_that_gets_a_new_number_is_still_parked() -> None:
    before, after = Walk("e" * 85, 100, "car"), Walk("." * 90 + "e" * 110, 101, "truck")
    assert first_suspected(rule(), before, after, *theft()) == 102


def test_a_parked_car_that_is_missed_for_half_a_minute_is_still_parked() -> None:
    hidden = Walk("e" * 75 + "." * 28 + "e" * 90, 100, "car")
    assert first_suspected(rule(), hidden, *theft()) == 102


def test_a_thief_who_gets_a_new_number_while_tarrying_is_still_a_thief() -> None:
    outside, renumbered = Walk(PARKED + "ab" + "d" * 15), Walk("." * 88 + "d" * 14, 2)
    inside = sitting("." * 102 + "eee", 2)
    assert first_suspected(rule(), CAR, outside, renumbered, inside) == 102


def test_a_thief_who_is_missed_in_the_dark_of_the_car_is_sure_and_then_forgotten() -> None:
    found = confidences(rule(), CAR, *theft(sits=3))
    assert found[102:111] == [50, 54.375, 58.75, 63.125, 67.5, 71.875, 76.25, 80.625, 85]
    assert found[114] == 85.0 and found[115:] == [None] * len(found[115:])


def test_a_box_that_is_in_the_car_once_is_only_possible() -> None:
    found = confidences(rule(), CAR, *theft(sits=1))
    assert {known for known in found if known} == {50.0}


def test_who_sits_down_on_a_parked_motorcycle_is_a_thief() -> None:
    motorcycle = Walk("e" * 200, 100, "motorcycle")
    outside = Walk(PARKED + "ab" + "e" * 30)
    astride = Walk("." * 102 + "eeeeeee", lift=0.06)
    assert first_suspected(rule(), motorcycle, outside, astride) == 102


def test_by_day_people_may_load_their_cars() -> None:
    assert first_suspected(rule(), CAR, *theft(), profile=Profile.DAY) is None
    assert first_suspected(rule(), CAR, *theft(), profile=Profile.NIGHT) == 102


def test_a_zone_may_have_its_own_dwell() -> None:
    lot = zone(ZoneKind.PROTECTED, "a", "j", settings={"vehicle_break_in": {"dwell_seconds": 5}})
    assert first_suspected(VehicleBreakIn([lot], Settings()), CAR, *theft(tarries=10)) == 82


def test_it_is_a_break_in_and_says_who_where_and_how_long() -> None:
    (suspicion,) = list(play(rule(), CAR, *theft()))[103]
    assert suspicion.crime_type is CrimeType.BREAK_IN
    assert suspicion.track_ids == (1,)
    assert suspicion.reason == "person 1 tarried at a car for 30 s and is in it"
