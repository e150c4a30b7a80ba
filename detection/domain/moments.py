"""One analysed frame as the rules see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box
from detection.domain.schedules import Profile
from detection.domain.tracks import Track

WHOLE_PICTURE = Box(0.0, 0.0, 1.0, 1.0)

FIGHTING = "fighting"  # the label of what the shipped fight model says

Keypoints = NDArray[np.float32]  # (17, 3): x y confidence, in the order of COCO, x and y normalised


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a classifier holds of a place in the picture over the last moments.

    `label` is what it names, `probability` is 0 to 1. `own` tells the operator's own classifier,
    whose classes may be called anything, from the models that are shipped.
    """

    label: str
    probability: float
    box: Box = WHOLE_PICTURE
    own: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame captured `at`: who and what is there, and the profile in force.

    `bodies` holds the keypoints of those people, by track id, whom the pose network has looked at
    lately: it looks only at people near each other, some twice a second, and at the picture before
    this one. `opinions` are those that came with this frame; most frames bring none. `picture` is
    the whole picture, grey (height, width), about 320 wide, where there is one: not in a replay.
    `profile` is None where no schedule says what holds: everything is armed then; `zone_profiles`
    are those of zones, by name, that go by a schedule of their own. `aspect` is the picture's width
    over its height, for distances.
    """

    at: datetime
    tracks: Sequence[Track] = ()
    bodies: Mapping[int, Keypoints] = field(default_factory=dict)
    opinions: Sequence[Opinion] = ()
    picture: NDArray[np.uint8] | None = None
    profile: Profile | None = None
    aspect: float = 16 / 9
    zone_profiles: Mapping[str, Profile] = field(default_factory=dict)

    def profile_in(self, zone: str) -> Profile | None:
        """The profile in force in the zone of this name."""
        return self.zone_profiles.get(zone, self.profile)

    @property
    def people(self) -> list[Track]:
        return [track for track in self.tracks if track.is_person]
