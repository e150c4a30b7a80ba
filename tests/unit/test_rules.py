"""Trespassing and loitering, by scenes of a street from a to j (see scenes.py).

Thresholds are the defaults: alert 50, crime 80; trespassing dwells 4 s, loitering here 4 s too.
"""

import pytest

from detection.domain.crimes import CrimeType
from detection.domain.schedules import Profile
from detection.domain.zones import Zone, ZoneKind
from detection.rules.loitering import Loitering
from detection.rules.rule import rising
from detection.rules.settings import Settings
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import Walk, confidences, moments, play, zone

SETTINGS = Settings(({"loitering": {"dwell_seconds": 4}},))
YARD = zone(ZoneKind.RESTRICTED, "d", "f")
BENCH = zone(ZoneKind.LOITERING, "d", "f", name="bench")


def trespassing(*zones: Zone) -> Trespassing:
    return Trespassing(zones or (YARD,), SETTINGS)


def loitering(*zones: Zone) -> Loitering:
    return Loitering(zones, SETTINGS)


# --- trespassing -----------------------------------------------------------------------------


def test_a_person_in_the_yard_is_suspicious_at_once_and_a_crime_at_the_dwell() -> None:
    assert confidences(trespassing(), Walk("cdddddddddd")) == [
        None, 50.0, 58.75, 67.5, 76.25, 85.0, 87.5, 90.0, 92.5, 95.0, 95.0
    ]  # fmt: skip


def test_walking_about_within_the_yard_is_the_same_stay() -> None:
    assert confidences(trespassing(), Walk("dfedf")) == [50.0, 58.75, 67.5, 76.25, 85.0]


def test_a_person_beside_the_yard_is_not_suspicious() -> None:
    assert confidences(trespassing(), Walk("abcghij")) == [None] * 7


def test_stepping_out_for_a_moment_keeps_the_stay() -> None:
    assert confidences(trespassing(), Walk("dddccd"), seconds=0.5) == [
        50.0, 54.375, 58.75, None, None, 71.875
    ]  # fmt: skip


def test_being_missed_for_a_moment_keeps_the_stay() -> None:
    assert confidences(trespassing(), Walk("ddd..d"), seconds=0.5) == [
        50.0, 54.375, 58.75, None, None, 71.875
    ]  # fmt: skip


def test_a_new_number_from_the_tracker_keeps_the_stay() -> None:
    before, after = Walk("ddd.....", id=1), Walk("....eeee", id=2)
    assert confidences(trespassing(), before, after, seconds=0.5) == [
        50.0, 54.375, 58.75, None, 67.5, 71.875, 76.25, 80.625
    ]  # fmt: skip


def test_leaving_for_longer_begins_a_new_stay() -> None:
    assert confidences(trespassing(), Walk("dddcccd"), seconds=0.5) == [
        50.0, 54.375, 58.75, None, None, None, 50.0
    ]  # fmt: skip


def test_only_persons_trespass() -> None:
    rule = trespassing()
    assert confidences(rule, Walk("dddd", label="dog"), Walk("eeee", 2, "car")) == [None] * 4


def test_each_person_has_a_stay_of_their_own() -> None:
    found = list(play(trespassing(), Walk("dddd", id=7), Walk("..ee", id=9)))[-1]
    assert [(s.track_ids, s.confidence) for s in found] == [((7,), 76.25), ((9,), 58.75)]


def test_a_suspicion_says_what_who_where_and_how_long() -> None:
    suspicion = list(play(trespassing(), Walk("ddd", id=7)))[-1][0]
    assert suspicion.crime_type is CrimeType.TRESPASSING
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 inside “yard” for 2.0 s"


def test_a_zones_own_dwell_goes_before_the_sites() -> None:
    patient = zone(ZoneKind.RESTRICTED, "d", "f", settings={"trespassing": {"dwell_seconds": 8}})
    assert confidences(trespassing(patient), Walk("ddddd")) == [50.0, 54.375, 58.75, 63.125, 67.5]


def test_a_zone_with_a_dwell_of_nothing_is_a_crime_at_once() -> None:
    strict = zone(ZoneKind.RESTRICTED, "d", "f", settings={"trespassing": {"dwell_seconds": 0}})
    assert confidences(trespassing(strict), Walk("cd")) == [None, 95.0]


def test_zones_for_loitering_are_no_yard() -> None:
    assert confidences(trespassing(BENCH), Walk("dddd")) == [None] * 4


def test_without_zones_nobody_trespasses() -> None:
    assert confidences(Trespassing([], SETTINGS), Walk("dddd")) == [None] * 4


