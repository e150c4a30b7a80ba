"""One look at a stream before it becomes a camera: its first picture, or why there is none.

The only place from which the web opens a stream. Bounded in time, and never one that is watched.
"""

import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from numpy.typing import NDArray

from detection.domain.packets import PacketRing
from detection.models import Camera
from detection.ports import Picture, SourceError, SourceOptions
from detection.sources.addresses import check_address, check_network, host_of
from detection.sources.pyav import PyAvSource

LIMIT_SECONDS = 10.0
COUNT_SECONDS = 1.5  # for which frames are counted, after the first one
PICTURE_WIDTH = 640
_RING_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Probe:
    """What a stream is: its first picture as JPEG, its size, FFmpeg's name of its codec."""

    jpeg: bytes
    width: int
    height: int
    codec: str
    frames_per_second: float


def probe_stream(url: str) -> Probe:
    """Open the stream and look at it. Raises SourceError, also where it takes too long."""
    environment = settings.ENVIRONMENT
    check_address(url, allow_files=environment.allow_file_sources)
    if host := host_of(url):
        check_network(host, environment.camera_networks)
    ring = PacketRing(LIMIT_SECONDS, _RING_BYTES)
    options = SourceOptions(
        url=url,
        transport=environment.rtsp_transport,
        frame_skip=1,
        packets=ring,
        open_timeout_seconds=min(environment.open_timeout, LIMIT_SECONDS),
        read_timeout_seconds=min(environment.read_timeout, LIMIT_SECONDS),
    )
    look = _Look(PyAvSource(options), ring)
    look.start()
    look.join(LIMIT_SECONDS)
    return look.result()


def watched_camera(url: str) -> Camera | None:
    """The camera in use that reads this very stream; a second connection may cost it the first."""
    wanted = _place_of(url)
    in_use = Camera.objects.filter(removed_at=None, enabled=True)
    try:
        streams = dict(in_use.values_list("pk", "stream_url"))
    except ImproperlyConfigured:  # one that no key opens hides the others: ask one by one
        streams = {pk: _stream_of(pk) for pk in in_use.values_list("pk", flat=True)}
    found = [pk for pk, stream in streams.items() if stream and _place_of(stream) == wanted]
    return Camera.objects.only("pk", "name").get(pk=found[0]) if found else None


def _stream_of(camera_id: int) -> str:
    try:
        return str(Camera.objects.values_list("stream_url", flat=True).get(pk=camera_id))
    except ImproperlyConfigured:
        return ""


def _place_of(url: str) -> tuple[str, str]:
    """Host and what follows it; the login does not matter."""
    rest = url.rpartition("://")[2]
    after_login = rest.rpartition("@")[2]
    authority, _, path = after_login.partition("/")
    return authority.lower().removesuffix(":554"), path.rstrip("/")


class _Look(threading.Thread):
    """Reads in its own thread: a camera that hangs is left behind, and its time-outs end it."""

    def __init__(self, source: PyAvSource, ring: PacketRing) -> None:
        super().__init__(name="probe", daemon=True)
        self._source = source
        self._ring = ring
        self._found: Probe | None = None
        self._error: SourceError | None = None

    def run(self) -> None:
        try:
            with closing(self._source.pictures()) as pictures:
                self._found = self._read(pictures)
        except SourceError as error:
            self._error = error

    def result(self) -> Probe:
        self._source.close()
        if self._found is not None:
            return self._found
        raise self._error or SourceError("timed_out", "the camera gave no picture in time")

    def _read(self, pictures: Iterable[Picture]) -> Probe:
        first: Picture | None = None
        count, began, seconds = 0, 0.0, 0.0
        for picture in pictures:
            if first is None:
                if picture.pixels is None:
                    continue
                first, began = picture, time.monotonic()
                continue
            count += 1
            seconds = (picture.captured_at - first.captured_at).total_seconds()
            if time.monotonic() - began >= COUNT_SECONDS:
                break
        if first is None or first.pixels is None:
            raise SourceError("no_video", "the stream gave no picture")
        newest = self._ring.newest
        return Probe(
            jpeg=_jpeg(first.pixels),
            width=first.pixels.shape[1],
            height=first.pixels.shape[0],
            codec=newest.coding.codec if newest else "",
            frames_per_second=round(count / seconds, 1) if seconds > 0 else 0.0,
        )


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    height, width = pixels.shape[:2]
    if width > PICTURE_WIDTH:
        size = (PICTURE_WIDTH, max(1, round(height * PICTURE_WIDTH / width)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    encoded, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not encoded:
        raise SourceError("codec", "its picture cannot be shown")
    return jpeg.tobytes()
