"""Who holds a weapon: it stays within their reach and moves, as nothing on a table does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detection.domain.crime_classes import CrimeClasses
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.objects import WEAPONS
from detection.domain.reach import apart, shift, size, within_reach
from detection.domain.tracks import Track
from detection.rules.acquaintances import Acquaintances

MOVED_HEIGHTS: Final = 0.12  # of the holder: a detector's boxes tremble by less
MOVED_SIZES: Final = 1.0  # of the weapon
LEAST_MOMENTS, LEAST_MOMENTS_AWAY = 3, 2
LOST_SECONDS: Final = 3.0  # a weapon that is not seen for longer is in nobody's hand


@dataclass(slots=True)
class Grip:
    """A weapon within reach of a person; `box` is where it was first seen there."""

    label: str
    box: Box
    seen_at: datetime
    moments: int = 0
    moments_away: int = 0

    @property
    def is_held(self) -> bool:
        return self.moments >= LEAST_MOMENTS and self.moments_away >= LEAST_MOMENTS_AWAY


def is_weapon(track: Track, classes: CrimeClasses) -> bool:
    """Whether COCO, or the operator, calls it one."""
    return track.label in WEAPONS or classes.is_weapon(track.label)


class Grips:
    """The weapons of one camera and those in whose hands they are."""

    def __init__(self, classes: CrimeClasses) -> None:
        self._classes = classes
        self._grips: dict[tuple[int, int], Grip] = {}  # by acquaintance and the weapon's number

    def follow(self, moment: Moment, people: Acquaintances) -> None:
        """See where the weapons are now."""
        for weapon in moment.tracks:
            if is_weapon(weapon, self._classes):
                self._note(weapon, moment, people)
        for key, grip in list(self._grips.items()):
            if (moment.at - grip.seen_at).total_seconds() > LOST_SECONDS:
                del self._grips[key]

    def held(self) -> dict[int, Grip]:
        """Who is armed, by acquaintance, and with what."""
        grips = sorted(self._grips.items(), key=lambda item: item[1].seen_at)
        return {one: grip for (one, _), grip in grips if grip.is_held}

    def _note(self, weapon: Track, moment: Moment, people: Acquaintances) -> None:
        near = [one for one in people.here if within_reach(one.box, weapon.box, moment.aspect)]
        if not near:
            return
        holder = min(near, key=lambda one: apart(one.box, weapon.box, moment.aspect))
        known = self._grips.get((holder.id, weapon.id))
        grip = known or Grip(weapon.label, weapon.box, moment.at)
        self._grips[holder.id, weapon.id] = grip
        grip.seen_at, grip.moments = moment.at, grip.moments + 1
        farthest = max(
            MOVED_HEIGHTS * holder.box.height, MOVED_SIZES * size(grip.box, moment.aspect)
        )
        grip.moments_away += shift(grip.box, weapon.box, moment.aspect) > farthest
