"""A tape of what a camera's rules see: always the last minutes, and all of an episode.

Of an episode it goes on until its post-roll ends, as its video does: there are boxes for all of it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from detection.domain.moments import Moment
from detection.domain.packets import POST_ROLL_SECONDS
from detection.domain.recordings import Held, Row, row_of

# Before an alert: longer than the dwells that rules have by default.
PRE_ROLL_SECONDS = 120.0
# No moments come any more, by our own clock: cameras' clocks are believed up to five seconds.
SILENCE_SECONDS = 6.0
# Of a camera, in bytes of packed rows: a crowd shortens the time before, a long stay is cut.
MOST_BEFORE = 1_000_000
MOST_OF_EPISODE = 4_000_000
# A clock that was set back further than this begins a new tape; less is jitter.
CLOCK_JITTER_SECONDS = 1.0


@dataclass(slots=True)
class Footage:
    """The rows of an episode and from before it. See Recording."""

    rows: list[Row]
    size: int
    is_late: bool
    is_cut: bool = False


@dataclass(slots=True)
class _Ending:
    """An episode whose post-roll runs."""

    episode_id: UUID
    footage: Footage
    until: datetime


class Tape:
    """Written by one thread; what `done` hands out is nobody else's."""

    def __init__(self) -> None:
        self._before: deque[Row] = deque()
        self._before_bytes = 0
        self._has_forgotten = False
        self._episode: tuple[UUID, Footage] | None = None
        self._endings: list[_Ending] = []

    def see(self, moment: Moment, held: Sequence[Held]) -> None:
        """Keep a moment. The one that opens or ends an episode is seen before `begin` or `end`."""
        row = row_of(moment, held)
        if self._was_set_back(row):
            self._before.clear()
            self._before_bytes, self._has_forgotten = 0, False
            for ending in self._endings:
                ending.until = row.at
        else:
            if self._episode is not None:
                _keep(row, self._episode[1])
            for ending in self._endings:
                if row.at <= ending.until:
                    _keep(row, ending.footage)
        self._before.append(row)
        self._before_bytes += len(row.content)
        while self._before and self._is_too_much(row):
            self._before_bytes -= len(self._before.popleft().content)
            self._has_forgotten = True

    def begin(self, episode_id: UUID) -> None:
        """An episode was opened by the moment seen last."""
        footage = Footage(list(self._before), self._before_bytes, self._has_forgotten)
        self._episode = (episode_id, footage)

    def end(self, at: datetime) -> None:
        """The episode is over; its post-roll begins."""
        episode, self._episode = self._episode, None
        if episode is not None and episode[1].rows:
            self._endings.append(_Ending(*episode, at + timedelta(seconds=POST_ROLL_SECONDS)))

    def done(self, now: datetime) -> list[tuple[UUID, Footage]]:
        """What was seen of the episodes whose post-roll has ended; `now` by our own clock."""
        seen = self._before[-1].at if self._before else None
        silent = now - timedelta(seconds=SILENCE_SECONDS)
        return self._take(
            lambda ending: ending.until <= silent or (seen is not None and seen >= ending.until)
        )

    def close(self) -> list[tuple[UUID, Footage]]:
        """What was seen of all that have ended: nothing more will come."""
        return self._take(lambda _: True)

    def _take(self, is_done: Callable[[_Ending], bool]) -> list[tuple[UUID, Footage]]:
        if not self._endings:
            return []
        taken = [ending for ending in self._endings if is_done(ending)]
        self._endings = [ending for ending in self._endings if ending not in taken]
        return [(ending.episode_id, ending.footage) for ending in taken]

    def _was_set_back(self, row: Row) -> bool:
        if not self._before:
            return False
        return (self._before[-1].at - row.at).total_seconds() > CLOCK_JITTER_SECONDS

    def _is_too_much(self, newest: Row) -> bool:
        seconds = (newest.at - self._before[0].at).total_seconds()
        return seconds > PRE_ROLL_SECONDS or self._before_bytes > MOST_BEFORE


def _keep(row: Row, footage: Footage) -> None:
    footage.size += len(row.content)
    footage.is_cut = footage.is_cut or footage.size > MOST_OF_EPISODE
    if not footage.is_cut:
        footage.rows.append(row)
