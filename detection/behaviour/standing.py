"""Who stands still, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detection.domain.geometry import Point
from detection.domain.tracks import Track

MISSED_SECONDS: Final = 3.0  # for so long the detector may miss somebody who still stands there


@dataclass(slots=True)
class _Stand:
    place: Point
    since: datetime
    last_seen_at: datetime


class Standing:
    """Of each track, since when its feet are in one place, give or take some of its own heights."""

    def __init__(self, heights: float) -> None:
        self._heights = heights
        self._stands: dict[int, _Stand] = {}

    def observe(self, tracks: Sequence[Track], at: datetime, aspect: float) -> dict[int, float]:
        """For how many seconds each of these has stood where it is, by id."""
        for known, stand in list(self._stands.items()):
            if (at - stand.last_seen_at).total_seconds() > MISSED_SECONDS:
                del self._stands[known]
        return {track.id: self._seconds(track, at, aspect) for track in tracks}

    def _seconds(self, track: Track, at: datetime, aspect: float) -> float:
        feet, stand = track.box.feet, self._stands.get(track.id)
        if stand is not None:
            across, along = (feet.x - stand.place.x) * aspect, feet.y - stand.place.y
            if (across**2 + along**2) ** 0.5 <= self._heights * track.box.height:
                stand.last_seen_at = at
                return (at - stand.since).total_seconds()
        self._stands[track.id] = _Stand(feet, at, at)
        return 0.0
