"""How much a detector may be asked: the batch that is still quick, and the pace of all cameras.

The pace is the seconds between two frames of one camera, the same for every camera of the site: the
queue in front of the detectors is first come, first served, so an equal pace is an equal share. It
follows from how long frames wait, as routers govern their queues (https://www.rfc-editor.org/rfc/rfc8033).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

WINDOW_SECONDS = 1.0
LONGEST_BATCH_SECONDS = 0.25  # whoever is last in a batch waits for all of it
PATIENCE_SECONDS = 0.3  # a frame that waits longer than this has met an overload
TREND_SECONDS = 0.02  # from one window to the next: the wait is growing
SPARE = 0.1  # the share of its time that a detector keeps free
STEP, PROBE, RECOVERY = 1.1, 0.97, 0.5  # one up, the smallest and the largest one down
SLOWEST_SECONDS, FASTEST_SECONDS = 5.0, 0.1
SMALL_BATCH_SECONDS = 60.0  # so long only few frames are tried, after many were too many
# So much later than its rows alone an answer may be, for the sake of what is done besides.
MOST_LATE_SECONDS = 0.25
LONGEST_PIECE_SECONDS = 1.0  # what takes longer makes every camera's frames too old
REST_SECONDS = 30.0  # after that, before it is tried again
MOST_SAVED_SECONDS = 0.5  # of spare time, for a look at several cameras' people at once
OVERLOADED_SHARE = 0.75  # of the wanted frames; who gets fewer is said to be overloaded


@dataclass(frozen=True, slots=True)
class Window:
    """A second at a detector: the share of it that it worked, and how long frames waited."""

    busy: float
    wait_seconds: float
    growth_seconds: float  # of the wait, since the window before
    batch_seconds: float

    def next_pace(self, pace: float) -> float:
        """The pace that follows; 0: as fast as each camera likes."""
        if self.wait_seconds > PATIENCE_SECONDS:
            # Every camera has a frame in the queue, so it is answered once in this time.
            found = self.wait_seconds + self.batch_seconds
            raised = pace * STEP if self.growth_seconds > TREND_SECONDS else pace
            changed = max(raised, found * STEP)
        else:
            # Also where it is busy: larger batches may be cheaper, which only more frames can show.
            changed = pace * min(max(self.busy + SPARE, RECOVERY), PROBE)
        return min(SLOWEST_SECONDS, changed) if changed > FASTEST_SECONDS else 0.0


@dataclass(slots=True)
class Governor:
    """What one detector has seen of its queue. Moments are monotonic seconds."""

    pace: float = 0.0
    _at_most: int | None = None
    _at_most_until: float = 0.0
    _frame_seconds: float = 0.0
    _began: float | None = None
    _worked: float = 0.0
    _waits: list[float] = field(default_factory=list)
    _wait_before: float = 0.0

    def batch_limit(self, asked: int) -> int:
        """How many frames to take, so that they are answered soon."""
        most = asked if self._at_most is None else min(asked, self._at_most)
        if not self._frame_seconds:
            return most
        return max(1, min(most, int(LONGEST_BATCH_SECONDS / self._frame_seconds)))

    def allow_at_most(self, frames: int, now: float) -> None:
        """The model cannot run more at once: its memory is full, for the time being."""
        self._at_most, self._at_most_until = frames, now + SMALL_BATCH_SECONDS

    def note(self, *, waited: float, frames: int, began: float, ended: float) -> None:
        """A batch is done. `waited` is how long its first camera had waited."""
        self._began = began if self._began is None else self._began
        each = (ended - began) / frames
        # Down at once, because a larger batch may make each frame cheaper still.
        known = self._frame_seconds or each
        self._frame_seconds = min(each, 0.7 * known + 0.3 * each)
        self._waits.append(min(max(0.0, waited), SLOWEST_SECONDS))
        self._worked += ended - began

    def window_is_over(self, now: float) -> bool:
        return self._began is not None and now - self._began >= WINDOW_SECONDS

    def look(self, now: float, share: Callable[[Callable[[float], float]], float]) -> None:
        """End the window and follow the pace of the site; `share` changes it if it is our turn."""
        assert self._began is not None
        if now >= self._at_most_until:
            self._at_most = None
        wait = median(self._waits)
        window = Window(
            busy=self._worked / (now - self._began),
            wait_seconds=wait,
            growth_seconds=wait - self._wait_before,
            batch_seconds=self._worked / len(self._waits),
        )
        self._began, self._worked, self._waits, self._wait_before = None, 0.0, [], wait
        self.pace = share(window.next_pace)


@dataclass(slots=True)
class SpareTime:
    """What detecting leaves of a worker's time, for what may be left out.

    Both together take no more than all but `SPARE` of the time; a debt is no larger than what can
    be saved, so that it is soon paid once the load is over.
    """

    _saved: float = 0.0
    _at: float | None = None

    def spend(self, began: float, ended: float) -> None:
        """The worker was busy, with whatever."""
        self._save(ended)
        self._saved = max(-MOST_SAVED_SECONDS, self._saved - (ended - began))

    def is_left(self, now: float) -> bool:
        self._save(now)
        return self._saved > 0

    def _save(self, now: float) -> None:
        if self._at is None:
            self._saved = MOST_SAVED_SECONDS
        else:
            saved = self._saved + (1 - SPARE) * max(0.0, now - self._at)
            self._saved = min(MOST_SAVED_SECONDS, saved)
        self._at = now


@dataclass(slots=True)
class SideWork:
    """What a worker does besides detecting, piece by piece; frames come first.

    `piece_seconds` is what a piece is taken for until it is measured.
    """

    piece_seconds: float
    spare: SpareTime = field(default_factory=SpareTime)
    _rests_until: float = float("-inf")

    def most_now(self, now: float) -> int:
        """How many pieces may be done before the next frames."""
        if self.rests(now) or not self.spare.is_left(now):
            return 0
        return max(1, int(MOST_LATE_SECONDS / self.piece_seconds))

    def rests(self, now: float) -> bool:
        """Whether it is left alone because it held up every camera."""
        return now < self._rests_until

    def done(self, began: float, ended: float) -> None:
        """A piece took from then till now."""
        self.spare.spend(began, ended)
        self.piece_seconds += 0.3 * (ended - began - self.piece_seconds)
        if ended - began > LONGEST_PIECE_SECONDS:
            self._rests_until = ended + REST_SECONDS


@dataclass(slots=True)
class Rate:
    """Events in a second, smoothed over about ten."""

    per_second: float = 0.0
    _known: bool = False

    def note(self, events: int, seconds: float) -> None:
        share = 0.3 if self._known else 1.0
        self.per_second += share * (events / seconds - self.per_second)
        self._known = True


def is_overloaded(*, wanted: float, analysed: float) -> bool:
    """Whether clearly fewer frames are analysed than were wanted (both in a second)."""
    return analysed < OVERLOADED_SHARE * wanted
