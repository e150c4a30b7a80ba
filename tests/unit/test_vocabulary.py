"""What means nothing to the rules is refused, and the class is named."""

import pytest

from detection.detectors.vocabulary import Vocabulary, check_classes
from detection.domain.crime_classes import CrimeClasses
from detection.ports import DetectorError

COCO = Vocabulary("yolo26n.pt", ["person", "bicycle", "car"])
GUNS = Vocabulary("guns.pt", ["Gun", "mask"])
ACTS = Vocabulary("acts.pt", ["calm", "violence"])


@pytest.mark.parametrize(
    ("meanings", "detector", "classifier"),
    [
        ({}, COCO, None),
        ({}, Vocabulary("bags.pt", ["backpack"]), None),
        ({"gun": "weapon"}, GUNS, None),
        ({"violence": "fighting"}, COCO, ACTS),
        ({"violence": "fighting", "Person": "trespassing"}, COCO, ACTS),
    ],
)
def test_classes_that_mean_something_are_taken(
    meanings: dict[str, str], detector: Vocabulary, classifier: Vocabulary | None
) -> None:
    check_classes(CrimeClasses.of(meanings), detector, classifier)


@pytest.mark.parametrize(
    ("meanings", "detector", "classifier", "says"),
    [
        ({}, GUNS, None, "MODEL_WEIGHTS: guns.pt knows Gun, mask: nothing that any rule looks"),
        ({}, Vocabulary("x.xml", []), None, "x.xml knows no class names at all"),
        ({"gun": "weapon"}, COCO, None, "no model has a class “gun”: yolo26n.pt knows person, b"),
        ({"rage": "fighting"}, COCO, ACTS, "CLASSIFIER_WEIGHTS: acts.pt knows calm, violence, and"),
        (
            {"rage": "assault", "violence": "fighting"},
            COCO,
            ACTS,
            "no model has a class “rage”: yolo26n.pt knows person, bicycle, car; acts.pt knows",
        ),
        ({"violence": "fighting", "calm": "weapon"}, COCO, ACTS, "the weapon “calm” must be a"),
    ],
)
def test_what_means_nothing_is_refused_by_name(
    meanings: dict[str, str], detector: Vocabulary, classifier: Vocabulary | None, says: str
) -> None:
    with pytest.raises(DetectorError) as refused:
        check_classes(CrimeClasses.of(meanings), detector, classifier)
    assert says in str(refused.value)


def test_of_many_classes_some_are_named() -> None:
    many = Vocabulary("many.pt", ["person", *(f"thing {number}" for number in range(79))])
    with pytest.raises(DetectorError) as refused:
        check_classes(CrimeClasses.of({"gun": "weapon"}), many)
    assert "thing 10 and 68 more" in str(refused.value)
    assert len(str(refused.value)) < 400
