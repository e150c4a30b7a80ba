"""What one camera's scene comes to, frame by frame, also when the camera's clock is set back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from detection.analysis import SceneAnalysis
from detection.behaviour.lookout import Lookout
from detection.behaviour.sights import Sight
from detection.domain.close_ups import CloseUp
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
from detection.domain.moments import Moment, Opinion
from detection.domain.poses import Pose
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.outbound import SampledPicture
from detection.rules.rule import Rule, RuleOptions
from detection.rules.settings import Layer, Settings
from detection.rules.setup import CameraSetup
from detection.trackers.bytetrack import ByteTracker
from tests.unit.scenes import zone

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


class AsSureAsTheDetector(Rule[RuleOptions]):
    """Suspects whoever is seen, and counts the frames since it began. See Rule."""

    NAME = "sure"
    Options = RuleOptions

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self.frames = 0

    def observe(self, moment: Moment) -> list[Suspicion]:
        self.frames += 1
        return [
            Suspicion(CrimeType.TRESPASSING, 100 * track.confidence, (1,), f"frame {self.frames}")
            for track in moment.tracks
        ]


@pytest.fixture
def scene() -> SceneAnalysis:
    tracker = cast(ByteTracker, EverybodyIsOneTrack())
    return SceneAnalysis(tracker, [AsSureAsTheDetector], CameraSetup(), EpisodePolicy())


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


# --- what came with the answer -------------------------------------------------------------------


def test_opinions_and_bodies_of_an_answer_reach_the_rules(scene: SceneAnalysis) -> None:
    keypoints = np.full((17, 3), 0.5, np.float32)
    answer = Answer(
        1,
        np.array([[0, 0, 2, 2, 0.9, PERSON]], np.float32),
        {PERSON: "person"},
        opinions=(Opinion("fighting", 0.7, Box(0.1, 0.1, 0.3, 0.2)),),
        bodies=(Pose(Box(0.1, 0.1, 0.2, 0.19), keypoints),),
    )
    frame = Frame(1, 1, NOON, NOON.timestamp(), PIXELS)
    moment = scene.judge(answer, SampledPicture(frame, PIXELS, Letterbox((4, 4), (4, 4)))).moment
    (opinion,) = moment.opinions
    assert (opinion.label, opinion.probability) == ("fighting", 0.7)
    assert opinion.box == pytest.approx((0.1, 0.1, 0.3, 0.2))
    assert list(moment.bodies) == [1]
    np.testing.assert_array_equal(moment.bodies[1], keypoints)


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
        CameraSetup(settings=Settings(alert=threshold)),
        EpisodePolicy(hysteresis=10.0),
    )
    assert kinds(see(scene, 0, 2, 60)) == [EpisodeOpened]
    assert see(scene, 2.2, 8, 0) == [EpisodeEnded(after(7.2), EpisodeState.CLEARED)]


# --- a setup that changes while it is watched ----------------------------------------------------


def set_up(scene: SceneAnalysis, layer: Layer, profile: Profile | None = None) -> None:
    scene.use_setup(CameraSetup(settings=Settings((layer,)), profile=profile))


def test_suspicions_below_the_least_confidence_of_their_rule_are_dropped(
    scene: SceneAnalysis,
) -> None:
    set_up(scene, {"sure": {"least_confidence": 60}})
    assert see(scene, 0, 3, 59) == []
    assert kinds(see(scene, 4, 7, 60)) == [EpisodeOpened]


def frames_remembered(scene: SceneAnalysis, at: float) -> str:
    """What the rule says of itself: the frames that it has seen since it began, this one too."""
    (suspicion,) = scene.weigh(one_person(after(at))).suspicions
    return suspicion.reason


def one_person(at: datetime) -> Moment:
    return Moment(at, [Track(1, "person", 0.4, Box(0.1, 0.1, 0.2, 0.2))])


def test_a_rule_that_is_set_otherwise_begins_anew(scene: SceneAnalysis) -> None:
    see(scene, 0, 0.8, 40)
    set_up(scene, {"sure": {"least_height": 0.1}})
    assert frames_remembered(scene, 1) == "frame 1"


@pytest.mark.parametrize(
    "setup",
    [
        CameraSetup(profile=Profile.NIGHT),
        CameraSetup(settings=Settings(({"thresholds": {"theft": {"alert": 60}}},))),
        CameraSetup(settings=Settings(({"other": {"enabled": False}},))),
        CameraSetup(zones=(zone(ZoneKind.RESTRICTED, "a", "b"),)),
        CameraSetup(zones=(zone(ZoneKind.MASK, "i", "j"),)),
    ],
    ids=["profile", "threshold", "another rule", "a zone it does not look at", "mask"],
)
def test_a_rule_that_a_change_does_not_touch_forgets_nothing_in_the_middle_of_an_act(
    scene: SceneAnalysis, setup: CameraSetup
) -> None:
    see(scene, 0, 0.8, 40)
    scene.use_setup(setup)
    assert frames_remembered(scene, 1) == "frame 6"


# --- a rule that fails ---------------------------------------------------------------------------


class Trips(AsSureAsTheDetector):
    """Fails at its frames 3 and 4, and at every one after 100."""

    NAME = "clumsy"

    def observe(self, moment: Moment) -> list[Suspicion]:
        found = super().observe(moment)
        if self.frames in (3, 4) or moment.at > after(100):
            raise ZeroDivisionError("nobody has a height")
        return found


@pytest.fixture
def clumsy() -> SceneAnalysis:
    tracker = cast(ByteTracker, EverybodyIsOneTrack())
    rules = [Trips, AsSureAsTheDetector]
    return SceneAnalysis(tracker, rules, CameraSetup(), EpisodePolicy())


def test_a_rule_that_fails_blinds_no_other(
    clumsy: SceneAnalysis, caplog: pytest.LogCaptureFixture
) -> None:
    assert kinds(see(clumsy, 101, 103, 60)) == [EpisodeOpened]
    assert clumsy.rules.failures == {"clumsy": 11}
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        "clumsy cannot judge what it sees, the rules go on (failure 1): nobody has a height"
    )


class Blinded(Lookout):
    """A lookout that can neither be told nor asked. See Lookout."""

    def see(self, sight: Sight) -> None:
        raise ValueError("no picture")

    def next_close_up(self, at: float) -> CloseUp | None:
        raise ValueError("no picture")


def test_a_lookout_that_fails_costs_fights_and_nothing_else() -> None:
    tracker = cast(ByteTracker, EverybodyIsOneTrack())
    scene = SceneAnalysis(tracker, [AsSureAsTheDetector], CameraSetup(), EpisodePolicy(), Blinded())
    assert kinds(see(scene, 0, 2, 60)) == [EpisodeOpened]
    assert scene.next_close_up(0.0) is None
    assert scene.rules.failures == {"lookout for fights": 12}


def test_a_rule_that_fails_twice_in_a_row_begins_anew_and_judges_on(clumsy: SceneAnalysis) -> None:
    said = [
        [suspicion.reason for name, suspicion in judged.by_rule if name == "clumsy"]
        for judged in (clumsy.weigh(one_person(after(number))) for number in range(6))
    ]
    assert said == [["frame 1"], ["frame 2"], [], [], ["frame 1"], ["frame 2"]]


def test_a_threshold_that_is_changed_holds_from_the_next_frame_on(scene: SceneAnalysis) -> None:
    set_up(scene, {"thresholds": {"trespassing": {"alert": 70}}})
    assert see(scene, 0, 3, 60) == []
    set_up(scene, {})
    (opened,) = see(scene, 3.2, 4, 60)
    assert opened.started_at == after(3.2)
