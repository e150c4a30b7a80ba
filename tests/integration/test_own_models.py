"""Models of the operator's own: they really run, and what means nothing is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from detection.detectors.classification import load_classifier
from detection.detectors.factory import DetectorOptions, load_detector
from detection.detectors.vocabulary import Vocabulary, check_classes
from detection.domain.crime_classes import CrimeClasses
from detection.ports import DetectorError
from tests.integration.own_models import classification_model, detection_model

FRAME = np.random.default_rng(5).integers(0, 255, (384, 640, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own-models")


@pytest.fixture(scope="module")
def classifier_file(folder: Path) -> Path:
    # e², 1 and 1 of their sum 9.39: 0.787, 0.1065, 0.1065
    return classification_model(
        folder / "violence.pt", ["Violence", "calm", "graffiti"], [2.0, 0.0, 0.0]
    )


def test_a_classifier_gives_its_opinion_of_the_wanted_classes(
    classifier_file: Path, folder: Path
) -> None:
    classifier = load_classifier(str(classifier_file), folder, {"violence", "graffiti"})
    assert classifier.class_names == {0: "Violence", 1: "calm", 2: "graffiti"}
    opinions = classifier.classify(FRAME)
    assert [(o.label, o.own) for o in opinions] == [("Violence", True), ("graffiti", True)]
    assert [o.probability for o in opinions] == pytest.approx([0.787, 0.1065], abs=0.001)
    assert opinions[0].box == (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("shape", [(384, 640, 3), (640, 384, 3), (64, 64, 3)])
def test_a_classifier_takes_frames_of_any_form(
    classifier_file: Path, folder: Path, shape: tuple[int, int, int]
) -> None:
    classifier = load_classifier(str(classifier_file), folder, {"violence"})
    assert len(classifier.classify(np.zeros(shape, np.uint8))) == 1


def test_a_detection_model_is_no_classifier(folder: Path) -> None:
    detector = detection_model(folder / "cats.pt", ["cat", "dog"])
    with pytest.raises(DetectorError, match=r"cats\.pt is a model to detect.*MODEL_WEIGHTS"):
        load_classifier(str(detector), folder, {"cat"})


def test_a_broken_classifier_is_refused_by_name(folder: Path) -> None:
    (folder / "broken.pt").write_bytes(b"no model at all")
    with pytest.raises(DetectorError, match=r"CLASSIFIER_WEIGHTS: .*broken\.pt cannot be loaded"):
        load_classifier(str(folder / "broken.pt"), folder, {"violence"})


def test_a_classifier_that_is_missing_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(DetectorError, match=r"no model 'nowhere\.pt'"):
        load_classifier("nowhere.pt", folder, {"violence"})


def test_a_detection_model_whose_classes_mean_nothing_is_refused(folder: Path) -> None:
    weights = str(detection_model(folder / "pets.pt", ["cat", "dog"]))
    detector = load_detector(DetectorOptions(weights=weights, folder=folder, runtime="torch"))
    known = Vocabulary(weights, detector.class_names.values())
    with pytest.raises(DetectorError, match=r"pets\.pt knows cat, dog: nothing that any rule"):
        check_classes(CrimeClasses(), known)
    check_classes(CrimeClasses.of({"Dog": "trespassing"}), known)
