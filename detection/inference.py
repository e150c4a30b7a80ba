"""The GPU side: drain the mailbox in batches across cameras until nothing waits."""

import logging
import time
from dataclasses import replace
from threading import Event, Lock

import numpy as np

from crimeops import canary
from detection.beside import Beside, Extras
from detection.close_looking import CloseLooking
from detection.domain.frames import Answer, Frame
from detection.domain.pace import Governor
from detection.frame_judging import FrameJudging
from detection.ports import Detector, DetectorError, FrameQueue

logger = logging.getLogger(__name__)

# A drain under constant load ends after this and its task rings again: tasks end and are seen.
LONGEST_DRAIN_SECONDS = 5.0
LONGEST_REFUSAL = 300
COMPLAINT_SECONDS = 10.0
# A model that judged nothing for so long though frames came is broken with its process, as after
# an illegal access on the GPU. The first batch of one that has to warm up takes less.
MOST_FAILED_SECONDS = 30.0
QUIET_SECONDS = 10.0  # who has got no frame for so long begins anew

_draining = Lock()  # one model a process
_wanted = Event()  # somebody rang since the last look into the mailbox
_complained_at = float("-inf")


class Success:
    """Since when a detector is asked in vain: it fails, or hangs. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._vain_since: float | None = None
        self._asked_at = float("-inf")

    def ask(self, now: float) -> None:
        """It is asked now."""
        if self._vain_since is None or now - self._asked_at > QUIET_SECONDS:
            self._vain_since = now
        self._asked_at = now

    def answered(self, now: float, *, well: bool) -> None:
        """It came back, with at least one frame judged where `well`."""
        self._asked_at = now
        if well:
            self._vain_since = None

    def look(self, now: float) -> None:
        """Have the worker restarted where that has lasted for too long."""
        since = self._vain_since  # another thread may end it
        if since is not None and now - since > canary.patience_now(MOST_FAILED_SECONDS):
            canary.complain(f"the detector has judged no frame for {now - since:.0f} s")


_success = Success()


def drain(
    queue: FrameQueue,
    detector: Detector,
    governor: Governor,
    *,
    batch_size: int,
    max_age_seconds: float,
    close: CloseLooking | None = None,
    judging: FrameJudging | None = None,
) -> bool:
    """Answer every waiting frame; False where it ended by time and frames may still wait.

    Frames older than `max_age_seconds` are refused, not judged late. With `close`, close-ups are
    looked at; with `judging`, a classifier adds what it holds of frames, unless there is a pace.
    Where another thread of this process drains already, it is told to look once more and this ring
    is over: rings must not gather.
    """
    started = time.monotonic()
    _wanted.set()
    if _draining.locked():
        _success.look(started)
    while _wanted.is_set() and _draining.acquire(blocking=False):
        try:
            _wanted.clear()
            while frames := queue.take(governor.batch_limit(batch_size)):
                beside = Beside(close, judging)
                answers = _answers(detector, governor, frames, max_age_seconds, beside)
                _send(queue, governor, frames, answers, beside)
                if time.monotonic() - started > LONGEST_DRAIN_SECONDS:
                    return False
        finally:
            _draining.release()
    return True


def refuse_all(queue: FrameQueue, *, refusal: str, batch_size: int) -> None:
    """Tell every waiting camera why it is not analysed."""
    while frames := queue.take(batch_size):
        queue.answer([(f.camera_id, Answer(f.sequence, None, refusal=refusal)) for f in frames])


def _answers(
    detector: Detector,
    governor: Governor,
    frames: list[Frame],
    max_age_seconds: float,
    beside: Beside,
) -> list[tuple[int, Answer]]:
    taken_at = time.time()
    width, height = detector.input_size
    answers: list[tuple[int, Answer]] = []
    fresh: list[Frame] = []
    for frame in frames:
        if frame.received_at < taken_at - max_age_seconds:
            answers.append((frame.camera_id, _refusal(frame, "too old")))
        elif frame.pixels.shape != (height, width, 3):
            answers.append((frame.camera_id, _refusal(frame, "not of the detector's input size")))
        else:
            fresh.append(frame)
    if fresh:
        began = time.monotonic()
        _success.ask(began)
        found = _analyse(detector, governor, fresh)
        _success.answered(time.monotonic(), well=any(not answer.refusal for _, answer in found))
        _success.look(time.monotonic())
        answers += found
        governor.note(
            waited=taken_at - min(frame.waits_since or taken_at for frame in fresh),
            frames=len(fresh),
            began=began,
            ended=time.monotonic(),
        )
        beside.spend(began, time.monotonic())
    return [(camera, replace(answer, pace=governor.pace)) for camera, answer in answers]


def _send(
    queue: FrameQueue,
    governor: Governor,
    frames: list[Frame],
    answers: list[tuple[int, Answer]],
    beside: Beside,
) -> None:
    """First those that wait for nothing more, then the others, one by one."""
    more = Extras() if governor.pace else beside.extras(frames, answers)
    queue.answer([(camera, answer) for camera, answer in answers if camera not in more.cameras])
    for camera, answer in answers:
        if camera in more.cameras:
            _success.ask(time.monotonic())  # these may hang as the detector may
            queue.answer([(camera, beside.add(more, camera, answer))])
            _success.answered(time.monotonic(), well=True)
    if governor.window_is_over(time.monotonic()):
        governor.look(time.monotonic(), queue.share_pace)


def _analyse(
    detector: Detector, governor: Governor, frames: list[Frame]
) -> list[tuple[int, Answer]]:
    """Answers of the model; where it fails, halves are tried until the culprit is alone."""
    try:
        return _ask(detector, frames)
    except Exception as error:  # noqa: BLE001 — whatever a runtime raises is this frame's refusal
        if len(frames) == 1:
            _complain(frames[0], error)
            return [(frames[0].camera_id, _refusal(frames[0], _told(error)))]
    half = len(frames) // 2
    answers = _analyse(detector, governor, frames[:half])
    answers += _analyse(detector, governor, frames[half:])
    if not any(answer.refusal for _, answer in answers):
        told = "%d frames at once are too many for the model; %d from now on"
        logger.warning(told, len(frames), half)
        governor.allow_at_most(half, time.monotonic())
    return answers


def _ask(detector: Detector, frames: list[Frame]) -> list[tuple[int, Answer]]:
    found = detector.detect(np.stack([frame.pixels for frame in frames]))
    names = detector.class_names
    return [
        (
            frame.camera_id,
            Answer(
                frame.sequence, rows, {int(c): names.get(int(c), str(int(c))) for c in rows[:, 5]}
            ),
        )
        for frame, rows in zip(frames, found, strict=True)
    ]


def _refusal(frame: Frame, why: str) -> Answer:
    return Answer(frame.sequence, None, refusal=why)


def _told(error: Exception) -> str:
    text = str(error) if isinstance(error, DetectorError) else f"{type(error).__name__}: {error}"
    return f"not analysed: {text[:LONGEST_REFUSAL]}"


def _complain(frame: Frame, error: Exception) -> None:
    """With the traceback, but not thirty times a second where the model fails always."""
    global _complained_at
    if time.monotonic() - _complained_at >= COMPLAINT_SECONDS:
        _complained_at = time.monotonic()
        told = "camera %s: a frame cannot be analysed: %s"
        logger.error(told, frame.camera_id, error, exc_info=error)
