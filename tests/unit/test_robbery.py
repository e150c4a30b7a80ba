"""Robbery, by scenes of a street from a to j (see scenes.py), one frame a second."""

from typing import Any

import pytest

from detection.domain.crime_classes import CrimeClasses
from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.gestures import are_hands_up
from detection.domain.zones import ZoneKind
from detection.rules.robbery import Robbery
from detection.rules.settings import Settings
from tests.unit.poses import body
from tests.unit.scenes import Walk, confidences, play, zone


def robbery(*weapons: str, **options: Any) -> Robbery:
    classes = CrimeClasses.of(dict.fromkeys(weapons, "weapon"))
    return Robbery([], Settings(({"robbery": options},), classes=classes))


def knife(steps: str, label: str = "knife") -> Walk:
    return Walk(steps, 50, label, lift=0.12)


def strongest(found: list[float | None]) -> float:
    return max((confidence or 0.0 for confidence in found), default=0.0)


# --- armed ---------------------------------------------------------------------------------------

ROBBER = "abcdeffffffffff"
VICTIM = "gggggggggggggg."


def test_who_comes_to_another_with_a_knife_is_a_robber_after_some_seconds() -> None:
    found = confidences(robbery(), Walk(ROBBER, 1), knife(ROBBER), Walk(VICTIM, 2))
    assert found == [None] * 4 + [40, 47.5, 55, 62.5, 70, 77.5, 85, 85, 85, 85, None]


def test_the_suspicion_names_both_and_the_weapon() -> None:
    scene = list(play(robbery(), Walk(ROBBER, 1), knife(ROBBER), Walk(VICTIM, 2)))
    (suspicion,) = scene[6]
    assert suspicion.crime_type is CrimeType.ROBBERY
    assert suspicion.track_ids == (1, 2)
    assert suspicion.reason == "person 1 holds a knife near person 2"


def test_a_cook_alone_with_a_knife_robs_nobody() -> None:
    walk = "abcdedcbabcdedcb"
    assert confidences(robbery(), Walk(walk, 1), knife(walk)) == [None] * 16


def test_who_carries_a_knife_far_from_others_robs_nobody() -> None:
    found = confidences(
        robbery(), Walk("abcbabcbabcb", 1), knife("abcbabcbabcb"), Walk("j" * 12, 2)
    )
    assert strongest(found) == 0.0


def test_a_knife_that_lies_on_a_table_near_people_is_in_nobodys_hand() -> None:
    table = Walk("e" * 20, 50, "knife", lift=0.1, sway=0.004)
    found = confidences(robbery(), Walk("e" * 20, 1, sway=0.01), Walk("f" * 20, 2), table)
    assert strongest(found) == 0.0


def test_who_walks_past_a_knife_on_a_table_does_not_hold_it() -> None:
    found = confidences(robbery(), Walk("abcdefghij", 1), knife("e" * 10), Walk("ffffffffff", 2))
    assert strongest(found) == 0.0


def test_one_frame_of_a_knife_is_nothing() -> None:
    found = confidences(robbery(), Walk(ROBBER, 1), knife(".....f"), Walk(VICTIM, 2))
    assert strongest(found) == 0.0


def test_a_weapon_that_is_missed_now_and_then_is_still_held() -> None:
    found = confidences(robbery(), Walk(ROBBER, 1), knife("abc.ef..f.ffff"), Walk(VICTIM, 2))
    assert strongest(found) >= 70.0


def test_a_weapon_that_is_never_seen_again_is_forgotten() -> None:
    found = confidences(robbery(), Walk(ROBBER, 1), knife("abcde"), Walk(VICTIM, 2))
    assert strongest(found) == 40.0 and found[9:] == [None] * 6


def test_who_stands_far_behind_is_not_near() -> None:
    found = confidences(
        robbery(),
        Walk("abcdee" + "e" * 8, 1, size=(0.08, 0.5)),
        Walk("abcdee" + "e" * 8, 50, "knife", lift=0.12),
        Walk("E" * 14, 2),
    )
    assert strongest(found) == 0.0


@pytest.mark.parametrize("label", ["knife", "scissors", "baseball bat", "Gun"])
def test_the_operators_weapons_count_as_well(label: str) -> None:
    scene = Walk(ROBBER, 1), knife(ROBBER, label), Walk(VICTIM, 2)
    assert strongest(confidences(robbery("gun"), *scene)) == 85.0


def test_no_other_class_is_a_weapon() -> None:
    scene = Walk(ROBBER, 1), knife(ROBBER, "umbrella"), Walk(VICTIM, 2)
    assert strongest(confidences(robbery("gun"), *scene)) == 0.0


def test_whoever_raises_both_hands_before_a_knife_makes_it_surer() -> None:
    victim = Walk(VICTIM, 2, poses="|||||^^^^^^^^^")
    found = confidences(robbery(), Walk(ROBBER, 1), knife(ROBBER), victim)
    assert found[5:9] == [47.5, pytest.approx(73.0), pytest.approx(85.9375), 95.0]


def test_in_a_kitchen_that_is_a_zone_knives_threaten_nobody() -> None:
    scene = Walk(ROBBER, 1), knife(ROBBER), Walk(VICTIM, 2)
    for places, expected in ((("d", "g"), 0.0), (("a", "b"), 85.0)):
        kitchen = zone(ZoneKind.LOITERING, *places, settings={"robbery": {"enabled": False}})
        assert strongest(confidences(Robbery([kitchen], Settings()), *scene)) == expected


