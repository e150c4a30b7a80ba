"""The GPU side: what waits is answered in batches, and nothing is judged late."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from crimeops import canary
from detection import inference
from detection.domain.frames import Answer, Frame
from detection.domain.moments import Opinion
from detection.domain.pace import Governor
from detection.frame_judging import FrameJudging
from detection.inference import drain, refuse_all
from detection.ports import DetectorError

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POISON = 255


class Clock:
    """Stands in for the module `time`."""

    now = NOON.timestamp()

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class FakeQueue:
    """See FrameQueue."""

    def __init__(self, *frames: Frame) -> None:
        self.waiting = list(frames)
        self.batches: list[list[tuple[int, Answer]]] = []

    def take(self, limit: int) -> list[Frame]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def answer(self, answers: Sequence[tuple[int, Answer]]) -> None:
        self.batches.append(list(answers))

    def share_pace(self, change: Callable[[float], float]) -> float:
        return change(0.0)

    @property
    def answers(self) -> dict[int, Answer]:
        return {camera_id: answer for batch in self.batches for camera_id, answer in batch}


class FakeDetector:
    """Finds one object, as wide as the frame's first pixel is bright. See Detector."""

    class_names: Mapping[int, str] = {0: "person", 2: "car"}
    input_size = (8, 4)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        self.batches.append(len(batch))
        if (batch == POISON).any():
            raise DetectorError("the model chokes on this")
        return [
            np.array([[0, 0, pixels[0, 0, 0], 4, 0.9, 0]], dtype=np.float32) for pixels in batch
        ]


def frame(
    camera_id: int, *, bright: int = 1, age: float = 0.0, size: tuple[int, int] = (8, 4)
) -> Frame:
    pixels = np.full((size[1], size[0], 3), bright, dtype=np.uint8)
    return Frame(camera_id, camera_id * 100, NOON, NOON.timestamp() - age, pixels)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(inference, "time", clock)
    return clock


def run(queue: FakeQueue, detector: FakeDetector, batch_size: int = 16) -> bool:
    return drain(queue, detector, Governor(), batch_size=batch_size, max_age_seconds=1.0)


def test_everything_that_waits_is_answered_in_batches() -> None:
    queue, detector = FakeQueue(*[frame(camera) for camera in range(1, 11)]), FakeDetector()
    assert run(queue, detector, batch_size=4)
    assert detector.batches == [4, 4, 2]
    assert [len(batch) for batch in queue.batches] == [4, 4, 2]
    assert sorted(queue.answers) == list(range(1, 11))


def test_where_nothing_waits_the_detector_is_left_alone() -> None:
    queue, detector = FakeQueue(), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == []
    assert queue.batches == []


def test_each_camera_gets_the_rows_of_its_own_frame() -> None:
    queue = FakeQueue(frame(7, bright=3), frame(8, bright=5))
    run(queue, FakeDetector())
    for camera_id, width in ((7, 3), (8, 5)):
        answer = queue.answers[camera_id]
        assert answer.sequence == camera_id * 100
        assert answer.refusal == ""
        assert answer.rows is not None
        assert answer.rows[0, 2] == width


def test_an_answer_names_the_classes_that_were_seen_and_no_others() -> None:
    queue = FakeQueue(frame(7))
    run(queue, FakeDetector())
    assert queue.answers[7].names == {0: "person"}


def test_a_class_without_a_name_goes_by_its_number() -> None:
    class Nameless(FakeDetector):
        class_names = {2: "car"}

    queue = FakeQueue(frame(7))
    run(queue, Nameless())
    assert queue.answers[7].names == {0: "0"}


def test_a_frame_that_is_too_old_is_refused_and_not_judged_late() -> None:
    queue, detector = FakeQueue(frame(7, age=1.1), frame(8, age=0.9)), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == [1]
    assert (queue.answers[7].rows, queue.answers[7].refusal) == (None, "too old")
    assert queue.answers[7].sequence == 700
    assert queue.answers[8].rows is not None


def test_a_batch_of_old_frames_never_reaches_the_detector() -> None:
    queue, detector = FakeQueue(frame(7, age=9), frame(8, age=9)), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == []
    assert {answer.refusal for answer in queue.answers.values()} == {"too old"}


def test_a_frame_of_another_size_is_refused_and_spoils_no_batch() -> None:
    queue, detector = FakeQueue(frame(7, size=(4, 8)), frame(8)), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == [1]
    assert queue.answers[7].rows is None
    assert queue.answers[7].refusal == "not of the detector's input size"
    assert queue.answers[8].rows is not None


