"""An H.264 film in MP4 that is there whole, or not at all.

Library: https://pyav.basswood-io.com
"""

import os
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

_MILLISECOND = Fraction(1, 1000)
_LONGEST_STEP_SECONDS = 10.0  # also where a camera was away for longer, or its clock jumped
_USUAL_STEP_SECONDS = 0.2
_OPTIONS = {"preset": "veryfast", "crf": "21", "movflags": "+faststart"}


class FilmError(Exception):
    """The film cannot be written; the message says why."""


class Film:
    """Pictures at the times at which they were captured. As a context: finished, or removed."""

    def __init__(self, path: Path) -> None:
        """Raises FilmError where nothing can be written at this place."""
        if path.suffix.lower() != ".mp4":
            raise FilmError(f"{path}: give a name that ends in .mp4")
        if not path.parent.is_dir():
            raise FilmError(f"{path}: there is no folder {path.parent}")
        if path.is_dir():
            raise FilmError(f"{path} is a folder")
        self.path = path
        self._unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part.mp4")
        self._stream: Any = None
        self._last: datetime | None = None
        self._seconds = 0.0
        try:
            self._container: Any = av.open(str(self._unfinished), "w", format="mp4")
        except (av.error.FFmpegError, OSError) as error:
            raise FilmError(f"{path} cannot be written: {error.strerror}") from None

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Nobody to read lines, or an impatient Ctrl-C, is no reason to throw away what was filmed.
        if kind is None or issubclass(kind, KeyboardInterrupt | BrokenPipeError):
            self.finish()
        else:
            self.discard()

    def add(self, picture: NDArray[np.uint8], at: datetime) -> None:
        """Add a picture (height, width, 3) BGR captured `at`. Raises FilmError."""
        try:
            if self._stream is None:
                self._stream = self._begin(picture)
            size = (self._stream.width, self._stream.height)
            if (picture.shape[1], picture.shape[0]) != size:
                picture = np.asarray(cv2.resize(picture, size), np.uint8)
            frame = VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            self._seconds += self._step_to(at)
            frame.pts, frame.time_base = round(self._seconds * 1000), _MILLISECOND
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise FilmError(f"{self.path} cannot be written: {error.strerror}") from None

    def finish(self) -> None:
        """Close the film and give it its name; no picture, no film. Raises FilmError."""
        if self._stream is None:
            self.discard()
            return
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
            self._unfinished.replace(self.path)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise FilmError(f"{self.path} cannot be written: {error.strerror}") from None

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._unfinished.unlink(missing_ok=True)

    def _begin(self, picture: NDArray[np.uint8]) -> Any:
        height, width = picture.shape[:2]
        stream: Any = self._container.add_stream("libx264", rate=25, options=_OPTIONS)
        stream.width, stream.height = width // 2 * 2, height // 2 * 2
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", _MILLISECOND
        stream.codec_context.thread_count = 1  # the cores are for those who judge
        return stream

    def _step_to(self, at: datetime) -> float:
        before, self._last = self._last, at
        if before is None:
            return 0.0
        step = (at - before).total_seconds()
        return min(step, _LONGEST_STEP_SECONDS) if step > 0 else _USUAL_STEP_SECONDS
