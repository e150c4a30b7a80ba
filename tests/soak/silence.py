"""No siren is left on: each sample of a sounding siren must have an episode that wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.soak.books import Episode
from tests.soak.sampler import SAMPLE_SECONDS, Sample

# The promise: off within 30 s, whatever was killed in between.
SILENCED_SECONDS = 30.0
# SIREN_SECONDS, the longest time that the cluster lets a siren sound for one episode.
LONGEST_SECONDS = 30.0
# An episode that went blind is given up by its watcher this long after its last frame.
BLIND_GRACE_SECONDS = 15.0
# A siren of which no episode is known may be of one whose watcher was lost in the meantime.
UNWRITTEN_SECONDS = 60.0
# A decision is heard within this; one that was over sooner may have been too short.
SOUNDED_SECONDS = 10.0
# A camera that refused a password is left alone for a minute, lest it lock the account.
COOL_DOWN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ControlClosed:
    """While a camera cannot be spoken to, nobody can silence it."""

    camera_id: int
    begins_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class WatcherLost:
    """A watcher of a camera was killed, stopped or paused, and what it had not written is gone."""

    camera_id: int
    at: float


@dataclass(frozen=True, slots=True)
class LeftOn:
    """One stretch of sound that nothing allowed."""

    camera_id: int
    from_at: float
    to_at: float
    episode_id: str
    ended_at: float | None


def left_on(
    samples: Sequence[Sample],
    episodes: Sequence[Episode],
    deaths: Mapping[str, float],
    closed: Sequence[ControlClosed],
    lost: Sequence[WatcherLost] = (),
) -> list[LeftOn]:
    """`deaths`: episode id → when its watcher was killed in the middle of it."""
    found: list[LeftOn] = []
    unknown_since: dict[tuple[int, str], float] = {}
    for sample in samples:
        for number in sample.sounding:
            own = [e for e in episodes if e.camera_id == number and e.decided_at <= sample.at]
            last = max(own, key=lambda episode: _over_at(episode, deaths), default=None)
            over = _over_at(last, deaths) if last else 0.0
            allowed = _allowed_until(number, over, closed)
            if sample.at > allowed:
                since = unknown_since.setdefault((number, last.id if last else ""), sample.at)
                if (last is None or since > allowed + LONGEST_SECONDS) and any(
                    one.camera_id == number and abs(one.at - since) < UNWRITTEN_SECONDS
                    for one in lost
                ):
                    allowed = _allowed_until(number, since, closed)
            if sample.at > allowed:
                _note(found, number, sample.at, last)
    return found


def unsounded(
    episodes: Sequence[Episode],
    sounded_at: Mapping[int, Sequence[float]],
    deaths: Mapping[str, float],
    closed: Sequence[ControlClosed],
) -> list[Episode]:
    """Episodes that no siren was asked for, though its camera could be spoken to at first."""
    return [
        episode
        for episode in episodes
        if _over_at(episode, deaths) - episode.decided_at >= SOUNDED_SECONDS
        and not any(
            episode.decided_at <= at <= episode.decided_at + LONGEST_SECONDS
            for at in sounded_at.get(episode.camera_id, ())
        )
        and not any(
            fault.camera_id == episode.camera_id
            and fault.begins_at <= episode.decided_at + SOUNDED_SECONDS
            and fault.ends_at >= episode.decided_at
            for fault in closed
        )
    ]


def _over_at(episode: Episode, deaths: Mapping[str, float]) -> float:
    """When the siren of an episode was no longer wanted."""
    longest = episode.decided_at + LONGEST_SECONDS
    ended = longest if episode.ended_at is None else episode.ended_at
    if episode.status == "lost":
        ended += BLIND_GRACE_SECONDS
    return min(longest, ended, deaths.get(episode.id, longest))


def _allowed_until(number: int, over: float, closed: Sequence[ControlClosed]) -> float:
    allowed = over + SILENCED_SECONDS
    for fault in sorted(closed, key=lambda fault: fault.begins_at):
        if fault.camera_id == number and fault.begins_at <= allowed and fault.ends_at >= over:
            allowed = max(allowed, fault.ends_at + SILENCED_SECONDS)
    return allowed


def _note(found: list[LeftOn], number: int, at: float, last: Episode | None) -> None:
    """Lengthen the stretch that goes on, or begin a new one."""
    for index, known in enumerate(found):
        if known.camera_id == number and at - known.to_at < 3 * SAMPLE_SECONDS:
            found[index] = LeftOn(number, known.from_at, at, known.episode_id, known.ended_at)
            return
    found.append(LeftOn(number, at, at, last.id if last else "", last.ended_at if last else None))
