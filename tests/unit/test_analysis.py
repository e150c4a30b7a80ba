"""What one camera's scene comes to, frame by frame, also when the camera's clock is set back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from detection.analysis import SceneAnalysis
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeMachine,
    EpisodeOpened,
    EpisodePolicy,
    EpisodeState,
)
from detection.domain.frames import Answer, Detections, Frame
from detection.domain.geometry import Box
from detection.domain.letterbox import Letterbox
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.outbound import SampledPicture
from detection.rules.rule import RuleOptions
from detection.trackers.bytetrack import ByteTracker

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PIXELS = np.zeros((4, 4, 3), np.uint8)
SIGHT = 5  # frames a second
PERSON = 0


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class EverybodyIsOneTrack:
    """Stands in for the tracker: the first detection is track 1, as sure as it was detected."""

    def update(
        self, detections: Detections, names: Mapping[int, str], seconds: float = 0.0
    ) -> list[Track]:
        if not len(detections):
            return []
        confidence = float(detections.confidences[0])
        return [Track(1, "person", confidence, Box(0.1, 0.1, 0.2, 0.2))]


class AsSureAsTheDetector:
    """Suspects whoever is seen, and counts the frames since it began. See Rule."""

    def __init__(self, zones: Sequence[Zone], options: RuleOptions) -> None:
        self.frames = 0

    def observe(self, tracks: Sequence[Track], at: datetime) -> list[Suspicion]:
        self.frames += 1
        return [
            Suspicion(CrimeType.TRESPASSING, 100 * track.confidence, (1,), f"frame {self.frames}")
            for track in tracks
        ]


@pytest.fixture
def scene() -> SceneAnalysis:
    tracker = cast(ByteTracker, EverybodyIsOneTrack())
    return SceneAnalysis(tracker, [AsSureAsTheDetector], RuleOptions(), EpisodePolicy(), ())


def see(scene: SceneAnalysis, first: float, last: float, confidence: float) -> list[Any]:
    """The same sight from one second to another; what the scene says to it."""
    events: list[Any] = []
    for tick in range(round(first * SIGHT), round(last * SIGHT) + 1):
        at = after(tick / SIGHT)
        rows = [[0, 0, 2, 2, confidence / 100, PERSON]] if confidence else []
        answer = Answer(tick, np.array(rows, np.float32).reshape(-1, 6), {PERSON: "person"})
        picture = SampledPicture(
            Frame(1, tick, at, at.timestamp(), PIXELS), PIXELS, Letterbox((4, 4), (4, 4))
        )
        events += scene.judge(answer, picture).events
    return events


def kinds(events: Sequence[object]) -> list[type]:
    return [type(event) for event in events]


# --- a clock that is set back --------------------------------------------------------------------


def test_a_clock_that_is_set_back_ends_the_open_episode_as_lost(scene: SceneAnalysis) -> None:
    assert kinds(see(scene, 100, 103, 60)) == [EpisodeOpened]
    (lost,) = see(scene, 40, 40, 60)
    assert lost == EpisodeEnded(after(103), EpisodeState.LOST), "dated by the old clock"
    assert not scene.machine.is_open


def test_after_its_clock_was_set_back_the_camera_is_judged_on(scene: SceneAnalysis) -> None:
    see(scene, 100, 103, 60)
    lost, opened, crime = see(scene, 40, 43, 90)
    assert kinds([lost, opened, crime]) == [EpisodeEnded, EpisodeOpened, CrimeConfirmed]
    assert (opened.at, opened.started_at) == (after(40.6), after(40))
    assert (crime.at, crime.started_at) == (after(42), after(40))
    assert opened.reason == "frame 4", "the rules began anew"


def test_a_quiet_camera_whose_clock_is_set_back_says_nothing_and_sees_again(
    scene: SceneAnalysis,
) -> None:
    see(scene, 3600, 3601, 0)
    assert see(scene, 0, 0, 0) == []
    assert kinds(see(scene, 0.2, 1, 60)) == [EpisodeOpened]


def test_suspicion_from_before_the_jump_opens_nothing_after_it(scene: SceneAnalysis) -> None:
    see(scene, 100, 100.4, 60)
    assert see(scene, 40, 40.4, 60) == []
    assert kinds(see(scene, 40.6, 40.6, 60)) == [EpisodeOpened]


def test_a_capture_time_a_second_older_means_nothing(scene: SceneAnalysis) -> None:
    see(scene, 100, 103, 60)
    assert see(scene, 102, 102, 60) == []
    assert scene.machine.is_open
    assert kinds(see(scene, 103.2, 104, 75)) == [ConfidenceChanged]


def test_a_clock_that_is_set_forward_is_a_camera_that_was_blind(scene: SceneAnalysis) -> None:
    see(scene, 100, 103, 60)
    events = see(scene, 3600, 3601, 60)
    assert kinds(events) == [EpisodeEnded, EpisodeOpened]
    assert events[0] == EpisodeEnded(after(103), EpisodeState.LOST)


def test_a_machine_that_is_quiet_has_nothing_to_abandon() -> None:
    machine = EpisodeMachine()
    assert machine.abandon() == []
    machine.observe([], after(10))
    assert machine.abandon() == []
    machine.observe([], after(0))
    assert machine.abandon() == []


# --- the timeline --------------------------------------------------------------------------------


def test_the_timeline_tells_the_episode_from_its_first_suspicion(scene: SceneAnalysis) -> None:
    see(scene, 0, 2, 0)
    assert scene.timeline == []
    see(scene, 2.2, 3.2, 60)
    assert scene.timeline == [(0.0, 60.0), (0.6, 60.0)]


def test_the_next_episode_begins_with_an_empty_timeline(scene: SceneAnalysis) -> None:
    see(scene, 0, 2, 90)
    ended = see(scene, 2.2, 8, 0)
    assert isinstance(ended[-1], EpisodeEnded)
    see(scene, 8.2, 9, 60)
    assert scene.timeline[0] == (0.0, 60.0)
    assert max(confidence for _, confidence in scene.timeline) == 60.0


def test_an_episode_right_after_another_begins_with_an_empty_timeline(scene: SceneAnalysis) -> None:
    """Suspicion below the alert goes on without a pause: an idle scene never clears it."""
    see(scene, 0, 2, 90)
    ended = see(scene, 2.2, 8, 30)
    assert isinstance(ended[-1], EpisodeEnded)
    see(scene, 8.2, 9, 60)
    assert max(confidence for _, confidence in scene.timeline) == 60.0


def test_after_a_jump_of_the_clock_the_timeline_never_runs_backwards(scene: SceneAnalysis) -> None:
    see(scene, 100, 103, 90)
    see(scene, 40, 43, 60)
    offsets = [offset for offset, _ in scene.timeline]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0.0
    assert max(confidence for _, confidence in scene.timeline) == 60.0


def test_a_jump_of_the_clock_under_a_weak_suspicion_stops_no_timeline(
    scene: SceneAnalysis,
) -> None:
    see(scene, 100, 103, 30)
    see(scene, 40, 43, 90)
    assert max(confidence for _, confidence in scene.timeline) == 90.0


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [5.0, 10.0])
def test_an_alert_threshold_within_the_hysteresis_still_clears(threshold: float) -> None:
    scene = SceneAnalysis(
        cast(ByteTracker, EverybodyIsOneTrack()),
        [AsSureAsTheDetector],
        RuleOptions(),
        EpisodePolicy(alert_threshold=threshold, hysteresis=10.0),
        (),
    )
    assert kinds(see(scene, 0, 2, 60)) == [EpisodeOpened]
    assert see(scene, 2.2, 8, 0) == [EpisodeEnded(after(7.2), EpisodeState.CLEARED)]
