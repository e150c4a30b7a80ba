"""The language in which rule tests are told, held to what it says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.geometry import Box, Point
from detection.domain.schedules import Profile
from detection.domain.zones import ZoneKind
from tests.unit.scenes import Voice, Walk, line_right_of, moments, place, zone


def box_of(walk: Walk, number: int = 0) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in walk.at(number)[0].box)


def test_each_letter_is_a_place_and_a_dot_is_nobody() -> None:
    people = [[track.box.feet.x for track in moment.tracks] for moment in moments(Walk("a.j"))]
    assert people == [[pytest.approx(0.05)], [], [pytest.approx(0.95)]]


def test_frames_come_as_often_as_the_scene_says() -> None:
    first, second, third = moments(Walk("aaa"), seconds=0.2)
    assert (second.at - first.at).total_seconds() == 0.2
    assert (third.at - first.at).total_seconds() == 0.4


def test_the_far_side_is_half_as_large_and_higher_in_the_picture() -> None:
    assert box_of(Walk("d")) == (0.33, 0.2, 0.37, 0.5)
    assert box_of(Walk("D")) == (0.34, 0.15, 0.36, 0.3)


def test_objects_have_the_size_of_their_kind_or_their_own() -> None:
    assert box_of(Walk("e", label="car")) == (0.33, 0.25, 0.57, 0.5)
    assert box_of(Walk("e", label="backpack")) == (0.435, 0.44, 0.465, 0.5)
    assert box_of(Walk("e", label="suitcase", size=(0.1, 0.2))) == (0.4, 0.3, 0.5, 0.5)


def test_what_is_held_is_above_the_ground() -> None:
    assert box_of(Walk("e", label="knife", lift=0.1)) == (0.435, 0.34, 0.465, 0.4)


def test_who_sways_is_right_and_left_of_the_place_in_turn() -> None:
    walk = Walk("ddd", sway=0.01)
    assert [round(walk.at(number)[0].box.feet.x, 3) for number in range(3)] == [0.36, 0.34, 0.36]


def test_a_zone_holds_the_feet_of_its_places_on_its_side_alone() -> None:
    near, far = zone(ZoneKind.RESTRICTED, "d", "f"), zone(ZoneKind.RESTRICTED, "D", "F")
    assert [letter for letter in "cdfgDF" if near.area.contains(place(letter))] == ["d", "f"]
    assert [letter for letter in "CDFGdf" if far.area.contains(place(letter))] == ["D", "F"]


def test_an_entry_line_is_entered_from_left_to_right() -> None:
    line = line_right_of("d").line
    assert line and line.is_entered(place("d"), place("e"))
    assert not line.is_entered(place("e"), place("d"))
    assert not line.is_entered(place("D"), place("E"))


def test_a_moment_carries_profile_opinions_and_picture() -> None:
    def paint(number: int) -> NDArray[np.uint8]:
        return np.full((2, 2), number, np.uint8)

    first, second = moments(
        Walk("dd"), profile=Profile.NIGHT, voices=[Voice(".9", place="d")], pictures=paint
    )
    assert first.profile is Profile.NIGHT and not first.opinions
    (opinion,) = second.opinions
    assert (opinion.label, opinion.probability) == ("fighting", 0.9)
    assert opinion.box == Box(*Walk("d").at(0)[0].box)
    assert second.picture is not None and second.picture[0, 0] == 1


def test_bodies_are_there_only_where_the_pose_network_looked() -> None:
    first, second, third = moments(Walk("ddd", 7, poses="|.^"))
    assert [list(moment.bodies) for moment in (first, second, third)] == [[7], [], [7]]
    nose, left_wrist = 0, 9
    assert first.bodies[7].shape == (17, 3)
    assert first.bodies[7][left_wrist, 1] > first.bodies[7][nose, 1], "hands down"
    assert third.bodies[7][left_wrist, 1] < third.bodies[7][nose, 1], "hands up"


def test_a_place_is_where_the_feet_are() -> None:
    assert place("a") == Point(0.05, 0.5)
    assert place("A") == Point(0.05, 0.3)
