"""What a camera has shown in the last seconds, and which place of it deserves a close look next."""

from dataclasses import dataclass
from threading import Lock
from typing import Final

from detection.behaviour.close_ups import close_up_of
from detection.behaviour.regions import Region, regions_of
from detection.behaviour.sights import (
    WINDOW_SECONDS,
    Boxes,
    Sight,
    near_each_other,
    overlap,
    thinned,
)
from detection.domain.close_ups import CloseUp

LOOK_STEP_SECONDS: Final = 0.4  # from one look at a place to the next; each costs 0.1 s of a core
# Fewer pictures a second tell the fight model too little, and so does a shorter time.
LEAST_RATE: Final = 3.5
NEAR_SIGHTS: Final = 5  # the last ones: who is near may be missed in some
LEAST_WINDOW_SECONDS: Final = 1.2
LATEST_SECONDS: Final = 1.0  # what was seen longer ago says nothing about now
SAME_PLACE_OVERLAP: Final = 0.3
CLOCK_JITTER_SECONDS: Final = 1.0
ROUNDING_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Looked:
    at: float
    place: Boxes


class Lookout:
    """Remembers two seconds of one camera. One thread may tell what was seen and another ask.

    No more than one place goes with a frame, so that no answer is late for more than one look; of
    several places the one that has waited longest is next.
    """

    def __init__(self, step_seconds: float = LOOK_STEP_SECONDS) -> None:
        self._step = step_seconds
        self._lock = Lock()
        self._sights: list[Sight] = []
        self._looked: list[_Looked] = []
        self._is_wanted = False

    def see(self, sight: Sight) -> None:
        """Remember a sight; one from long before the last means that the clock was set back."""
        with self._lock:
            if self._sights and sight.at <= self._sights[-1].at:
                if self._sights[-1].at - sight.at <= CLOCK_JITTER_SECONDS:
                    return  # cameras repeat a time stamp now and then
                self._sights, self._looked = [], []
            oldest = sight.at - WINDOW_SECONDS
            self._sights = [known for known in self._sights if known.at >= oldest] + [sight]
            lately = self._sights[-NEAR_SIGHTS:]
            self._is_wanted = any(near_each_other(known.boxes) for known in lately)

    def next_close_up(self, at: float) -> CloseUp | None:
        """What to look at with the frame of this time in seconds, if anything is due."""
        with self._lock:
            window = thinned(self._sights)
            if not self._is_enough(window, at):
                return None
            self._looked = [known for known in self._looked if abs(at - known.at) < WINDOW_SECONDS]
            due = [(self._waited(region, at), region) for region in regions_of(window)]
            waited, region = max(due, key=lambda pair: pair[0], default=(0.0, None))
            if region is None or waited < self._step - ROUNDING_SECONDS:
                return None
            self._looked = [known for known in self._looked if not _same(known, region)]
            self._looked.append(_Looked(at, region.box))
        return close_up_of(window, region)

    def is_wanted(self) -> bool:
        """Whether people were near each other lately: more pictures are worth their price.

        Asked at each decoded frame, so it is told by what was found at the last sight.
        """
        return self._is_wanted

    def last_close_ups(self) -> list[CloseUp]:
        """All that can be looked at, due or not: nothing will follow."""
        with self._lock:
            window = thinned(self._sights)
            if not window or not self._is_enough(window, window[-1].at):
                return []
            return [close_up_of(window, region) for region in regions_of(window)]

    def _is_enough(self, window: list[Sight], at: float) -> bool:
        if not window or not 0 <= at - window[-1].at <= LATEST_SECONDS:
            return False
        seconds = window[-1].at - window[0].at + ROUNDING_SECONDS
        return seconds >= LEAST_WINDOW_SECONDS and len(window) - 1 >= LEAST_RATE * seconds

    def _waited(self, region: Region, at: float) -> float:
        """Since the last look at this place; the longest there is where it has had none."""
        return min(
            (at - known.at for known in self._looked if _same(known, region)),
            default=WINDOW_SECONDS,
        )


def _same(known: _Looked, region: Region) -> bool:
    return overlap(known.place, region.box) > SAME_PLACE_OVERLAP
