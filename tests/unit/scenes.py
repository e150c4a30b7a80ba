"""A tiny language for scenes: a street of ten places and two sides, one letter for each frame.

    A B C D E F G H I J     the far side: everything is half as large
    a b c d e f g h i j     the near side, from left to right, a tenth of the picture apart
    .                       not seen in this frame

`"ddd.f"` is somebody who stands at d for three frames, is missed in one, and is then at f; `"dD"`
crosses the street. A walk with the label of an object is that object. Who turns from standing to
crouching, or whom the tracker gives a new number, has two walks: `"ddd..."` and `"...ddd"`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box, Point
from detection.domain.moments import WHOLE_PICTURE, Moment, Opinion
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import Rule
from detection.rules.settings import Layer
from tests.unit.poses import body

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLACES = {letter: 0.05 + 0.1 * number for number, letter in enumerate("abcdefghij")}
NEAR, FAR = 0.5, 0.3  # where feet stand, from the top of the picture
SIZES = {"person": (0.04, 0.3), "car": (0.24, 0.25), "bus": (0.4, 0.4), "motorcycle": (0.1, 0.15)}
SMALL = (0.03, 0.06)  # a bag, a bottle, a knife


@dataclass(frozen=True)
class Walk:
    """What one track does, frame by frame.

    `size` is width and height on the near side, by default what the label suggests; `lift` is how
    far it is held above the ground; `sway` moves it right and left by that much in turn, as a
    detector's boxes do. `poses` are the letters of `poses.body`, where the pose network looked.
    """

    steps: str
    id: int = 1
    label: str = "person"
    size: tuple[float, float] | None = None
    lift: float = 0.0
    sway: float = 0.0
    poses: str = ""

    def at(self, number: int) -> list[Track]:
        step = self.steps[number] if number < len(self.steps) else "."
        if step == ".":
            return []
        feet, scale = place(step), 0.5 if step.isupper() else 1.0
        width, height = self.size or SIZES.get(self.label, SMALL)
        x = feet.x + (self.sway if number % 2 == 0 else -self.sway)
        y = feet.y - self.lift * scale
        half = width * scale / 2
        return [Track(self.id, self.label, 0.9, Box(x - half, y - height * scale, x + half, y))]

    def pose_at(self, number: int) -> str:
        return self.poses[number] if number < len(self.poses) else "."


@dataclass(frozen=True)
class Voice:
    """A classifier that holds something, frame by frame in tenths: `"..99"` is 0.9 in two frames.

    With a `place` it speaks of who stands there, without of the whole picture. `own` is one of the
    operator's.
    """

    tenths: str
    label: str = "fighting"
    place: str = ""
    own: bool = False

    def at(self, number: int) -> list[Opinion]:
        said = self.tenths[number] if number < len(self.tenths) else "."
        if said == ".":
            return []
        box = Walk(self.place).at(0)[0].box if self.place else WHOLE_PICTURE
        return [Opinion(self.label, int(said) / 10, box, self.own)]


def place(letter: str) -> Point:
    """Where feet are at a place."""
    return Point(PLACES[letter.lower()], FAR if letter.isupper() else NEAR)


def zone(
    kind: ZoneKind, first: str, last: str, *, name: str = "yard", settings: Layer | None = None
) -> Zone:
    """The stretch of one side of the street from one place to another, both within."""
    left, right, y = PLACES[first.lower()] - 0.05, PLACES[last.lower()] + 0.05, place(first).y
    corners = [[left, y - 0.1], [right, y - 0.1], [right, y + 0.1], [left, y + 0.1]]
    return Zone.of(name, kind, [[round(value, 3) for value in c] for c in corners], settings)


def line_right_of(letter: str, *, name: str = "gate", settings: Layer | None = None) -> Zone:
    """An entry line halfway to the next place on the right, entered from its left."""
    x, y = round(PLACES[letter.lower()] + 0.05, 3), place(letter).y
    return Zone.of(name, ZoneKind.ENTRY_LINE, [[x, y + 0.1], [x, y - 0.1]], settings)


def moments(
    *walks: Walk,
    seconds: float = 1.0,
    profile: Profile | None = None,
    voices: Sequence[Voice] = (),
    pictures: Callable[[int], NDArray[np.uint8]] | None = None,
) -> Iterator[Moment]:
    """The scene, frame by frame; `pictures` paints each frame by its number."""
    for number in range(max(len(walk.steps) for walk in walks)):
        seen = [(walk, track) for walk in walks for track in walk.at(number)]
        yield Moment(
            START + timedelta(seconds=number * seconds),
            tracks=[track for _, track in seen],
            bodies={
                track.id: body(walk.pose_at(number), track.box)
                for walk, track in seen
                if walk.pose_at(number) != "."
            },
            opinions=[opinion for voice in voices for opinion in voice.at(number)],
            picture=pictures(number) if pictures else None,
            profile=profile,
        )


def play(rule: Rule[Any], *walks: Walk, **scene: Any) -> Iterator[list[Suspicion]]:
    """What the rule suspects in each frame of a scene; see `moments` for what it may hold."""
    for moment in moments(*walks, **scene):
        yield rule.observe(moment)


def confidences(rule: Rule[Any], *walks: Walk, **scene: Any) -> list[float | None]:
    """The strongest suspicion of each frame, None where there is none."""
    return [
        max((suspicion.confidence for suspicion in found), default=None)
        for found in play(rule, *walks, **scene)
    ]


def first_suspected(rule: Rule[Any], *walks: Walk, **scene: Any) -> int | None:
    """The number of the first frame in which anything is suspected; None where nothing ever is."""
    found = confidences(rule, *walks, **scene)
    return next((number for number, known in enumerate(found) if known is not None), None)
