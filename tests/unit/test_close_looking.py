"""Close looks in the GPU worker: the others are answered first, and nothing here stops a frame."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from detection import close_looking
from detection.close_looking import CloseLooking
from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.moments import FIGHTING, WHOLE_PICTURE, Opinion
from detection.domain.pace import Governor, SpareTime
from detection.inference import drain
from detection.ports import CloseLook, CloseLooker, DetectorError
from tests.services import wait_until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLOSE_UP = CloseUp(WHOLE_PICTURE, WHOLE_PICTURE, (0.0, 0.2), np.zeros((2, 4, 4), np.uint8), ())


class FakeQueue:
    """See FrameQueue."""

    def __init__(self, *frames: Frame) -> None:
        self.waiting = list(frames)
        self.batches: list[list[int]] = []
        self.answers: dict[int, Answer] = {}

    def take(self, limit: int) -> list[Frame]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def answer(self, answers: Sequence[tuple[int, Answer]]) -> None:
        self.batches.append([camera for camera, _ in answers])
        self.answers |= dict(answers)

    def share_pace(self, change: Callable[[float], float]) -> float:
        return change(0.0)


class FakeDetector:
    """Finds nothing. See Detector."""

    class_names: Mapping[int, str] = {0: "person"}
    input_size = (8, 4)

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [np.empty((0, 6), np.float32) for _ in batch]


class Looker:
    """Holds whatever it sees for a fight. See CloseLooker."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.looks = 0

    def look(self, close_up: CloseUp) -> CloseLook:
        self.looks += 1
        if self.error:
            raise self.error
        return CloseLook((Opinion(FIGHTING, 0.9, close_up.place),))


def frame(camera_id: int, *, close: bool = False) -> Frame:
    pixels = np.zeros((4, 8, 3), np.uint8)
    received = datetime.now(UTC).timestamp()
    plain = Frame(camera_id, camera_id * 100, NOON, received, pixels)
    return replace(plain, close_up=CLOSE_UP) if close else plain


def at_hand(looker: CloseLooker) -> CloseLooking:
    close = CloseLooking(lambda: looker)
    wait_until(lambda: close.most_now() > 0, "it is loaded")
    return close


def run(queue: FakeQueue, close: CloseLooking | None, governor: Governor | None = None) -> None:
    drain(
        queue, FakeDetector(), governor or Governor(), batch_size=16, max_age_seconds=5, close=close
    )


def opinions(queue: FakeQueue) -> dict[int, int]:
    return {camera: len(answer.opinions) for camera, answer in queue.answers.items()}


def test_the_others_are_answered_before_anybody_looks() -> None:
    queue = FakeQueue(frame(1, close=True), frame(2), frame(3))
    run(queue, at_hand(Looker()))
    assert queue.batches == [[2, 3], [1]]
    assert opinions(queue) == {1: 1, 2: 0, 3: 0}
    assert queue.answers[1].rows is not None


def test_with_many_close_ups_only_the_first_are_looked_at_and_no_answer_is_late() -> None:
    queue, looker = FakeQueue(*[frame(n, close=True) for n in range(1, 6)]), Looker()
    run(queue, at_hand(looker))  # a look is taken for 0.1 s until it is measured
    assert looker.looks == 2
    assert queue.batches == [[3, 4, 5], [1], [2]]
    assert all(answer.rows is not None for answer in queue.answers.values())


def test_under_a_pace_nobody_looks() -> None:
    queue, looker = FakeQueue(frame(1, close=True)), Looker()
    run(queue, at_hand(looker), Governor(pace=1.0))
    assert (looker.looks, opinions(queue)) == (0, {1: 0})


def test_a_busy_worker_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, looker = FakeQueue(frame(1, close=True)), Looker()
    close = at_hand(looker)
    monkeypatch.setattr(SpareTime, "is_left", lambda *_: False)
    run(queue, close)
    assert (looker.looks, opinions(queue)) == (0, {1: 0})


@pytest.mark.parametrize("error", [DetectorError("no"), RuntimeError("no"), MemoryError("no")])
def test_a_look_that_fails_costs_no_rows_and_is_told_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    close = at_hand(Looker(error))
    for _ in range(3):
        queue = FakeQueue(frame(1, close=True))
        run(queue, close)
        assert queue.answers[1].rows is not None
        assert opinions(queue) == {1: 0}
    told = [record for record in caplog.records if "a close look failed" in record.message]
    assert len(told) == 1


def test_a_network_that_cannot_be_loaded_is_told_once_and_tried_again_later(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def load() -> CloseLooker:
        tries.append(1)
        if len(tries) == 1:
            raise DetectorError("the weights cannot be had")
        return Looker()

    close = CloseLooking(load)
    for _ in range(3):
        queue = FakeQueue(frame(1, close=True))
        run(queue, close)
        assert queue.answers[1].rows is not None
        wait_until(lambda: "the weights cannot be had" in caplog.text, "it is told")
    wait_until(lambda: not close._is_loading(), "the first try is over")
    assert len(tries) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    monkeypatch.setattr(close, "_retry_at", 0.0)
    wait_until(lambda: close.most_now() > 0, "the second try")


def test_while_it_is_loaded_frames_are_answered(started: Event) -> None:
    def load() -> CloseLooker:
        started.wait(5)
        return Looker()

    close, queue = CloseLooking(load), FakeQueue(frame(1, close=True))
    run(queue, close)
    assert opinions(queue) == {1: 0}


@pytest.fixture
def started() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def test_switched_off_close_ups_are_left_alone() -> None:
    queue = FakeQueue(frame(1, close=True))
    run(queue, None)
    assert opinions(queue) == {1: 0}


def test_a_look_that_held_up_every_camera_is_not_repeated_soon(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]

    class Slow(Looker):
        def look(self, close_up: CloseUp) -> CloseLook:
            now[0] += 5.0
            return super().look(close_up)

    looker = Slow()
    close = at_hand(looker)
    monkeypatch.setattr(close_looking, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for _ in range(20):
        run(FakeQueue(frame(1, close=True)), close)
        now[0] += 1.0
    assert looker.looks == 1
    assert "a close look took 5.0 s and held up every camera; none for 30 s" in caplog.text
    now[0] += 15.0
    run(FakeQueue(frame(1, close=True)), close)
    assert looker.looks == 2


# --- spare time ----------------------------------------------------------------------------------


def test_a_worker_that_detects_all_the_time_has_none_to_spare() -> None:
    spare = SpareTime()
    assert spare.is_left(0.0)
    for second in range(10):
        spare.spend(second, second + 1.0)
    assert not spare.is_left(10.0)
    assert not spare.is_left(10.4), "its debt is half a second"
    assert spare.is_left(10.6)


def test_detecting_and_looking_together_leave_a_tenth_of_the_time() -> None:
    spare, looked, now = SpareTime(), 0.0, 0.0
    while now < 100.0:
        spare.spend(now, now + 0.1)  # half of the time
        now += 0.1
        if spare.is_left(now):
            spare.spend(now, now + 0.1)
            looked += 0.1
        now = now + 0.1
    assert looked == pytest.approx(40.0, abs=1.5)
