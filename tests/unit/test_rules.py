"""Trespassing and loitering, by scenes of a street from a to j (see scenes.py).

Thresholds are the defaults: alert 50, crime 80; trespassing dwells 4 s, loitering here 4 s too.
"""

import pytest

from detection.domain.crimes import CrimeType
from detection.domain.zones import Zone, ZoneKind
from detection.rules.loitering import Loitering
from detection.rules.rule import RuleOptions, rising
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import Walk, confidences, play, zone

OPTIONS = RuleOptions(loitering_dwell_seconds=4)
YARD = zone(ZoneKind.RESTRICTED, "d", "f")
BENCH = zone(ZoneKind.LOITERING, "d", "f", name="bench")


def trespassing(*zones: Zone, options: RuleOptions = OPTIONS) -> Trespassing:
    return Trespassing(zones or (YARD,), options)


def loitering(*zones: Zone, options: RuleOptions = OPTIONS) -> Loitering:
    return Loitering(zones, options)


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
    patient = zone(ZoneKind.RESTRICTED, "d", "f", dwell=8)
    assert confidences(trespassing(patient), Walk("ddddd")) == [50.0, 54.375, 58.75, 63.125, 67.5]


def test_a_zone_with_a_dwell_of_nothing_is_a_crime_at_once() -> None:
    strict = zone(ZoneKind.RESTRICTED, "d", "f", dwell=0)
    assert confidences(trespassing(strict), Walk("cd")) == [None, 95.0]


def test_zones_for_loitering_are_no_yard() -> None:
    assert confidences(trespassing(BENCH), Walk("dddd")) == [None] * 4


def test_without_zones_nobody_trespasses() -> None:
    assert confidences(Trespassing([], OPTIONS), Walk("dddd")) == [None] * 4


def test_who_goes_from_one_zone_to_the_next_has_a_stay_in_each() -> None:
    two = zone(ZoneKind.RESTRICTED, "a", "c", name="gate"), YARD
    assert confidences(trespassing(*two), Walk("bbdd")) == [50.0, 58.75, 50.0, 58.75]


@pytest.mark.parametrize("crime_threshold", [60, 92, 97, 100])
def test_the_dwell_reaches_every_crime_threshold_that_can_be_set(crime_threshold: float) -> None:
    rule = trespassing(options=RuleOptions(crime_threshold=crime_threshold))
    at_the_dwell = confidences(rule, Walk("ddddd"))[-1]
    assert at_the_dwell is not None
    assert crime_threshold <= at_the_dwell <= 100


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


def test_being_gone_for_longer_forgets_the_stay() -> None:
    assert confidences(loitering(), Walk("ee...eee")) == [None] * 8


def test_leaving_the_zone_forgets_the_stay() -> None:
    assert confidences(loitering(BENCH), Walk("ddddccccdddd")) == [None] * 12


def test_stepping_out_of_the_zone_for_a_moment_keeps_the_stay() -> None:
    stays = confidences(loitering(BENCH), Walk("dddcdddd"))
    through = confidences(loitering(BENCH), Walk("dddddddd"))
    assert stays[3] is None
    assert stays[4:] == through[4:]


def test_only_persons_loiter() -> None:
    assert confidences(loitering(), Walk("eeeeeeee", label="dog")) == [None] * 8


def test_a_loitering_zones_own_dwell_goes_before_the_sites() -> None:
    hasty = zone(ZoneKind.LOITERING, "d", "f", dwell=2)
    assert confidences(loitering(hasty), Walk("eeeee")) == [None, None, 50.0, 67.5, 85.0]


def test_a_loitering_zone_with_a_dwell_of_nothing_is_a_crime_at_once() -> None:
    strict = zone(ZoneKind.LOITERING, "d", "f", dwell=0)
    assert confidences(loitering(strict), Walk("ce")) == [None, 85.0]


def test_a_suspicion_of_loitering_says_who_where_and_how_long() -> None:
    suspicion = list(play(loitering(BENCH), Walk("eeeee", id=7)))[-1][0]
    assert suspicion.crime_type is CrimeType.SUSPICIOUS_ACTIVITY
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 has lingered in “bench” for 4 s"


def test_each_loiterer_has_a_stay_of_their_own() -> None:
    found = list(play(loitering(), Walk("eeeee", id=7), Walk("...hh", id=9)))[-1]
    assert [s.track_ids for s in found] == [(7,)]


@pytest.mark.parametrize("crime_threshold", [60, 92, 97, 100])
def test_lingering_reaches_every_crime_threshold_that_can_be_set(crime_threshold: float) -> None:
    options = RuleOptions(crime_threshold=crime_threshold, loitering_dwell_seconds=4)
    at_twice_the_dwell = confidences(loitering(options=options), Walk("e" * 9))[-1]
    assert at_twice_the_dwell is not None
    assert crime_threshold <= at_twice_the_dwell <= 100


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
