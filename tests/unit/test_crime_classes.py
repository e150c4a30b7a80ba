"""What the class names of an operator's own models mean."""

from typing import get_args

import pytest

from crimeops.environment import CrimeWord
from detection.domain.crime_classes import WEAPON, CrimeClasses
from detection.domain.crimes import CrimeType

CLASSES = CrimeClasses.of({"Gun": "weapon", "violence": "fighting", "spray can": "vandalism"})


def test_the_settings_know_every_crime_and_the_weapon() -> None:
    assert set(get_args(CrimeWord)) == {*CrimeType, WEAPON}


@pytest.mark.parametrize(
    ("label", "crime"),
    [
        ("violence", CrimeType.FIGHTING),
        ("Violence ", CrimeType.FIGHTING),
        ("spray can", CrimeType.VANDALISM),
        ("gun", None),
        ("person", None),
    ],
)
def test_a_class_is_the_crime_that_it_is_mapped_to(label: str, crime: CrimeType | None) -> None:
    assert CLASSES.crime_of(label) is crime


def test_a_class_that_is_a_weapon_is_one_in_any_case() -> None:
    assert CLASSES.is_weapon("gun") and CLASSES.is_weapon("GUN")
    assert not CLASSES.is_weapon("violence") and not CLASSES.is_weapon("knife")


def test_without_a_mapping_nothing_is_a_crime_or_a_weapon() -> None:
    assert CrimeClasses().crime_of("fighting") is None
    assert not CrimeClasses().is_weapon("gun")


def test_mapped_classes_that_a_model_lacks_are_named() -> None:
    assert CLASSES.unknown_to(["person", "GUN"]) == ["spray can", "violence"]
    assert CLASSES.unknown_to(["gun", "violence", "Spray Can", "person"]) == []
