"""Coded pictures for rings and clips: the grey level of picture n tells n."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from detection.domain.packets import CodedPacket, Coding, PacketRing

FPS = 10
SIZE = (64, 48)


def level_of(number: int) -> int:
    return 40 + 8 * (number % 24)


def number_in(picture: np.ndarray) -> int:
    """The number modulo 24; the corner is never masked in these tests."""
    return round((float(picture[-8:, -8:].mean()) - level_of(0)) / 8)


def coded(
    pictures: int,
    *,
    size: tuple[int, int] = SIZE,
    key_every: int = FPS,
    b_frames: int = 0,
    codec: str = "libx264",
    first: int = 0,
) -> tuple[Coding, list[tuple[float, bool, bytes]]]:
    """The packets of so many pictures: place in seconds, whether it is a key, bytes."""
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.gop_size = key_every
    if codec == "libx264":
        encoder.options = {"crf": "10", "bf": str(b_frames), "sc_threshold": "0", "b-adapt": "0"}
    if codec == "libx265":
        encoder.options = {"x265-params": f"log-level=none:keyint={key_every}:bframes=0"}
    made = []
    for number in range(pictures):
        pixels = np.full((size[1], size[0], 3), level_of(first + number), np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=encoder.pix_fmt)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        made += encoder.encode(frame)
    made += encoder.encode(None)
    name = {"libx264": "h264", "libx265": "hevc"}.get(codec, codec)
    return Coding(name, *size), [
        (float((packet.pts or 0) / FPS), packet.is_keyframe, bytes(packet)) for packet in made
    ]


def fill(
    ring: PacketRing, began: float, coding: Coding, packets: Sequence[tuple[float, bool, bytes]]
) -> None:
    """As a camera would that began to send then."""
    for place, is_key, content in packets:
        ring.append(coding, place, began, is_key, len(content), content)


def a_ring(began: float, pictures: int, seconds: float = 1000.0, **how: Any) -> PacketRing:
    ring = PacketRing(seconds, 64_000_000)
    ring.begin_segment()
    fill(ring, began, *coded(pictures, **how))
    return ring


def pictures_of(film: Path) -> list[tuple[float, int]]:
    """Each picture that a player shows: when, in seconds, and which, modulo 24."""
    with av.open(str(film)) as container:
        return [
            (round(float(frame.time or 0), 3), number_in(frame.to_ndarray(format="gray")))
            for frame in container.decode(video=0)
        ]


def has_its_index_in_front(film: Path) -> bool:
    content = film.read_bytes()
    return 0 < content.find(b"moov") < content.find(b"mdat")


def numbers(packets: Sequence[CodedPacket]) -> list[int]:
    return [packet.number for packet in packets]
