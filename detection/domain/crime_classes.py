"""What the class names of an operator's own models mean: a crime, or a weapon."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detection.domain.crimes import CrimeType

WEAPON: Final = "weapon"


@dataclass(frozen=True, slots=True)
class CrimeClasses:
    """Class names, compared without regard to case, and what each stands for."""

    crimes: Mapping[str, CrimeType] = field(default_factory=dict)
    weapons: frozenset[str] = frozenset()

    @classmethod
    def of(cls, meanings: Mapping[str, str]) -> "CrimeClasses":
        """From class names and a crime's name or `weapon` each, as CRIME_CLASSES gives them."""
        return cls(
            {
                folded(name): CrimeType(meaning)
                for name, meaning in meanings.items()
                if meaning != WEAPON
            },
            frozenset(folded(name) for name, meaning in meanings.items() if meaning == WEAPON),
        )

    @property
    def names(self) -> frozenset[str]:
        """All that are mapped, folded."""
        return self.weapons | self.crimes.keys()

    def crime_of(self, label: str) -> CrimeType | None:
        return self.crimes.get(folded(label))

    def is_weapon(self, label: str) -> bool:
        return folded(label) in self.weapons

    def unknown_to(self, labels: Iterable[str]) -> list[str]:
        """The mapped names that are none of these labels."""
        return sorted(self.names - {folded(label) for label in labels})


def folded(label: str) -> str:
    """A class name as it is compared."""
    return label.strip().casefold()
