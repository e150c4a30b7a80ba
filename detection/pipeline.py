"""One camera under watch: reader, mailbox, scene and episode, from its lease to its release.

Runs inside the `watch` task. The reader has a thread of its own; everything else (answers, rules,
episodes, the lease) happens here, in one thread, so that the scene needs no lock.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.db import DatabaseError, close_old_connections
from django.dispatch import Signal
from django.utils import timezone

from detection import signals
from detection.analysis import Judgement, SceneAnalysis
from detection.domain.episodes import CrimeConfirmed, EpisodeEnded, EpisodeOpened, EpisodeState
from detection.domain.episodes import EpisodeEvent as DomainEvent
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.zones import Zone
from detection.evidence.snapshot import annotated_jpeg
from detection.models import CameraState
from detection.outbound import Outbound, SampledPicture
from detection.ports import EvidenceStore, FrameMailbox, FrameSource, Picture, TransportError
from detection.reader import RetryPolicy, StreamReader
from detection.services import cameras, claims, episodes
from detection.services.claims import Lease, Overtaken, WatchCounters

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 0.5
# SIGTERM must have released every camera within 5 s, also one whose reader hangs.
READER_GOODBYE_SECONDS = 1.5
MOST_UNWRITTEN = 200  # events held in memory while the database is away


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a camera is watched; times in seconds."""

    input_size: tuple[int, int]  # width, height of the detector's pixels
    frame_max_age_seconds: float = 1.0
    stall_seconds: float = 8.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a watch ended: `gave_up` where the camera could not be read."""

    gave_up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """A step of an episode that the database has not taken yet."""

    episode_id: UUID
    event: DomainEvent
    timeline: tuple[tuple[float, float], ...]
    decided_at: datetime


class CameraWatch:
    """Watches one camera until told to stop, overtaken, or the reader gives up."""

    def __init__(
        self,
        *,
        lease: Lease,
        open_source: Callable[[], FrameSource],
        mailbox: FrameMailbox,
        scene: SceneAnalysis,
        load_zones: Callable[[], Sequence[Zone]],
        evidence: EvidenceStore,
        options: WatchOptions,
        stop: threading.Event,
    ) -> None:
        self._lease = lease
        self._camera_id = lease.camera_id
        self._scene = scene
        self._load_zones = load_zones
        self._evidence = evidence
        self._options = options
        self._stop = stop
        self._outbound = Outbound(mailbox, self._camera_id, options.frame_max_age_seconds)
        self._reader = StreamReader(
            open_source, self._on_picture, options.retry, f"camera-{self._camera_id}"
        )
        self._letterbox: Letterbox | None = None
        self._sequence = 0
        self._counters = WatchCounters()
        self._episode_id: UUID | None = None
        self._unwritten: deque[_Unwritten] = deque(maxlen=MOST_UNWRITTEN)
        self._refusal = ""
        self._started_at = self._last_answer_at = time.monotonic()
        self._last_renewal, self._next_tick = self._started_at, 0.0
        self._decoded_before = 0
        self._analysed = False

    def run(self) -> Verdict:
        """Watch. Raises Overtaken where the lease was lost; the reader is stopped in any case."""
        self._publish(CameraState.STARTING)
        self._reader.start()
        try:
            while not self._stop.is_set() and not self._reader.status.gave_up:
                self._await_answer()
                if time.monotonic() >= self._next_tick:
                    self._tick()
            status = self._reader.status
            return Verdict(status.gave_up, f"{status.reason}: {status.message}")
        finally:
            self._wind_up()

    # --- frames (reader's thread) -----------------------------------------------------------

    def _on_picture(self, picture: Picture) -> None:
        if picture.pixels is None:
            return
        height, width = picture.pixels.shape[:2]
        if self._letterbox is None or self._letterbox.source_size != (width, height):
            self._letterbox = Letterbox((width, height), self._options.input_size)
        self._sequence += 1
        frame = Frame(
            self._camera_id,
            self._sequence,
            picture.captured_at,
            time.time(),
            self._letterbox.apply(picture.pixels),
        )
        self._outbound.offer(SampledPicture(frame, picture.pixels, self._letterbox))

    # --- answers ----------------------------------------------------------------------------

    def _await_answer(self) -> None:
        try:
            found = self._outbound.collect(COLLECT_SECONDS)
        except TransportError as error:
            self._refusal = str(error)
            self._stop.wait(COLLECT_SECONDS)
            return
        if found is None:
            return
        answer, sampled = found
        if answer.rows is None:
            self._refusal = answer.refusal
            self._outbound.skipped += 1
            return
        self._refusal, self._last_answer_at = "", time.monotonic()
        if not self._analysed:
            self._analysed, self._next_tick = True, 0.0  # say so with the next round
        self._counters.analysed += 1
        judgement = self._scene.judge(answer, sampled)
        for event in judgement.events:
            self._handle(event)
        if any(isinstance(e, EpisodeOpened | CrimeConfirmed) for e in judgement.events):
            self._keep_snapshot(judgement, sampled)

    def _handle(self, event: DomainEvent) -> None:
        """The siren first, then the books."""
        decided_at = timezone.now()
        if isinstance(event, EpisodeOpened):
            self._episode_id = uuid4()
            self._tell(signals.siren_wanted, self._episode_id, decided_at=decided_at)
        assert self._episode_id is not None  # no event comes before the opening
        self._unwritten.append(
            _Unwritten(self._episode_id, event, tuple(self._scene.timeline), decided_at)
        )
        if isinstance(event, EpisodeEnded):
            self._tell(signals.siren_unwanted, self._episode_id)
        logger.info("camera %s: %s", self._camera_id, describe(event))
        self._write_events()

    def _tell(self, signal: Signal, episode_id: UUID, **facts: object) -> None:
        """A listener in trouble must not end the watch."""
        answers = signal.send_robust(
            sender=CameraWatch, camera_id=self._camera_id, episode_id=episode_id, **facts
        )
        for listener, answer in answers:
            if isinstance(answer, Exception):
                logger.error("camera %s: %r failed", self._camera_id, listener, exc_info=answer)

    def _write_events(self) -> None:
        """Write in order; what the database does not take now is kept and written later."""
        while self._unwritten:
            step = self._unwritten[0]
            try:
                episodes.record_event(
                    lease=self._lease,
                    episode_id=step.episode_id,
                    event=step.event,
                    timeline=step.timeline,
                    decided_at=step.decided_at,
                )
            except DatabaseError as error:
                logger.error(
                    "camera %s: the database takes no episode (%s); %d steps held in memory",
                    self._camera_id,
                    type(error).__name__,
                    len(self._unwritten),
                )
                close_old_connections()
                return
            self._unwritten.popleft()

    def _keep_snapshot(self, judgement: Judgement, sampled: SampledPicture) -> None:
        assert self._episode_id is not None
        strongest = max(judgement.suspicions, key=lambda suspicion: suspicion.confidence)
        jpeg = annotated_jpeg(
            sampled.original,
            tracks=judgement.tracks,
            suspects=[i for s in judgement.suspicions for i in s.track_ids],
            zones=self._scene.zones,
            caption=f"{strongest.crime_type.replace('_', ' ')} {strongest.confidence:.0f} %",
            at=judgement.at,
        )
        try:
            name = self._evidence.save(f"episodes/{self._episode_id}/snapshot.jpg", jpeg)
            episodes.attach_snapshot(episode_id=self._episode_id, name=name)
        except (OSError, DatabaseError) as error:
            logger.error("camera %s: the snapshot is not kept: %s", self._camera_id, error)

    # --- upkeep -----------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._last_renewal = now - self._last_renewal, now
        self._next_tick = now + claims.RENEW_SECONDS
        close_old_connections()
        try:
            for event in self._scene.machine.lose_sight(timezone.now()):
                self._handle(event)
            self._renew(elapsed)
            self._write_events()
            self._follow_zones()
            if self._episode_id and self._scene.machine.is_open:
                episodes.save_timeline(episode_id=self._episode_id, timeline=self._scene.timeline)
        except DatabaseError as error:
            logger.error("camera %s: the database is away: %s", self._camera_id, error)

    def _renew(self, elapsed_seconds: float) -> None:
        status = self._reader.status
        decoded = status.decoded - self._decoded_before
        counters = WatchCounters(
            decoded,
            self._sequence - self._counters.sampled,
            self._counters.analysed,
            self._outbound.skipped,
        )
        claims.renew_lease(
            lease=self._lease,
            at=timezone.now(),
            last_frame_at=self._fresh_frame_at(),
            counters=counters,
            frames_per_second=round(decoded / elapsed_seconds, 1) if elapsed_seconds > 1 else 0.0,
        )
        self._decoded_before = status.decoded
        self._counters = WatchCounters(sampled=self._sequence)
        self._outbound.skipped = 0
        self._judge_camera()

    def _fresh_frame_at(self) -> datetime | None:
        """When, by this host's clock, the last frame was decoded."""
        last = self._reader.status.last_decoded_at
        if not last:
            return None
        return datetime.fromtimestamp(time.time() - (time.monotonic() - last), UTC)

    def _judge_camera(self) -> None:
        """The watchdog: a camera is what its frames say, not what a flag says."""
        status, now = self._reader.status, time.monotonic()
        if status.reason:
            self._publish(CameraState.ERROR, f"{status.reason}: {status.message}")
        elif not status.decoded:
            waited = now - self._started_at
            if waited > self._options.stall_seconds:
                self._publish(CameraState.ERROR, "no_video: no picture since it was opened")
        elif now - status.last_decoded_at > self._options.stall_seconds:
            self._publish(CameraState.ERROR, "stalled: the stream is open, but no frame comes")
            self._reader.reconnect()
        elif now - self._last_answer_at > self._options.stall_seconds:
            why = self._outbound.fault or self._refusal or "no gpu worker answers"
            self._publish(CameraState.ERROR, f"not_analysed: {why}")
        elif self._analysed:
            self._publish(CameraState.RUNNING)  # not before: a camera must not only seem watched

    def _publish(self, state: CameraState, reason: str = "") -> None:
        cameras.set_camera_state(camera_id=self._camera_id, state=state, reason=reason)

    def _follow_zones(self) -> None:
        zones = tuple(self._load_zones())
        if zones != self._scene.zones:
            logger.info("camera %s: watching %d zones from now on", self._camera_id, len(zones))
            self._scene.use_zones(zones)

    def _wind_up(self) -> None:
        if not self._reader.stop(READER_GOODBYE_SECONDS):
            logger.warning("camera %s: its reader hangs and is left behind", self._camera_id)
        try:
            if self._scene.machine.is_open and self._episode_id:
                self._handle(EpisodeEnded(timezone.now(), EpisodeState.LOST))
            self._write_events()
        except Overtaken:
            logger.info("camera %s: its episode belongs to the new watcher", self._camera_id)
        if self._unwritten:
            logger.error(
                "camera %s: %d steps of an episode are lost with this watch: %s",
                self._camera_id,
                len(self._unwritten),
                "; ".join(describe(step.event) for step in self._unwritten),
            )


def describe(event: DomainEvent) -> str:
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
