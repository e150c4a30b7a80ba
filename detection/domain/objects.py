"""The words a detector has for what matters to us: people, vehicles, things and weapons.

The words are those of COCO; an operator's own model brings more (see `group_of`).
"""

from collections.abc import Collection
from enum import Enum
from typing import Final

from detection.domain.crime_classes import folded

PERSON: Final = "person"
VEHICLES: Final = frozenset({"car", "motorcycle", "bus", "truck", "train", "boat"})
# What a person can carry or push away; a bicycle is stolen more often than it runs anybody over.
THINGS: Final = frozenset(
    {
        "backpack", "handbag", "suitcase", "umbrella",
        "laptop", "cell phone", "tv", "keyboard", "book",
        "bottle", "bicycle", "skateboard", "sports ball", "surfboard", "skis", "snowboard",
        "tennis racket",
    }
)  # fmt: skip
# What is left alone by custom: whoever fetches it is most likely its owner.
PARKED: Final = frozenset({"bicycle"})
WEAPONS: Final = frozenset({"knife", "scissors", "baseball bat"})

# A network wavers between these words for one and the same thing.
_ALIKE: Final = ({"backpack", "handbag", "suitcase"}, {"laptop", "keyboard", "book", "tv"})


class Group(Enum):
    """What is followed together: no two groups ever share an identity."""

    PEOPLE = "people"
    VEHICLES = "vehicles"
    THINGS = "things"
    WEAPONS = "weapons"
    OWN = "own"  # what the operator's own model names


_GROUPS: Final = (
    (Group.VEHICLES, VEHICLES),
    (Group.THINGS, THINGS),
    (Group.WEAPONS, WEAPONS),
)


def group_of(label: str, own_labels: Collection[str] = ()) -> Group | None:
    """The group that a label is followed in; None for what is of no interest.

    `own_labels` are folded, as `CrimeClasses.names` are.
    """
    if label == PERSON:
        return Group.PEOPLE
    for group, labels in _GROUPS:
        if label in labels:
            return group
    return Group.OWN if folded(label) in own_labels else None


def are_alike(one: str, other: str) -> bool:
    """Whether two labels may be one thing in two looks."""
    return one == other or any({one, other} <= words for words in _ALIKE)
