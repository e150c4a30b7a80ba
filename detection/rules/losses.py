"""How a thing that stood somewhere comes to be missing, and who was there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detection.domain.looks import Sight
from detection.domain.moments import Moment
from detection.rules.belongings import Belonging
from detection.rules.rule import POSSIBLE, rising

RISING_SECONDS: Final = 2.0
GONE_SECONDS: Final = 1.5  # so long must the picture show another place than before
UNPROVED_VISIT_SECONDS: Final = 1.0  # else whoever walks past a thing that is missed is a thief
JUST_BEFORE_SECONDS: Final = 1.5
JUST_BEFORE_FRAMES: Final = 2.2


@dataclass(slots=True)
class Absence:
    """The place is in view, and the thing is not there."""

    since: datetime
    unseen_seconds: float = 0.0
    empty_since: datetime | None = None  # as the picture proves

    def is_proved(self, sight: Sight, at: datetime) -> bool:
        """Whether the picture has shown another place for long enough."""
        self.empty_since = (self.empty_since or at) if sight is Sight.CHANGED else None
        return self.empty_since is not None and (
            (at - self.empty_since).total_seconds() >= GONE_SECONDS
        )


@dataclass(slots=True)
class Loss:
    """Who is held to have taken a thing, and between what the confidence in that rises."""

    taker: int
    since: datetime
    floor: float
    ceiling: float
    reason: str
    seconds: float = 0.0  # for which it was seen to be gone

    @property
    def is_accounted_for(self) -> bool:
        """Whether its place was watched for long enough, which no slip of the tracker survives."""
        return self.floor >= POSSIBLE

    @property
    def confidence(self) -> float:
        return rising(self.seconds, RISING_SECONDS, min(self.floor, self.ceiling), self.ceiling)


def sight_of(belonging: Belonging, moment: Moment) -> Sight:
    """What the picture says of the place, before which nobody stands."""
    if moment.picture is None or belonging.look is None:
        return Sight.UNCLEAR
    return belonging.look.compare(moment.picture)


def suspects_of(belonging: Belonging, since: datetime, apart: float) -> set[int]:
    """Who was at the thing shortly before, or later."""
    just_before = max(JUST_BEFORE_SECONDS, JUST_BEFORE_FRAMES * apart)
    return {
        one
        for one, visit in belonging.visits.items()
        if (since - visit.until).total_seconds() <= just_before
    }


def has_dwelt(belonging: Belonging, one: int) -> bool:
    visit = belonging.visits[one]
    return visit.moments > 1 and visit.seconds >= UNPROVED_VISIT_SECONDS
