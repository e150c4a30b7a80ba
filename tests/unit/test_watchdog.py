"""What a camera is judged to be by what its reader and the detector did lately."""

import time
from dataclasses import replace

import numpy as np
import pytest

from detection.domain.view_health import HealthKind
from detection.models import CameraState
from detection.reader import ReaderStatus
from detection.watchdog import Finding, Watchdog

STALL = 8.0


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def status() -> ReaderStatus:
    return ReaderStatus()


@pytest.fixture
def dog(clock: Clock, status: ReaderStatus) -> Watchdog:
    return Watchdog(status, STALL)


def runs(dog: Watchdog, status: ReaderStatus, clock: Clock) -> Finding:
    """A frame was decoded and one analysed, right now."""
    status.decoded, status.last_decoded_at = status.decoded + 1, clock.now
    dog.answered()
    return dog.find("x")


def test_nothing_is_said_before_the_first_frame_was_analysed(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    assert dog.find("x").state is None
    status.decoded, status.last_decoded_at = 1, clock.now
    assert dog.find("x").state is None
    assert runs(dog, status, clock) == Finding(CameraState.RUNNING)


def test_a_camera_that_never_gave_a_picture_is_named_before_ten_seconds(
    dog: Watchdog, clock: Clock
) -> None:
    clock.now += 8.1
    finding = dog.find("x")
    assert finding.state is CameraState.ERROR
    assert finding.reason.startswith("no_video: ")
    assert (finding.trouble, finding.since) == (HealthKind.LOST, 1000.0)


def test_a_stream_that_stands_still_is_named_and_the_time_since_its_last_frame_is_lost(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    runs(dog, status, clock)
    clock.now += 7.9
    assert dog.find("x").state is CameraState.RUNNING
    clock.now += 0.2
    finding = dog.find("x")
    assert finding.reason.startswith("stalled: ")
    assert (finding.trouble, finding.since) == (HealthKind.LOST, 1000.0)


def test_a_connection_that_is_there_again_at_once_is_an_error_but_no_lost_camera(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    runs(dog, status, clock)
    status.reason, status.message = "ended", "the camera ended the stream"
    clock.now += 2
    assert dog.find("x") == replace(dog.find("x"), trouble=None)
    assert dog.find("x").reason == "ended: the camera ended the stream"
    clock.now += 2
    assert dog.find("x").trouble is HealthKind.LOST


def test_frames_that_nobody_analyses_are_named_with_the_reason(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    runs(dog, status, clock)
    clock.now += 8.1
    status.last_decoded_at = clock.now
    finding = dog.find("no gpu worker answers")
    assert finding.state is CameraState.ERROR
    assert finding.reason == "not_analysed: no gpu worker answers"
    assert not finding.watched


def test_damage_is_mentioned_then_an_error_and_forgiven_only_when_it_is_well_below(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    told = []
    for damage in (0.05, 0.2, 0.39, 0.5, 0.3, 0.2, 0.0):
        status.damage = damage
        finding = runs(dog, status, clock)
        told.append((finding.state, finding.reason.partition(" of")[0]))
    running, error = CameraState.RUNNING, CameraState.ERROR
    assert told == [
        (running, ""),
        (running, "damaged: about 20%"),
        (running, "damaged: about 40%"),
        (error, "damaged: about 50%"),
        (error, "damaged: about 30%"),
        (running, "damaged: about 20%"),
        (running, ""),
    ]


def test_a_camera_that_is_black_runs_on_but_is_not_watched(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    began = clock.now
    for _ in range(20):
        clock.now += 0.25
        dog.see(np.zeros((90, 160, 3), np.uint8))
        finding = runs(dog, status, clock)
    assert finding.state is CameraState.RUNNING
    assert finding.reason.startswith("black: ")
    assert finding.trouble is HealthKind.BLACK
    assert finding.since == pytest.approx(began, abs=0.5)
    assert not finding.watched


def test_another_resolution_is_no_camera_that_was_turned(
    dog: Watchdog, status: ReaderStatus, clock: Clock
) -> None:
    random = np.random.default_rng(1)
    for height, width in ((90, 160), (120, 160)):
        scene = random.integers(0, 255, (height // 10, width // 10, 3)).repeat(10, 0).repeat(10, 1)
        for _ in range(60):
            clock.now += 0.5
            noise = random.integers(-3, 4, scene.shape)
            dog.see(np.clip(scene + noise, 0, 255).astype(np.uint8))
            assert runs(dog, status, clock) == Finding(CameraState.RUNNING)
