"""The GPU worker with models of the operator's own: it says what it cannot work with."""

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from detection import tasks
from detection.domain.moments import Opinion
from detection.frame_judging import FrameJudging
from detection.ports import DetectorError
from tests.unit.test_inference import FakeDetector, FakeQueue, frame


class Cats(FakeDetector):
    class_names: Mapping[int, str] = {0: "cat", 1: "dog"}


class Violence:
    """See FrameClassifier."""

    class_names: Mapping[int, str] = {0: "violence"}

    def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
        return [Opinion("violence", 0.8, own=True)]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    queue = FakeQueue()
    monkeypatch.setattr(tasks, "_transport", lambda: queue)
    monkeypatch.setattr(tasks, "_close_looking", lambda: None)
    return queue


def work(monkeypatch: pytest.MonkeyPatch, detector: FakeDetector, **environment: object) -> None:
    changed = settings.ENVIRONMENT.model_copy(update=environment)
    monkeypatch.setattr(settings, "ENVIRONMENT", changed)
    monkeypatch.setattr(tasks, "_detector", lambda: detector)
    assert tasks._drain()


def test_a_model_that_means_nothing_is_told_to_each_camera(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.waiting = [frame(7), frame(8)]
    work(monkeypatch, Cats(), model_weights="cats.pt")
    for camera_id in (7, 8):
        refusal = queue.answers[camera_id].refusal
        assert refusal.startswith("MODEL_WEIGHTS: cats.pt knows cat, dog: nothing that any rule")


def test_a_class_that_no_model_has_is_told_to_each_camera(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.waiting = [frame(7)]
    work(monkeypatch, FakeDetector(), crime_classes={"gun": "weapon"})
    assert "CRIME_CLASSES: no model has a class “gun”" in queue.answers[7].refusal


def test_a_classifier_that_cannot_be_loaded_is_told_to_each_camera(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise DetectorError("CLASSIFIER_WEIGHTS: own.pt cannot be loaded")

    monkeypatch.setattr(tasks, "_classifier", refuse)
    queue.waiting = [frame(7)]
    work(monkeypatch, FakeDetector())
    assert queue.answers[7].refusal == "CLASSIFIER_WEIGHTS: own.pt cannot be loaded"


def test_opinions_of_the_classifier_come_back_with_the_answer(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_classifier", Violence)
    monkeypatch.setattr(tasks, "_judging", lambda: FrameJudging(Violence()))
    queue.waiting = [replace(frame(7), received_at=time.time())]
    work(
        monkeypatch,
        FakeDetector(),
        classifier_weights="acts.pt",
        crime_classes={"violence": "fighting"},
    )
    assert queue.answers[7].rows is not None
    assert queue.answers[7].opinions == (Opinion("violence", 0.8, own=True),)
