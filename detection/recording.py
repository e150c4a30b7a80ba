"""The books of one camera's episodes: siren first, then the database, then picture and tape.

What the database does not take now is held in memory, in order, and written when it is back.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from detection.clips import CameraClips
from detection.contained import Contained
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
from detection.keeping import EvidenceKeeper
from detection.models import Episode, EvidenceKind
from detection.outbound import SampledPicture
from detection.ports import EvidenceStore, Made
from detection.services import episodes
from detection.services.claims import Overtaken
from detection.services.holding import Holding
from detection.snapshots import PeakPictures

logger = logging.getLogger(__name__)

MOST_UNWRITTEN = 200  # steps held in memory while the database is away
RECORDING, PICTURE, CLIP = "recording", "picture", "clip"  # as they are named where they fail

Timeline = Sequence[tuple[float, float]]
Stages = Mapping[str, float]  # when the frame behind a step passed each, POSIX seconds


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """A step of an episode that the database has not taken yet."""

    episode_id: UUID
    step: int
    event: EpisodeEvent
    timeline: tuple[tuple[float, float], ...]
    decided_at: datetime
    stages: Stages


class EpisodeRecorder:
    """Turns the steps of a camera's episodes into sirens, rows and pictures."""

    def __init__(
        self,
        holding: Holding,
        evidence: EvidenceStore,
        written_by: Callable[[], None] | None = None,
        clips: CameraClips | None = None,
        contained: Contained | None = None,
    ) -> None:
        """`written_by` has `write` called soon, by another thread; without it, each step does.

        Without `clips` no video is kept. What fails of the evidence is noted at `contained`.
        """
        self._holding = holding
        self._written_by = written_by or self.write
        self._lock = Lock()  # of what is held in memory; never kept while anybody is waited for
        self._lease = lease = holding.lease
        self._camera_id = lease.camera_id
        self._contained = contained or Contained(self._camera_id)
        self._kept = EvidenceKeeper(lease, evidence)
        self._tape = Tape()
        self._clips = clips
        self._zones: Sequence[Zone] = ()
        self._pictures = PeakPictures(self._kept.hold, self._note_peak)
        self._episode_id: UUID | None = None
        self._step = 0
        self._unwritten: deque[_Unwritten] = deque()
        self._away = False

    def see(self, judgement: Judgement) -> None:
        """Keep what the rules saw and said, before its events are recorded."""
        self._contained.attempt(RECORDING, self._tape.see, judgement.moment, judgement.by_rule)
        self.look_after(judgement.at)

    def picture(self, judgement: Judgement, sampled: SampledPicture) -> None:
        """The picture in which that was seen, after its events are recorded."""
        self._contained.attempt(PICTURE, self._picture, judgement, sampled)

    def _picture(self, judgement: Judgement, sampled: SampledPicture) -> None:
        if self._pictures.see(judgement, sampled, self._zones):
            self._written_by()

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Draw these into pictures from now on; what is private is hidden at once."""
        self._zones = zones
        if self._clips is not None:
            self._contained.attempt(CLIP, self._clips.mask, zones)

    def look_after(self, now: datetime) -> None:
        """Keep the recordings whose post-roll has ended."""
        self._contained.attempt(RECORDING, self._keep_recordings, self._tape.done, now)

    def record(self, event: EpisodeEvent, timeline: Timeline, stages: Stages | None = None) -> None:
        """Ring or silence the siren at once, and hold the step for writing. Raises Overtaken."""
        self._holding.make_sure()  # a worker that was paused must not sound another's siren
        decided_at = timezone.now()
        if isinstance(event, EpisodeOpened):
            self._episode_id, self._step = uuid4(), 0
            self._tell(signals.siren_wanted, self._episode_id, decided_at=decided_at)
            self._begin_evidence(self._episode_id, event)
        assert self._episode_id is not None  # no event comes before the opening
        self._step += 1
        told = {**stages, "decided": decided_at.timestamp()} if stages else {}
        self._keep(
            _Unwritten(self._episode_id, self._step, event, tuple(timeline), decided_at, told)
        )
        if isinstance(event, EpisodeEnded):
            self._tell(signals.siren_unwanted, self._episode_id)
            self._end_evidence(event)
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

    def _begin_evidence(self, episode_id: UUID, event: EpisodeOpened) -> None:
        attempt = self._contained.attempt
        attempt(RECORDING, self._tape.begin, episode_id)
        attempt(PICTURE, self._pictures.begin, episode_id)
        if self._clips is not None:
            begin = self._clips.begin
            attempt(CLIP, begin, episode_id, started_at=event.started_at, zones=self._zones)

    def _end_evidence(self, event: EpisodeEnded) -> None:
        attempt = self._contained.attempt
        attempt(RECORDING, self._tape.end, event.at)
        attempt(PICTURE, self._pictures.end)
        if self._clips is not None:
            attempt(CLIP, self._clips.end, event.at)

    def _note_peak(self, at: datetime) -> None:
        if self._clips is not None:
            self._clips.note_peak(at)

    def _keep_recordings(
        self, which: Callable[..., list[tuple[UUID, Footage]]], *now: datetime
    ) -> None:
        for episode_id, footage in which(*now):
            # Packed by whoever writes: this thread has frames to judge.
            self._kept.hold(episode_id, EvidenceKind.RECORDING, partial(_packed, footage))
            self._written_by()

    def end_evidence(self) -> None:
        """No more frames come: what they showed is what is kept."""
        self._contained.attempt(RECORDING, self._keep_recordings, self._tape.close)
        if self._clips is not None:
            self._contained.attempt(CLIP, self._clips.close)

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
                    stages=step.stages,
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


def _packed(footage: Footage) -> Made:
    return Made(recordings.write(footage.rows, is_late=footage.is_late, is_cut=footage.is_cut))


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
