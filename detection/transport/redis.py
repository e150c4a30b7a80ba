"""Mailbox and doorbell on Redis: pixels in one slot a camera, never in the broker's queues.

`frame:<camera>` holds the newest frame that waits, `waiting` orders the cameras by how long they
wait, `answer:<camera>` brings back what was seen, `bell` stands while a ring is on its way, and
`pace` is what overloaded detectors ask of every camera. Everything expires, so nothing that is lost
stays.
"""

import logging
import struct
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from detection.domain.frames import Answer, Frame
from detection.ports import TransportError
from detection.transport.packing import pack_answer, pack_frame, unpack_answer, unpack_frame

logger = logging.getLogger(__name__)

_PREFIX = "crimeops:"
_WAITING = _PREFIX + "waiting"
_BELL = _PREFIX + "bell"
_PACE, _PACE_TURN = _PREFIX + "pace", _PREFIX + "pace-turn"
_SLOT_MS = 5_000
_ANSWER_MS = 5_000
SOCKET_SECONDS = 1.0
_BELL_MS = 1_000  # a lost ring heals after this
_PACE_MS = 5_000  # without a detector that is overloaded there is no pace
_PACE_TURN_MS = 900  # detectors take turns: each looks once a second


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
            # A reader that waits for a frozen Redis decodes nothing meanwhile.
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            socket_keepalive=True,
            health_check_interval=30,
            # Once more where the connection was closed, but not where nobody answered.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        return cls(client, ring)

    def post(self, frame: Frame, *, replace: bool) -> bool:
        """See FrameMailbox. Rings the doorbell if no ring is on its way."""
        slot = f"{_PREFIX}frame:{frame.camera_id}"
        try:
            if replace:
                return self._replace(slot, frame)
            packed = pack_frame(frame)
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

    def _replace(self, slot: str, frame: Frame) -> bool:
        """Asks first: most often the older frame is taken, and the pixels need not travel."""
        if not self._client.exists(slot):
            return False
        return bool(self._client.set(slot, pack_frame(frame), px=_SLOT_MS, xx=True))

    def collect(self, camera_id: int, timeout_seconds: float) -> Answer | None:
        try:
            found: Any = self._client.blpop(
                [f"{_PREFIX}answer:{camera_id}"], timeout=timeout_seconds
            )
        except redis.RedisError as error:
            raise _unreachable(error) from None
        return _readable_answer(camera_id, found[1]) if found else None

    def take(self, limit: int) -> list[Frame]:
        """See FrameQueue. Lowers the bell first: what comes after this may ring again."""
        frames: list[Frame] = []
        try:
            self._client.delete(_BELL)
            # Cameras whose slots have expired must not pass for an empty mailbox.
            while not frames and (waiting := self._pop_waiting(limit)):
                with self._client.pipeline(transaction=False) as pipe:
                    for camera, _ in waiting:
                        pipe.getdel(f"{_PREFIX}frame:{camera}")
                    slots = pipe.execute(raise_on_error=False)
                frames = _readable_frames(waiting, slots)
        except redis.RedisError as error:
            raise _unreachable(error) from None
        return frames

    def _pop_waiting(self, limit: int) -> list[tuple[str, float]]:
        popped: Any = self._client.zpopmin(_WAITING, limit)
        return [(camera.decode(errors="replace"), since) for camera, since in popped]

    def answer(self, answers: Sequence[tuple[int, Answer]]) -> None:
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for camera_id, answer in answers:
                    key = f"{_PREFIX}answer:{camera_id}"
                    pipe.rpush(key, pack_answer(answer))
                    pipe.pexpire(key, _ANSWER_MS)
                pipe.execute()
        except redis.RedisError as error:
            raise _unreachable(error) from None

    def share_pace(self, change: Callable[[float], float]) -> float:
        try:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.set(_PACE_TURN, "1", px=_PACE_TURN_MS, nx=True)
                pipe.get(_PACE)
                our_turn, standing = pipe.execute()
            pace = _number(standing)
            if our_turn:
                pace = change(pace)
                self._client.set(_PACE, str(pace), px=_PACE_MS)
        except redis.RedisError as error:
            raise _unreachable(error) from None
        return pace


# Whatever may be raised by bytes that are not ours.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

# What Redis answers while it runs but will not serve, and what an operator does about it.
_UNWILLING: list[tuple[type[redis.RedisError], str]] = [
    (redis.exceptions.OutOfMemoryError, "Redis is full; raise its maxmemory"),
    (redis.exceptions.ReadOnlyError, "Redis takes no writes; point REDIS_URL to the primary"),
    (redis.exceptions.BusyLoadingError, "Redis is still loading its data"),
    (redis.exceptions.TimeoutError, "Redis does not answer; check REDIS_URL and the network"),
    (redis.exceptions.AuthenticationError, "Redis refuses the password; check REDIS_URL"),
]


def _unreachable(error: redis.RedisError) -> TransportError:
    for kind, remark in _UNWILLING:
        if isinstance(error, kind):
            return TransportError(f"the mailbox cannot be used: {remark}")
    return TransportError(f"the mailbox cannot be reached: {type(error).__name__}; check REDIS_URL")


def _number(text: Any) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _readable_frames(waiting: list[tuple[str, float]], slots: list[Any]) -> list[Frame]:
    """The frames of the slots; what is none is dropped and named."""
    frames = []
    for (camera, since), slot in zip(waiting, slots, strict=True):
        if slot is None:
            continue  # expired
        if isinstance(slot, redis.RedisError) and not isinstance(slot, redis.ResponseError):
            raise slot
        try:
            frame = unpack_frame(slot, since)
            if str(frame.camera_id) != camera:
                raise ValueError("it is another camera's")
        except (struct.error, ValueError, TypeError, OverflowError, OSError) as error:
            logger.warning("camera %s: what waited for it is no frame (%s)", camera[:20], error)
        else:
            frames.append(frame)
    return frames


def _readable_answer(camera_id: int, packed: bytes) -> Answer | None:
    try:
        return unpack_answer(packed)
    except _UNREADABLE as error:
        logger.warning("camera %d: what came back for it is no answer (%r)", camera_id, error)
        return None