def test_who_goes_from_one_zone_to_the_next_has_a_stay_in_each() -> None:
    two = zone(ZoneKind.RESTRICTED, "a", "c", name="gate"), YARD
    assert confidences(trespassing(*two), Walk("bbdd")) == [50.0, 58.75, 50.0, 58.75]


def one_way(**options: float) -> Trespassing:
    """An exit through which people come from right to left: to the right is the wrong way."""
    settings = {"trespassing": {"direction_degrees": 0, **options}}
    return trespassing(zone(ZoneKind.RESTRICTED, "d", "f", name="exit", settings=settings))


def test_who_goes_the_wrong_way_through_an_exit_trespasses() -> None:
    found = confidences(one_way(), Walk("bcdddeeefff"), seconds=0.5)
    assert found == [None, None, 50, 54.375, 58.75, 63.125, 67.5, 71.875, 76.25, 80.625, 85]


def test_who_leaves_by_the_exit_does_not_trespass() -> None:
    assert confidences(one_way(), Walk("hgfffeeedddcba"), seconds=0.5) == [None] * 14


def test_who_stands_in_the_exit_does_not_trespass() -> None:
    assert confidences(one_way(), Walk("eeeeeeee", sway=0.01), seconds=0.5) == [None] * 8


def test_who_stops_on_the_wrong_way_goes_on_trespassing() -> None:
    assert confidences(one_way(), Walk("cdeeeeee")) == [
        None, 50.0, 58.75, 67.5, 76.25, 85.0, 87.5, 90.0
    ]  # fmt: skip


def test_who_turns_back_no_longer_trespasses() -> None:
    assert confidences(one_way(), Walk("cdefedc")) == [None, 50.0, 58.75, 67.5, None, None, None]


def test_who_crosses_the_exit_at_a_right_angle_does_not_trespass() -> None:
    assert confidences(one_way(direction_degrees=90), Walk("cdefgh")) == [None] * 6


def test_ninety_degrees_lead_down_in_the_picture() -> None:
    down = one_way(direction_degrees=90)
    assert confidences(down, Walk("EEeee")) == [None, None, 50.0, 58.75, 67.5]


# --- loitering -------------------------------------------------------------------------------


def test_a_person_who_stays_is_suspicious_from_the_dwell_and_a_crime_at_twice_the_dwell() -> None:
    assert confidences(loitering(BENCH), Walk("eeeeeeeeee")) == [
        None, None, None, None, 50.0, 58.75, 67.5, 76.25, 85.0, 85.0
    ]  # fmt: skip


def test_without_loitering_zones_the_whole_picture_is_watched() -> None:
    assert confidences(loitering(), Walk("aaaaa")) == [None, None, None, None, 50.0]


def test_restricted_zones_do_not_narrow_where_loitering_is_watched() -> None:
    assert confidences(loitering(YARD), Walk("aaaaa")) == [None, None, None, None, 50.0]


def test_with_loitering_zones_only_these_are_watched() -> None:
    assert confidences(loitering(BENCH), Walk("aaaaaaaa")) == [None] * 8


def test_shifting_from_foot_to_foot_is_the_same_stay() -> None:
    assert confidences(loitering(), Walk("efefe")) == [None, None, None, None, 50.0]


def test_a_loiterer_who_moves_on_begins_anew_elsewhere() -> None:
    assert confidences(loitering(), Walk("eeeeehhhhh")) == [
        None, None, None, None, 50.0, None, None, None, None, 50.0
    ]  # fmt: skip


def test_who_strolls_slowly_through_never_lingers() -> None:
    assert confidences(loitering(), Walk("aabbccddeeffgghhiijj")) == [None] * 20


def test_being_hidden_for_a_moment_keeps_the_stay() -> None:
    assert confidences(loitering(), Walk("ee..ee")) == [None, None, None, None, 50.0, 58.75]


def test_a_loiterer_whom_the_tracker_numbers_anew_has_not_just_come() -> None:
    found = confidences(loitering(), Walk("eee...", 1), Walk("....ee", 2))
    assert found == [None, None, None, None, 50.0, 58.75]


def test_who_comes_back_under_the_old_number_keeps_the_stay_as_well() -> None:
    found = list(play(loitering(), Walk("eee..e", 1), Walk("...ee.", 2)))
    assert [suspicion.track_ids for suspicion in found[5]] == [(1,)]