def test_a_zone_may_be_sure_of_a_robbery_sooner() -> None:
    scene = Walk(ROBBER, 1), knife(ROBBER), Walk(VICTIM, 2)
    till = zone(ZoneKind.LOITERING, "d", "g", settings={"robbery": {"armed_seconds": 3}})
    assert confidences(Robbery([till], Settings()), *scene)[4:8] == [40, 55, 70, 85]


def test_a_time_of_an_operators_own_makes_it_sure_sooner() -> None:
    scene = Walk(ROBBER, 1), knife(ROBBER), Walk(VICTIM, 2)
    assert confidences(robbery(armed_seconds=3), *scene)[4:8] == [40, 55, 70, 85]


# --- closing in ----------------------------------------------------------------------------------

LEFT, MIDDLE, RIGHT = "aabcddddddddd", "eeeeeeeeeeeee", "jihgfffffffff"


def test_two_who_close_in_on_one_who_raises_both_hands_are_robbers() -> None:
    victim = Walk(MIDDLE, 2, poses="||||^^^^^^^^^")
    found = confidences(robbery(), Walk(LEFT, 1), victim, Walk(RIGHT, 3))
    assert found == [None] * 5 + [40.0, 62.5] + [85.0] * 6


def test_the_suspicion_names_all_three() -> None:
    victim = Walk(MIDDLE, 2, poses="||||^^^^^^^^^")
    (suspicion,) = list(play(robbery(), Walk(LEFT, 1), victim, Walk(RIGHT, 3)))[8]
    assert sorted(suspicion.track_ids) == [1, 2, 3]
    assert suspicion.reason == "person 2, on whom 2 closed in, raises both hands"


def test_two_who_close_in_and_do_nothing_are_no_robbers() -> None:
    assert strongest(confidences(robbery(), Walk(LEFT), Walk(MIDDLE, 2), Walk(RIGHT, 3))) == 0.0


def test_one_who_comes_to_another_with_raised_hands_is_no_robber() -> None:
    victim = Walk(MIDDLE, 2, poses="^" * 13)
    assert strongest(confidences(robbery(), Walk(LEFT), victim)) == 0.0


def test_a_single_look_at_raised_hands_is_a_gesture() -> None:
    victim = Walk(MIDDLE, 2, poses="||||||^||||||")
    assert strongest(confidences(robbery(), Walk(LEFT), victim, Walk(RIGHT, 3))) == 0.0


def test_three_who_stand_together_from_the_start_may_raise_their_hands() -> None:
    friends = [Walk(place * 12, number, poses="^" * 12) for number, place in enumerate("def", 1)]
    assert strongest(confidences(robbery(), *friends)) == 0.0


def test_who_walks_in_between_two_others_was_not_closed_in_on() -> None:
    walker = Walk("aabcdddddddd", 2, poses="....^^^^^^^^")
    found = confidences(robbery(), Walk("c" * 12, 1), walker, Walk("e" * 12, 3))
    assert strongest(found) == 0.0


def test_two_who_close_in_on_one_who_loses_a_bag_to_them_are_robbers() -> None:
    bag = Walk("eeeeeeefghij", 50, "handbag")
    found = confidences(
        robbery(), Walk("aabcdddddddd", 1), Walk(MIDDLE, 2), Walk("jihgffffghij", 3), bag
    )
    assert found[:9] == [None] * 8 + [62.5] and found[9:12] == [85.0] * 3


def test_a_bag_that_stays_with_its_carrier_is_not_lost() -> None:
    bag = Walk("e" * 13, 50, "handbag")
    assert strongest(confidences(robbery(), Walk(LEFT), Walk(MIDDLE, 2), Walk(RIGHT, 3), bag)) == 0


def test_whoever_gets_the_bag_back_was_not_robbed_of_it() -> None:
    bag = Walk("eeeeeeeffeeee", 50, "handbag")
    found = confidences(robbery(), Walk(LEFT, 1), Walk(MIDDLE, 2), Walk(RIGHT, 3), bag)
    assert found[8:] == [62.5] + [None] * 4


def test_people_under_new_numbers_are_the_same_people() -> None:
    victim = Walk("eeeee........", 2), Walk(".....eeeeeeee", 9, poses="....^^^^^^^^^")
    found = confidences(robbery(), Walk(LEFT, 1), *victim, Walk(RIGHT, 3))
    assert strongest(found) == 85.0


def test_memory_has_an_end() -> None:
    rule = robbery()
    crowd = [Walk("." * n + "abcdefghij", n) for n in range(1, 60)]
    knives = [Walk("." * n + "abcdefghij", 1000 + n, "knife") for n in range(1, 60)]
    bags = [Walk("." * n + "abcdefghij", 2000 + n, "handbag") for n in range(1, 60)]
    list(play(rule, *crowd, *knives, *bags, Walk("." * 720 + "a", 5000)))
    assert not rule._grips._grips and not rule._ambushes._carried
    assert not rule._ambushes._ambushes and not rule._hands and not rule._threats
    assert len(rule._people._known) == 1


# --- hands up ------------------------------------------------------------------------------------

BOX = Box(0.4, 0.2, 0.5, 0.6)


@pytest.mark.parametrize(
    ("letter", "up"), [("^", True), ("|", False), ("<", False), (">", False), ("_", False)]
)
def test_hands_are_up_where_both_wrists_are_above_the_shoulders(letter: str, up: bool) -> None:
    assert are_hands_up(body(letter, BOX)) is up


def test_wrists_that_the_network_guesses_are_not_up() -> None:
    keypoints = body("^", BOX)
    keypoints[9, 2] = 0.1
    assert not are_hands_up(keypoints)
