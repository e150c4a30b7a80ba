"""Fighting: people near each other who hit, kick or wrestle, and all of them take part."""

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.rules.brawl import Brawl, named
from detection.rules.quarrels import Quarrel


class Fighting(Brawl):
    """People near each other hit, kick or wrestle, and all of them take part.

    Possible where the fight model has held it likely twice, sure where it is sure of it.
    """

    NAME = "fighting"
    CRIME_TYPE = CrimeType.FIGHTING
    ONE_SIDED = False

    def _reason(self, quarrel: Quarrel, moment: Moment) -> str:
        seconds = (moment.at - quarrel.began_at).total_seconds()
        return (
            f"{named(quarrel.people)} seem to fight, with a probability of "
            f"{quarrel.probability:.2f}, watched for {seconds:.1f} s"
        )
