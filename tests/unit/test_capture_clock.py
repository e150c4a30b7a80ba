"""When a frame was taken, from its stream's own time, its arrival and the camera's clock."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.capture_clock import CaptureClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()


def taken(
    clock: CaptureClock, pts: float | None, arrived: float, wall: float | None = None
) -> float:
    """Seconds after noon at which the frame was taken; arrival and wall are seconds after noon."""
    at = clock.captured_at(pts, NOON + arrived, None if wall is None else NOON + wall)
    assert at.tzinfo is UTC
    return round(at.timestamp() - NOON, 3)


def test_a_stream_without_time_of_its_own_is_dated_by_arrival() -> None:
    assert taken(CaptureClock(), None, 3.5) == 3.5


def test_the_first_frame_is_dated_by_its_arrival() -> None:
    assert taken(CaptureClock(), 90_000.0, 1.0) == 1.0


def test_frames_that_are_held_up_keep_their_true_distances() -> None:
    clock = CaptureClock()
    assert taken(clock, 10.0, 1.0) == 1.0
    assert taken(clock, 10.2, 4.0) == pytest.approx(1.2, abs=0.01)
    assert taken(clock, 10.4, 4.0) == pytest.approx(1.4, abs=0.01)


def test_a_frame_that_was_delayed_less_than_the_first_corrects_the_anchor() -> None:
    clock = CaptureClock()
    taken(clock, 0.0, 2.0)
    assert taken(clock, 1.0, 1.5) == 1.5
    assert taken(clock, 2.0, 2.9) == pytest.approx(2.5, abs=0.01)


def test_the_cameras_own_clock_is_used_where_it_is_believable() -> None:
    clock = CaptureClock()
    assert taken(clock, 100.0, 2.0, wall=-99.5) == 0.5
    assert taken(clock, 101.0, 3.0, wall=-99.5) == 1.5


def test_the_cameras_clock_goes_on_counting_when_it_is_not_repeated() -> None:
    clock = CaptureClock()
    taken(clock, 100.0, 2.0, wall=-99.5)
    assert taken(clock, 101.0, 3.0) == 1.5
    assert taken(clock, 102.0, 3.2) == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("offset", [-5.1, 5.1, 3600, -86_400 * 365])
def test_a_camera_clock_that_is_off_by_more_than_five_seconds_is_not_believed(
    offset: float,
) -> None:
    assert taken(CaptureClock(), 100.0, 2.0, wall=2.0 - 100.0 + offset) == 2.0


def test_frames_of_a_camera_whose_clock_is_fast_keep_their_true_distances() -> None:
    clock = CaptureClock()
    assert taken(clock, 100.0, 2.0, wall=-95.0) == 5.0
    assert taken(clock, 100.2, 2.3, wall=-95.0) == pytest.approx(5.2, abs=0.01)


def test_a_frame_held_up_as_the_cameras_clock_was_read_does_not_shift_those_after_it() -> None:
    clock = CaptureClock()
    taken(clock, 100.0, 5.0, wall=-99.5)  # 4.5 s on its way
    for number in range(1, 10_000):  # 0.1 s on their way
        at = taken(clock, 100 + number / 5, 0.6 + number / 5)
    assert at == pytest.approx(0.5 + number / 5, abs=0.5)


def test_time_that_jumped_forward_is_anchored_anew_and_counted() -> None:
    clock = CaptureClock()
    taken(clock, 10.0, 1.0)
    assert taken(clock, 500.0, 1.2) == 1.2
    assert taken(clock, 500.2, 1.4) == 1.4
    assert clock.jumps == 1


def test_time_that_jumped_back_as_the_camera_restarted_is_anchored_anew_and_counted() -> None:
    clock = CaptureClock()
    taken(clock, 5_000.0, 1.0)
    assert taken(clock, 0.0, 20.0) == 20.0
    assert taken(clock, 0.2, 20.2) == 20.2
    assert clock.jumps == 1


@pytest.mark.parametrize("jump", [3 * 3600.0, -3 * 3600.0, -3.0, 12.0])
def test_time_goes_on_without_a_break_where_the_cameras_clock_jumped(jump: float) -> None:
    clock = CaptureClock()
    assert taken(clock, 100.0, 2.0, wall=-99.5) == 0.5
    assert taken(clock, 101.0 + jump, 3.0, wall=-99.5) == 1.5
    assert taken(clock, 102.0 + jump, 4.0, wall=-99.5 - jump) == 2.5
    assert taken(clock, 102.2 + jump, 4.5) == pytest.approx(2.7, abs=0.01)
    assert clock.jumps == 1


@pytest.mark.parametrize("jump", [3 * 3600.0, -3 * 3600.0])
def test_where_the_clock_of_this_host_jumped_it_is_followed(jump: float) -> None:
    clock = CaptureClock()
    assert taken(clock, 100.0, 2.0) == 2.0
    assert taken(clock, 101.0, 3.0 + jump) == 3.0 + jump
    assert taken(clock, 102.0, 4.0 + jump) == 4.0 + jump
    assert clock.jumps == 1


def test_many_jumps_of_a_mad_clock_never_lead_away_from_the_arrivals() -> None:
    clock = CaptureClock()
    jumped = 0.0
    for number in range(1000):
        jumped += (7200.0, -50_000.0, 11.0, -0.5)[number % 4]
        arrived = number / 5
        assert abs(taken(clock, arrived + jumped, arrived, wall=-jumped) - arrived) < 1.0


def test_a_delay_below_ten_seconds_is_no_jump() -> None:
    clock = CaptureClock()
    taken(clock, 0.0, 0.0)
    assert taken(clock, 1.0, 10.9) == pytest.approx(1.0, abs=0.02)
    assert clock.jumps == 0


def test_a_camera_whose_clock_runs_slow_is_followed() -> None:
    clock = CaptureClock()
    late = 0.0
    for second in range(36_000):  # 5 frames a second, two hours, 0.1 % slow: 7.2 s in all
        arrived = second / 5
        late = arrived - taken(clock, arrived * 0.999, arrived)
    assert late < 0.5
    assert clock.jumps == 0


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(0, 1e5)), max_size=20))
def test_no_frame_is_ever_dated_after_its_arrival(frames: list[tuple[float, float]]) -> None:
    clock = CaptureClock()
    for pts, arrived in frames:
        assert taken(clock, pts, arrived) <= arrived + 0.001  # both are rounded on their way
