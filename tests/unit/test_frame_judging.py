"""An operator's own classifier in the GPU worker: which frames it judges, and what may go wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from detection.domain.frames import Answer, Frame
from detection.domain.moments import FIGHTING, Opinion
from detection.frame_judging import FrameJudging
from detection.ports import DetectorError

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PIXELS = np.zeros((4, 8, 3), np.uint8)
SAID = Opinion("violence", 0.8, own=True)


class FakeClassifier:
    """See FrameClassifier."""

    class_names: Mapping[int, str] = {0: "violence"}

    def __init__(self, *, broken: bool = False) -> None:
        self.judged = 0
        self.broken = broken

    def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
        self.judged += 1
        if self.broken:
            raise DetectorError("the classifier could not judge a frame")
        return [SAID]


def frame(seconds: float = 0.0, camera: int = 1) -> Frame:
    number = round(seconds * 1000)
    return Frame(camera, number, NOON + timedelta(seconds=seconds), NOON.timestamp(), PIXELS)


def answer(to: Frame, label: str = "person", confidence: float = 0.9) -> tuple[int, Answer]:
    rows = np.array([[0, 0, 2, 4, confidence, 0]], np.float32)
    return to.camera_id, Answer(to.sequence, rows, {0: label})


def judge(judging: FrameJudging, *frames: Frame) -> list[bool]:
    """Whether each frame, all of people, got an opinion."""
    answers = [answer(one) for one in frames]
    due = judging.due(frames, answers)
    judged = [judging.judge(due[camera], a) if camera in due else a for camera, a in answers]
    return [SAID in given.opinions for given in judged]


def test_a_frame_with_people_is_judged() -> None:
    assert judge(FrameJudging(FakeClassifier()), frame()) == [True]


def test_a_camera_is_judged_about_twice_a_second() -> None:
    judging = FrameJudging(FakeClassifier())
    assert [judge(judging, frame(n / 5))[0] for n in range(8)] == [
        True, False, False, True, False, False, True, False
    ]  # fmt: skip


def test_each_camera_has_its_own_turn() -> None:
    assert judge(FrameJudging(FakeClassifier()), frame(), frame(camera=2)) == [True, True]


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    judging = FrameJudging(FakeClassifier())
    judge(judging, frame(100.0))
    assert judge(judging, frame(10.0)) == [True]


def test_frames_without_people_are_left_alone() -> None:
    classifier = FakeClassifier()
    judging = FrameJudging(classifier)
    one = frame()
    refused = (1, Answer(one.sequence, None, refusal="too old"))
    for given in (answer(one, "car"), answer(one, confidence=0.2), refused):
        assert judging.due([one], [given]) == {}
    assert classifier.judged == 0


def test_other_opinions_are_kept() -> None:
    fight, one = Opinion(FIGHTING, 0.5), frame()
    rows = np.array([[0, 0, 2, 4, 0.9, 0]], np.float32)
    given = Answer(one.sequence, rows, {0: "person"}, opinions=(fight,))
    judged = FrameJudging(FakeClassifier()).judge(one, given)
    assert judged.opinions == (fight, SAID)


def test_a_classifier_that_fails_costs_no_answer() -> None:
    assert judge(FrameJudging(FakeClassifier(broken=True)), frame(), frame(camera=2)) == [
        False,
        False,
    ]


def test_of_many_cameras_those_that_have_waited_longest_are_judged_and_nobody_waits_long() -> None:
    judging = FrameJudging(FakeClassifier())
    judging.work.piece_seconds = 0.12  # two fit into a quarter of a second
    cameras = range(1, 5)
    judged = []
    for second in range(2):
        frames = [frame(second, camera) for camera in cameras]
        due = judging.due(frames, [answer(one) for one in frames])
        judged.append(set(due))
        for one in due.values():
            judging.judge(one, answer(one)[1])
            judging.work.piece_seconds = 0.12
    assert judged == [{1, 2}, {3, 4}]
