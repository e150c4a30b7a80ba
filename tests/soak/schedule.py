"""Which fault when: drawn from a seed alone, so that a run can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.fault import CAMERA, Fault
from tests.soak.faults import TABLE

FIRST_SECONDS = 3.0
# Between the beginnings of two faults; in a short run they come more closely.
PAUSE_SECONDS = (6.0, 18.0)
SHORT_RUN_SECONDS = 180.0
SHORT_PAUSE_SECONDS = (3.0, 7.0)
REST_SECONDS = 15.0  # for a part after it was mended, before it is struck again
MOST_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """Seconds since the beginning of the story; `part` is who is struck, `camera-3` say."""

    fault: str
    part: str
    begins: float
    ends: float


def plan(
    *, seed: int, seconds: float, cameras: int, table: Sequence[Fault] = TABLE
) -> list[Planned]:
    """The faults of a run, in the order of their beginning; all are mended before its end.

    Each fault of the table comes once before any comes again. Never two strike one part at once,
    and a part that was mended is left alone for a while.
    """
    dice = random.Random(seed)
    pause = SHORT_PAUSE_SECONDS if seconds <= SHORT_RUN_SECONDS else PAUSE_SECONDS
    planned: list[Planned] = []
    deck: list[Fault] = []
    now = FIRST_SECONDS
    while now < seconds:
        if not deck:
            deck = dice.sample(list(table), len(table))
        under_way = [other for other in planned if other.ends > now]
        if len(under_way) < MOST_AT_ONCE:
            drawn = _draw(deck, dice, planned, now, seconds, cameras)
            planned += [drawn] if drawn else []
        now += dice.uniform(*pause)
    return planned


def _draw(
    deck: list[Fault],
    dice: random.Random,
    planned: Sequence[Planned],
    now: float,
    until: float,
    cameras: int,
) -> Planned | None:
    """The first of the deck that may strike now; it is taken off."""
    resting = {other.part for other in planned if other.ends + REST_SECONDS > now}
    for fault in list(deck):
        free = [part for part in _parts_of(fault, cameras) if part not in resting]
        ends = now + dice.uniform(*fault.seconds)
        if free and ends <= until:
            deck.remove(fault)
            return Planned(fault.name, dice.choice(free), round(now, 2), round(ends, 2))
    return None


def _parts_of(fault: Fault, cameras: int) -> list[str]:
    if fault.part != CAMERA:
        return [fault.part]
    return [f"{CAMERA}-{number}" for number in range(1, cameras + 1)]
