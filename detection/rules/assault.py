"""Assault: as fighting, but one of them is down or retreats before another."""

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.rules.brawl import Brawl, named
from detection.rules.quarrels import Quarrel


class Assault(Brawl):
    """As fighting, but one of them is down or retreats.

    As sure as fighting would be; a quarrel is one or the other, never both at once.
    """

    NAME = "assault"
    CRIME_TYPE = CrimeType.ASSAULT
    ONE_SIDED = True

    def _reason(self, quarrel: Quarrel, moment: Moment) -> str:
        return (
            f"{named(quarrel.people)}: violence with a probability of {quarrel.probability:.2f}, "
            f"and {quarrel.sidedness.reason}"
        )
