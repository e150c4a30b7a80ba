"""Running, pacing and crowds, by scenes of a street from a to j (see scenes.py).

From one place to the next a person of the near side moves 0.59 body heights, of the far side 1.19.
"""

from dataclasses import replace
from datetime import timedelta
from math import cos, sin
from typing import Any

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.tracks import Track
from detection.domain.zones import ZoneKind
from detection.rules.crowd import Crowd
from detection.rules.pacing import Pacing
from detection.rules.running import Running
from detection.rules.settings import Settings
from tests.unit.scenes import START, Walk, confidences, first_suspected, moments, play, zone


def running(**options: Any) -> Running:
    return Running([], Settings(({"running": options},)))


def pacing(**options: Any) -> Pacing:
    return Pacing([], Settings(({"pacing": options},)))


# --- running ---------------------------------------------------------------------------------


def test_who_runs_is_suspicious_after_a_second_of_speed() -> None:
    """A place in each fifth of a second: 2.96 heights a second, first measured over 0.6 s."""
    found = confidences(running(), Walk("abcdefghij"), seconds=0.2)
    assert found == [None] * 8 + [50.0, 52.5]


def test_who_walks_is_not_suspicious() -> None:
    """A place in each 0.6 s: one height a second."""
    assert first_suspected(running(), Walk("abcdefghij"), seconds=0.6) is None


def test_a_runner_far_away_is_as_fast_as_one_nearby() -> None:
    """Half as large and half as far: a place in each 0.4 s is 2.96 heights a second there."""
    assert first_suspected(running(), Walk("ABCDEFGHIJ"), seconds=0.4) == 5
    assert first_suspected(running(), Walk("abcdefghij"), seconds=0.4) is None


def test_a_runner_is_seen_at_one_frame_a_second() -> None:
    """Two places on the far side: 2.4 heights a second."""
    found = confidences(running(), Walk("ACEGI"), seconds=1.0)
    assert found == [None, None, 50.0, 62.5, 75.0]


def test_a_dash_of_half_a_second_is_not_running() -> None:
    assert first_suspected(running(), Walk("aaaaaaabcdddddddd"), seconds=0.2) is None


def test_a_number_given_to_somebody_else_is_no_sprint() -> None:
    assert first_suspected(running(), Walk("aaaaaajjjjjj"), seconds=0.2) is None
    assert first_suspected(running(), Walk("ccceee"), seconds=1.0) is None


def test_two_whose_numbers_change_to_and_fro_do_not_run() -> None:
    """Ten body heights a second, for seconds: nobody is so fast."""
    assert first_suspected(running(), Walk("AJAJAJAJ")) is None


def test_a_detector_whose_boxes_sway_makes_nobody_run() -> None:
    assert first_suspected(running(), Walk("e" * 40, sway=0.02), seconds=0.2) is None


def test_feet_that_are_hidden_for_a_moment_make_nobody_run() -> None:
    """Somebody passes in front: the box ends at the knees, again and again."""
    whole = Walk("ee..ee..ee..ee..ee..")
    to_the_knees = Walk("..ee..ee..ee..ee..ee", size=(0.04, 0.1), lift=0.2)
    assert first_suspected(running(), whole, to_the_knees, seconds=0.3) is None


def test_who_rides_does_not_run() -> None:
    cyclist, bicycle = Walk("abcdefghij"), Walk("abcdefghij", 2, "bicycle", size=(0.1, 0.15))
    assert first_suspected(running(), cyclist, bicycle, seconds=0.2) is None


def test_a_bicycle_that_is_seen_once_makes_a_rider() -> None:
    cyclist, bicycle = Walk("abcdefghij"), Walk("..c.......", 2, "bicycle", size=(0.1, 0.15))
    assert first_suspected(running(), cyclist, bicycle, seconds=0.2) is None


def test_who_runs_past_a_parked_car_does_not_ride_it() -> None:
    """Behind the car: the feet are within its box."""
    car = Walk("e" * 30, 2, "car", size=(0.24, 0.2))
    runner = Walk("." * 20 + "abcdefghij", lift=0.05)
    assert first_suspected(running(), car, runner, seconds=0.2) == 28


def test_who_stops_running_is_no_longer_suspicious() -> None:
    found = confidences(running(), Walk("abcdefghijjjjjj"), seconds=0.2)
    assert found[9] == 52.5 and found[-1] is None


def passers_by(count: int, steps: str) -> list[Walk]:
    """One after the other, four frames apart."""
    return [Walk("." * 4 * number + steps, 100 + number) for number in range(count)]


