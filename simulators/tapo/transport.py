"""How packets reach a client: between the RTSP messages of its TCP connection, or over UDP."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from typing import Protocol

from simulators.tapo.behaviour import CameraBehaviour

# A client this far behind gets no more pictures until it has caught up: a camera has no memory
# for the slow either.
MAX_BUFFERED_BYTES = 1_000_000

_INTERLEAVED = struct.Struct("!cBH")


class MediaTransport(Protocol):
    header: str
    """The Transport header of the answer to SETUP."""

    def ready(self) -> bool: ...

    def send_media(self, packets: list[bytes]) -> None: ...

    def send_control(self, packet: bytes) -> None: ...

    def close(self) -> None: ...


class Interleaved:
    def __init__(self, writer: asyncio.StreamWriter, channels: tuple[int, int]) -> None:
        self._writer = writer
        self._media, self._control = channels
        self.header = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"

    def ready(self) -> bool:
        transport = self._writer.transport
        return not transport.is_closing() and (
            transport.get_write_buffer_size() < MAX_BUFFERED_BYTES
        )

    def send_media(self, packets: list[bytes]) -> None:
        framed: list[bytes] = []
        for packet in packets:
            framed += (_INTERLEAVED.pack(b"$", self._media, len(packet)), packet)
        self._writer.write(b"".join(framed))

    def send_control(self, packet: bytes) -> None:
        self._writer.write(_INTERLEAVED.pack(b"$", self._control, len(packet)) + packet)

    def close(self) -> None:
        """The RTSP connection ends by itself."""


class Datagrams:
    def __init__(
        self, behaviour: CameraBehaviour, host: str, client: str, ports: tuple[int, int]
    ) -> None:
        self._behaviour = behaviour
        self._random = random.Random(0)  # the same packets are lost in each run
        self._client, self._ports = client, ports
        self._media, self._control = _bind_pair(host)
        served = (self._media.getsockname()[1], self._control.getsockname()[1])
        self.header = (
            f"RTP/AVP/UDP;unicast;client_port={ports[0]}-{ports[1]};"
            f"server_port={served[0]}-{served[1]}"
        )

    def ready(self) -> bool:
        return True

    def send_media(self, packets: list[bytes]) -> None:
        for packet in packets:
            if self._random.random() >= self._behaviour.packet_loss:
                self._send(self._media, packet, self._ports[0])

    def send_control(self, packet: bytes) -> None:
        self._send(self._control, packet, self._ports[1])

    def _send(self, source: socket.socket, packet: bytes, port: int) -> None:
        # A full buffer or a client that is gone: on UDP both are a lost packet.
        with suppress(OSError):
            source.sendto(packet, (self._client, port))

    def close(self) -> None:
        self._media.close()
        self._control.close()


def _bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Two neighbouring ports, the first one even, as RFC 3550 wants them for RTP and RTCP."""
    for _ in range(100):
        media = _bind(host, 0)
        port = int(media.getsockname()[1])
        if port % 2 == 0:
            try:
                return media, _bind(host, port + 1)
            except OSError:
                pass  # the neighbour is taken
        media.close()
    raise OSError("no two neighbouring UDP ports are free")


def _bind(host: str, port: int) -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    try:
        udp.bind((host, port))
    except OSError:
        udp.close()
        raise
    return udp
