"""What Redis answers while it runs but will not serve is told in words that say what to do."""

import pytest
import redis

from detection.transport.redis import _unreachable


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (redis.exceptions.OutOfMemoryError("OOM"), "Redis is full; raise its maxmemory"),
        (redis.exceptions.ReadOnlyError("READONLY"), "Redis takes no writes"),
        (redis.exceptions.BusyLoadingError("LOADING"), "Redis is still loading its data"),
        (redis.exceptions.TimeoutError("secret"), "Redis does not answer"),
        (redis.exceptions.AuthenticationError("secret"), "Redis refuses the password"),
        (redis.exceptions.ConnectionError("secret"), "cannot be reached: ConnectionError; check"),
        (redis.exceptions.ResponseError("secret"), "cannot be reached: ResponseError; check"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_refusal_says_what_to_do(error: redis.RedisError, told: str) -> None:
    assert told in str(_unreachable(error))
    assert "secret" not in str(_unreachable(error))
