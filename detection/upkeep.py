"""The upkeep of one watch, beside it: lease, state, books, setup.

It alone waits for the database. The watch must not: a database that is slow, locked or silent would
blind the camera, and no siren would sound.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection
from django.utils import timezone

from detection import signals
from detection.contained import Contained
from detection.domain.pace import Rate, is_overloaded
from detection.domain.track_log import TrackLog
from detection.models import CameraState
from detection.recording import EpisodeRecorder, Timeline
from detection.rules.setup import CameraSetup
from detection.services import cameras, claims, health, track_logs
from detection.services.claims import NotWanted, Overtaken, WatchCounters
from detection.services.coverage import WatchLog
from detection.services.holding import Holding
from detection.watchdog import Finding

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What a watch has counted since its beginning, and how it stands."""

    decoded: int
    sampled: int
    analysed: int
    frame_age_seconds: float | None
    answered_at: float  # monotonic seconds
    is_analysed: bool


class Upkeep:
    """A thread that renews the lease every two seconds and writes what the watch hands over."""

    def __init__(
        self,
        *,
        holding: Holding,
        recorder: EpisodeRecorder,
        read_gauges: Callable[[], Gauges],
        take_skipped: Callable[[], int],
        load_setup: Callable[[], CameraSetup],
        reclaim: Callable[[], None],
        setup: CameraSetup,
        track_log: TrackLog | None = None,
        contained: Contained | None = None,
    ) -> None:
        self._holding = holding
        self._lease = holding.lease
        self._camera_id = holding.lease.camera_id
        self._recorder = recorder
        self._read_gauges = read_gauges
        self._take_skipped = take_skipped
        self._load_setup = load_setup
        self._reclaim = reclaim
        self._track_log = track_log
        self._contained = contained or Contained(self._camera_id)
        self.setup = setup  # the newest; the watch uses them from its next frame on
        self.timeline: Timeline = ()  # of the open episode, as the watch last set it
        self._finding: Finding | None = None
        self._shown: Finding | None = None
        self._before = read_gauges()
        self._renewed_at, self._next_tick = time.monotonic(), 0.0
        self._wanted_rate, self._analysed_rate = Rate(), Rate()
        self._overloaded = False
        self._watch_log = WatchLog(self._lease)
        self._wake, self._over = threading.Event(), threading.Event()
        self._ended_by: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"upkeep-{self._camera_id}", daemon=True
        )

    # --- the watch's side -------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def show(self, finding: Finding) -> None:
        """What the camera is judged to be now; a change is published at once."""
        changed, self._finding = finding != self._finding, finding
        if changed:
            self.soon()

    def soon(self) -> None:
        """Write what is new, without waiting for it."""
        self._wake.set()

    def check(self) -> None:
        """Raises Overtaken or NotWanted where the upkeep has learnt that the watch is over."""
        if self._ended_by is not None:
            raise self._ended_by

    def close(self, seconds: float) -> bool:
        """Have everything written and end; False where the database kept it for too long."""
        self._over.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    # --- its own thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._attempt(partial(self._publish, CameraState.STARTING))
            while not self._over.is_set():
                try:
                    self._turn()
                except NotWanted as reason:  # the watch ends, and its last words are still written
                    self._ended_by = reason
                self._wake.wait(max(0.0, self._next_tick - time.monotonic()))
                self._wake.clear()
            self._recorder.close()
            self._keep_tracks()
        except Exception as error:
            if not isinstance(error, Overtaken):
                logger.exception("camera %s: its upkeep failed", self._camera_id)
            self._ended_by = error
        finally:
            connection.close()

    def _turn(self) -> None:
        close_old_connections()
        self._recorder.write()
        if time.monotonic() >= self._next_tick:
            self._attempt(self._tick)
            self._next_tick = time.monotonic() + claims.RENEW_SECONDS
        elif self._finding != self._shown:
            self._attempt(self._show)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except DatabaseFault as error:
            logger.error("camera %s: the database is away: %s", self._camera_id, error)

    def _tick(self) -> None:
        self._renew()
        self._show()
        if claims.was_taken_back(lease=self._lease):
            self._reclaim()
        self._follow_setup()
        signals.watch_renewed.send_robust(sender=Upkeep, camera_id=self._camera_id)
        if self.timeline:
            self._recorder.save_timeline(self.timeline)
        self._keep_tracks()
        self._contained.tell()

    def _keep_tracks(self) -> None:
        if (log := self._track_log) is not None:
            keep = track_logs.keep_pages
            self._contained.attempt("log of tracks", keep, camera_id=self._camera_id, log=log)

    def _renew(self) -> None:
        now, gauges, before = time.monotonic(), self._read_gauges(), self._before
        seconds = now - self._renewed_at
        decoded = gauges.decoded - before.decoded
        sampled, analysed = gauges.sampled - before.sampled, gauges.analysed - before.analysed
        if gauges.is_analysed and seconds >= 1:
            self._judge_load(sampled, analysed, seconds)
        counters = WatchCounters(
            decoded,
            sampled,
            analysed,
            self._take_skipped(),
            self._wanted_rate.per_second,
            self._analysed_rate.per_second,
        )
        self._holding.renew(
            frame_age_seconds=gauges.frame_age_seconds,
            counters=counters,
            frames_per_second=round(decoded / seconds, 1) if seconds > 1 else 0.0,
        )
        self._renewed_at, self._before = now, gauges

    def _judge_load(self, sampled: int, analysed: int, seconds: float) -> None:
        """How much of what was wanted was analysed; said when it changes."""
        self._wanted_rate.note(sampled, seconds)
        self._analysed_rate.note(analysed, seconds)
        wanted, got = self._wanted_rate.per_second, self._analysed_rate.per_second
        overloaded = is_overloaded(wanted=wanted, analysed=got)
        if overloaded != self._overloaded:
            self._overloaded = overloaded
            logger.warning(
                "camera %s: %s: analysed %.1f of %.1f frames/s",
                self._camera_id,
                "overloaded" if overloaded else "no longer overloaded",
                got,
                wanted,
            )

    def _show(self) -> None:
        """Publish the camera's state, its health and how long it was really watched."""
        finding = self._finding
        if finding is None or finding.state is None:
            return
        self._publish(finding.state, finding.reason)
        since = _wall_time(finding.since) if finding.trouble else None
        if finding.watched:
            self._watch_log.watched(until=_wall_time(self._read_gauges().answered_at))
        else:
            self._watch_log.blind(since=since)
        if self._shown is None or self._shown.trouble != finding.trouble:
            now = timezone.now()
            health.note_health(
                lease=self._lease,
                kind=finding.trouble,
                began_at=since or now,
                detail=finding.reason,
                at=now,
            )
        self._shown = finding

    def _publish(self, state: CameraState, reason: str = "") -> None:
        cameras.set_camera_state(lease=self._lease, state=state, reason=reason)

    def _follow_setup(self) -> None:
        setup = self._load_setup()
        if setup != self.setup:
            logger.info("camera %s: its zones, settings or hours changed", self._camera_id)
            self.setup = setup


def _wall_time(monotonic: float) -> datetime:
    return datetime.fromtimestamp(time.time() - (time.monotonic() - monotonic), UTC)
