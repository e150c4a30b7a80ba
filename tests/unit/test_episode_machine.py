"""Stories of one camera: what is suspected when, and what the machine makes of it.

A story is a list of (second, confidence of trespassing); a dict names other crimes, None says that
the frame showed nothing. What happened is told as lines, times in seconds of the camera's clock.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeMachine,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.suspicions import Suspicion

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THEFT, TRESPASSING = CrimeType.THEFT, CrimeType.TRESPASSING

Seen = float | Mapping[CrimeType, float] | None
Story = list[tuple[float, Seen]]


def moment(second: float) -> datetime:
    return START + timedelta(seconds=second)


def from_to(first: float, last: float, seen: Seen) -> Story:
    """The same in five frames a second, both ends included."""
    return [(tick / 5, seen) for tick in range(round(first * 5), round(last * 5) + 1)]


def tell(story: Story, machine: EpisodeMachine | None = None) -> list[str]:
    """What the machine says to the story."""
    machine = machine or EpisodeMachine()
    return [
        line(event)
        for second, seen in story
        for event in machine.observe(suspicions(seen), moment(second))
    ]


def suspicions(seen: Seen) -> list[Suspicion]:
    if seen is None:
        return []
    crimes = seen if isinstance(seen, Mapping) else {TRESPASSING: seen}
    return [Suspicion(crime, confidence, (1,), str(crime)) for crime, confidence in crimes.items()]


def line(event: EpisodeEvent) -> str:
    second = f"{_second(event.at):.1f}"
    if isinstance(event, EpisodeEnded):
        return f"{second} {event.outcome}"
    said = f"{event.crime_type} {event.confidence:.0f}"
    if isinstance(event, EpisodeOpened):
        return f"{second} opened: {said} since {_second(event.started_at):.1f}"
    if isinstance(event, CrimeConfirmed):
        return f"{second} crime: {said} since {_second(event.started_at):.1f}"
    return f"{second} now: {said}"


def _second(at: datetime) -> float:
    return (at - START).total_seconds()


# --- opening -----------------------------------------------------------------------------------


def test_suspicion_that_persists_opens_an_episode_that_began_with_its_first_frame() -> None:
    assert tell(from_to(0, 1, 60)) == ["0.6 opened: trespassing 60 since 0.0"]


def test_one_frame_never_opens_however_sure_it_is() -> None:
    assert tell([(0, 100), *from_to(0.2, 3, None)]) == []


def test_a_suspicion_shorter_than_the_persistence_opens_nothing() -> None:
    assert tell([*from_to(0, 0.4, 79), *from_to(0.6, 3, None)]) == []


def test_confidence_below_the_alert_threshold_opens_nothing_however_long_it_lasts() -> None:
    assert tell(from_to(0, 30, 49.9)) == []


def test_confidence_exactly_at_the_alert_threshold_opens() -> None:
    assert tell(from_to(0, 1, 50)) == ["0.6 opened: trespassing 50 since 0.0"]


def test_an_episode_begins_where_suspicion_began_not_where_the_person_was_first_seen() -> None:
    assert tell([*from_to(0, 0.8, 45), *from_to(1, 2, 60)]) == [
        "1.6 opened: trespassing 60 since 1.0"
    ]


def test_while_it_dips_within_the_hysteresis_suspicion_goes_on() -> None:
    assert tell([(0, 55), (0.2, 41), (0.4, 42), (0.6, 55)]) == [
        "0.6 opened: trespassing 55 since 0.0"
    ]


def test_an_episode_does_not_open_on_a_frame_that_is_below_the_alert_threshold() -> None:
    assert tell([(0, 55), (0.2, 45), (0.4, 45), (0.6, 45), (0.8, 45), (1.0, 52)]) == [
        "1.0 opened: trespassing 52 since 0.0"
    ]


def test_a_detector_that_misses_the_person_for_a_second_resets_nothing() -> None:
    assert tell([*from_to(0, 0.2, 60), *from_to(0.4, 1.0, None), (1.2, 60)]) == [
        "1.2 opened: trespassing 60 since 0.0"
    ]


def test_a_longer_miss_begins_the_suspicion_anew() -> None:
    assert tell([*from_to(0, 0.2, 60), *from_to(0.4, 1.4, None), *from_to(1.6, 2.4, 60)]) == [
        "2.2 opened: trespassing 60 since 1.6"
    ]


def test_a_hole_without_frames_that_is_shorter_than_the_grace_counts_as_no_miss() -> None:
    assert tell([(0, 60), (10, 60)]) == ["10.0 opened: trespassing 60 since 0.0"]


def test_the_stronger_of_two_suspicions_opens() -> None:
    assert tell(from_to(0, 1, {TRESPASSING: 60, THEFT: 70})) == ["0.6 opened: theft 70 since 0.0"]


def test_of_two_suspicions_of_one_crime_the_stronger_counts() -> None:
    machine = EpisodeMachine()
    told = []
    for second in (0.0, 0.2, 0.4, 0.6):
        two = [Suspicion(TRESPASSING, c, (i,), f"person {i}") for i, c in ((1, 55), (2, 70))]
        told += machine.observe(two, moment(second))
    assert told == [EpisodeOpened(moment(0.6), TRESPASSING, 70, moment(0), "person 2")]


# --- while it is open ------------------------------------------------------------------------


def test_an_alert_is_updated_only_when_its_confidence_moved_by_the_step() -> None:
    story: Story = [*from_to(0, 0.6, 60), (1, 69), (1.2, 70), (1.4, 61), (1.6, 60), (1.8, 59)]
    assert tell(story) == [
        "0.6 opened: trespassing 60 since 0.0",
        "1.2 now: trespassing 70",
        "1.6 now: trespassing 60",
    ]


def test_a_confidence_below_the_alert_threshold_is_no_update() -> None:
    assert tell([*from_to(0, 0.6, 75), (0.8, 45), (1.0, 0), (1.2, 75)]) == [
        "0.6 opened: trespassing 75 since 0.0"
    ]


def test_after_a_crime_is_confirmed_the_alert_is_not_updated_any_more() -> None:
    assert tell([*from_to(0, 2, 85), *from_to(2.2, 3, 99), *from_to(3.2, 4, 55)]) == [
        "0.6 opened: trespassing 85 since 0.0",
        "2.0 crime: trespassing 85 since 0.0",
    ]


# --- confirming ------------------------------------------------------------------------------


def test_a_crime_starts_with_its_first_suspicious_frame_and_is_dated_by_the_confirming_one() -> (
    None
):
    assert tell([*from_to(0, 0.6, 60), *from_to(0.8, 4, 85)]) == [
        "0.6 opened: trespassing 60 since 0.0",
        "0.8 now: trespassing 85",
        "2.8 crime: trespassing 85 since 0.0",
    ]


def test_confidence_just_below_the_crime_threshold_confirms_nothing() -> None:
    assert tell(from_to(0, 30, 79.9)) == ["0.6 opened: trespassing 80 since 0.0"]


def test_a_dip_below_the_crime_threshold_of_a_second_does_not_reset_the_crime() -> None:
    assert tell([*from_to(0, 1, 85), *from_to(1.2, 1.8, 80 - 5), (2.0, 85)]) == [
        "0.6 opened: trespassing 85 since 0.0",
        "1.2 now: trespassing 75",
        "2.0 now: trespassing 85",
        "2.0 crime: trespassing 85 since 0.0",
    ]


def test_a_longer_dip_begins_the_time_to_confirm_anew_but_not_the_crime() -> None:
    assert tell([*from_to(0, 1, 85), *from_to(1.2, 2.2, 77), *from_to(2.4, 5, 85)]) == [
        "0.6 opened: trespassing 85 since 0.0",
        "4.4 crime: trespassing 85 since 0.0",
    ]


def test_a_crime_is_not_confirmed_on_a_frame_that_is_below_its_threshold() -> None:
    assert tell([*from_to(0, 1.8, 85), (2.0, 78), (2.2, 78), (2.4, 85)]) == [
        "0.6 opened: trespassing 85 since 0.0",
        "2.4 crime: trespassing 85 since 0.0",
    ]


def test_each_crime_is_reported_once_however_long_it_lasts() -> None:
    assert tell(from_to(0, 60, 95)) == [
        "0.6 opened: trespassing 95 since 0.0",
        "2.0 crime: trespassing 95 since 0.0",
    ]


def test_a_crime_that_pauses_within_its_episode_is_not_reported_again() -> None:
    assert tell([*from_to(0, 3, 95), *from_to(3.2, 7, None), *from_to(7.2, 20, 95)]) == [
        "0.6 opened: trespassing 95 since 0.0",
        "2.0 crime: trespassing 95 since 0.0",
    ]


def test_a_second_crime_of_the_episode_is_reported_once_with_its_own_start() -> None:
    story = [*from_to(0, 2.8, 90), *from_to(3, 9, {TRESPASSING: 90, THEFT: 85})]
    assert tell(story) == [
        "0.6 opened: trespassing 90 since 0.0",
        "2.0 crime: trespassing 90 since 0.0",
        "5.0 crime: theft 85 since 3.0",
    ]


def test_two_crimes_of_the_same_moment_are_both_reported() -> None:
    assert tell(from_to(0, 5, {TRESPASSING: 90, THEFT: 85})) == [
        "0.6 opened: trespassing 90 since 0.0",
        "2.0 crime: trespassing 90 since 0.0",
        "2.0 crime: theft 85 since 0.0",
    ]


# --- ending ----------------------------------------------------------------------------------


def test_an_episode_is_cleared_after_the_clear_time_of_calm() -> None:
    assert tell([*from_to(0, 1, 60), *from_to(1.2, 10, None)]) == [
        "0.6 opened: trespassing 60 since 0.0",
        "6.2 cleared",
    ]


def test_confidence_within_the_hysteresis_keeps_an_episode_open() -> None:
    assert tell([*from_to(0, 1, 60), *from_to(1.2, 10, 41), *from_to(10.2, 20, 39)]) == [
        "0.6 opened: trespassing 60 since 0.0",
        "15.2 cleared",
    ]


def test_one_suspicious_frame_begins_the_calm_anew() -> None:
    story = [*from_to(0, 1, 60), *from_to(1.2, 5, None), (5.2, 60), *from_to(5.4, 12, None)]
    assert tell(story) == ["0.6 opened: trespassing 60 since 0.0", "10.4 cleared"]


def test_a_confirmed_episode_is_cleared_too() -> None:
    assert tell([*from_to(0, 10, 90), *from_to(10.2, 20, None)]) == [
        "0.6 opened: trespassing 90 since 0.0",
        "2.0 crime: trespassing 90 since 0.0",
        "15.2 cleared",
    ]


def test_after_an_episode_is_cleared_the_next_one_starts_from_nothing() -> None:
    story = [*from_to(0, 2, 90), *from_to(2.2, 8, None), *from_to(20, 22, 90)]
    assert tell(story) == [
        "0.6 opened: trespassing 90 since 0.0",
        "2.0 crime: trespassing 90 since 0.0",
        "7.2 cleared",
        "20.6 opened: trespassing 90 since 20.0",
        "22.0 crime: trespassing 90 since 20.0",
    ]


# --- blindness -------------------------------------------------------------------------------


def test_a_camera_that_is_blind_for_longer_than_the_grace_loses_its_episode() -> None:
    machine = EpisodeMachine()
    tell(from_to(0, 0.6, 60), machine)
    assert machine.lose_sight(moment(15.6)) == []
    assert machine.lose_sight(moment(15.7)) == [EpisodeEnded(moment(0.6), EpisodeState.LOST)]
    assert machine.lose_sight(moment(99)) == []
    assert not machine.is_open


def test_a_quiet_camera_that_goes_blind_says_nothing() -> None:
    machine = EpisodeMachine()
    assert machine.lose_sight(moment(99)) == []
    tell([(100, 60)], machine)
    assert machine.lose_sight(moment(199)) == []


def test_a_frame_that_comes_after_the_grace_ends_the_old_episode_at_its_last_frame() -> None:
    assert tell([*from_to(0, 1, 60), *from_to(20, 21, 60)]) == [
        "0.6 opened: trespassing 60 since 0.0",
        "1.0 lost",
        "20.6 opened: trespassing 60 since 20.0",
    ]


def test_a_confirmed_crime_that_was_lost_may_be_confirmed_again_when_sight_returns() -> None:
    machine = EpisodeMachine()
    tell(from_to(0, 2, 90), machine)
    machine.lose_sight(moment(30))
    assert tell(from_to(31, 33, 90), machine) == [
        "31.6 opened: trespassing 90 since 31.0",
        "33.0 crime: trespassing 90 since 31.0",
    ]


def test_blindness_shorter_than_the_grace_keeps_the_episode() -> None:
    assert tell([*from_to(0, 1, 60), *from_to(16, 17, 60)]) == [
        "0.6 opened: trespassing 60 since 0.0"
    ]


# --- order -----------------------------------------------------------------------------------


def test_frames_older_than_the_last_are_ignored() -> None:
    machine = EpisodeMachine()
    tell([(5, 60)], machine)
    assert tell([(4, 99), (4.9, 99), (5, 99)], machine) == []
    assert tell([(5.2, 60), (5.4, 60), (5.6, 60)], machine) == [
        "5.6 opened: trespassing 60 since 5.0"
    ]


def test_an_empty_scene_says_nothing_for_ever() -> None:
    assert tell(from_to(0, 120, None)) == []
