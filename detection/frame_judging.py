"""The operator's own classifier in the GPU worker: it judges frames with people, now and then."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from detection.domain.frames import Answer, Frame
from detection.domain.objects import PERSON
from detection.domain.pace import SideWork
from detection.ports import DetectorError, FrameClassifier

logger = logging.getLogger(__name__)

SPACING_SECONDS: Final = 0.45  # about twice a second for each camera
LEAST_CONFIDENCE: Final = 0.35  # of a person worth a look
MOST_CAMERAS: Final = 1_000
COMPLAINT_SECONDS: Final = 300.0
FIRST_SECONDS: Final = 0.05  # of a frame, until it is measured


class FrameJudging:
    """Adds the classifier's opinions to answers; used by one thread at a time.

    Where the classifier fails, answers go out as they are.
    """

    def __init__(self, classifier: FrameClassifier) -> None:
        self._classifier = classifier
        self._judged_at: dict[int, float] = {}  # by camera, on its own clock
        self._complained_at = float("-inf")
        self.work = SideWork(FIRST_SECONDS)

    def due(
        self, frames: Sequence[Frame], answers: Sequence[tuple[int, Answer]]
    ) -> dict[int, Frame]:
        """By camera the frames to be judged now: they show people, and nobody waits for long."""
        most = self.work.most_now(time.monotonic())
        asked = {(frame.camera_id, frame.sequence): frame for frame in frames}
        pairs = [(asked.get((camera, answer.sequence)), answer) for camera, answer in answers]
        due = [frame for frame, answer in pairs if frame and self.wants(frame, answer)]
        due.sort(key=lambda frame: self._judged_at.get(frame.camera_id, float("-inf")))
        return {frame.camera_id: frame for frame in due[:most]}

    def wants(self, frame: Frame, answer: Answer) -> bool:
        """Whether it shows people and its camera's last one was judged long enough ago."""
        return _shows_people(answer) and self._is_due(frame)

    def judge(self, frame: Frame, answer: Answer) -> Answer:
        """The answer with what the classifier holds of its frame."""
        self._note(frame)
        began = time.monotonic()
        try:
            opinions = self._classifier.classify(frame.pixels)
        except Exception as error:  # noqa: BLE001 — whatever a runtime raises must not cost the rows
            self._complain(began, error)
            return answer
        finally:
            self.work.done(began, time.monotonic())
        return replace(answer, opinions=(*answer.opinions, *opinions))

    def _is_due(self, frame: Frame) -> bool:
        before = self._judged_at.get(frame.camera_id)
        at = frame.captured_at.timestamp()  # clocks are set back, too
        return before is None or abs(at - before) >= SPACING_SECONDS

    def _note(self, frame: Frame) -> None:
        self._judged_at.pop(frame.camera_id, None)
        self._judged_at[frame.camera_id] = frame.captured_at.timestamp()
        while len(self._judged_at) > MOST_CAMERAS:
            del self._judged_at[next(iter(self._judged_at))]

    def _complain(self, at: float, error: Exception) -> None:
        if at - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = at
            told = "CLASSIFIER_WEIGHTS says nothing of some frames: %s"
            is_ours = isinstance(error, DetectorError)
            logger.error(told, error, exc_info=None if is_ours else error)


def _shows_people(answer: Answer) -> bool:
    return answer.rows is not None and any(
        answer.names.get(int(row[5])) == PERSON and row[4] >= LEAST_CONFIDENCE
        for row in answer.rows
    )
