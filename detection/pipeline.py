"""One camera under watch: reader, mailbox, scene and episode, from its lease to its release.

Runs inside the `watch` task. The reader and the upkeep have threads of their own; frames are judged
here, in one thread, which waits for neither the camera nor the database.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from detection.analysis import Judgement, SceneAnalysis
from detection.clips import CameraClips
from detection.contained import Contained
from detection.domain.episodes import EpisodeEnded, EpisodeState
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.track_log import TrackLog
from detection.outbound import Outbound, SampledPicture
from detection.ports import EvidenceStore, FrameMailbox, FrameSource, Picture, TransportError
from detection.reader import RetryPolicy, StreamReader
from detection.recording import EpisodeRecorder, Timeline
from detection.rules.setup import CameraSetup
from detection.services.claims import Overtaken
from detection.services.holding import Holding
from detection.showing import Showing, Sight
from detection.upkeep import Gauges, Upkeep
from detection.watchdog import Finding, Watchdog

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 0.5
# SIGTERM must have released every camera within 5 s, also one whose reader hangs.
READER_GOODBYE_SECONDS = 1.5
BOOKS_GOODBYE_SECONDS = 1.0
LIVE, TRACKS = "live picture", "log of tracks"  # as they are named where they fail


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
        holding: Holding,
        open_source: Callable[[], FrameSource],
        mailbox: FrameMailbox,
        scene: SceneAnalysis,
        load_setup: Callable[[], CameraSetup],
        reclaim: Callable[[], None],
        evidence: EvidenceStore,
        clips: CameraClips | None = None,
        showing: Showing,
        options: WatchOptions,
        stop: threading.Event,
        track_log: TrackLog | None = None,
    ) -> None:
        lease = holding.lease
        self._camera_id = lease.camera_id
        self._scene = scene
        self._contained = Contained(self._camera_id)
        self._recorder = EpisodeRecorder(
            holding, evidence, lambda: self._upkeep.soon(), clips, self._contained
        )
        self._recorder.use_zones(scene.setup.zones)
        self._options = options
        self._stop = stop
        self._showing = showing
        self._outbound = Outbound(
            mailbox, self._camera_id, options.frame_max_age_seconds, scene.next_close_up
        )
        self._reader = StreamReader(
            open_source, self._on_picture, options.retry, f"camera-{self._camera_id}"
        )
        self._letterbox: Letterbox | None = None
        # Answers to a watcher that was overtaken must not pass for answers to this one.
        self._sequence = lease.token << 32
        self._analysed = 0
        self._refusal = ""
        self._watchdog = Watchdog(self._reader.status, options.stall_seconds)
        self._reconnected = 0  # the connection that was last broken for want of frames
        self._upkeep = Upkeep(
            holding=holding,
            recorder=self._recorder,
            read_gauges=self._gauges,
            take_skipped=self._outbound.take_skipped,
            load_setup=load_setup,
            reclaim=reclaim,
            setup=scene.setup,
            track_log=track_log,
            contained=self._contained,
        )
        self._track_log = track_log

    def run(self) -> Verdict:
        """Watch until told to stop, or the reader gives up; the reader is stopped in any case.

        Raises:
            Overtaken: the lease was lost.
            NotWanted: the camera is disabled, or its registry gave it to another instance.
        """
        try:
            self._upkeep.start()
            self._reader.start()
            self._contained.attempt(LIVE, self._showing.start)
            while not self._stop.is_set() and not self._reader.status.gave_up:
                self._upkeep.check()
                self._follow_setup()
                self._await_answer()
                for event in self._scene.machine.lose_sight(timezone.now()):
                    self._recorder.record(event, self._scene.timeline)
                self._recorder.look_after(timezone.now())
                self._upkeep.timeline = self._open_timeline()
                self._upkeep.show(self._find())
            status = self._reader.status
            return Verdict(status.gave_up, f"{status.reason}: {status.message}")
        finally:
            self._wind_up()

    # --- frames (reader's thread) -----------------------------------------------------------

    def _on_picture(self, picture: Picture) -> None:
        if picture.pixels is None:
            return
        self._watchdog.see(picture.pixels)
        self._contained.attempt(LIVE, self._showing.see, picture.pixels, picture.captured_at)
        self._sequence += 1
        if not self._outbound.wants():
            return
        height, width = picture.pixels.shape[:2]
        if self._letterbox is None or self._letterbox.source_size != (width, height):
            self._letterbox = Letterbox((width, height), self._options.input_size)
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
            self._outbound.note_skipped()
            return
        self._refusal = ""
        stages = _stages(sampled)
        self._watchdog.answered()
        self._analysed += 1
        judgement = self._scene.judge(answer, sampled)
        if self._track_log is not None:
            self._contained.attempt(TRACKS, self._track_log.see, judgement.moment)
        self._recorder.see(judgement)
        for event in judgement.events:
            self._recorder.record(event, self._scene.timeline, stages)
        self._recorder.picture(judgement, sampled)
        self._contained.attempt(LIVE, self._show, judgement, sampled)

    def _show(self, judgement: Judgement, sampled: SampledPicture) -> None:
        self._showing.judged(_sight(judgement, sampled))

    # --- judgement --------------------------------------------------------------------------

    def _find(self) -> Finding:
        """Judge the camera; a stream without frames is opened anew, each connection once."""
        finding = self._watchdog.find(
            self._outbound.fault or self._refusal or "no gpu worker answers"
        )
        connection = self._reader.status.connections
        if finding.is_stalled and connection != self._reconnected:
            self._reconnected = connection
            self._reader.reconnect()
        return finding

    def _follow_setup(self) -> None:
        if self._upkeep.setup is not self._scene.setup:
            self._scene.use_setup(self._upkeep.setup)
            self._recorder.use_zones(self._scene.setup.zones)

    def _open_timeline(self) -> Timeline:
        return tuple(self._scene.timeline) if self._scene.machine.is_open else ()

    def _gauges(self) -> Gauges:
        status = self._reader.status
        last = status.last_decoded_at
        return Gauges(
            decoded=status.decoded,
            sampled=self._sequence,
            analysed=self._analysed,
            frame_age_seconds=time.monotonic() - last if last else None,
            answered_at=self._watchdog.last_answer_at,
            is_analysed=self._watchdog.analysed,
        )

    def _wind_up(self) -> None:
        """Whatever fails: an upkeep that goes on would renew the lease of a camera left blind."""
        try:
            self._say_goodbye()
        finally:
            if not self._upkeep.close(BOOKS_GOODBYE_SECONDS):
                self._recorder.name_unwritten()

    def _say_goodbye(self) -> None:
        # It may wait for Redis while the reader is waited for.
        self._contained.attempt(LIVE, self._showing.end)
        if not self._reader.stop(READER_GOODBYE_SECONDS):
            logger.warning("camera %s: its reader hangs and is left behind", self._camera_id)
        try:
            if self._scene.machine.is_open:
                lost = EpisodeEnded(timezone.now(), EpisodeState.LOST)
                self._recorder.record(lost, self._scene.timeline)
        except Overtaken:
            logger.info("camera %s: its episode belongs to the new watcher", self._camera_id)
        if self._track_log is not None:
            self._contained.attempt(TRACKS, self._track_log.end)
        self._recorder.end_evidence()
        self._contained.attempt(LIVE, self._showing.close)


def _stages(sampled: SampledPicture) -> dict[str, float]:
    """When this frame, answered just now, passed each stage; see EpisodeEvent."""
    return {
        "captured": sampled.frame.captured_at.timestamp(),
        "decoded": sampled.frame.received_at,
        "posted": sampled.posted_at,
        "inferred": time.time(),
    }


def _sight(judgement: Judgement, sampled: SampledPicture) -> Sight:
    frame = sampled.frame
    suspects = frozenset(i for suspicion in judgement.suspicions for i in suspicion.track_ids)
    return Sight(sampled.original, frame.captured_at, frame.received_at, judgement.tracks, suspects)
