"""The whole of a training: read, look, test on unseen videos, fit, write model and card."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.fight_features import FEATURES_VERSION, VECTOR_LENGTH
from detection.behaviour.sights import WINDOW_SECONDS
from detection.detectors.catalogue import CATALOGUE, sha256_of
from detection.detectors.fights import CARD_FILE, MODEL_FILE
from detection.detectors.pose import WEIGHTS, WEIGHTS_SHA256
from detection.training import figures
from detection.training.cross_validation import (
    FOLDS,
    Fitted,
    Prediction,
    Views,
    fit_calibrated,
    predict_unseen,
)
from detection.training.extraction import DETECTOR_WEIGHTS, ExtractionOptions, extract
from detection.training.fitting import AVERAGED, FALSE_ALARM_SHARE
from detection.training.labelled_clips import LabelledClip, TrainingError, read_labelled_clips
from detection.training.onnx_model import to_onnx
from detection.training.views import PLAIN, STRESS_VIEWS, TRAINING_VIEWS

OTHER_SPLITS: Final = 4  # further ways to part the videos, to show how much the first was luck
DIGITS: Final = 4
TRAINED_ON: Final = tuple(view.name for view in TRAINING_VIEWS)
Say = Callable[[str], Any]


def train(folder: Path, out: Path, options: ExtractionOptions, say: Say) -> dict[str, Any]:
    """Train on the folder's clips, write model and card into `out`, return the card.

    Raises TrainingError, before anything is written, and DetectorError.
    """
    clips = read_labelled_clips(folder)
    _refuse_what_cannot_be_written(out)  # now, and not after minutes of work
    say(f"{len(clips)} clips of {len({clip.source for clip in clips})} sources in {folder}")
    views = extract(clips, TRAINING_VIEWS + STRESS_VIEWS, options, say)
    predictions = [
        predict_unseen(views, TRAINED_ON, PLAIN.name, options.seed + number)
        for number in range(1 + OTHER_SPLITS)
    ]
    fitted = fit_calibrated(views, TRAINED_ON, PLAIN.name, options.seed, FOLDS)
    model = to_onnx(fitted.model)
    card = {
        "made by": f"manage.py train_fights --seed {options.seed}",
        **_recipe(fitted),
        "data": _data(folder, clips),
        "figures": _figures(clips, predictions, options.seed),
        "without a pair": _without_a_pair(views),
        "other views": {
            view.name: _short(clips, predictions[0].probabilities[view.name])
            for view in STRESS_VIEWS
        },
    }
    _write(out, model, card)
    say(_summary(card))
    say(f"{out / MODEL_FILE} ({len(model)} bytes) and {CARD_FILE} written")
    return card


def _recipe(fitted: Fitted) -> dict[str, Any]:
    return {
        "threshold": fitted.threshold,
        "window seconds": WINDOW_SECONDS,
        "features": {"version": FEATURES_VERSION, "length": VECTOR_LENGTH},
        "pose": {"weights": WEIGHTS, "sha256": WEIGHTS_SHA256},
        "detector": {"weights": DETECTOR_WEIGHTS, "sha256": CATALOGUE[DETECTOR_WEIGHTS].sha256},
        "classifier": {
            "kind": "logistic regression",
            "mean of": [asdict(settings) for settings in AVERAGED],
            "views": list(TRAINED_ON),
        },
    }


def _data(folder: Path, clips: Sequence[LabelledClip]) -> dict[str, Any]:
    licence = folder / "LICENSE"
    text = licence.read_text(encoding="utf-8") if licence.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {
        "clips": len(clips),
        "fights": sum(clip.is_fight for clip in clips),
        "sources": len({clip.source for clip in clips}),
        "licence": "; ".join(lines[:2]) or "none was given",
        "sha256": sorted(sha256_of(clip.path) for clip in clips),
    }


def _figures(
    clips: Sequence[LabelledClip], predictions: Sequence[Prediction], seed: int
) -> dict[str, Any]:
    fights, sources = _truth(clips)
    said, fold = predictions[0].probabilities[PLAIN.name], predictions[0].fold
    within, pairs = figures.auc_within_sources(fights, said, sources)
    answers: dict[str, Any] = {"folds": FOLDS, **_short(clips, said)}
    for name, figure in (("auc", figures.auc), ("accuracy", figures.accuracy)):
        low, high = figures.interval(figure, fights, said, sources, seed)
        mean, deviation = figures.by_fold(figure, fights, said, fold)
        answers[f"{name} 95 %"] = [_rounded(low), _rounded(high)]
        answers[f"{name} of folds"] = {"mean": _rounded(mean), "deviation": _rounded(deviation)}
    answers["at the alarm threshold"] = {
        "false alarm share aimed at": FALSE_ALARM_SHARE,
        **_decided(fights, predictions[0].alarms),
    }
    answers["auc within sources"] = _rounded(within)
    answers["pairs within sources"] = pairs
    others = [_short(clips, other.probabilities[PLAIN.name]) for other in predictions[1:]]
    answers["other splits"] = {
        name: [short[name] for short in others] for name in ("auc", "accuracy")
    }
    return answers


def _short(clips: Sequence[LabelledClip], said: NDArray[np.float64]) -> dict[str, float]:
    fights, _ = _truth(clips)
    return {"auc": _rounded(figures.auc(fights, said)), **_decided(fights, said)}


def _decided(fights: NDArray[np.bool_], said: NDArray[Any]) -> dict[str, float]:
    """Of answers, or of probabilities with one half as the line."""
    return {
        "accuracy": _rounded(figures.accuracy(fights, said)),
        "precision": _rounded(figures.precision(fights, said)),
        "recall": _rounded(figures.recall(fights, said)),
    }


def _without_a_pair(views: Views) -> dict[str, int]:
    lonely = [clip.clip.is_fight for clip in views[PLAIN.name] if not len(clip.vectors)]
    return {"fights": sum(lonely), "others": len(lonely) - sum(lonely)}


def _truth(clips: Sequence[LabelledClip]) -> tuple[NDArray[np.bool_], list[str]]:
    return np.array([clip.is_fight for clip in clips]), [clip.source for clip in clips]


def _rounded(value: float) -> float:
    return round(value, DIGITS)


def _summary(card: dict[str, Any]) -> str:
    found = card["figures"]
    (low, high), (least, most) = found["auc 95 %"], found["accuracy 95 %"]
    return (
        f"On videos not seen: AUC {found['auc']:.3f} ({low:.3f} to {high:.3f}), "
        f"accuracy {found['accuracy']:.3f} ({least:.3f} to {most:.3f}), "
        f"precision {found['precision']:.3f}, recall {found['recall']:.3f}; "
        f"{card['without a pair']['fights']} fights have no pair of people"
    )


def _refuse_what_cannot_be_written(out: Path) -> None:
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise TrainingError(f"{there} is no folder that can be written: name another --out")


def _write(out: Path, model: bytes, card: dict[str, Any]) -> None:
    """Both files or none; a crash between the two renames is found by the digest in the card."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fights-", dir=out) as scratch:
            new_model, new_card = Path(scratch) / MODEL_FILE, Path(scratch) / CARD_FILE
            new_model.write_bytes(model)
            card = {"model": {"sha256": sha256_of(new_model), "bytes": len(model)}, **card}
            new_card.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
            os.replace(new_model, out / MODEL_FILE)
            os.replace(new_card, out / CARD_FILE)
    except OSError as error:
        raise TrainingError(
            f"{out} cannot be written: {error}. Nothing usable is there now; name another --out."
        ) from error
