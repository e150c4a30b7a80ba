"""How likely people near each other are fighting, by the model that `manage.py train_fights` made.

A window goes through in three steps, so that each can run where it belongs: a `Lookout` says where
people are near each other (3 ms, in the watch task), the pose network looks at the close-ups of
these places only (the GPU worker), and the fight model judges what changed.
"""

import json
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.fight_features import (
    FEATURES_VERSION,
    VECTOR_LENGTH,
    Look,
    bodies_in,
    fight_features,
)
from detection.behaviour.regions import CROP_SIDE
from detection.detectors.catalogue import sha256_of
from detection.detectors.pose import WEIGHTS, WEIGHTS_SHA256, PoseNetwork
from detection.domain.close_ups import CloseUp
from detection.domain.moments import FIGHTING, Opinion
from detection.domain.poses import Pose
from detection.ports import CloseLook, DetectorError
from detection.quiet_imports import silence_telemetry

SHIPPED: Final = Path(__file__).parent / "models"
MODEL_FILE: Final = "fights.onnx"
CARD_FILE: Final = "fights.json"


class PoseLooks(Protocol):
    """Whatever looks at grey crops (256, 256) with the pose network."""

    def look(self, crops: NDArray[np.uint8]) -> list[Look]:
        """One look for each of the crops (n, 256, 256). Raises DetectorError."""
        ...


class FightModel:
    """The trained model and its card."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        """Load both from a folder. Raises DetectorError where they do not belong together."""
        self.card = _read_card(folder)
        self.threshold = float(self.card["threshold"])
        silence_telemetry()
        # Here, not above: half a second that the web and reports processes must not pay for.
        import openvino as ov

        core = ov.Core()
        try:
            compiled = core.compile_model(
                core.read_model(folder / MODEL_FILE),
                "CPU",
                {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"},
            )
        except RuntimeError as error:
            raise DetectorError(f"{folder / MODEL_FILE} cannot be run: {error}") from error
        self._compiled = compiled

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely each window (n, features) shows a fight. nan is unknown."""
        if vectors.ndim != 2 or vectors.shape[1] != VECTOR_LENGTH:
            raise DetectorError(
                f"the fight model takes (n, {VECTOR_LENGTH}) numbers, got {vectors.shape}"
            )
        answers = self._compiled.create_infer_request().infer({0: vectors})
        return np.asarray(answers[0], np.float32).copy()


class Probabilities(Protocol):
    """Whatever judges vectors; the fight model, or in a test one that has not seen a clip."""

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely each window (n, features) shows a fight. Raises DetectorError."""
        ...


class FightClassifier:
    """Judges close-ups of any camera; it remembers nothing between calls. See CloseLooker."""

    def __init__(self, pose: PoseLooks, model: Probabilities) -> None:
        self._pose, self._model = pose, model

    def look(self, close_up: CloseUp) -> CloseLook:
        """How likely they fight there, and the poses in its last picture. Raises DetectorError."""
        if close_up.crops.shape[1:] != (CROP_SIDE, CROP_SIDE) or len(close_up.crops) < 2:
            raise DetectorError(
                f"crops of shape {close_up.crops.shape}: two or more of {CROP_SIDE} are taken; run "
                f"the same release everywhere"
            )
        looks = self._pose.look(close_up.crops)
        vector = fight_features(close_up, looks)
        probability = float(self._model.probabilities(vector[None])[0])
        bodies = bodies_in(close_up.people[-1], looks[-1])
        return CloseLook(
            (Opinion(FIGHTING, probability, close_up.place),),
            tuple(
                Pose(close_up.box_in_input(body.box), close_up.keypoints_in_input(body.keypoints))
                for body in bodies
                if body.keypoints is not None
            ),
        )


def load_fight_classifier(folder: Path) -> FightClassifier:
    """The pose network, obtained into this folder, and the shipped model. Raises DetectorError."""
    return FightClassifier(PoseNetwork(folder), FightModel())


def _read_card(folder: Path) -> dict[str, Any]:
    again = "train again with `manage.py train_fights` or take both files of one release"
    try:
        card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        trained = card["model"]["sha256"], card["features"]["version"], card["pose"]["sha256"]
        float(card["threshold"])
        found = sha256_of(folder / MODEL_FILE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DetectorError(
            f"no fight model with its card in {folder} ({type(error).__name__}: {error}): {again}"
        ) from error
    if trained != (found, FEATURES_VERSION, WEIGHTS_SHA256):
        raise DetectorError(
            f"{folder / MODEL_FILE} is not the model of {CARD_FILE}, or both are of another "
            f"version of the features or of {WEIGHTS}: {again}"
        )
    return card
