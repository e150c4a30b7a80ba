"""Decodes packets, paints privacy masks over them and codes them anew as H.264 for browsers.

Library: https://pyav.basswood-io.com
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import count
from typing import Any

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from detection.domain.geometry import Polygon
from detection.domain.packets import CodedPacket, Coding
from detection.evidence.privacy import paint_planes

_TICKS = 90_000
_TICK = Fraction(1, _TICKS)
_WIDEST = 1280  # pixels; more costs the cameras of the host their time
_KEY_EVERY_SECONDS = 2
_USUAL_RATE = 15
_OPTIONS = {"preset": "veryfast", "crf": "23", "bf": "0"}


class Transcoder:
    """One film made anew, in the order of its packets."""

    def __init__(self, masks: Sequence[Polygon] = ()) -> None:
        self.masks = tuple(masks)
        self._decoder: Any = None
        self._coding: Coding | None = None
        self._segment = -1
        self._encoder: Any = None
        self._made: Coding | None = None
        self._numbers = count(1)
        self._last = 0

    def take(self, packets: Iterable[CodedPacket]) -> Iterator[CodedPacket]:
        """The packets painted and coded anew; some come with later ones only."""
        for packet in packets:
            if packet.coding != self._coding or packet.segment != self._segment:
                if not packet.is_key:
                    continue
                yield from self._drain()
                self._begin(packet)
            yield from self._frames(self._decode(packet))

    def finish(self) -> Iterator[CodedPacket]:
        """What is still inside. Nothing can be taken after it."""
        yield from self._drain()
        if self._encoder is not None:
            yield from self._packets(self._encoder.encode(None))

    def _begin(self, packet: CodedPacket) -> None:
        self._coding, self._segment = packet.coding, packet.segment
        self._decoder = av.CodecContext.create(packet.coding.codec, "r")
        self._decoder.thread_count = 1
        self._decoder.width, self._decoder.height = packet.coding.width, packet.coding.height
        if packet.coding.extradata:
            self._decoder.extradata = packet.coding.extradata

    def _decode(self, packet: CodedPacket) -> list[VideoFrame]:
        given = av.Packet(bytes(packet.content))
        given.time_base = _TICK
        given.pts = given.dts = round(packet.at * _TICKS)
        return _decoded(self._decoder, given)

    def _drain(self) -> Iterator[CodedPacket]:
        if self._decoder is not None:
            yield from self._frames(_decoded(self._decoder, None))

    def _frames(self, frames: Iterable[VideoFrame]) -> Iterator[CodedPacket]:
        for frame in frames:
            if self._encoder is None:
                self._open_encoder(frame)
            assert self._made is not None
            size = self._made.width, self._made.height
            shown = frame.reformat(*size, format="yuv420p", dst_color_range=ColorRange.MPEG)
            if self.masks:
                planes = np.array(shown.to_ndarray(), np.uint8)  # the decoder still needs its own
                paint_planes(planes, size, self.masks)
                shown = VideoFrame.from_ndarray(planes, format="yuv420p")
            elif shown is frame:
                shown = VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
            stamp = frame.pts if frame.pts is not None else self._last + _TICKS // _USUAL_RATE
            self._last = max(self._last + 1, stamp)
            shown.pts, shown.time_base = self._last, _TICK
            yield from self._packets(self._encoder.encode(shown))

    def _open_encoder(self, frame: VideoFrame) -> None:
        scale = min(1.0, _WIDEST / frame.width)
        width, height = (
            max(2, round(side * scale) // 2 * 2) for side in (frame.width, frame.height)
        )
        encoder: Any = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base, encoder.framerate = _TICK, Fraction(_USUAL_RATE)
        encoder.gop_size = _KEY_EVERY_SECONDS * _USUAL_RATE
        encoder.thread_count, encoder.options = 1, dict(_OPTIONS)
        encoder.open()
        self._encoder, self._made = encoder, Coding("h264", width, height)

    def _packets(self, packets: Iterable[Any]) -> Iterator[CodedPacket]:
        assert self._made is not None
        for packet in packets:
            yield CodedPacket(
                next(self._numbers),
                0,
                self._made,
                packet.pts / _TICKS,
                0.0,
                packet.is_keyframe,
                packet.size,
                packet,
            )


def _decoded(decoder: Any, packet: Any) -> list[VideoFrame]:
    try:
        return list(decoder.decode(packet))
    except av.error.EOFError:
        return []
    except av.error.InvalidDataError:
        return []  # a damaged picture; the next key frame heals it
