"""Doorbells of seeing: ids in, one call, nothing returned, safe to ring twice."""

import logging
import threading
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from celery import Celery, Task, current_app, shared_task
from celery.signals import worker_shutdown, worker_shutting_down
from celery.utils.nodenames import worker_direct
from django.conf import settings

from crimeops import canary
from crimeops.adapters import load
from crimeops.celery import instance_queue
from crimeops.patience import one_at_a_time
from crimeops.ringing import ring
from detection import inference
from detection.close_looking import CloseLooking
from detection.domain.pace import Governor
from detection.frame_judging import FrameJudging
from detection.ports import (
    CameraRegistry,
    CameraTaken,
    CloseLooker,
    Detector,
    DetectorError,
    FrameClassifier,
    RegistryError,
    TransportError,
)
from detection.services import (
    cameras,
    claims,
    clock,
    coverage,
    episodes,
    heartbeats,
    pulse,
    retention,
)
from detection.site_models import check_models, load_own_classifier, load_site_detector
from detection.tap import QUEUE, Tap, is_flooded
from detection.transport.live import LivePictures
from detection.transport.redis import RedisTransport

if TYPE_CHECKING:
    from detection.clip_desk import ClipDesk

logger = logging.getLogger(__name__)

# State of the process, named as such: one stop for all watch tasks, the tap, the loaded models and
# the connections to the mailbox and to who looks, the desk of clips. FLOODED: for whom rings were
# last left out.
STOP = threading.Event()
CLIPS_GOODBYE_SECONDS = 5.0
_loading = threading.Lock()  # a cache alone would load it once for each ring
GOVERNOR = Governor()
FLOODED: set[str] = set()


@worker_shutting_down.connect
def _stop_watching(**_: Any) -> None:
    STOP.set()


@worker_shutdown.connect
def _finish_clips(**_: Any) -> None:
    """The watches are over: what they filmed last need not wait for the next worker here."""
    if _clip_desk.cache_info().currsize and (desk := _clip_desk()) is not None:
        desk.settle(CLIPS_GOODBYE_SECONDS)


@cache
def _tap(app: Celery, hostname: str) -> Tap:
    return Tap(app, hostname, STOP)


@cache
def _transport() -> RedisTransport:
    return RedisTransport.connect(
        settings.ENVIRONMENT.redis_url, lambda: ring("detection.infer", expires=5)
    )


@cache
def _live_pictures() -> LivePictures:
    return LivePictures.connect(settings.ENVIRONMENT.redis_url)


@cache
def _clip_desk() -> "ClipDesk | None":
    from detection.clips import site_desk  # brings the decoder; only watchers pay for it

    return site_desk()


@cache
def _detector() -> Detector:
    return load_site_detector()


@cache
def _classifier() -> FrameClassifier | None:
    return load_own_classifier()


@cache
def _judging() -> FrameJudging | None:
    classifier = _classifier()
    return FrameJudging(classifier) if classifier else None


def _load_models() -> Detector:
    """Once; raises DetectorError each time where they mean nothing to the rules."""
    with _loading:
        detector, classifier = _detector(), _classifier()
    check_models(detector, classifier)
    return detector


@cache
def _close_looking() -> CloseLooking | None:
    environment = settings.ENVIRONMENT
    if not environment.fight_detection:
        return None

    def load() -> CloseLooker:
        from detection.detectors.fights import load_fight_classifier  # heavy: on first use

        return load_fight_classifier(environment.model_dir)

    return CloseLooking(load)


@shared_task(name="detection.infer")
def infer() -> None:
    """Drain the mailbox."""
    try:
        finished = _drain()
    except TransportError as error:
        logger.warning("frames cannot be taken or answered: %s", error)
        return  # whoever posts the next frame rings
    if not finished:
        ring("detection.infer", expires=5)


def _drain() -> bool:
    environment = settings.ENVIRONMENT
    try:
        detector = _load_models()
    except DetectorError as error:
        logger.error("no frame can be analysed: %s", error)
        inference.refuse_all(_transport(), refusal=str(error), batch_size=environment.batch_size)
        return True
    return inference.drain(
        _transport(),
        detector,
        GOVERNOR,
        batch_size=environment.batch_size,
        max_age_seconds=environment.frame_max_age,
        close=_close_looking(),
        judging=_judging(),
    )


@shared_task(name="detection.watch", bind=True)
def watch(self: "Task[[int], None]", camera_id: int) -> None:
    """Watch a camera until it or this worker stops. Acknowledged early, never redelivered."""
    from detection.watching import watch_camera  # brings the tracker; only watchers pay for it

    if STOP.is_set():
        return
    hostname = str(self.request.hostname)
    tap = _tap(self.app, hostname)
    has_room = watch_camera(
        camera_id=camera_id,
        instance=claims.instance_name(),
        worker=hostname,
        mailbox=_transport(),
        pictures=_live_pictures(),
        clips=_clip_desk(),
        stop=STOP,
        taken=tap.follow_room,
    )
    if STOP.is_set():
        return
    if has_room:
        tap.follow_room()
        return
    tap.shut()
    # Only now, or it would come back at once: there may be an instance with room for it.
    ring("detection.watch", camera_id, expires=claims.RING_EXPIRES_SECONDS)


