"""Pictures for people who look at a camera: asked for by the web, given by whoever watches it.

`live-wanted:<camera>` stands while somebody looks, `live:<camera>` holds the newest picture then.
Always there are `still:<camera>`, a small one from every few seconds, and `large:<camera>`, one of
the last minutes. Nothing here opens a stream.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from detection.ports import TransportError

_PREFIX = "crimeops:"
WANTED_SECONDS = 5.0  # whoever looks asks again before this is over
_LIVE_MS = 5_000
_STILL_SECONDS = 86_400
_LARGE_SECONDS = 3_600
_SOCKET_SECONDS = 1.0
_HEAD = struct.Struct("<ddI")  # captured, received (POSIX seconds), bytes of the boxes


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A JPEG with privacy masks burnt in, and the boxes of what was followed in it.

    `captured_at` is the camera's clock and is shown; `received_at` is this cluster's and tells the
    age. A box is {"id", "label", "confidence", "xyxy": shares of the picture, "suspect"}; `boxes`
    is None where the picture was not analysed.
    """

    captured_at: datetime
    jpeg: bytes
    boxes: list[dict[str, Any]] | None = field(default_factory=list)
    received_at: datetime | None = None

    @property
    def taken_at(self) -> datetime:
        """By this cluster's clock, as far as it is known."""
        return self.received_at or self.captured_at


class LivePictures:
    """Both sides: `want` and `newest` for the web, `is_wanted` and `post` for the watch."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    @classmethod
    def connect(cls, url: str) -> "LivePictures":
        return cls(connect(url))

    def want(self, camera_id: int) -> None:
        """Somebody looks now. Raises TransportError."""
        self._do("set", f"{_PREFIX}live-wanted:{camera_id}", 1, px=round(WANTED_SECONDS * 1000))

    def is_wanted(self, camera_id: int) -> bool:
        """Whether somebody looks. Raises TransportError."""
        return bool(self._do("exists", f"{_PREFIX}live-wanted:{camera_id}"))

    def post(self, camera_id: int, picture: LivePicture) -> None:
        """Show the newest picture to whoever looks. Raises TransportError."""
        self._do("set", f"{_PREFIX}live:{camera_id}", _pack(picture), px=_LIVE_MS)

    def newest(self, camera_id: int) -> LivePicture | None:
        """The newest picture, of the last seconds. Raises TransportError."""
        return _unpack(self._do("get", f"{_PREFIX}live:{camera_id}"))

    def newer(self, camera_id: int, than: datetime | None) -> LivePicture | None:
        """The newest picture, if it is another one: only then it travels. Raises TransportError."""
        head = self._do("getrange", f"{_PREFIX}live:{camera_id}", 0, _HEAD.size - 1)
        if len(head) < _HEAD.size or (than and _HEAD.unpack(head)[1] == than.timestamp()):
            return None
        return self.newest(camera_id)

    def post_still(self, camera_id: int, picture: LivePicture) -> None:
        """Keep the camera's latest small picture for a day. Raises TransportError."""
        self._do("set", f"{_PREFIX}still:{camera_id}", _pack(picture), ex=_STILL_SECONDS)

    def still(self, camera_id: int) -> LivePicture | None:
        """The latest small picture there is. Raises TransportError."""
        return _unpack(self._do("get", f"{_PREFIX}still:{camera_id}"))

    def post_large(self, camera_id: int, picture: LivePicture) -> None:
        """Keep a picture of full size for an hour. Raises TransportError."""
        self._do("set", f"{_PREFIX}large:{camera_id}", _pack(picture), ex=_LARGE_SECONDS)

    def large(self, camera_id: int) -> LivePicture | None:
        """The latest picture of full size, of the last minutes. Raises TransportError."""
        return _unpack(self._do("get", f"{_PREFIX}large:{camera_id}"))

    def stills_at(self, camera_ids: Sequence[int]) -> dict[int, datetime]:
        """When each camera's small picture was taken, where there is one. Raises TransportError."""
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for camera_id in camera_ids:
                    pipe.getrange(f"{_PREFIX}still:{camera_id}", 0, _HEAD.size - 1)
                heads = pipe.execute()
        except redis.RedisError as error:
            raise unreachable(error) from None
        return {
            camera_id: datetime.fromtimestamp(_HEAD.unpack(head)[1], UTC)
            for camera_id, head in zip(camera_ids, heads, strict=True)
            if len(head) == _HEAD.size
        }

    def _do(self, command: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments, **options)
        except redis.RedisError as error:
            raise unreachable(error) from None


def connect(url: str) -> "redis.Redis":
    """A client that waits for nobody: whoever looks would rather hear that there is no picture."""
    return redis.Redis.from_url(
        url,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        # Once more where the connection was closed, but not where nobody answered.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


def unreachable(error: redis.RedisError) -> TransportError:
    """The error as a port tells it, without the address."""
    return TransportError(f"no live pictures: Redis is out of reach ({type(error).__name__})")


def _pack(picture: LivePicture) -> bytes:
    boxes = json.dumps(picture.boxes, separators=(",", ":")).encode()
    times = (picture.captured_at.timestamp(), picture.taken_at.timestamp())
    return _HEAD.pack(*times, len(boxes)) + boxes + picture.jpeg


def _unpack(packed: bytes | None) -> LivePicture | None:
    if packed is None:
        return None
    try:
        captured, received, size = _HEAD.unpack_from(packed)
        boxes = json.loads(packed[_HEAD.size : _HEAD.size + size])
        at, taken = (datetime.fromtimestamp(seconds, UTC) for seconds in (captured, received))
    except (struct.error, ValueError, OverflowError, OSError):
        return None  # another version's, for as long as both run
    return LivePicture(at, packed[_HEAD.size + size :], boxes, taken)
