"""Hands the packets of one connection on as they came, each dated by the camera's clock line."""

import logging
from datetime import datetime
from typing import Any

from detection.domain.packets import Coding, PacketRing
from detection.sources.timing import DEFAULT_FRAME_SECONDS

logger = logging.getLogger(__name__)

# Before the first picture is decoded nothing is dated. More of them than this is no video.
MOST_UNDATED = 300


class PacketNotes:
    """Called by the reader's thread for each packet, after it was decoded."""

    def __init__(self, ring: PacketRing, stream: Any, *, by_arrival: bool) -> None:
        """`by_arrival` where the stream's own times mean nothing, as with MJPEG over HTTP."""
        self._ring = ring
        self._context = stream.codec_context
        self._tick = float(stream.time_base)
        rate = stream.average_rate
        self._step = float(1 / rate) if rate else DEFAULT_FRAME_SECONDS
        self._by_arrival = by_arrival
        self._coding: Coding | None = None
        self._line: float | None = None
        self._at = 0.0
        self._undated: list[Any] = []
        self._is_broken = False
        ring.begin_segment()

    def date(self, place: float | None, at: datetime) -> None:
        """A picture of this place on the stream's line was captured then."""
        self._at = at.timestamp()
        self._line = 0.0 if place is None or self._by_arrival else self._at - place

    def keep(self, packet: Any) -> None:
        """Keep the packet; its bytes are not copied.

        What cannot be understood costs the clips of this connection, but no picture of it.
        """
        if self._is_broken:
            return
        try:
            self._keep(packet)
        except Exception:
            logger.exception("the packets of a camera cannot be kept: no clips until it reconnects")
            self._is_broken = True

    def _keep(self, packet: Any) -> None:
        if self._line is None:
            if packet.size and len(self._undated) < MOST_UNDATED:
                self._undated.append(packet)
            return
        if self._undated:
            waiting, self._undated = self._undated, []
            self._keep_first([*waiting, packet])
        elif packet.size:
            self._append(packet, self._place(packet))

    def _keep_first(self, packets: list[Any]) -> None:
        """FFmpeg does not date a camera's first packet: it comes one picture before the next."""
        places = [self._place(packet) for packet in packets]
        for index in range(len(places) - 2, -1, -1):
            following = places[index + 1]
            if places[index] is None and following is not None:
                places[index] = following - self._step
        for packet, place in zip(packets, places, strict=True):
            if packet.size:
                self._append(packet, place)

    def _place(self, packet: Any) -> float | None:
        if self._by_arrival:
            return self._at
        stamp = packet.pts if packet.pts is not None else packet.dts
        return None if stamp is None else stamp * self._tick

    def _append(self, packet: Any, place: float | None) -> None:
        is_key = packet.is_keyframe
        if is_key:
            self._follow_format()
        if self._coding is None or self._line is None:
            return
        line = self._line
        if place is None:
            place, line = self._at, 0.0
        self._ring.append(self._coding, place, line, is_key, packet.size, packet)

    def _follow_format(self) -> None:
        """A camera may change its size within a connection, with a key frame."""
        context, coding = self._context, self._coding
        if coding is not None and (coding.width, coding.height) == (context.width, context.height):
            return
        if coding is not None:
            self._ring.begin_segment()
        extradata = context.extradata if coding is None else None
        self._coding = Coding(context.name, context.width, context.height, bytes(extradata or b""))