def test_where_everybody_runs_a_runner_is_not_unusual() -> None:
    joggers = passers_by(24, "abcdefghij")
    later = Walk("." * 130 + "abcdefghij", id=7)
    rule = running(usual_people=20)
    found = [[s.track_ids for s in f] for f in play(rule, *joggers, later, seconds=0.2)]
    assert any(found[:40]), "nobody knows yet what is usual"
    assert not any(found[130:])


def test_until_it_is_known_how_people_move_here_a_runner_is_not_sure() -> None:
    found = confidences(running(sustained_seconds=0.8), Walk("ABCDEFGHIJ"), seconds=0.4)
    assert found == [None] * 4 + [50.0, 56.25, 62.5, 68.75, 75.0, 75.0]


def test_where_everybody_walks_a_runner_becomes_sure() -> None:
    walkers = passers_by(24, "AABBCCDDEEFF")
    runner = Walk("." * 120 + "ABCDEFGHIJ", id=7)
    rule = running(usual_people=20, sustained_seconds=0.8)
    found = confidences(rule, *walkers, runner, seconds=0.4)
    assert found[:124] == [None] * 124
    assert found[124:] == [50.0, 58.75, 67.5, 76.25, 85.0, 85.0]


def test_running_is_suspicious_activity_and_says_who_and_how_fast() -> None:
    suspicion = list(play(running(), Walk("abcdefghij", id=7), seconds=0.2))[-1][0]
    assert suspicion.crime_type is CrimeType.SUSPICIOUS_ACTIVITY
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 runs: 3.0 body heights a second for 1.2 s"


def test_a_zone_may_allow_running() -> None:
    track = zone(ZoneKind.LOITERING, "a", "j", settings={"running": {"enabled": False}})
    rule = Running([track], Settings())
    assert first_suspected(rule, Walk("abcdefghij"), seconds=0.2) is None


def test_running_may_be_armed_at_night_alone() -> None:
    by_day = {"seconds": 0.2, "profile": Profile.DAY}
    assert first_suspected(running(armed_in=("night",)), Walk("abcdefghij"), **by_day) is None


# --- pacing ----------------------------------------------------------------------------------


def test_who_walks_to_and_fro_is_suspicious_at_the_sixth_turn_and_sure_at_the_twelfth() -> None:
    """A turn in each five seconds, noted two body heights, four places, after it."""
    found = confidences(pacing(), Walk("abcdefedcb" * 8))
    assert found.index(50.0) == 34
    assert found.index(85.0) == 64


def test_who_walks_through_does_not_pace() -> None:
    assert first_suspected(pacing(), Walk("aabbccddeeffgghhiijj")) is None


def test_who_walks_by_and_comes_back_once_does_not_pace() -> None:
    assert first_suspected(pacing(turns=2), Walk("abcdefghijihgfedcba")) is None


def test_shifting_from_place_to_place_is_no_pacing() -> None:
    assert first_suspected(pacing(), Walk("efefef" * 20)) is None


def test_who_wanders_and_turns_somewhere_else_each_time_does_not_pace() -> None:
    assert first_suspected(pacing(turns=4), Walk("abcdedcbabcdefghgfedefgh")) is None
    assert first_suspected(pacing(turns=4), Walk("abcdedcbabcdedcbabcdedcb")) == 20


def test_who_walks_round_in_a_circle_does_not_pace() -> None:
    rule = pacing()
    for second in range(200):
        x, y = 0.5 + 0.2 * cos(second / 5), 0.5 + 0.3 * sin(second / 5)
        walker = Track(1, "person", 0.9, Box(x - 0.02, y - 0.1, x + 0.02, y))
        assert rule.observe(Moment(START + timedelta(seconds=second), [walker])) == []


def test_turns_that_are_long_ago_do_not_count() -> None:
    strolls = Walk(("a" * 50 + "bcde" + "f" * 50 + "edcb") * 4)
    assert first_suspected(pacing(within_seconds=120), strolls) is None
    assert first_suspected(pacing(within_seconds=600), strolls) is not None


def test_a_pacer_may_be_hidden_for_some_seconds() -> None:
    hidden = Walk("ab..efe..b" * 3)
    assert first_suspected(pacing(turns=4), hidden) is not None


def test_a_pacer_is_seen_at_a_frame_in_two_seconds() -> None:
    assert first_suspected(pacing(turns=4), Walk("acecacecacec"), seconds=2) == 10


def test_pacing_is_suspicious_activity_and_says_who_and_how_often() -> None:
    (suspicion,) = list(play(pacing(), Walk("abcdefedcb" * 4, id=7)))[34]
    assert suspicion.crime_type is CrimeType.SUSPICIOUS_ACTIVITY
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "person 7 paces: 6 turns within 120 s"


# --- crowd -----------------------------------------------------------------------------------

