"""A camera's newest picture, for whoever judges it in one thread and is slower than the camera.

What comes while a picture is judged replaces the one that waits: old frames are worthless.
"""

import logging
import threading
from collections.abc import Callable, Generator

from detection.ports import FrameSource, Picture, SourceError
from detection.reader import RetryPolicy, StreamReader

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
GOODBYE_SECONDS = 1.5


class NewestPictures:
    """Opens a broken stream anew, if it ever gave a picture. See FrameSource."""

    def __init__(self, open_source: Callable[[], FrameSource], policy: RetryPolicy) -> None:
        self._reader = StreamReader(open_source, self._keep, policy, "watched stream")
        self._newest: Picture | None = None
        self._news = threading.Condition()
        self._closed = False
        self._told = ""

    def pictures(self) -> Generator[Picture]:
        """See FrameSource; only sampled pictures."""
        self._reader.start()
        try:
            while not self._closed:
                picture = self._take()
                if picture is not None:
                    yield picture
                self._look_after()
        finally:
            if not self._reader.stop(GOODBYE_SECONDS):
                logger.warning("the stream's reader hangs and is left behind")

    def close(self) -> None:
        """See FrameSource."""
        self._closed = True

    def _keep(self, picture: Picture) -> None:
        if picture.pixels is not None:
            with self._news:
                self._newest = picture
                self._news.notify()

    def _take(self) -> Picture | None:
        with self._news:
            if self._newest is None:
                self._news.wait(LOOK_SECONDS)
            picture, self._newest = self._newest, None
            return picture

    def _look_after(self) -> None:
        """A stream that cannot even be opened is not tried again. Raises SourceError."""
        status = self._reader.status
        if status.gave_up or (status.failures and not status.decoded):
            raise SourceError(status.reason, status.message)
        if status.message != self._told:
            self._told = status.message
            logger.warning("%s", f"{self._told}; trying again" if self._told else "it is back")
