"""The books of one camera's episodes: siren first, then the database, then picture and tape.

What the database does not take now is held in memory, in order, and written when it is back.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Lock
from uuid import UUID, uuid4

from django.db import DataError, IntegrityError, close_old_connections
from django.db import Error as DatabaseFault
from django.dispatch import Signal
from django.utils import timezone

from detection import signals
from detection.analysis import Judgement
from detection.domain import recordings
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
)
from detection.domain.tape import Footage, Tape
from detection.domain.zones import Zone
from detection.evidence.snapshot import annotated_jpeg
from detection.keeping import EvidenceKeeper
from detection.models import Episode
from detection.outbound import SampledPicture
from detection.ports import EvidenceStore
from detection.services import episodes
from detection.services.claims import Overtaken
from detection.services.holding import Holding

logger = logging.getLogger(__name__)

MOST_UNWRITTEN = 200  # steps held in memory while the database is away

Timeline = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """A step of an episode that the database has not taken yet."""

    episode_id: UUID
    step: int
    event: EpisodeEvent
    timeline: tuple[tuple[float, float], ...]
    decided_at: datetime


class EpisodeRecorder:
    """Turns the steps of a camera's episodes into sirens, rows and pictures."""

    def __init__(
        self,
        holding: Holding,
        evidence: EvidenceStore,
        written_by: Callable[[], None] | None = None,
    ) -> None:
        """`written_by` has `write` called soon, by another thread; without it, each step does."""
        self._holding = holding
        self._written_by = written_by or self.write
        self._lock = Lock()  # of what is held in memory; never kept while anybody is waited for
        self._lease = lease = holding.lease
        self._camera_id = lease.camera_id
        self._kept = EvidenceKeeper(lease, evidence)
        self._tape = Tape()
        self._episode_id: UUID | None = None
        self._step = 0
        self._unwritten: deque[_Unwritten] = deque()
        self._away = False

    def see(self, judgement: Judgement) -> None:
        """Keep what the rules saw and said, before its events are recorded."""
        self._tape.see(judgement.moment, judgement.by_rule)

    def record(self, event: EpisodeEvent, timeline: Timeline) -> None:
        """Ring or silence the siren at once, and hold the step for writing. Raises Overtaken."""
        self._holding.make_sure()  # a worker that was paused must not sound another's siren
        decided_at = timezone.now()
        if isinstance(event, EpisodeOpened):
            self._episode_id, self._step = uuid4(), 0
            self._tell(signals.siren_wanted, self._episode_id, decided_at=decided_at)
            self._tape.begin()
        assert self._episode_id is not None  # no event comes before the opening
        self._step += 1
        self._keep(_Unwritten(self._episode_id, self._step, event, tuple(timeline), decided_at))
        if isinstance(event, EpisodeEnded):
            self._tell(signals.siren_unwanted, self._episode_id)
            self._keep_recording(self._episode_id)
        logger.info("camera %s: %s", self._camera_id, describe(event))
        self._written_by()

    def write(self) -> None:
        """Write what is held, in order, until the database refuses. Raises Overtaken."""
        try:
            self._write_steps()
            self._kept.save()  # after the steps: reports wait for those, and for no disk
            self._kept.attach()
        except DatabaseFault as error:
            self._kept.save()
            self._note_away(error)
        except Overtaken:
            self._give_up("belong to a lease that was lost")
            raise
        else:
            if self._away:
                logger.warning("camera %s: what was held is written", self._camera_id)
            self._away = False

    def save_timeline(self, timeline: Timeline) -> None:
        """Keep the confidence so far of the open episode. Raises django.db.Error."""
        if self._episode_id is not None:
            episodes.save_timeline(
                lease=self._lease, episode_id=self._episode_id, timeline=timeline
            )

    def keep_snapshot(
        self, judgement: Judgement, sampled: SampledPicture, zones: Sequence[Zone]
    ) -> None:
        """Keep the annotated picture of this moment; a full disk stops no episode."""
        assert self._episode_id is not None  # asked for at an opening or a confirmation
        strongest = max(judgement.suspicions, key=lambda suspicion: suspicion.confidence)
        jpeg = annotated_jpeg(
            sampled.original,
            tracks=judgement.tracks,
            suspects=[i for s in judgement.suspicions for i in s.track_ids],
            zones=zones,
            caption=f"{strongest.crime_type.replace('_', ' ')} {strongest.confidence:.0f} %",
            at=judgement.at,
        )
        self._kept.hold(self._episode_id, "snapshot", lambda: jpeg)
        self._written_by()

    def _keep_recording(self, episode_id: UUID) -> None:
        if (footage := self._tape.end()) is not None:
            # Packed by whoever writes: this thread has frames to judge.
            self._kept.hold(episode_id, "recording", partial(_packed, footage))

    def close(self) -> None:
        """Write what can still be written, and name what is lost with this watch."""
        self.write()
        self._give_up("are lost with this watch")

    def name_unwritten(self) -> None:
        """Say what may be lost: whoever writes it hangs, and nobody waits for it any longer."""
        with self._lock:
            waiting = list(self._unwritten)
        if waiting:
            self._name_lost("wait for the database and may be lost with this watch", waiting)

    def _write_steps(self) -> None:
        while (step := self._first()) is not None:
            try:
                episodes.record_event(
                    lease=self._lease,
                    episode_id=step.episode_id,
                    step=step.step,
                    event=step.event,
                    timeline=step.timeline,
                    decided_at=step.decided_at,
                )
            except Episode.DoesNotExist:
                logger.error(
                    "camera %s: “%s” belongs to an episode whose beginning was never written",
                    self._camera_id,
                    describe(step.event),
                )
            except (DataError, IntegrityError) as error:
                logger.error("camera %s: a step cannot be written: %s", self._camera_id, error)
                self._name_lost("are refused by the database", [step])
            self._drop(step)

    def _first(self) -> _Unwritten | None:
        with self._lock:
            return self._unwritten[0] if self._unwritten else None

    def _drop(self, step: _Unwritten) -> None:
        """It is written, or never will be. Its timeline may have been given up meanwhile."""
        with self._lock:
            first = self._unwritten[0] if self._unwritten else None
            if first and (first.episode_id, first.step) == (step.episode_id, step.step):
                self._unwritten.popleft()

    def _keep(self, step: _Unwritten) -> None:
        """Hold a step, within bounds: of an episode's timelines the newest holds the others."""
        with self._lock:
            last = self._unwritten[-1] if self._unwritten else None
            if last is not None and last.episode_id == step.episode_id:
                self._unwritten[-1] = replace(last, timeline=())
            self._unwritten.append(step)
            if len(self._unwritten) > MOST_UNWRITTEN:
                self._make_room()

    def _make_room(self) -> None:
        """An episode is told without its changes of confidence, but not without its opening."""
        for index, step in enumerate(self._unwritten):
            if isinstance(step.event, ConfidenceChanged):
                del self._unwritten[index]
                return
        oldest = self._unwritten[0].episode_id
        lost = [step for step in self._unwritten if step.episode_id == oldest]
        self._unwritten = deque(step for step in self._unwritten if step.episode_id != oldest)
        self._kept.forget(oldest)
        self._name_lost("are lost for want of memory", lost)

    def _give_up(self, why: str) -> None:
        with self._lock:
            lost, self._unwritten = list(self._unwritten), deque()
        self._kept.forget_all()
        if lost:
            self._name_lost(why, lost)

    def _name_lost(self, why: str, lost: Sequence[_Unwritten]) -> None:
        steps = "; ".join(f"{step.decided_at:%H:%M:%S} {describe(step.event)}" for step in lost)
        logger.error("camera %s: %d steps %s: %s", self._camera_id, len(lost), why, steps)

    def _note_away(self, error: DatabaseFault) -> None:
        close_old_connections()
        level = logging.DEBUG if self._away else logging.ERROR
        self._away = True
        logger.log(
            level,
            "camera %s: the database takes no episode (%s); %d steps held in memory",
            self._camera_id,
            type(error).__name__,
            len(self._unwritten),
        )

    def _tell(self, signal: Signal, episode_id: UUID, **facts: object) -> None:
        """A listener in trouble must not end the watch; Django logs what it raised."""
        signal.send_robust(
            sender=EpisodeRecorder, camera_id=self._camera_id, episode_id=episode_id, **facts
        )


def _packed(footage: Footage) -> bytes:
    return recordings.write(footage.rows, is_late=footage.is_late, is_cut=footage.is_cut)


def describe(event: EpisodeEvent) -> str:
    """One line of the log for a step of an episode."""
    match event:
        case EpisodeOpened():
            return f"suspicious: {event.crime_type} {event.confidence:.0f} % ({event.reason})"
        case CrimeConfirmed():
            return f"CRIME: {event.crime_type} {event.confidence:.0f} % ({event.reason})"
        case EpisodeEnded():
            return f"episode {event.outcome}"
        case _:
            return f"confidence {event.confidence:.0f} %"
