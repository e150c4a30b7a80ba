"""Whether the class names of the models that are run mean anything to the rules."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from detection.domain.crime_classes import CrimeClasses, folded
from detection.domain.objects import group_of
from detection.ports import DetectorError

MOST_NAMES: Final = 12  # the text is shown with each camera


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a model, named as in the settings, has classes for."""

    weights: str
    names: Collection[str]

    def __str__(self) -> str:
        shown = ", ".join(list(self.names)[:MOST_NAMES])
        more = len(self.names) - MOST_NAMES
        known = f"{shown} and {more} more" if more > 0 else shown or "no class names at all"
        return f"{self.weights} knows {known}"


def check_classes(
    classes: CrimeClasses, detector: Vocabulary, classifier: Vocabulary | None = None
) -> None:
    """Raises DetectorError where a model means nothing to the rules, or a class to no model."""
    if not any(group_of(name, classes.names) for name in detector.names):
        raise DetectorError(
            f"MODEL_WEIGHTS: {detector}: nothing that any rule looks for. Say by CRIME_CLASSES "
            f"which of these are crimes or weapons, or give a model that knows “person”."
        )
    if classifier and not {folded(name) for name in classifier.names} & classes.crimes.keys():
        raise DetectorError(
            f"CLASSIFIER_WEIGHTS: {classifier}, and CRIME_CLASSES says of none of these which "
            f"crime it is, like violence=fighting"
        )
    everywhere = [*detector.names, *(classifier.names if classifier else ())]
    told = f"{detector}; {classifier}" if classifier else str(detector)
    for name in classes.unknown_to(everywhere):
        raise DetectorError(f"CRIME_CLASSES: no model has a class “{name}”: {told}")
    for name in classes.unknown_to(detector.names):
        if name in classes.weapons:
            raise DetectorError(
                f"CRIME_CLASSES: the weapon “{name}” must be a class of MODEL_WEIGHTS, because "
                f"only a detector says who holds it: {detector}"
            )
