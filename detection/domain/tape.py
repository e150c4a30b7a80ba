"""A tape of what a camera's rules see: always the last minutes, and all of an open episode."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from detection.domain.moments import Moment
from detection.domain.recordings import Held, Row, row_of

# Before an alert: longer than the dwells that rules have by default.
PRE_ROLL_SECONDS = 120.0
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


class Tape:
    """Written by one thread; what `end` hands out is nobody else's."""

    def __init__(self) -> None:
        self._before: deque[Row] = deque()
        self._before_bytes = 0
        self._has_forgotten = False
        self._episode: Footage | None = None

    def see(self, moment: Moment, held: Sequence[Held]) -> None:
        """Keep a moment. The one that opens or ends an episode is seen before `begin` or `end`."""
        row = row_of(moment, held)
        if self._was_set_back(row):
            self._before.clear()
            self._before_bytes, self._has_forgotten = 0, False
        elif self._episode is not None:
            _keep(row, self._episode)
        self._before.append(row)
        self._before_bytes += len(row.content)
        while self._before and self._is_too_much(row):
            self._before_bytes -= len(self._before.popleft().content)
            self._has_forgotten = True

    def begin(self) -> None:
        """An episode was opened by the moment seen last."""
        self._episode = Footage(list(self._before), self._before_bytes, self._has_forgotten)

    def end(self) -> Footage | None:
        """What was seen of the episode; None where it was not seen to begin."""
        footage, self._episode = self._episode, None
        return footage if footage and footage.rows else None

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