def test_a_poisonous_frame_costs_the_others_nothing() -> None:
    queue, detector = FakeQueue(frame(7), frame(8, bright=POISON), frame(9)), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == [3, 1, 2, 1, 1], "together first, then by halves"
    assert queue.answers[7].rows is not None
    assert queue.answers[9].rows is not None
    assert queue.answers[8].rows is None
    assert queue.answers[8].refusal == "not analysed: the model chokes on this"


def test_under_constant_load_a_drain_ends_after_five_seconds(clock: Clock) -> None:
    class Flooded(FakeQueue):
        def take(self, limit: int) -> list[Frame]:
            clock.now += 1.0
            return [Frame(7, 1, NOON, clock.now, np.zeros((4, 8, 3), dtype=np.uint8))]

    queue = Flooded()
    assert not run(queue, FakeDetector()), "frames may still wait"
    assert len(queue.batches) == 6
    assert run(FakeQueue(frame(8)), FakeDetector()), "and the next drain finds the way free"


def ring_elsewhere(queue: FakeQueue) -> bool:
    """Another thread's drain; fails where that waits for the one under way."""
    answers: list[bool] = []
    thread = Thread(target=lambda: answers.append(run(queue, FakeDetector())), daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), "it waits for the other drain"
    return answers[0]


def test_a_second_drain_returns_at_once_and_the_first_answers_its_frame() -> None:
    queue = FakeQueue(frame(7))

    class Rung(FakeDetector):
        def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            if not self.batches:
                queue.waiting.append(frame(8))
                assert ring_elsewhere(queue)
                assert queue.answers == {}, "the second one answers nothing"
            return super().detect(batch)

    detector = Rung()
    assert run(queue, detector)
    assert detector.batches == [1, 1]
    assert sorted(queue.answers) == [7, 8]


def test_a_frame_that_comes_after_the_last_look_is_looked_for_again() -> None:
    class Late(FakeQueue):
        rung = False

        def take(self, limit: int) -> list[Frame]:
            taken = super().take(limit)
            if not taken and not self.rung:
                self.rung = True
                self.waiting.append(frame(8))
                assert ring_elsewhere(self)
            return taken

    queue, detector = Late(frame(7)), FakeDetector()
    assert run(queue, detector)
    assert detector.batches == [1, 1]
    assert sorted(queue.answers) == [7, 8]


def test_a_drain_that_fails_stands_in_the_way_of_no_other() -> None:
    class Broken(FakeQueue):
        def take(self, limit: int) -> list[Frame]:
            raise ConnectionError("the broker is gone")

    with pytest.raises(ConnectionError):
        run(Broken(), FakeDetector())
    queue = FakeQueue(frame(7))
    assert run(queue, FakeDetector())
    assert sorted(queue.answers) == [7]


def test_every_waiting_camera_is_told_why_it_is_not_analysed() -> None:
    queue = FakeQueue(*[frame(camera) for camera in (1, 2, 3)])
    refuse_all(queue, refusal="there is no model", batch_size=2)
    assert [len(batch) for batch in queue.batches] == [2, 1]
    assert {a.refusal for a in queue.answers.values()} == {"there is no model"}
    assert [a.sequence for a in queue.answers.values()] == [100, 200, 300]
    assert all(answer.rows is None for answer in queue.answers.values())


# --- whatever a model raises -------------------------------------------------------------------


class Raising(FakeDetector):
    """Raises what it is given for each batch that `fails` says."""

    def __init__(self, error: Exception, most: int = 0) -> None:
        super().__init__()
        self._error, self._most = error, most

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if len(batch) > self._most:
            self.batches.append(len(batch))
            raise self._error
        return super().detect(batch)


@pytest.mark.parametrize(
    "error", [RuntimeError("no"), ValueError("no"), MemoryError("no"), KeyError("no")], ids=repr
)
def test_a_model_that_always_fails_refuses_every_frame_with_its_error(error: Exception) -> None:
    queue = FakeQueue(*[frame(camera) for camera in range(5)])
    assert run(queue, Raising(error))
    assert len(queue.answers) == 5
    for answer in queue.answers.values():
        assert answer.rows is None
        assert answer.refusal == f"not analysed: {type(error).__name__}: {error}"


def test_a_culprit_among_sixteen_is_found_by_halves() -> None:
    frames = [frame(camera, bright=POISON if camera == 5 else 1) for camera in range(16)]
    queue, detector = FakeQueue(*frames), FakeDetector()
    assert run(queue, detector)
    assert [n for n, answer in queue.answers.items() if answer.rows is None] == [5]
    assert len(detector.batches) == 9, "two for each halving, not one for each frame"


