"""A camera that is really watched, in threads of this process: reader, detector, scene, books."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from pytest_django import Settings

from crimeops import adapters
from detection import inference
from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.letterbox import MODEL_INPUT_SIZE
from detection.domain.pace import Governor
from detection.models import Camera
from detection.ports import Detector, TransportError
from detection.transport.live import LivePictures
from detection.transport.redis import RedisTransport
from detection.watching import watch_camera

INSTANCE = "node-1"


def load_small_detector(model_dir: Path) -> Detector:
    """The network that is shipped."""
    options = DetectorOptions(weights="yolo26n.pt", folder=model_dir, input_size=MODEL_INPUT_SIZE)
    return load_detector(options)


@contextmanager
def watched(camera: Camera, redis_url: str, detector: Detector | None = None) -> Iterator[None]:
    """Watch until the block is left; without a detector no frame is judged."""
    stop, bell = threading.Event(), threading.Event()
    transport = RedisTransport.connect(redis_url, bell.set)
    threads = [_started("watch", lambda: _watch(camera, redis_url, transport, stop))]
    if detector is not None:
        threads.append(_started("gpu", lambda: _analyse(transport, detector, bell, stop)))
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)


def _started(name: str, run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _watch(
    camera: Camera, redis_url: str, transport: RedisTransport, stop: threading.Event
) -> None:
    try:
        while not stop.is_set():  # as reconcile does, after a watch that was ended from outside
            watch_camera(
                camera_id=camera.pk,
                instance=INSTANCE,
                worker=f"streams@{INSTANCE}",
                mailbox=transport,
                pictures=LivePictures.connect(redis_url),
                stop=stop,
                taken=lambda: None,
            )
            stop.wait(0.2)
    finally:
        connection.close()


def _analyse(
    transport: RedisTransport, detector: Detector, bell: threading.Event, stop: threading.Event
) -> None:
    while not stop.is_set():
        if not bell.wait(0.2):
            continue
        bell.clear()
        try:
            inference.drain(transport, detector, Governor(), batch_size=4, max_age_seconds=1.0)
        except TransportError:
            continue


def use(settings: Settings, **changes: object) -> None:
    """Settings of this test alone."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)
    adapters.forget()
