"""One client's share of the broadcast: its packet numbers, its counters and its first key frame."""

import secrets
from collections.abc import Callable

from simulators.tapo import rtp
from simulators.tapo.clip import AccessUnit
from simulators.tapo.transport import MediaTransport


class RtpSender:
    def __init__(self, media: MediaTransport, hang_up: Callable[[], None]) -> None:
        self.media = media
        self.hang_up = hang_up
        self.sequence = secrets.randbits(15)
        self.key_frames_denied = False
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
        last = len(unit.payloads) - 1
        packets = [
            rtp.packet(
                payload,
                marker=at == last,
                sequence=self.sequence + at,
                timestamp=timestamp,
                source=self._source,
            )
            for at, payload in enumerate(unit.payloads)
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
