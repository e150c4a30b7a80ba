"""A classification model of the operator's own, run by Ultralytics, that judges whole frames."""

from collections.abc import Collection, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.detectors.catalogue import obtain
from detection.detectors.yolo import cuda_is_available
from detection.domain.crime_classes import folded
from detection.domain.moments import Opinion
from detection.ports import DetectorError
from detection.quiet_imports import import_ultralytics

TASK: Final = "classify"


def load_classifier(weights: str, folder: Path, wanted: Collection[str]) -> "Classifier":
    """The classifier on this machine's best device; `wanted` are folded class names.

    Raises DetectorError.
    """
    path = obtain(weights, folder)
    device = "cuda:0" if cuda_is_available() else "cpu"
    classifier = Classifier(path, folder=folder, wanted=wanted, device=device)
    classifier.classify(np.zeros((64, 64, 3), np.uint8))  # a first run is slow, and may fail
    return classifier


class Classifier:
    """Safe to call from several threads; they wait for each other."""

    def __init__(
        self, path: Path, *, folder: Path, wanted: Collection[str], device: str = "cpu"
    ) -> None:
        """Load the model. Raises DetectorError where it is none, or none that classifies."""
        ultralytics = import_ultralytics(folder)
        self._lock = Lock()  # one model object is not thread-safe
        self._settings: dict[str, Any] = {"device": device, "verbose": False, "save": False}
        try:
            self._model = ultralytics.YOLO(str(path), task=TASK)
            self.class_names: Mapping[int, str] = dict(self._model.names)
        except Exception as error:  # a runtime's loader raises what it likes
            raise DetectorError(
                f"CLASSIFIER_WEIGHTS: {path} cannot be loaded: {error}. Check that it is a "
                f"classification model of Ultralytics."
            ) from error
        if self._model.task != TASK:
            raise DetectorError(
                f"CLASSIFIER_WEIGHTS: {path} is a model to {self._model.task}, not to {TASK}: "
                f"a detection model belongs in MODEL_WEIGHTS"
            )
        self._wanted = [n for n, name in self.class_names.items() if folded(name) in wanted]

    def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
        """See FrameClassifier. Of the squares that cover the frame, the likeliest counts."""
        try:
            with self._lock:
                results = self._model.predict(_squares(pixels), **self._settings)
            held = np.max([result.probs.data.cpu().numpy() for result in results], axis=0)
        except Exception as error:  # CUDA and ONNX have no common error
            raise DetectorError(f"the classifier could not judge a frame: {error}") from error
        return [Opinion(self.class_names[n], float(held[n]), own=True) for n in self._wanted]


def _squares(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Ultralytics looks at the middle square of a picture only; these cover all of a wide one."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    down, across = -(-height // side), -(-width // side)
    return [
        np.ascontiguousarray(pixels[y : y + side, x : x + side])
        for y in np.linspace(0, height - side, down).astype(int)
        for x in np.linspace(0, width - side, across).astype(int)
    ]
