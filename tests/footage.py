"""Real footage as a stream of pictures at a steady rate, whatever the file's own."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detection.ports import Picture
from detection.training.views import View, pictures

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Footage:
    """A clip, sampled at `rate` pictures a second. See FrameSource."""

    def __init__(self, path: Path, rate: float = 5.0, seconds: float = float("inf")) -> None:
        self._path, self._view, self._seconds = path, View("footage", rate), seconds

    def pictures(self) -> Generator[Picture]:
        for at, pixels in pictures(self._path, self._view, 0):
            if at > self._seconds:
                return
            yield Picture(BEGAN + timedelta(seconds=at), pixels)

    def close(self) -> None:
        """Nothing is open."""
