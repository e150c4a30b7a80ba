"""Doorbells of seeing: ids in, one call, nothing returned, safe to ring twice."""

import logging
import threading
from functools import cache
from typing import Any

from celery import Celery, Task, shared_task
from celery.signals import worker_shutting_down
from celery.utils.nodenames import worker_direct
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from crimeops.adapters import load
from crimeops.ringing import ring
from detection import inference
from detection.ports import CameraRegistry, Detector, DetectorError, RegistryError
from detection.services import cameras, claims, episodes
from detection.transport.redis import RedisTransport

logger = logging.getLogger(__name__)

# State of the process, named as such: one stop for all watch tasks, the loaded model and the
# connection to the mailbox.
STOP = threading.Event()
_loading = threading.Lock()  # a cache alone would load it once for each ring


# A full worker may have got room without noticing: another process of its instance gave it up.
LOOK_AGAIN_SECONDS = 20.0


@worker_shutting_down.connect
def _stop_watching(**_: Any) -> None:
    STOP.set()


@cache
def _transport() -> RedisTransport:
    return RedisTransport.connect(
        settings.ENVIRONMENT.redis_url, lambda: ring("detection.infer", expires=5)
    )


@cache
def _detector() -> Detector:
    from detection.detectors.factory import DetectorOptions, load_detector  # heavy: on first use
    from detection.watching import MODEL_INPUT_SIZE

    environment = settings.ENVIRONMENT
    return load_detector(
        DetectorOptions(
            weights=environment.model_weights,
            runtime=environment.detector_runtime,
            folder=environment.model_dir,
            input_size=MODEL_INPUT_SIZE,
        )
    )


@shared_task(name="detection.infer")
def infer() -> None:
    """Drain the mailbox."""
    environment = settings.ENVIRONMENT
    try:
        with _loading:
            detector = _detector()
    except DetectorError as error:
        logger.error("no frame can be analysed: %s", error)
        inference.refuse_all(_transport(), refusal=str(error), batch_size=environment.batch_size)
        return
    finished = inference.drain(
        _transport(),
        detector,
        batch_size=environment.batch_size,
        max_age_seconds=environment.frame_max_age,
    )
    if not finished:
        ring("detection.infer", expires=5)


@shared_task(name="detection.watch", bind=True)
def watch(self: "Task[[int], None]", camera_id: int) -> None:
    """Watch a camera until it or this worker stops. Acknowledged early, never redelivered."""
    from detection.watching import watch_camera  # brings the tracker; only watchers pay for it

    if STOP.is_set():
        return
    hostname = str(self.request.hostname)
    has_room = watch_camera(
        camera_id=camera_id,
        instance=claims.instance_name(),
        worker=hostname,
        mailbox=_transport(),
        stop=STOP,
    )
    if not STOP.is_set():
        _turn_tap(self.app, hostname, opened=has_room)


def _turn_tap(app: Celery, hostname: str, *, opened: bool) -> None:
    """A full instance takes no `streams` messages away from an idle one, and looks again later."""
    if opened:
        app.control.add_consumer("streams", destination=[hostname])
        return
    app.control.cancel_consumer("streams", destination=[hostname])
    threading.Thread(target=_open_tap_later, args=(app, hostname), daemon=True).start()


def _open_tap_later(app: Celery, hostname: str) -> None:
    """Not once but until the broker took it: a worker must not stay deaf."""
    while not STOP.wait(LOOK_AGAIN_SECONDS):
        try:
            app.control.add_consumer("streams", destination=[hostname])
        except OperationalError as error:
            logger.warning("the tap of %s cannot be opened yet: %s", hostname, error)
        else:
            return


@shared_task(name="detection.refresh_cameras")
def refresh_cameras() -> None:
    """Ask each registry which cameras are free."""
    cameras.refresh_cameras(at=timezone.now())
    reconcile()


@shared_task(name="detection.reconcile")
def reconcile() -> None:
    """Ring a watcher for each camera that should be watched and is not."""
    interval = settings.ENVIRONMENT.camera_refresh_interval
    for camera_id in claims.cameras_to_ring(
        at=timezone.now(), listed_within_seconds=2.5 * interval
    ):
        ring("detection.watch", camera_id, expires=claims.RING_EXPIRES_SECONDS)


@shared_task(name="detection.fan_out_heartbeat")
def fan_out_heartbeat() -> None:
    """Have each worker that holds claims beat for its instance, from its own address."""
    for instance, worker in claims.beating_workers(at=timezone.now()):
        ring(
            "detection.send_heartbeat",
            instance,
            queue=worker_direct(worker),
            expires=settings.ENVIRONMENT.heartbeat_interval,
        )


@shared_task(name="detection.send_heartbeat")
def send_heartbeat(instance: str) -> None:
    """Name the cameras of this instance whose frames are fresh."""
    stall = settings.ENVIRONMENT.stall_seconds
    fresh = claims.fresh_cameras(instance=instance, at=timezone.now(), stall_seconds=stall)
    for name, external_ids in fresh.items():
        registry: CameraRegistry = load("CAMERA_REGISTRIES", name)
        try:
            registry.heartbeat(external_ids)
        except RegistryError as error:
            logger.error("no heartbeat for %d cameras of “%s”: %s", len(external_ids), name, error)


@shared_task(name="detection.close_orphaned_episodes")
def close_orphaned_episodes() -> None:
    closed = episodes.close_orphaned_episodes(at=timezone.now())
    if closed:
        logger.warning("%d episodes closed whose watcher was gone", closed)