@shared_task(name="detection.refresh_cameras")
@one_at_a_time
def refresh_cameras() -> None:
    """Ask each registry which cameras are free."""
    cameras.refresh_cameras(at=claims.database_now())
    reconcile()


@shared_task(name="detection.reconcile")
@one_at_a_time
def reconcile() -> None:
    """Ring a watcher for each camera that should be watched and is not."""
    coverage.follow_duties(at=claims.database_now())
    at = claims.database_now()
    interval = settings.ENVIRONMENT.camera_refresh_interval
    due = claims.cameras_to_ring(
        at=at, listed_within_seconds=2.5 * interval, lapsed_too=pulse.is_settled(at=at)
    )
    unsent = _ring_watchers(due)
    claims.forget_rings(unsent, at=at)


def _ring_watchers(due: list[claims.Ring]) -> list[claims.Ring]:
    """Returns those that were not sent: nobody takes them, or the broker is away."""
    unsent: list[claims.Ring] = []
    flooded: set[str] = set()
    for holder, rings in groupby(sorted(due, key=attrgetter("holder")), attrgetter("holder")):
        own = instance_queue(holder) if holder else None
        if is_flooded(current_app, own.name if own else QUEUE):
            flooded.add(holder)
            unsent += rings
            continue
        unsent += [
            camera
            for camera in rings
            if not ring(
                "detection.watch",
                camera.camera_id,
                expires=claims.RING_EXPIRES_SECONDS,
                queue=own,
            )
        ]
    for holder in flooded - FLOODED:
        logger.warning("nobody takes the rings for %s: not rung", holder or "free cameras")
    for holder in FLOODED - flooded:
        logger.info("rings for %s are taken again, or not needed", holder or "free cameras")
    FLOODED.clear()
    FLOODED.update(flooded)
    return unsent


@shared_task(name="detection.fan_out_heartbeat")
@one_at_a_time
def fan_out_heartbeat() -> None:
    """Have the workers that hold claims beat for their instance, from its own address."""
    for instance, worker in heartbeats.beating_workers(at=claims.database_now()):
        ring(
            "detection.send_heartbeat",
            instance,
            queue=worker_direct(worker),
            expires=settings.ENVIRONMENT.heartbeat_interval,
        )


@shared_task(name="detection.send_heartbeat")
def send_heartbeat(instance: str) -> None:
    """Name the cameras of this instance whose frames are fresh, if that is due."""
    environment = settings.ENVIRONMENT
    at = claims.database_now()
    fresh = heartbeats.fresh_cameras(
        instance=instance, at=at, stall_seconds=environment.stall_seconds
    )
    interval = environment.heartbeat_interval
    if not fresh or not heartbeats.take_beat(instance=instance, at=at, interval_seconds=interval):
        return
    for name, external_ids in fresh.items():
        registry: CameraRegistry = load("CAMERA_REGISTRIES", name)
        try:
            _beat(registry, name, external_ids, at)
        except RegistryError as error:
            heartbeats.note_missed_beat(instance=instance)
            logger.error("no heartbeat for %d cameras of “%s”: %s", len(external_ids), name, error)


def _beat(registry: CameraRegistry, name: str, external_ids: list[int], at: datetime) -> None:
    """One camera that is not ours must not cost the others their heartbeat."""
    try:
        registry.heartbeat(external_ids)
    except CameraTaken as error:
        if len(external_ids) > 1:
            for external_id in external_ids:
                _beat(registry, name, [external_id], at)
            return
        logger.warning("camera %d of “%s” is not ours: %s", external_ids[0], name, error)
        heartbeats.note_refused_camera(registry=name, external_id=external_ids[0], at=at)


@shared_task(name="detection.sing")
def sing() -> None:
    """The canary of the worker that runs this: it takes messages and has a slot for them."""
    canary.hear()
    clock.look_now_and_then()


@shared_task(name="detection.close_orphaned_episodes")
@one_at_a_time
def close_orphaned_episodes() -> None:
    """After the database was away the watchers come first: their leases lapsed with it."""
    at = claims.database_now()
    pulse.beat(at=at)
    if not pulse.is_settled(at=at):
        return
    closed = episodes.close_orphaned_episodes(at=at)
    if closed:
        logger.warning("%d episodes closed whose watcher was gone", closed)


@shared_task(name="detection.prune")
def prune() -> None:
    retention.prune(at=claims.database_now())
