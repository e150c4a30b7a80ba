"""One client's share of the broadcast: its packet numbers, its counters and its first key frame."""

import secrets
from collections.abc import Callable

from simulators.tapo import rtp
from simulators.tapo.clip import AccessUnit
from simulators.tapo.transport import MediaTransport

WHOLE_BYTES = 40  # parameter sets are shorter, and a slice's head makes it look like a picture


class RtpSender:
    def __init__(self, media: MediaTransport, hang_up: Callable[[], None]) -> None:
        self.media = media
        self.hang_up = hang_up
        self.sequence = secrets.randbits(15)
        self.key_frames_denied = False
        self.damages: Callable[[], bool] = lambda: False
        self._source = secrets.randbits(32)
        self._awaits_key = True
        self._packets = self._octets = 0

    def deliver(self, unit: AccessUnit, timestamp: int) -> None:
        if not self.media.ready():
            self._awaits_key = True
            return
        if self.key_frames_denied:
            if unit.key:
                return
        elif self._awaits_key and not unit.key:
            return
        self._awaits_key = False
        payloads = [_damaged(p) for p in unit.payloads] if self.damages() else unit.payloads
        last = len(payloads) - 1
        packets = [
            rtp.packet(
                payload,
                marker=at == last,
                sequence=self.sequence + at,
                timestamp=timestamp,
                source=self._source,
            )
            for at, payload in enumerate(payloads)
        ]
        self.sequence += len(packets)
        self._packets += len(packets)
        self._octets += sum(map(len, unit.payloads))
        self.media.send_media(packets)

    def report(self, wall_seconds: float, timestamp: int) -> None:
        if self.media.ready():
            self.media.send_control(
                rtp.sender_report(
                    wall_seconds=wall_seconds,
                    timestamp=timestamp,
                    source=self._source,
                    packets=self._packets,
                    octets=self._octets,
                )
            )


def _damaged(payload: bytes) -> bytes:
    tail = payload[WHOLE_BYTES:]
    return payload[:WHOLE_BYTES] + bytes(
        b ^ 0xFF if at % 3 == 0 else b for at, b in enumerate(tail)
    )