def test_who_takes_the_place_of_somebody_who_walks_away_has_just_come() -> None:
    assert confidences(loitering(), Walk("eeefgh", 1), Walk("...eee", 2)) == [None] * 6


def test_who_appears_a_step_away_from_where_somebody_was_lost_has_just_come() -> None:
    assert confidences(loitering(), Walk("eee...", 1), Walk("....ff", 2)) == [None] * 6


def test_the_time_of_a_loiterer_runs_before_the_night_begins() -> None:
    rule = Loitering([], Settings(({"loitering": {"dwell_seconds": 4, "armed_in": ["night"]}},)))
    by_day = [rule.observe(m) for m in moments(Walk("eeeeee"), profile=Profile.DAY)]
    assert not any(by_day)
    (night,) = list(moments(Walk("......e"), profile=Profile.NIGHT))[6:]
    (suspicion,) = rule.observe(night)
    assert suspicion.confidence == 67.5


def test_being_gone_for_longer_forgets_the_stay() -> None:
    assert confidences(loitering(), Walk("ee...eee")) == [None] * 8


def test_leaving_the_zone_forgets_the_stay() -> None:
    assert confidences(loitering(BENCH), Walk("ddddccccdddd")) == [None] * 12


def test_stepping_out_of_the_zone_for_a_moment_keeps_the_stay() -> None:
    stays = confidences(loitering(BENCH), Walk("dddcdddd"))
    through = confidences(loitering(BENCH), Walk("dddddddd"))
    assert stays[3] is None
    assert stays[4:] == through[4:]


def test_a_post_that_is_taken_for_a_person_does_not_loiter() -> None:
    rule = Loitering([], Settings(({"loitering": {"dwell_seconds": 60}},)))
    assert confidences(rule, Walk("e" * 100, sway=0.01)) == [None] * 100


def test_a_post_that_is_numbered_anew_is_still_a_post() -> None:
    rule = Loitering([], Settings(({"loitering": {"dwell_seconds": 60}},)))
    post = Walk("e" * 70, 1, sway=0.01), Walk("." * 71 + "e" * 60, 2, sway=0.01)
    assert confidences(rule, *post) == [None] * 131


def test_a_post_whose_foot_is_hidden_now_and_then_is_still_a_post() -> None:
    rule = Loitering([], Settings(({"loitering": {"dwell_seconds": 60}},)))
    whole = Walk("eeeeeee..." * 10)
    half = Walk(".......eee" * 10, size=(0.04, 0.15), lift=0.15)
    assert confidences(rule, whole, half) == [None] * 100


def test_who_comes_and_then_stands_like_a_post_loiters() -> None:
    rule = Loitering([], Settings(({"loitering": {"dwell_seconds": 60}},)))
    found = confidences(rule, Walk("g" + "e" * 100))
    assert found.index(50.0) == 61


def test_only_persons_loiter() -> None:
    assert confidences(loitering(), Walk("eeeeeeee", label="dog")) == [None] * 8


def test_a_loitering_zones_own_dwell_goes_before_the_sites() -> None:
    hasty = zone(ZoneKind.LOITERING, "d", "f", settings={"loitering": {"dwell_seconds": 2}})
    assert confidences(loitering(hasty), Walk("eeeee")) == [None, None, 50.0, 67.5, 85.0]


def test_a_loitering_zone_with_a_dwell_of_nothing_is_a_crime_at_once() -> None:
    strict = zone(ZoneKind.LOITERING, "d", "f", settings={"loitering": {"dwell_seconds": 0}})
    assert confidences(loitering(strict), Walk("ce")) == [None, 85.0]


def test_a_suspicion_of_loitering_says_who_where_and_how_long() -> None:
    suspicion = list(play(loitering(BENCH), Walk("eeeee", id=7)))[-1][0]
    assert suspicion.crime_type is CrimeType.SUSPICIOUS_ACTIVITY
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 has lingered in “bench” for 4 s"


def test_each_loiterer_has_a_stay_of_their_own() -> None:
    found = list(play(loitering(), Walk("eeeee", id=7), Walk("...hh", id=9)))[-1]
    assert [s.track_ids for s in found] == [(7,)]


# --- rising ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, 50), (0, 50), (1, 60), (2.5, 75), (4, 90), (9, 90)]
)
def test_confidence_rises_in_a_straight_line_and_stops_at_its_ceiling(
    seconds: float, expected: float
) -> None:
    assert rising(seconds, 4, 50, 90) == expected


def test_confidence_that_has_no_time_to_rise_is_at_its_ceiling() -> None:
    assert rising(0, 0, 50, 90) == 90
