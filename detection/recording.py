"""The books of one camera's episodes: siren first, then the database, then the picture.

What the database does not take now is held in memory, in order, and written when it is back.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import Error as DatabaseFault
from django.db import close_old_connections
from django.dispatch import Signal
from django.utils import timezone

from detection import signals
from detection.analysis import Judgement
from detection.domain.episodes import CrimeConfirmed, EpisodeEnded, EpisodeEvent, EpisodeOpened
from detection.domain.zones import Zone
from detection.evidence.snapshot import annotated_jpeg
from detection.models import Episode
from detection.outbound import SampledPicture
from detection.ports import EvidenceStore
from detection.services import episodes
from detection.services.claims import Lease

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

    def __init__(self, lease: Lease, evidence: EvidenceStore) -> None:
        self._lease = lease
        self._camera_id = lease.camera_id
        self._evidence = evidence
        self._episode_id: UUID | None = None
        self._step = 0
        self._unwritten: deque[_Unwritten] = deque()

    def record(self, event: EpisodeEvent, timeline: Timeline) -> None:
        """Ring or silence the siren at once, and write the step. Raises Overtaken."""
        decided_at = timezone.now()
        if isinstance(event, EpisodeOpened):
            self._episode_id, self._step = uuid4(), 0
            self._tell(signals.siren_wanted, self._episode_id, decided_at=decided_at)
        assert self._episode_id is not None  # no event comes before the opening
        self._step += 1
        self._unwritten.append(
            _Unwritten(self._episode_id, self._step, event, tuple(timeline), decided_at)
        )
        if isinstance(event, EpisodeEnded):
            self._tell(signals.siren_unwanted, self._episode_id)
        logger.info("camera %s: %s", self._camera_id, describe(event))
        self.write()

    def write(self) -> None:
        """Write what is held, in order, until the database refuses. Raises Overtaken."""
        while self._unwritten:
            step = self._unwritten[0]
            try:
                episodes.record_event(
                    lease=self._lease,
                    episode_id=step.episode_id,
                    step=step.step,
                    event=step.event,
                    timeline=step.timeline,
                    decided_at=step.decided_at,
                )
            except DatabaseFault as error:
                self._hold(error)
                return
            except Episode.DoesNotExist:
                logger.error(
                    "camera %s: “%s” belongs to an episode whose beginning was never written",
                    self._camera_id,
                    describe(step.event),
                )
            self._unwritten.popleft()

    def save_timeline(self, timeline: Timeline) -> None:
        """Keep the confidence so far of the open episode. Raises django.db.Error."""
        if self._episode_id is not None:
            episodes.save_timeline(episode_id=self._episode_id, timeline=timeline)

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
        try:
            name = self._evidence.save(f"episodes/{self._episode_id}/snapshot.jpg", jpeg)
            episodes.attach_snapshot(episode_id=self._episode_id, name=name)
        except (OSError, DatabaseFault) as error:
            logger.error("camera %s: the snapshot is not kept: %s", self._camera_id, error)

    def close(self) -> None:
        """Write what can still be written, and name what is lost with this watch."""
        self.write()
        if self._unwritten:
            logger.error(
                "camera %s: %d steps of an episode are lost with this watch: %s",
                self._camera_id,
                len(self._unwritten),
                "; ".join(describe(step.event) for step in self._unwritten),
            )

    def _hold(self, error: DatabaseFault) -> None:
        close_old_connections()
        if len(self._unwritten) > MOST_UNWRITTEN:
            lost = self._unwritten.popleft()
            logger.error(
                "camera %s: lost for want of memory: %s", self._camera_id, describe(lost.event)
            )
        logger.error(
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
