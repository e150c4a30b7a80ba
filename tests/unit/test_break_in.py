"""Break-ins, by scenes of a street from a to j (see scenes.py).

The gate is a line right of e, entered from its left; the door is at h, of the width of one place.
The stay that makes a burglar is 4 s.
"""

from typing import Any

from detection.domain.crimes import CrimeType
from detection.domain.schedules import Profile
from detection.domain.zones import Zone, ZoneKind
from detection.rules.break_in import BreakIn
from detection.rules.settings import Settings
from tests.unit.scenes import Walk, confidences, first_suspected, line_right_of, play, zone

GATE = line_right_of("e")
DOOR = zone(ZoneKind.DOOR, "h", "h", name="door")
HIGH_DOOR = zone(ZoneKind.DOOR, "H", "H", name="far door")


def break_in(*zones: Zone, **options: Any) -> BreakIn:
    return BreakIn(zones or (GATE,), Settings(({"break_in": options},)))


# --- a line ----------------------------------------------------------------------------------


def test_who_crosses_the_line_is_suspicious_at_once_and_a_burglar_after_the_stay() -> None:
    assert confidences(break_in(), Walk("deffffgggg")) == [
        None, None, 50.0, 58.75, 67.5, 76.25, 85.0, 87.5, 90.0, 92.5
    ]  # fmt: skip


def test_who_comes_out_is_no_burglar() -> None:
    assert first_suspected(break_in(), Walk("hgfedcba")) is None


def test_who_walks_along_the_outside_is_no_burglar() -> None:
    assert first_suspected(break_in(), Walk("eeEEeeEEee")) is None


def test_who_goes_around_the_end_of_the_line_does_not_cross_it() -> None:
    """The line ends between the two sides of the street."""
    assert first_suspected(break_in(), Walk("deEFfgg")) is None


def test_who_was_inside_from_the_beginning_is_no_burglar() -> None:
    assert first_suspected(break_in(), Walk("ffgghhggff")) is None


def test_who_goes_out_and_comes_back_is_a_burglar_then() -> None:
    assert confidences(break_in(), Walk("ffeeeff")) == [None] * 5 + [50.0, 58.75]


def test_who_leaves_again_is_no_longer_suspicious() -> None:
    assert confidences(break_in(), Walk("effeee")) == [None, 50.0, 58.75, None, None, None]


def test_boxes_that_sway_on_the_line_are_no_crossing() -> None:
    """The line runs through e, a margin of 0.025 of the width on both sides."""
    through_e = Zone.of("gate", ZoneKind.ENTRY_LINE, [[0.45, 0.6], [0.45, 0.4]])
    assert (
        first_suspected(break_in(through_e), Walk("de" + "e" * 30, sway=0.01), seconds=0.2) is None
    )


def test_who_sways_over_the_line_comes_in_once() -> None:
    """From the first crossing the time runs on, though every other sight is outside."""
    found = confidences(break_in(), Walk("deefefefefefefff"), seconds=0.5)
    assert found == [
        None, None, None, 50.0, None, 58.75, None, 67.5, None, 76.25, None, 85.0,
        None, 87.5, 88.75, 90.0
    ]  # fmt: skip


def test_a_new_number_on_the_way_in_is_the_same_burglar() -> None:
    before, after = Walk("dde......", 1), Walk("....ffggg", 2)
    assert confidences(break_in(), before, after) == [None] * 4 + [50.0, 58.75, 67.5, 76.25, 85.0]


def test_a_new_number_inside_is_the_same_burglar() -> None:
    before, after = Walk("deff.....", 1), Walk("....ffggg", 2)
    found = list(play(break_in(), before, after))
    assert found[-1][0].confidence == 90.0
    assert found[-1][0].track_ids == (2,)


def test_somebody_else_who_appears_far_inside_is_no_burglar() -> None:
    assert first_suspected(break_in(), Walk("bb......", 1), Walk("..iiiiii", 2)) is None


def test_at_one_frame_a_second_a_runner_is_seen_to_come_in() -> None:
    assert first_suspected(break_in(), Walk("acegi"), seconds=1.0) == 3


# --- a door ----------------------------------------------------------------------------------


