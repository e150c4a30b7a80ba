"""Keeps the broker's queues short where nobody consumes them.

A message that expired is dropped when somebody takes it: the queue of a dead worker grows with each
turn of beat. So whoever rings also drops the oldest beyond a length, and lets the queue of a worker
that never came back expire. Nothing is lost by it: each ring has a sweep that rings again.
"""

import logging
from collections.abc import Sequence
from functools import cache

import redis
from celery import current_app

logger = logging.getLogger(__name__)

LONGEST_QUEUE = 1_000
QUEUE_LIFE_SECONDS = 86_400


def trim(routing_key: str = "", **_: object) -> None:
    """Listen to `after_task_publish`; a queue's name is its routing key, and its key in Redis."""
    try:
        with _client(current_app.conf.broker_url).pipeline(transaction=False) as pipe:
            pipe.ltrim(routing_key, 0, LONGEST_QUEUE - 1)  # kombu puts new ones in front
            pipe.expire(routing_key, QUEUE_LIFE_SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        logger.debug("the queue %s is not trimmed: %s", routing_key, error)


def depths(queues: Sequence[str]) -> dict[str, int]:
    """How many messages wait in each queue, by one round trip. Raises ConnectionError."""
    try:
        with _client(current_app.conf.broker_url).pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            return dict(zip(queues, pipe.execute(), strict=True))
    except redis.RedisError as error:
        raise ConnectionError(f"the broker is out of reach ({type(error).__name__})") from None


@cache
def _client(url: str) -> "redis.Redis":
    """State of the process, named as such: one connection pool for each broker."""
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
