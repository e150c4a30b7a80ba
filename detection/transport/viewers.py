"""Who looks at live pictures now: so many each, so many at the site, and nobody for ever.

One sorted set of places, each with the moment at which it lapses by Redis' own clock, so that a web
process that died frees its places by itself.
"""

from secrets import token_hex
from time import time_ns
from typing import Any

import redis

from detection.transport.live import connect, unreachable

_PLACES = "crimeops:live-viewers"
LAPSES_SECONDS = 8.0  # a viewer renews its place every second

_ENTER = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1e6
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local mine = {}
for _, place in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(place, 1, #ARGV[2]) == ARGV[2] then table.insert(mine, place) end
end
table.sort(mine)
while #mine >= tonumber(ARGV[3]) do redis.call('ZREM', KEYS[1], table.remove(mine, 1)) end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[1])
redis.call('EXPIRE', KEYS[1], 60)
return 1
"""
_RENEW = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1e6
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], 60)
return 1
"""


class Viewers:
    """The places at live pictures of the whole site. All raise TransportError."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._enter = client.register_script(_ENTER)
        self._renew = client.register_script(_RENEW)

    @classmethod
    def connect(cls, url: str) -> "Viewers":
        return cls(connect(url))

    def enter(self, user_id: int, *, each: int, site: int) -> str | None:
        """A place, or None where the site is full. Who has `each` loses the oldest of them."""
        prefix = f"{user_id}:"
        place = f"{prefix}{time_ns():020d}:{token_hex(4)}"
        taken = self._ask(self._enter, [place, prefix, each, site, LAPSES_SECONDS])
        return place if taken else None

    def renew(self, place: str) -> bool:
        """Keep the place; False where it went to a newer viewer of the same user, or lapsed."""
        return bool(self._ask(self._renew, [place, LAPSES_SECONDS]))

    def leave(self, place: str) -> None:
        """Free the place at once."""
        try:
            self._client.zrem(_PLACES, place)
        except redis.RedisError as error:
            raise unreachable(error) from None

    def count(self) -> int:
        """How many places are taken, lapsed ones included until somebody enters."""
        try:
            return int(self._client.zcard(_PLACES))
        except redis.RedisError as error:
            raise unreachable(error) from None

    def _ask(self, script: Any, arguments: list[Any]) -> Any:
        try:
            return script(keys=[_PLACES], args=arguments)
        except redis.RedisError as error:
            raise unreachable(error) from None
