"""Which frames are sampled, and where those of a file stand."""

from datetime import UTC, datetime, timedelta

import pytest

from detection.sources.timing import Playback, Sampling

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def sampled(sampling: Sampling, *seconds: float) -> list[float]:
    return [second for second in seconds if sampling.takes(NOON + timedelta(seconds=second))]


def at_fps(fps: float, frames: int) -> list[float]:
    return [number / fps for number in range(frames)]


def test_every_nth_frame_is_sampled_from_the_first() -> None:
    frames = at_fps(15, 8)
    assert sampled(Sampling(3), *frames) == [frames[0], frames[3], frames[6]]
    assert sampled(Sampling(1), *frames) == frames


@pytest.mark.parametrize(
    ("fps", "skip", "a_second"),
    [*((30, 5, 6), (25, 5, 5), (15, 5, 5), (12, 5, 6), (10, 5, 5), (4, 5, 4)), (15, 10, 5)],
)
def test_in_a_hurry_at_least_five_a_second_are_sampled(
    fps: float, skip: int, a_second: float
) -> None:
    taken = sampled(Sampling(skip, hurry=lambda: True), *at_fps(fps, round(30 * fps)))
    assert len(taken) / 30 == pytest.approx(a_second, abs=0.1)


def test_the_hurry_ends_with_its_reason() -> None:
    hurried = iter([False] * 15 + [True] * 15 + [False] * 15)
    taken = sampled(Sampling(5, hurry=lambda: next(hurried, False)), *at_fps(15, 60))
    assert [sum(n <= second < n + 1 for second in taken) for n in range(4)] == [3, 5, 3, 3]


def test_frames_that_come_a_little_unevenly_are_still_sampled_in_turn() -> None:
    frames = [number / 15 + (0.012 if number % 3 else -0.012) for number in range(61)]
    assert sampled(Sampling(5), *frames) == frames[::5]


@pytest.mark.parametrize(("fps", "rate", "expected"), [(25, 5, 50), (30, 4, 40), (10, 3, 30)])
def test_a_rate_is_kept_whatever_the_streams_own_is(fps: float, rate: float, expected: int) -> None:
    taken = sampled(Sampling(5, rate), *at_fps(fps, round(10 * fps)))
    assert len(taken) == expected
    assert taken[0] == 0


def test_a_rate_above_the_streams_own_takes_every_frame() -> None:
    assert len(sampled(Sampling(5, 60), *at_fps(10, 50))) == 50


def test_after_a_pause_frames_are_not_made_up_for() -> None:
    assert sampled(Sampling(5, 1), 0, 0.5, 1, 60, 60.1, 60.5, 61, 61.5) == [0, 1, 60, 61]


def test_a_clock_that_is_set_back_is_sampled_on() -> None:
    assert sampled(Sampling(5, 1), 100, 100.5, 101, 10, 10.5, 11) == [100, 101, 10, 11]


def test_a_files_frames_stand_where_their_time_stamps_say() -> None:
    playback = Playback(0.1)
    assert [playback.follow(stamp) for stamp in (7.0, 7.1, 7.5)] == pytest.approx([0, 0.1, 0.5])


def test_time_stamps_that_are_missing_or_step_back_are_made_up() -> None:
    playback = Playback(0.1)
    stamps = (5.0, None, 5.2, 5.2, 3.0, 3.1, None)
    places = [playback.follow(stamp) for stamp in stamps]
    assert places == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_a_file_without_any_time_stamps_has_its_frame_rate() -> None:
    playback = Playback(0.04)
    assert [playback.follow(None) for _ in range(3)] == pytest.approx([0, 0.04, 0.08])
