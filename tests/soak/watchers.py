"""Never two watchers of a camera: by its RTSP sessions, and by who beats for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.sampler import Sample
from tests.soak.sessions import Session

# A watcher that was overtaken notices at its next renewal (2 s) and says goodbye (1.5 s).
HAND_OVER_SECONDS = 5.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pause:
    """A stream worker stood still: what it holds open meanwhile watches nothing."""

    worker: str
    begins_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat as the back end took it."""

    at: float
    instance: str
    camera_ids: tuple[int, ...]


def two_sessions(
    sessions: Sequence[Session], pauses: Sequence[Pause], ended_at: float
) -> list[str]:
    """Pairs of sessions with one camera that overlap for longer than a hand-over."""
    found = []
    ordered = sorted(sessions, key=lambda session: session.opened_at)
    for at, first in enumerate(ordered):
        for second in ordered[at + 1 :]:
            if second.camera_id != first.camera_id:
                continue
            overlap = _longest_overlap(
                _awake(first, pauses, ended_at), _awake(second, pauses, ended_at)
            )
            if overlap > HAND_OVER_SECONDS:
                names = f"{first.worker or 'unknown'} and {second.worker or 'unknown'}"
                found.append(
                    f"camera {first.camera_id}: {names} watched it at once for {overlap:.1f} s"
                )
    return found


def _awake(session: Session, pauses: Sequence[Pause], ended_at: float) -> list[Span]:
    """When a session was really used: without the pauses of its worker, hand-over included."""
    spans = [(session.opened_at, session.closed_at or ended_at)]
    for pause in pauses:
        if pause.worker != session.worker:
            continue
        begins, ends = pause.begins_at, pause.ends_at + HAND_OVER_SECONDS
        spans = [
            piece
            for start, end in spans
            for piece in ((start, min(end, begins)), (max(start, ends), end))
            if piece[0] < piece[1]
        ]
    return spans


def _longest_overlap(ones: Sequence[Span], others: Sequence[Span]) -> float:
    overlaps = (min(one[1], other[1]) - max(one[0], other[0]) for one in ones for other in others)
    return max(overlaps, default=0.0)


def two_claimants(beats: Sequence[Beat], samples: Sequence[Sample]) -> list[str]:
    """Beats for a camera that another instance has held for longer than a hand-over."""
    found: dict[tuple[int, str, str], float] = {}
    for beat in beats:
        lately = [s for s in samples if beat.at - HAND_OVER_SECONDS <= s.at <= beat.at]
        for number in beat.camera_ids:
            holders = {sample.holders.get(number) for sample in lately}
            holder = holders.pop() if len(lately) > 2 and len(holders) == 1 else None
            if holder is not None and holder != beat.instance:
                found.setdefault((number, beat.instance, holder), beat.at)
    return [
        f"camera {number}: {instance} beats for it while {holder} has claimed it"
        for number, instance, holder in found
    ]
