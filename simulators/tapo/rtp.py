"""RTP and RTCP on the wire: H.264 payloads (RFC 6184), packets and sender reports (RFC 3550).

Payloads are cut once per clip; only the twelve bytes in front differ between clients.
"""

import struct

CLOCK_RATE = 90_000
PAYLOAD_TYPE = 96
MAX_PAYLOAD_BYTES = 1400
FU_A = 28
# Seconds between 1900, where NTP begins, and 1970.
NTP_OFFSET = 2_208_988_800

_RTP_HEADER = struct.Struct("!BBHII")
_REPORT = struct.Struct("!BBHIIIIII")


def payloads(nal: bytes) -> list[bytes]:
    """One NAL unit as RTP payloads: itself where it fits, otherwise FU-A fragments."""
    if len(nal) <= MAX_PAYLOAD_BYTES:
        return [nal]
    indicator, kind = (nal[0] & 0xE0) | FU_A, nal[0] & 0x1F
    room = MAX_PAYLOAD_BYTES - 2
    pieces = [nal[at : at + room] for at in range(1, len(nal), room)]
    last = len(pieces) - 1
    return [
        bytes((indicator, kind | (0x80 if at == 0 else 0) | (0x40 if at == last else 0))) + piece
        for at, piece in enumerate(pieces)
    ]


def packet(payload: bytes, *, marker: bool, sequence: int, timestamp: int, source: int) -> bytes:
    second = PAYLOAD_TYPE | (0x80 if marker else 0)
    return _RTP_HEADER.pack(0x80, second, sequence & 0xFFFF, timestamp, source) + payload


def sender_report(
    *, wall_seconds: float, timestamp: int, source: int, packets: int, octets: int
) -> bytes:
    """Says which wall-clock instant the RTP timestamp stands for."""
    whole = int(wall_seconds)
    fraction = int((wall_seconds - whole) * (1 << 32))
    return _REPORT.pack(
        0x80,
        200,
        6,
        source,
        (whole + NTP_OFFSET) & 0xFFFFFFFF,
        fraction,
        timestamp,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
