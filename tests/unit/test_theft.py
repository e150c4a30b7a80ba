"""Theft, by scenes of a street from a to j (see scenes.py), one frame a second.

Things rest for 3 s before they count as put down; without a picture 8 s of absence are needed.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.tracks import Track
from detection.domain.zones import ZoneKind
from detection.rules.acquaintances import Acquaintances
from detection.rules.settings import Settings
from detection.rules.theft import Theft
from tests.unit.scenes import START, Walk, confidences, moments, play, zone

# Ann (1) comes with a bag, puts it down at d and steps aside to b; frame 10 is the first after.
ANN = "abcddcbbbbbbbbbbbbbbbbbbbbbb"
BAG = "abcdddddddd"


def theft(**options: Any) -> Theft:
    return Theft([], Settings(({"theft": options},)))


def bag(steps: str, number: int = 50, label: str = "backpack") -> Walk:
    return Walk(steps, number, label)


def strongest(found: list[float | None]) -> float:
    return max((confidence or 0.0 for confidence in found), default=0.0)


# --- leaves with ---------------------------------------------------------------------------------


def test_a_stranger_who_walks_off_with_a_bag_is_a_thief_within_two_seconds() -> None:
    found = confidences(theft(), Walk(ANN, 1), bag(BAG + "efgh"), Walk(".......gfedefgh", 2))
    assert found == [None] * 11 + [40.0, 67.5, 95.0, 95.0] + [95.0] * 7 + [None] * 6


def test_the_suspicion_names_the_thief_and_the_thing() -> None:
    scene = list(play(theft(), Walk(ANN, 1), bag(BAG + "efgh"), Walk(".......gfedefgh", 2)))
    (suspicion,) = scene[13]
    assert suspicion.crime_type is CrimeType.THEFT
    assert suspicion.track_ids == (2, 50)
    assert suspicion.reason == "backpack left with person 2, who did not bring it"


def test_the_owner_who_comes_back_is_no_thief() -> None:
    owner = "abcddcbbbbcdefgh"
    assert confidences(theft(), Walk(owner, 1), bag("abcddddddddd" + "efgh")) == [None] * 16


def test_the_owner_under_a_new_number_is_no_thief() -> None:
    walks = Walk("abcddccc", 1), Walk("........cccdefgh", 7), bag("abcddddddddd" + "efgh")
    assert confidences(theft(), *walks) == [None] * 16


def test_who_stood_by_a_thing_when_the_watch_began_owns_it() -> None:
    assert confidences(theft(), Walk("dddddcdefgh", 1), bag("ddddddddefgh"[:11])) == [None] * 11


def test_what_stood_there_when_the_watch_began_may_be_its_takers() -> None:
    found = confidences(theft(), bag("dddddddddd" + "efghij"), Walk("....hgfeedefghij", 2))
    assert strongest(found) == 40.0


def test_an_operator_may_say_that_nothing_here_is_the_takers() -> None:
    scene = bag("dddddddddd" + "efghij"), Walk("....hgfeedefghij", 2)
    assert strongest(confidences(theft(ownerless_confidence=90), *scene)) == 90.0


def test_who_comes_after_the_owner_has_left_may_be_the_owner() -> None:
    walks = Walk("abcddcba", 1), bag("abc" + "d" * 17 + "efgh"), Walk("." * 15 + "hgfedefgh", 2)
    assert strongest(confidences(theft(), *walks)) == 70.0


def test_who_fetches_a_parked_bicycle_is_most_likely_its_owner() -> None:
    parked = bag("abc" + "d" * 17 + "efgh", label="bicycle")
    found = confidences(theft(), Walk("abcddcba", 1), parked, Walk("." * 15 + "hgfedefgh", 2))
    assert strongest(found) == 40.0


def test_a_thing_that_the_network_sees_twice_is_one_thing() -> None:
    again = Walk("....dddd", 51, "handbag", sway=0.002)
    found = confidences(
        theft(), Walk(ANN, 1), bag(BAG + "d" * 14), again, Walk("......hgfedddd", 2)
    )
    assert strongest(found) == 0.0


def test_a_thing_that_the_tracker_numbers_anew_is_the_same_thing() -> None:
    walks = bag("abcddddd", 50), bag("........dddefgh", 51), Walk(".......gfedefgh", 2)
    assert strongest(confidences(theft(), Walk(ANN, 1), *walks)) == 95.0


def test_a_bag_that_is_carried_past_is_nobodys_loss() -> None:
    walk = "aabbccddeeffgghhii"
    assert confidences(theft(), Walk(walk, 1), bag(walk), Walk(walk[::-1], 2)) == [None] * 18


def test_a_thing_that_moves_with_nobody_near_was_not_taken() -> None:
    assert strongest(confidences(theft(), Walk(ANN, 1), bag(BAG + "efgh"))) == 0.0


def test_the_thief_owns_the_thing_for_the_rest_of_the_scene() -> None:
    thief = ".......gfedefghhhhhhhhhhhhhhhhhhhhhgfed"
    taken = BAG + "efgh" + "h" * 20 + "gfed"
    found = confidences(theft(), Walk(ANN + "b" * 20, 1), bag(taken), Walk(thief, 2))
    assert found[25:] == [None] * len(found[25:])


# --- vanishes beside -----------------------------------------------------------------------------


def test_what_vanishes_beside_a_stranger_who_dwelt_there_is_possibly_stolen() -> None:
    found = confidences(theft(), Walk(ANN, 1), bag(BAG), Walk(".......gfedddefghij", 2))
    assert found[:20] == [None] * 20 and found[21:24] == [50.0, 62.5, 75.0]


def test_what_the_owner_puts_into_a_pocket_is_not_stolen() -> None:
    found = confidences(theft(), Walk("abcddcbbbbcddddddddddddddd", 1), bag(BAG))
    assert strongest(found) == 0.0


@pytest.mark.parametrize("gap", [1, 3, 5, 7])
def test_a_thing_that_is_missed_for_some_seconds_is_not_stolen(gap: int) -> None:
    walks = bag(BAG + "." * gap + "ddddddddddddd"), Walk(".......gfeddcbaabcd", 2)
    assert strongest(confidences(theft(), Walk(ANN, 1), *walks)) == 0.0


def test_who_walks_past_in_front_of_a_thing_is_no_thief() -> None:
    walks = bag("abcddddddd.dddddddddd"), Walk("......hgfedcba", 2)
    assert strongest(confidences(theft(), Walk(ANN, 1), *walks)) == 0.0


def test_who_walks_past_before_a_thing_is_missed_for_long_is_no_thief() -> None:
    walks = bag(BAG), Walk("......hgfedcba", 2)
    assert strongest(confidences(theft(), Walk(ANN, 1), *walks)) == 0.0


def test_who_comes_when_the_thing_is_gone_did_not_take_it() -> None:
    walks = bag(BAG), Walk("." * 15 + "gfedddddddddddd", 2)
    assert strongest(confidences(theft(), Walk(ANN + "bbb", 1), *walks)) == 0.0


# --- with a picture ------------------------------------------------------------------------------

Painter = Callable[[int], NDArray[np.uint8]]
STREET = np.random.default_rng(4).integers(90, 110, (180, 320), np.uint8)
TEXTURE = np.random.default_rng(5).integers(0, 255, (13, 12), np.uint8)


def paints(until: int, *, light: float = 1.0, dark_from: int = 999) -> Painter:
    """The bag stands at d in every picture before that frame; the light changes at frame 11."""

    def paint(number: int) -> NDArray[np.uint8]:
        picture = STREET.copy()
        picture[::40] = 200  # kerbs
        if number < until:
            picture[78:91, 106:118] = TEXTURE
        if number >= dark_from:
            return np.random.default_rng(number).integers(2, 6, picture.shape, np.uint8)
        return np.clip(picture * (light if number >= 11 else 1.0), 0, 255).astype(np.uint8)

    return paint


QUICK = Walk(".......gfedefghij", 2)


def test_the_picture_proves_a_theft_within_four_seconds() -> None:
    found = confidences(theft(), Walk(ANN, 1), bag(BAG), QUICK, pictures=paints(11))
    assert found[:12] == [None] * 12 and found[13:16] == [50.0, 72.5, 95.0]


def test_a_thing_that_the_picture_still_shows_is_not_stolen_however_long_it_is_missed() -> None:
    patient = Walk(".......gfeddddefghij", 2)
    found = confidences(theft(), Walk(ANN, 1), bag(BAG), patient, pictures=paints(999))
    assert strongest(found) == 0.0


@pytest.mark.parametrize("light", [0.4, 0.7, 1.6])
def test_a_change_of_light_takes_nothing_away(light: float) -> None:
    found = confidences(theft(), Walk(ANN, 1), bag(BAG), QUICK, pictures=paints(999, light=light))
    assert strongest(found) == 0.0


def test_when_the_light_goes_out_the_picture_proves_nothing() -> None:
    found = confidences(theft(), Walk(ANN, 1), bag(BAG), QUICK, pictures=paints(999, dark_from=11))
    assert strongest(found) == 0.0


def test_a_thing_that_comes_back_ends_the_suspicion() -> None:
    back = bag(BAG + "...." + "dddddd")
    found = confidences(
        theft(), Walk(ANN, 1), back, QUICK, pictures=lambda n: paints(999 if n > 14 else 11)(n)
    )
    assert found[13] == 50.0 and found[15:] == [None] * len(found[15:])


def test_a_stranger_whom_the_network_misses_still_hides_the_thing() -> None:
    """The picture shows the stranger in its place, but nobody who could stand there."""
    sits = Walk(".......gfedd...d", 2)
    found = confidences(
        theft(),
        Walk(ANN, 1),
        bag(BAG + "." * 5 + "ddd"),
        sits,
        pictures=lambda n: paints(999 if n > 15 else 11)(n),
    )
    assert strongest(found) == 0.0


# --- settings ------------------------------------------------------------------------------------


def test_a_zone_may_be_without_theft_or_have_its_own_confidence() -> None:
    scene = Walk(ANN, 1), bag(BAG + "efgh"), Walk(".......gfedefgh", 2)
    for places, own, expected in (
        (("c", "e"), {"enabled": False}, 0.0),
        (("h", "j"), {"enabled": False}, 95.0),
        (("c", "e"), {"absent_owner_confidence": 60}, 95.0),
    ):
        around = zone(ZoneKind.LOITERING, *places, settings={"theft": own})
        assert strongest(confidences(Theft([around], Settings()), *scene)) == expected


def test_a_zone_may_say_that_nothing_in_it_is_the_takers() -> None:
    there_before = bag("ddddddddddddefgh"), Walk("........gfedefgh", 2)
    showroom = zone(ZoneKind.LOITERING, "c", "e", settings={"theft": {"ownerless_confidence": 90}})
    assert strongest(confidences(Theft([showroom], Settings()), *there_before)) == 90.0
    assert strongest(confidences(Theft([], Settings()), *there_before)) == 40.0


def test_only_the_things_that_are_named_can_be_stolen() -> None:
    scene = Walk(ANN, 1), bag(BAG + "efgh"), Walk(".......gfedefgh", 2)
    assert strongest(confidences(theft(things=["bicycle"]), *scene)) == 0.0


def test_what_no_network_calls_a_thing_cannot_be_stolen() -> None:
    scene = Walk(ANN, 1), bag(BAG + "efgh", label="dog"), Walk(".......gfedefgh", 2)
    assert strongest(confidences(theft(), *scene)) == 0.0


def test_what_only_the_picture_shows_is_forgotten_after_ten_minutes() -> None:
    rule = theft()
    list(play(rule, bag("ddddd"), Walk("." * 600 + "a", 1), pictures=paints(9999)))
    assert len(list(rule._belongings)) == 1
    rule = theft()
    list(play(rule, bag("ddddd"), Walk("." * 610 + "a", 1), pictures=paints(9999)))
    assert len(list(rule._belongings)) == 0


def test_a_stream_that_breaks_off_after_a_theft_and_comes_back_is_judged_on() -> None:
    rule = theft()
    scene = list(moments(Walk(ANN, 1), bag(BAG + "efgh"), Walk(".......gfedefgh", 2)))[:15]
    assert [bool(rule.observe(moment)) for moment in scene][-1]
    for seconds in (300.0, 301.0):
        assert rule.observe(Moment(START + timedelta(seconds=seconds))) == []


def test_in_a_throng_who_was_missed_in_one_frame_is_not_who_is_forgotten() -> None:
    """The owner, under a second number, is missed once in the frame with the 501st person."""
    people = Acquaintances()
    owner = Track(900, "person", 0.9, Box(0.1, 0.1, 0.2, 0.5))
    people.follow(Moment(START, [owner]), [owner])
    for number in range(1, 502):
        at = START + timedelta(seconds=number)
        left = 0.3 + 0.2 * (number % 4)  # too far from the last three to be one of them
        passer = Track(number, "person", 0.9, Box(left, 0.1, left + 0.03, 0.2))
        here = [replace(owner, id=901), passer] if number != 501 else [passer]
        people.follow(Moment(at, here), here)
    assert people.by_id(900) is not None


def test_memory_has_an_end() -> None:
    rule = theft()
    crowd = [Walk("." * n + "abcdefghij", n) for n in range(1, 200)]
    bags = [bag("." * n + "eeeee", 1000 + n) for n in range(1, 200)]
    list(play(rule, *crowd, *bags, Walk("." * 900 + "a", 5000)))
    assert len(list(rule._belongings)) == 0
    assert not rule._losses and not rule._absences
    assert len(rule._people._known) == 1
