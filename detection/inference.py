"""The GPU side: drain the mailbox in batches across cameras until nothing waits."""

import logging
import time
from threading import Event, Lock

import numpy as np

from detection.domain.frames import Answer, Frame
from detection.ports import Detector, DetectorError, FrameQueue

logger = logging.getLogger(__name__)

# A drain under constant load ends after this and its task rings again: tasks end and are seen.
LONGEST_DRAIN_SECONDS = 5.0

_draining = Lock()  # one model a process
_wanted = Event()  # somebody rang since the last look into the mailbox


def drain(
    queue: FrameQueue, detector: Detector, *, batch_size: int, max_age_seconds: float
) -> bool:
    """Answer every waiting frame; False where it ended by time and frames may still wait.

    Frames older than `max_age_seconds` are refused, not judged late. Where another thread of this
    process drains already, it is told to look once more and this ring is over: rings must not
    gather.
    """
    started = time.monotonic()
    _wanted.set()
    while _wanted.is_set() and _draining.acquire(blocking=False):
        try:
            _wanted.clear()
            while frames := queue.take(batch_size):
                _answer_batch(queue, detector, frames, max_age_seconds)
                if time.monotonic() - started > LONGEST_DRAIN_SECONDS:
                    return False
        finally:
            _draining.release()
    return True


def refuse_all(queue: FrameQueue, *, refusal: str, batch_size: int) -> None:
    """Tell every waiting camera why it is not analysed."""
    while frames := queue.take(batch_size):
        queue.answer([(f.camera_id, Answer(f.sequence, None, refusal=refusal)) for f in frames])


def _answer_batch(
    queue: FrameQueue, detector: Detector, frames: list[Frame], max_age_seconds: float
) -> None:
    oldest = time.time() - max_age_seconds
    width, height = detector.input_size
    answers: list[tuple[int, Answer]] = []
    fresh: list[Frame] = []
    for frame in frames:
        if frame.received_at < oldest:
            answers.append((frame.camera_id, _refusal(frame, "too old")))
        elif frame.pixels.shape != (height, width, 3):
            answers.append((frame.camera_id, _refusal(frame, "not of the detector's input size")))
        else:
            fresh.append(frame)
    answers += _analyse(detector, fresh)
    queue.answer(answers)


def _analyse(detector: Detector, frames: list[Frame]) -> list[tuple[int, Answer]]:
    if not frames:
        return []
    try:
        found = detector.detect(np.stack([frame.pixels for frame in frames]))
    except DetectorError as error:
        if len(frames) == 1:
            logger.error("camera %s: a frame cannot be analysed: %s", frames[0].camera_id, error)
            return [(frames[0].camera_id, _refusal(frames[0], f"not analysed: {error}"))]
        # One poisonous frame must not cost the others theirs.
        return [answer for frame in frames for answer in _analyse(detector, [frame])]
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
