"""One camera under watch: reader, mailbox, scene and episode, from its lease to its release.

Runs inside the `watch` task. The reader has a thread of its own; everything else (answers, rules,
episodes, the lease) happens here, in one thread, so that the scene needs no lock.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import Error as DatabaseFault
from django.db import close_old_connections
from django.utils import timezone

from detection.analysis import SceneAnalysis
from detection.domain.episodes import CrimeConfirmed, EpisodeEnded, EpisodeOpened, EpisodeState
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.zones import Zone
from detection.models import CameraState
from detection.outbound import Outbound, SampledPicture
from detection.ports import EvidenceStore, FrameMailbox, FrameSource, Picture, TransportError
from detection.reader import RetryPolicy, StreamReader
from detection.recording import EpisodeRecorder
from detection.services import cameras, claims
from detection.services.claims import Lease, Overtaken, WatchCounters

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 0.5
# SIGTERM must have released every camera within 5 s, also one whose reader hangs.
READER_GOODBYE_SECONDS = 1.5


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
        reclaim: Callable[[], None],
        evidence: EvidenceStore,
        options: WatchOptions,
        stop: threading.Event,
    ) -> None:
        self._lease = lease
        self._camera_id = lease.camera_id
        self._scene = scene
        self._load_zones = load_zones
        self._reclaim = reclaim
        self._recorder = EpisodeRecorder(lease, evidence)
        self._options = options
        self._stop = stop
        self._outbound = Outbound(mailbox, self._camera_id, options.frame_max_age_seconds)
        self._reader = StreamReader(
            open_source, self._on_picture, options.retry, f"camera-{self._camera_id}"
        )
        self._letterbox: Letterbox | None = None
        self._sequence = 0
        self._counters = WatchCounters()
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
            self._recorder.record(event, self._scene.timeline)
        if any(isinstance(e, EpisodeOpened | CrimeConfirmed) for e in judgement.events):
            self._recorder.keep_snapshot(judgement, sampled, self._scene.zones)

    # --- upkeep -----------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._last_renewal = now - self._last_renewal, now
        self._next_tick = now + claims.RENEW_SECONDS
        close_old_connections()
        try:
            for event in self._scene.machine.lose_sight(timezone.now()):
                self._recorder.record(event, self._scene.timeline)
            self._renew(elapsed)
            if claims.was_taken_back(lease=self._lease):
                self._reclaim()
            self._recorder.write()
            self._follow_zones()
            if self._scene.machine.is_open:
                self._recorder.save_timeline(self._scene.timeline)
        except DatabaseFault as error:
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
            if self._scene.machine.is_open:
                lost = EpisodeEnded(timezone.now(), EpisodeState.LOST)
                self._recorder.record(lost, self._scene.timeline)
            self._recorder.close()
        except Overtaken:
            logger.info("camera %s: its episode belongs to the new watcher", self._camera_id)
