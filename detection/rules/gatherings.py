"""How many stand together at a place, and whether that has become many all at once."""

from collections import deque
from datetime import datetime, timedelta
from statistics import median_high, quantiles
from typing import Protocol

COUNT_SECONDS = 1.0  # from one count to the next
STEADY_COUNTS = 5  # whose median is believed: people hide each other
COUNTS_REMEMBERED = 900
UNUSUAL_FACTOR = 1.5  # by which a crowd is larger than what is usual here
DISPERSED_SHARE = 0.75  # of the people asked for: with fewer it is over
CROWD_SECONDS = 300.0  # after which a crowd that stays is part of the place


class Demand(Protocol):
    """What makes a crowd."""

    @property
    def people(self) -> int: ...
    @property
    def forming_seconds(self) -> float: ...
    @property
    def learning_seconds(self) -> float: ...


class Gathering:
    """The largest group of one place over the last quarter of an hour."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._counts: deque[tuple[datetime, int]] = deque(maxlen=COUNTS_REMEMBERED)
        self._formed_at: datetime | None = None

    def follow(self, size: int, at: datetime, demand: Demand) -> int:
        """Count it; how many a crowd has that has formed and still stands, else 0."""
        self._began = self._began or at
        if not self._counts or (at - self._counts[-1][0]).total_seconds() >= COUNT_SECONDS:
            self._counts.append((at, size))
        steady = self._steady()
        return steady if self._is_crowd(steady, at, demand) else 0

    def _steady(self, before: datetime | None = None) -> int:
        """The size of the largest group, now or until some time before; 0 where nobody knows."""
        sizes = [size for at, size in self._counts if before is None or at <= before]
        return median_high(sizes[-STEADY_COUNTS:]) if len(sizes) >= STEADY_COUNTS else 0

    def _is_crowd(self, size: int, at: datetime, demand: Demand) -> bool:
        if self._formed_at is None and self._has_formed(size, at, demand):
            self._formed_at = at
        elif self._formed_at is not None:
            lasted = (at - self._formed_at).total_seconds()
            if size < DISPERSED_SHARE * demand.people or lasted > CROWD_SECONDS:
                self._formed_at = None
        return self._formed_at is not None

    def _has_formed(self, size: int, at: datetime, demand: Demand) -> bool:
        assert self._began is not None
        if size < demand.people or at - self._began < timedelta(seconds=demand.learning_seconds):
            return False
        earlier = at - timedelta(seconds=demand.forming_seconds)
        known = [count for counted_at, count in self._counts if counted_at <= earlier]
        if len(known) < 2:
            return False
        usual = quantiles(known, n=10, method="inclusive")[-1]
        return size >= UNUSUAL_FACTOR * usual and size >= 2 * self._steady(before=earlier)
