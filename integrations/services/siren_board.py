"""What processes tell one another of a siren, without the database: taken, over, silent.

One key of the broker a camera, which expires: a siren whose holder is gone is free for the next.
"""

import logging
from enum import StrEnum
from functools import cache
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# A holder says each half second that it lives; who says nothing for this long is gone.
HOLDER_MS = 4_000
OVER_MS = 120_000
_SOCKET_SECONDS = 0.5


class Word(StrEnum):
    """What the board says of an episode's siren."""

    FREE = "free"
    RUNG = "rung"  # asked for; nobody has said yet that it was heard
    TAKEN = "taken"
    HELD = "held"  # to who would take it: another process has it
    OVER = "over"
    SILENT = "silent"
    ANOTHERS = "anothers"  # another episode has the camera's siren now
    UNKNOWN = "unknown"  # the broker is out of reach


# Says nothing of an episode that has given way to another, and takes back no “over”.
_TELL = """
local now = redis.call('GET', KEYS[1])
local ours = now and string.sub(now, 1, 36) == ARGV[1]
local newer = ARGV[2] == 'taken' or ARGV[2] == 'rung'
if now and not ours and not newer then return 'anothers' end
local word = ours and string.sub(now, 38) or 'free'
if ours and ARGV[2] == 'rung' then return word end
if word == 'silent' or (word == 'over' and ARGV[2] ~= 'silent') then return word end
if word == 'taken' and ARGV[2] == 'taken' then return 'held' end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.gsub(ARGV[2], 'kept', 'taken'), 'PX', ARGV[3])
return ARGV[2]
"""


# Only what is said of this episode; another's goes on.
_LIFT = """
local now = redis.call('GET', KEYS[1])
if now and string.sub(now, 1, 36) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


def announce(camera_id: int, episode_id: UUID) -> Word:
    """Say that this is the camera's newest episode, whose siren is asked for."""
    return _tell(camera_id, episode_id, "rung", OVER_MS)


def take(camera_id: int, episode_id: UUID) -> Word:
    """Say that this process answers for the siren from now on; returns what is said then."""
    return _tell(camera_id, episode_id, "taken", HOLDER_MS)


def keep(camera_id: int, episode_id: UUID) -> Word:
    """Say that this process still does, unless another episode has taken the siren."""
    return _tell(camera_id, episode_id, "kept", HOLDER_MS)


def say_over(camera_id: int, episode_id: UUID) -> Word:
    return _tell(camera_id, episode_id, "over", OVER_MS)


def say_silent(camera_id: int, episode_id: UUID) -> Word:
    return _tell(camera_id, episode_id, "silent", OVER_MS)


def lift(camera_id: int, episode_id: UUID) -> None:
    """Take back that an episode's siren is over: it may sound again."""
    try:
        _client().eval(_LIFT, 1, _key(camera_id), str(episode_id))
    except redis.RedisError as error:
        logger.debug("the siren board cannot be reached: %s", type(error).__name__)


def look(camera_id: int, episode_id: UUID) -> Word:
    try:
        said = _client().get(_key(camera_id))
    except redis.RedisError:
        return Word.UNKNOWN
    if said is None:
        return Word.FREE
    assert isinstance(said, bytes)  # the client is not asynchronous
    episode, _, word = said.decode().partition(" ")
    return Word(word) if episode == str(episode_id) else Word.ANOTHERS


def whose(camera_id: int) -> UUID | None:
    """The episode that has the camera's siren, as far as anybody says."""
    try:
        said = _client().get(_key(camera_id))
    except redis.RedisError:
        return None
    return UUID(said.decode().partition(" ")[0]) if isinstance(said, bytes) else None


def _tell(camera_id: int, episode_id: UUID, word: str, milliseconds: int) -> Word:
    arguments = (_key(camera_id), str(episode_id), word, str(milliseconds))
    try:
        said = _client().eval(_TELL, 1, *arguments)
    except redis.RedisError as error:
        logger.debug("the siren board cannot be reached: %s", type(error).__name__)
        return Word.UNKNOWN
    assert isinstance(said, bytes)  # the client is not asynchronous
    return Word.TAKEN if said == b"kept" else Word(said.decode())


def _key(camera_id: int) -> str:
    return f"crimeops:siren:{camera_id}"


def _client() -> "redis.Redis":
    return _connect(settings.ENVIRONMENT.redis_url)


@cache
def _connect(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1),
    )
