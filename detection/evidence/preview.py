"""A short animated picture of an episode's peak: small enough for a page with fifty of them.

Libraries: https://pyav.basswood-io.com, https://pillow.readthedocs.io/en/stable/handbook/image-file-formats.html#webp
"""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import av.error
from av.video.stream import VideoStream
from PIL import Image

from detection.evidence.clip import ClipError

WIDEST = 320  # pixels
MOST_BYTES = 300_000
PICTURES = 14
SHOWN_MS = 180  # each: the whole plays for 2.5 s
SPAN_SECONDS = 5.0  # of the film, twice as fast as it was
_QUALITIES = (60, 40, 25, 10)


def make_preview(film: Path, peak_seconds: float) -> bytes:
    """An animated WebP of the seconds around the peak. Raises ClipError, and OSError."""
    pictures = _pictures(film, max(0.0, peak_seconds - SPAN_SECONDS / 2))
    if not pictures:
        raise ClipError("the film shows nothing")
    for quality in _QUALITIES:
        made = _animated(pictures, quality)
        if len(made) <= MOST_BYTES:
            return made
    return _animated(pictures[::3], _QUALITIES[-1])


def _animated(pictures: list[Image.Image], quality: int) -> bytes:
    file = BytesIO()
    pictures[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=SHOWN_MS,
        loop=0,
        quality=quality,
        method=2,
    )
    return file.getvalue()


def _pictures(film: Path, begins: float) -> list[Image.Image]:
    """Evenly spread over the span; where the film ends early, its last seconds."""
    step, pictures, due = SPAN_SECONDS / PICTURES, [], begins
    try:
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            seconds = float((stream.duration or 0) * _tick(stream))
            due = begins = max(0.0, min(begins, seconds - SPAN_SECONDS))
            container.seek(int(begins / _tick(stream)), stream=stream)
            for frame in container.decode(stream):
                if frame.time < due - 0.001:
                    continue
                due = max(due + step, frame.time + step / 2)
                width = min(WIDEST, frame.width)
                height = max(1, round(frame.height * width / frame.width))
                small = frame.reformat(width=width, height=height, format="rgb24")
                pictures.append(Image.fromarray(small.to_ndarray()))
                if frame.time >= begins + SPAN_SECONDS or len(pictures) >= PICTURES:
                    break
    except av.error.InvalidDataError as error:
        raise ClipError(f"the film cannot be read: {error.strerror}") from None
    return pictures


def _tick(stream: VideoStream) -> Fraction:
    """Seconds of one count of the stream's clock."""
    return stream.time_base or Fraction(1)