def test_a_model_whose_memory_is_full_is_given_smaller_batches_from_then_on() -> None:
    queue = FakeQueue(*[frame(camera) for camera in range(16)])
    detector, governor = Raising(RuntimeError("CUDA out of memory"), most=4), Governor()
    drain(queue, detector, governor, batch_size=8, max_age_seconds=1.0)
    assert all(answer.rows is not None for answer in queue.answers.values())
    assert detector.batches == [8, 4, 4, 4, 4]


def test_answers_that_are_too_few_are_the_models_failure_too() -> None:
    class Forgetful(FakeDetector):
        def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            return super().detect(batch)[:-1]

    queue = FakeQueue(frame(7), frame(8))
    assert run(queue, Forgetful())
    assert all("ValueError" in answer.refusal for answer in queue.answers.values())


def test_every_answer_brings_the_pace_of_the_site() -> None:
    queue, governor = FakeQueue(frame(7)), Governor(pace=1.5)
    drain(queue, FakeDetector(), governor, batch_size=8, max_age_seconds=1.0)
    assert queue.answers[7].pace == 1.5


# --- a model that is broken for good -------------------------------------------------------------


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(canary, "complain", made.append)
    monkeypatch.setattr(inference, "_success", inference.Success())
    return made


def judge_each_second(clock: Clock, detector: FakeDetector, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1.0
        run(FakeQueue(frame(7, age=NOON.timestamp() - clock.now)), detector)


BROKEN = RuntimeError("CUDA error: an illegal memory access was encountered")


def test_a_model_that_fails_for_half_a_minute_has_its_worker_restarted(
    clock: Clock, complaints: list[str]
) -> None:
    judge_each_second(clock, Raising(BROKEN), 30)
    assert complaints == []
    judge_each_second(clock, Raising(BROKEN), 2)
    assert complaints[0] == "the detector has judged no frame for 31 s"


def test_a_model_that_judges_now_and_then_has_not(clock: Clock, complaints: list[str]) -> None:
    for _ in range(4):
        judge_each_second(clock, Raising(BROKEN), 20)
        judge_each_second(clock, FakeDetector(), 1)
    assert complaints == []


def test_a_model_that_is_seldom_asked_has_not(clock: Clock, complaints: list[str]) -> None:
    for _ in range(4):
        judge_each_second(clock, Raising(BROKEN), 1)
        clock.now += 60
    assert complaints == []


def test_a_model_that_hangs_is_noticed_by_the_next_ring(
    clock: Clock, complaints: list[str]
) -> None:
    class Hanging(FakeDetector):
        def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            clock.now += 25
            ring_elsewhere(FakeQueue())
            assert complaints == []
            clock.now += 25
            ring_elsewhere(FakeQueue())
            return super().detect(batch)

    run(FakeQueue(frame(7)), Hanging())
    assert complaints == ["the detector has judged no frame for 50 s"]


def test_who_judges_frames_besides_and_hangs_is_noticed_too(
    clock: Clock, complaints: list[str]
) -> None:
    class Hanging:
        """See FrameClassifier."""

        class_names: Mapping[int, str] = {0: "violence"}

        def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
            clock.now += 50
            ring_elsewhere(FakeQueue())
            return []

    drain(
        FakeQueue(frame(7)),
        FakeDetector(),
        Governor(),
        batch_size=16,
        max_age_seconds=1.0,
        judging=FrameJudging(Hanging()),
    )
    assert complaints == ["the detector has judged no frame for 50 s"]


def test_whoever_is_not_judged_besides_waits_for_nobody_who_is() -> None:
    class Violent:
        """See FrameClassifier."""

        class_names: Mapping[int, str] = {0: "violence"}

        def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
            return [Opinion("violence", 0.8, own=True)]

    queue, judging = FakeQueue(*[frame(n) for n in range(1, 10)]), FrameJudging(Violent())
    drain(queue, FakeDetector(), Governor(), batch_size=16, max_age_seconds=1.0, judging=judging)
    assert [[camera for camera, _ in batch] for batch in queue.batches] == [
        [6, 7, 8, 9], [1], [2], [3], [4], [5],
    ]  # fmt: skip


def test_each_restart_makes_it_more_patient(
    clock: Clock, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "patience_now", lambda seconds: 2 * seconds)
    judge_each_second(clock, Raising(BROKEN), 60)
    assert complaints == []
    judge_each_second(clock, Raising(BROKEN), 2)
    assert complaints
