"""The models that the settings name: for the GPU worker and for commands."""

from django.conf import settings

from detection.detectors.vocabulary import Vocabulary, check_classes
from detection.domain.crime_classes import CrimeClasses
from detection.domain.letterbox import MODEL_INPUT_SIZE
from detection.ports import Detector, FrameClassifier


def load_site_detector(threads: int | None = None) -> Detector:
    """The detector of MODEL_WEIGHTS. `threads` as in DetectorOptions. Raises DetectorError."""
    from detection.detectors.factory import DetectorOptions, load_detector  # heavy: on first use

    environment = settings.ENVIRONMENT
    return load_detector(
        DetectorOptions(
            weights=environment.model_weights,
            runtime=environment.detector_runtime,
            folder=environment.model_dir,
            input_size=MODEL_INPUT_SIZE,
            threads=threads,
        )
    )


def load_own_classifier() -> FrameClassifier | None:
    """The classifier of CLASSIFIER_WEIGHTS, where there is one. Raises DetectorError."""
    environment = settings.ENVIRONMENT
    if not environment.classifier_weights:
        return None
    from detection.detectors.classification import load_classifier  # heavy: on first use

    classes = CrimeClasses.of(environment.crime_classes)
    return load_classifier(environment.classifier_weights, environment.model_dir, classes.names)


def check_models(detector: Detector, classifier: FrameClassifier | None) -> None:
    """Raises DetectorError where these models and CRIME_CLASSES do not belong together."""
    environment = settings.ENVIRONMENT
    check_classes(
        CrimeClasses.of(environment.crime_classes),
        Vocabulary(environment.model_weights, detector.class_names.values()),
        Vocabulary(environment.classifier_weights, classifier.class_names.values())
        if classifier
        else None,
    )
