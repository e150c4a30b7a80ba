"""Mailbox and doorbell on Redis: pixels in one slot a camera, never in the broker's queues.

`frame:<camera>` holds the newest frame that waits, `waiting` orders the cameras by how long they
wait, `answer:<camera>` brings back what was seen, and `bell` stands while a ring is on its way.
Everything expires, so nothing that is lost stays.
"""

import json
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from detection.domain.frames import Answer, Frame
from detection.ports import TransportError

_PREFIX = "crimeops:"
_WAITING = _PREFIX + "waiting"
_BELL = _PREFIX + "bell"
_HEADER = struct.Struct("<qqddHH")  # camera, sequence, captured, received, height, width
_SLOT_MS = 5_000
_ANSWER_MS = 5_000
_BELL_MS = 1_000  # a lost ring heals after this


class RedisTransport:
    """Both sides of the transport: FrameMailbox for streams, FrameQueue for the GPU worker."""

    def __init__(self, client: "redis.Redis", ring: Callable[[], object]) -> None:
        self._client = client
        self._ring = ring

    @classmethod
    def connect(cls, url: str, ring: Callable[[], object]) -> "RedisTransport":
        """A client of its own; the socket's time-out is longer than any blocking wait here."""
        client = redis.Redis.from_url(
            url,
            socket_timeout=2,
            socket_connect_timeout=2,
            socket_keepalive=True,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 1),
        )
        return cls(client, ring)

    def post(self, frame: Frame, *, replace: bool) -> bool:
        """See FrameMailbox. Rings the doorbell if no ring is on its way."""
        slot = f"{_PREFIX}frame:{frame.camera_id}"
        packed = _pack_frame(frame)
        try:
            if replace:
                return bool(self._client.set(slot, packed, px=_SLOT_MS, xx=True))
            with self._client.pipeline(transaction=False) as pipe:
                pipe.set(slot, packed, px=_SLOT_MS)
                pipe.zadd(_WAITING, {str(frame.camera_id): frame.received_at}, nx=True)
                pipe.set(_BELL, "1", px=_BELL_MS, nx=True)
                must_ring = pipe.execute()[2]
        except redis.RedisError as error:
            raise _unreachable(error) from None
        if must_ring:
            self._ring()
        return True

    def collect(self, camera_id: int, timeout_seconds: float) -> Answer | None:
        try:
            found: Any = self._client.blpop(
                [f"{_PREFIX}answer:{camera_id}"], timeout=timeout_seconds
            )
        except redis.RedisError as error:
            raise _unreachable(error) from None
        return _unpack_answer(found[1]) if found else None

    def take(self, limit: int) -> list[Frame]:
        """See FrameQueue. Lowers the bell first: what comes after this may ring again."""
        frames: list[Frame] = []
        try:
            self._client.delete(_BELL)
            # Cameras whose slots have expired must not pass for an empty mailbox.
            while not frames and (waiting := self._pop_waiting(limit)):
                with self._client.pipeline(transaction=False) as pipe:
                    for camera_id in waiting:
                        pipe.getdel(f"{_PREFIX}frame:{camera_id}")
                    frames = [_unpack_frame(packed) for packed in pipe.execute() if packed]
        except redis.RedisError as error:
            raise _unreachable(error) from None
        return frames

    def _pop_waiting(self, limit: int) -> list[int]:
        popped: Any = self._client.zpopmin(_WAITING, limit)
        return [int(camera_id) for camera_id, _ in popped]

    def answer(self, answers: Sequence[tuple[int, Answer]]) -> None:
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for camera_id, answer in answers:
                    key = f"{_PREFIX}answer:{camera_id}"
                    pipe.rpush(key, _pack_answer(answer))
                    pipe.pexpire(key, _ANSWER_MS)
                pipe.execute()
        except redis.RedisError as error:
            raise _unreachable(error) from None


def _unreachable(error: Exception) -> TransportError:
    return TransportError(f"the mailbox cannot be reached: {type(error).__name__}; check REDIS_URL")


def _pack_frame(frame: Frame) -> bytes:
    height, width = frame.pixels.shape[:2]
    header = _HEADER.pack(
        frame.camera_id,
        frame.sequence,
        frame.captured_at.timestamp(),
        frame.received_at,
        height,
        width,
    )
    return header + frame.pixels.tobytes()


def _unpack_frame(packed: bytes) -> Frame:
    camera_id, sequence, captured, received, height, width = _HEADER.unpack_from(packed)
    pixels = np.frombuffer(packed, np.uint8, offset=_HEADER.size).reshape(height, width, 3)
    return Frame(camera_id, sequence, datetime.fromtimestamp(captured, UTC), received, pixels)


def _pack_answer(answer: Answer) -> bytes:
    header = {"sequence": answer.sequence, "refusal": answer.refusal, "names": dict(answer.names)}
    rows = b"" if answer.rows is None else answer.rows.astype(np.float32).tobytes()
    return json.dumps(header).encode() + b"\n" + rows


def _unpack_answer(packed: bytes) -> Answer:
    header, _, rows = packed.partition(b"\n")
    fields = json.loads(header)
    names = {int(number): name for number, name in fields["names"].items()}
    if fields["refusal"]:
        return Answer(fields["sequence"], None, names, fields["refusal"])
    return Answer(fields["sequence"], np.frombuffer(rows, np.float32).reshape(-1, 6), names)
