"""An episode with files as the workers keep them: a clip whose picture is known, and its boxes.

The clip shows a white square on a dark ground that walks to the right; the recording’s track 7 is
that square, analysed five times a second.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import cv2
import numpy as np

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.recordings import row_of, write
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.models import Camera, Episode, EpisodeEvent, EvidenceKind
from tests.rows import a_file, an_episode

BEGAN: Final = datetime(2026, 3, 14, 21, 30, 0, tzinfo=UTC)
WIDTH, HEIGHT, RATE, SECONDS = 320, 240, 10, 12
LEAD: Final = 5  # seconds of the clip before the first suspicious frame
SQUARE: Final = 0.2  # of the picture's width and height


def left_edge(second: float) -> float:
    """Where the square begins, as a share of the width, at a second of the clip."""
    return 0.05 * second


def clip(seconds: float = SECONDS, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """H.264 with a key frame each second and its index in front, as a browser likes it."""
    with TemporaryDirectory() as folder:  # the index is put in front in a second reading
        return _written(Path(folder) / "clip.mp4", seconds, size)


def _written(path: Path, seconds: float, size: tuple[int, int]) -> bytes:
    width, height = size
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"g": str(RATE), "bf": "0", "preset": "ultrafast"}
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(_picture(number / RATE, size), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def _picture(second: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    width, height = size
    pixels = np.full((height, width, 3), 40, np.uint8)
    left = round(left_edge(second) * width)
    top = round(0.4 * height)
    pixels[top : top + round(SQUARE * height), left : left + round(SQUARE * width)] = 255
    return pixels


def snapshot() -> bytes:
    encoded, jpeg = cv2.imencode(".jpg", _picture(8))
    assert encoded
    return bytes(jpeg.tobytes())


def recording(
    *,
    starts: float = 0,
    seconds: float = SECONDS,
    ends: float = 10,
    late: bool = False,
    cut: bool = False,
    rules: Sequence[str] = ("trespassing",),
) -> bytes:
    """The square is followed until second `ends` of the clip, and suspected from LEAD on."""
    start = BEGAN - timedelta(seconds=LEAD)
    rows = []
    for tick in range(round(starts * 5), round(seconds * 5) + 1):
        second = tick / 5
        held: Sequence[tuple[str, Suspicion]] = ()
        if LEAD <= second <= ends:
            sure = min(95.0, 40.0 + 15.0 * (second - LEAD))
            said = Suspicion(CrimeType.TRESPASSING, sure, (7,), "in the yard")
            held = [(rule, replace(said, confidence=sure - 9 * n)) for n, rule in enumerate(rules)]
        left = left_edge(second)
        box = Box(left, 0.4, left + SQUARE, 0.4 + SQUARE)
        tracks = [Track(7, "person", 0.9, box)] if second <= ends else []
        tracks.append(Track(3, "person", 0.5, Box(0.8, 0.1, 0.9, 0.3)))
        rows.append(row_of(Moment(start + timedelta(seconds=second), tracks), held))
    return write(rows, is_late=late, is_cut=cut)


def clip_facts(**other: Any) -> dict[str, Any]:
    start = BEGAN - timedelta(seconds=LEAD)
    facts = {"began_at": start.isoformat(), "seconds": SECONDS, "width": WIDTH, "height": HEIGHT}
    return {**facts, "codec": "h264", "is_cut": False, "masked": False, **other}


def a_bare_episode(camera: Camera, **fields: Any) -> Episode:
    """An episode at BEGAN without any file."""
    given: dict[str, Any] = {
        "started_at": BEGAN,
        "alerted_at": BEGAN + timedelta(seconds=1),
        "decided_at": BEGAN + timedelta(seconds=1.08),
        "confirmed_at": BEGAN + timedelta(seconds=4),
        "ended_at": BEGAN + timedelta(seconds=6),
        "reason": "somebody in the yard",
        "confidence_timeline": [[0.0, 40.0], [2.0, 70.0], [5.0, 95.0], [6.0, 20.0]],
    }
    episode = an_episode(camera, **{**given, **fields})
    for kind, at in (("opened", 1), ("confirmed", 4), ("cleared", 6)):
        EpisodeEvent.objects.create(
            episode=episode,
            kind=kind,
            at=BEGAN + timedelta(seconds=at),
            crime_type="trespassing",
            confidence=80,
        )
    return episode


def a_filmed_episode(camera: Camera, **fields: Any) -> Episode:
    """One with snapshot, clip and recording."""
    episode = a_bare_episode(camera, **fields)
    a_file(episode, EvidenceKind.SNAPSHOT, snapshot())
    a_file(episode, EvidenceKind.CLIP, clip(), facts=clip_facts())
    a_file(episode, EvidenceKind.RECORDING, recording())
    return episode
