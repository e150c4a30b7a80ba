"""Gives a camera's pictures to people: beside the judging, and only while somebody looks.

A thread of its own shrinks, masks and encodes; the watch only leaves its newest frame here. Without
Redis there is nobody to show anything to, and the watch does not notice.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.evidence.privacy import hide
from detection.ports import TransportError
from detection.transport.live import LivePicture, LivePictures

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0
LIVE_SECONDS = 0.18  # between two live pictures: five a second, with room for jitter
STILL_SECONDS = 10.0
LARGE_SECONDS = 60.0
PAUSE_SECONDS = 5.0  # without Redis
UNJUDGED_SECONDS = 1.0  # frames are shown without boxes where none was judged for so long
LIVE_WIDTH, STILL_WIDTH = 960, 320
LIVE_QUALITY, STILL_QUALITY = 75, 70
GOODBYE_SECONDS = 0.5

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A frame as it came (height, width, 3) BGR; `tracks` are None where it was not judged."""

    pixels: Pixels
    captured_at: datetime
    received_at: float  # POSIX seconds
    tracks: Sequence[Track] | None = None
    suspects: frozenset[int] = frozenset()


class Showing:
    """`see` and `judged` cost the watch nothing; all else is done in this camera's thread."""

    def __init__(
        self, camera_id: int, pictures: LivePictures, zones: Callable[[], Sequence[Zone]]
    ) -> None:
        self._camera_id = camera_id
        self._pictures = pictures
        self._zones = zones
        self._newest: Sight | None = None
        self._judged_at = float("-inf")
        self._wanted = False
        self._away = False
        self._next_ask = self._next_live = self._next_still = self._next_large = 0.0
        self._shown: Sight | None = None
        self._kept: Sight | None = None
        self._news, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"showing-{camera_id}", daemon=True)

    # --- the watch's side -----------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def see(self, pixels: Pixels, captured_at: datetime) -> None:
        """A sampled frame: shown without boxes, where no frame is judged."""
        if time.monotonic() - self._judged_at > UNJUDGED_SECONDS:
            self._offer(Sight(pixels, captured_at, time.time()))

    def judged(self, sight: Sight) -> None:
        """A frame with what was followed in it."""
        self._judged_at = time.monotonic()
        self._offer(sight)

    def end(self) -> None:
        """Show nothing more, without waiting for what is on its way."""
        self._over.set()
        self._news.set()

    def close(self) -> None:
        """End soon; a Redis that hangs holds nobody up."""
        self.end()
        if self._thread.ident is not None:
            self._thread.join(GOODBYE_SECONDS)

    def _offer(self, sight: Sight) -> None:
        self._newest = sight
        if self._wanted:
            self._news.set()

    # --- its own thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._turn()
            except TransportError as error:
                self._note_away(str(error))
            except Exception:
                logger.exception("camera %s: its pictures cannot be shown", self._camera_id)
                self._over.wait(PAUSE_SECONDS)
            self._news.wait(max(0.0, self._next_ask - time.monotonic()))
            self._news.clear()

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._next_ask:
            self._next_ask = now + ASK_SECONDS
            self._wanted = self._pictures.is_wanted(self._camera_id)
            if self._away:
                logger.info("camera %s: its pictures are shown again", self._camera_id)
                self._away = False
        sight = self._newest
        if sight is None:
            return
        if self._wanted and sight is not self._shown and now >= self._next_live:
            self._next_live, self._shown = now + LIVE_SECONDS, sight
            self._pictures.post(self._camera_id, self._picture(sight, LIVE_WIDTH, LIVE_QUALITY))
        if sight is not self._kept and now >= self._next_still:
            self._next_still, self._kept = now + STILL_SECONDS, sight
            self._keep(sight, now)

    def _keep(self, sight: Sight, now: float) -> None:
        still = self._picture(sight, STILL_WIDTH, STILL_QUALITY)
        self._pictures.post_still(self._camera_id, still)
        if now >= self._next_large:
            self._next_large = now + LARGE_SECONDS
            large = self._picture(sight, LIVE_WIDTH, LIVE_QUALITY)
            self._pictures.post_large(self._camera_id, large)

    def _picture(self, sight: Sight, width: int, quality: int) -> LivePicture:
        shown = hide(_shrunk(sight.pixels, width), self._zones())
        encoded, jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not encoded:
            raise ValueError(f"the picture of shape {shown.shape} cannot be written as JPEG")
        received = datetime.fromtimestamp(sight.received_at, UTC)
        return LivePicture(sight.captured_at, jpeg.tobytes(), _boxes(sight), received)

    def _note_away(self, why: str) -> None:
        self._next_ask = time.monotonic() + PAUSE_SECONDS
        self._wanted = False
        if not self._away:
            logger.warning("camera %s: %s", self._camera_id, why)
            self._away = True


def _shrunk(pixels: Pixels, width: int) -> Pixels:
    height, full_width = pixels.shape[:2]
    if full_width <= width:
        return pixels
    size = (width, max(1, round(height * width / full_width)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _boxes(sight: Sight) -> list[dict[str, Any]] | None:
    if sight.tracks is None:
        return None
    return [
        {
            "id": track.id,
            "label": track.label,
            "confidence": round(track.confidence, 2),
            "xyxy": [round(float(share), 4) for share in track.box],
            "suspect": track.id in sight.suspects,
        }
        for track in sight.tracks
    ]