def test_who_goes_into_the_doorway_and_vanishes_is_a_burglar() -> None:
    """In at 1 s, last seen at 1.5 s, vanished at 3.5 s, held until 11.5 s."""
    found = confidences(break_in(DOOR), Walk("fghh" + "." * 26), seconds=0.5)
    assert found[:7] == [None, None, 50.0, 54.375, 58.75, 63.125, 67.5]
    assert found[7:11] == [85.0] * 4
    assert found[11:19] == [86.25, 87.5, 88.75, 90.0, 91.25, 92.5, 93.75, 95.0]
    assert found[19:24] == [95.0] * 5
    assert found[24:] == [None] * 6


def test_who_lingers_in_the_doorway_is_a_burglar() -> None:
    assert confidences(break_in(DOOR), Walk("fghhhhh")) == [None, None, 50, 58.75, 67.5, 76.25, 85]


def test_who_is_seen_once_in_the_doorway_is_only_suspicious() -> None:
    found = confidences(break_in(DOOR), Walk("fgh" + "." * 12))
    assert max(c for c in found if c) < 80.0
    assert found[5:] == [50.0] * 8 + [None] * 2


def test_who_comes_out_of_the_door_is_no_burglar() -> None:
    assert first_suspected(break_in(DOOR), Walk("hhhgfedcb")) is None


def test_who_comes_out_and_vanishes_in_the_street_is_no_burglar() -> None:
    assert first_suspected(break_in(DOOR), Walk("hhhgf......")) is None


def test_who_passes_the_door_is_suspicious_for_as_long_as_they_are_in_it() -> None:
    found = confidences(break_in(DOOR), Walk("efghij"), seconds=0.5)
    assert found == [None, None, None, 50.0, None, None]


def test_who_waits_before_the_door_is_no_burglar() -> None:
    assert first_suspected(break_in(DOOR), Walk("fg" + "g" * 30, sway=0.02), seconds=0.3) is None


def test_legs_that_are_hidden_before_the_door_take_nobody_in() -> None:
    """The door is across the street; whose legs are hidden seems to stand there."""
    whole = Walk("fgh...hhh...hhh")
    cut_off = Walk("...hhh...hhh...", size=(0.04, 0.1), lift=0.2)
    assert first_suspected(break_in(HIGH_DOOR), whole, cut_off, seconds=0.3) is None


def test_who_stands_behind_a_desk_inside_has_not_vanished() -> None:
    """Their legs are hidden from 2 s on: the stay goes on as it would without."""
    whole, cut_off = Walk("deff"), Walk("....ffff", size=(0.04, 0.1), lift=0.2)
    assert confidences(break_in(), whole, cut_off, seconds=0.5) == [
        None, None, 50.0, 54.375, 58.75, 63.125, 67.5, 71.875
    ]  # fmt: skip


# --- who, when, what -------------------------------------------------------------------------


def test_by_day_people_may_come_in() -> None:
    walk = Walk("deffffff")
    assert first_suspected(break_in(), walk, profile=Profile.DAY) is None
    assert first_suspected(break_in(), walk, profile=Profile.NIGHT) == 2
    assert first_suspected(break_in(), walk, profile=Profile.CLOSED) == 2


def test_a_door_may_be_armed_by_day_too() -> None:
    vault = line_right_of("e", settings={"break_in": {"armed_in": ["day"]}})
    assert first_suspected(break_in(vault), Walk("deff"), profile=Profile.DAY) == 2


def test_only_persons_break_in() -> None:
    assert first_suspected(break_in(), Walk("deffff", label="dog")) is None


def test_two_burglars_have_a_visit_each() -> None:
    found = list(play(break_in(), Walk("efffff", 7), Walk(".BBefg", 9)))[-1]
    assert sorted((s.track_ids, s.confidence) for s in found) == [((7,), 85.0), ((9,), 58.75)]


def test_a_suspicion_says_who_went_in_where() -> None:
    suspicion = list(play(break_in(), Walk("efff", id=7)))[-1][0]
    assert suspicion.crime_type is CrimeType.BREAK_IN
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 went in by “gate” 2 s ago"
