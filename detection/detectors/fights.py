"""How likely people near each other are fighting, by the model that `manage.py train_fights` made.

A window goes through in three steps, so that each can run where it belongs: `regions_of` says where
people are near each other (free, in the watch task), the pose network looks at the crops of these
places only (the GPU worker), and the fight model judges what changed (a fraction of a millisecond).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.fight_features import (
    FEATURES_VERSION,
    VECTOR_LENGTH,
    Look,
    fight_features,
)
from detection.behaviour.regions import Crop, Region, regions_of
from detection.behaviour.sights import Sight, thinned
from detection.detectors.catalogue import sha256_of
from detection.detectors.pose import WEIGHTS, WEIGHTS_SHA256
from detection.ports import DetectorError
from detection.quiet_imports import silence_telemetry

SHIPPED: Final = Path(__file__).parent / "models"
MODEL_FILE: Final = "fights.onnx"
CARD_FILE: Final = "fights.json"


class PoseLooks(Protocol):
    """Whatever looks at grey crops (256, 256) with the pose network."""

    def look(self, crops: Sequence[NDArray[np.uint8]]) -> list[Look]:
        """One look for each crop. Raises DetectorError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FightJudgement:
    """A place where people are near each other and how likely they fight there, 0 to 1."""

    region: Region
    probability: float


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


class FightClassifier:
    """Judges windows of one camera or of many; it remembers nothing between calls."""

    def __init__(self, pose: PoseLooks, model: FightModel) -> None:
        self._pose, self._model = pose, model

    def judge(self, sights: Sequence[Sight]) -> list[FightJudgement]:
        """Judge the last two seconds of a camera, in order of time, likeliest place first.

        Empty where nobody is near anybody: without a pair there is no fight. Raises DetectorError.
        """
        window = thinned(sights)
        judgements = []
        for region in regions_of(window):
            crop = Crop.around(region)
            looks = self._pose.look([crop.cut(sight.grey) for sight in window])
            vector = fight_features(window, region, looks)
            probability = float(self._model.probabilities(vector[None])[0])
            judgements.append(FightJudgement(region, probability))
        return sorted(judgements, key=lambda judgement: -judgement.probability)


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