QUIET = "." * 300  # the time in which a place is learnt, at a frame a second


def crowd(**options: Any) -> Crowd:
    return Crowd([], Settings(({"crowd": options},)))


def gathering(places: str, *, every: int = 5, stays: int = 60, after: str = QUIET) -> list[Walk]:
    """One after another comes to a place and stays; the last comes `every` × (people - 1) later."""
    whole = len(after) + every * len(places) + stays
    arrivals = [len(after) + every * rank for rank in range(len(places))]
    return [
        Walk("." * arrival + letter * (whole - arrival), number)
        for number, (arrival, letter) in enumerate(zip(arrivals, places, strict=True), start=1)
    ]


def test_six_who_gather_within_a_minute_are_a_crowd() -> None:
    """The sixth comes at 325 s, counts from 326 s, and the median of five counts at 328 s."""
    found = confidences(crowd(), *gathering("cdefgh"))
    assert found[:328] == [None] * 328
    assert found[328:] == [50.0] * (len(found) - 328)


def test_twelve_are_surely_a_crowd() -> None:
    found = confidences(crowd(), *gathering("bcdefghbcdef", every=2))
    assert found[-1] == 85.0


def test_five_are_no_crowd() -> None:
    assert first_suspected(crowd(), *gathering("cdefg")) is None


def test_a_crowd_that_was_there_from_the_beginning_is_none() -> None:
    assert (
        first_suspected(crowd(), *(Walk(letter * 700, ord(letter)) for letter in "bcdefghi"))
        is None
    )


def test_a_queue_that_grows_slowly_is_no_crowd() -> None:
    """One more in each 40 s: in a minute it never doubles to six."""
    assert first_suspected(crowd(), *gathering("bcdefghi", every=40)) is None


def test_a_queue_that_was_always_there_and_grows_by_two_is_no_crowd() -> None:
    queue = [Walk(letter * 500, ord(letter)) for letter in "bcdef"]
    more = [Walk("." * 400 + letter * 100, ord(letter)) for letter in "gh"]
    assert first_suspected(crowd(), *queue, *more) is None


def test_people_who_stand_far_apart_are_no_crowd() -> None:
    assert first_suspected(crowd(), *gathering("aDgJbI")) is None


def test_a_party_that_walks_through_is_no_crowd() -> None:
    party = [Walk(QUIET + "abcdefghij" * 3, number) for number in range(1, 9)]
    assert first_suspected(crowd(), *party) is None


def test_a_crowd_that_disperses_is_over() -> None:
    found = confidences(crowd(), *gathering("cdefgh", stays=20), Walk(QUIET + "J" * 120, 9))
    assert found[340] == 50.0
    assert found[-1] is None


def test_a_street_that_fills_again_and_again_is_used_to_it() -> None:
    """At lights people gather in each two minutes: after the first time it is usual."""
    waiting = ("." * 60 + "{0}" * 60) * 8
    walks = [Walk(waiting.format(letter), ord(letter)) for letter in "cdefgh"]
    assert first_suspected(crowd(), *walks) is None


def test_a_crowd_is_suspicious_activity_and_says_who_and_how_many() -> None:
    (suspicion,) = list(play(crowd(), *gathering("cdefgh")))[-1]
    assert suspicion.crime_type is CrimeType.SUSPICIOUS_ACTIVITY
    assert sorted(suspicion.track_ids) == [1, 2, 3, 4, 5, 6]
    assert suspicion.reason == "6 people have gathered within 60 s"


def test_a_crowd_that_stood_there_by_day_is_none_when_night_begins() -> None:
    rule = crowd(armed_in=["night"])
    walks = [Walk(letter * 700, ord(letter)) for letter in "bcdefghi"]
    found = [
        rule.observe(replace(moment, profile=Profile.DAY if number < 600 else Profile.NIGHT))
        for number, moment in enumerate(moments(*walks))
    ]
    assert not any(found)


def test_a_crowd_that_forms_before_night_begins_is_one_at_nightfall() -> None:
    rule = crowd(armed_in=["night"])
    found = [
        rule.observe(replace(moment, profile=Profile.DAY if number < 340 else Profile.NIGHT))
        for number, moment in enumerate(moments(*gathering("cdefgh")))
    ]
    assert not any(found[:340])
    assert found[340]


def test_a_zone_may_have_a_crowd_of_its_own() -> None:
    square = zone(ZoneKind.LOITERING, "c", "f", settings={"crowd": {"people": 4}})
    rule = Crowd([square], Settings())
    assert first_suspected(rule, *gathering("cdef")) is not None
    assert first_suspected(Crowd([], Settings()), *gathering("cdef")) is None
    assert first_suspected(Crowd([square], Settings()), *gathering("ghij")) is None
