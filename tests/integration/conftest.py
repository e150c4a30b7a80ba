"""A real broker for rings, and acts that begin in the same moment."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import kombu.pools
import pytest
import redis
from django.db import connection

from crimeops.celery import app
from tests.services import valkey

T = TypeVar("T")


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
def broker(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """A real broker for the rings; Celery would otherwise keep the connections it once made."""
    monkeypatch.setitem(app.conf, "broker_url", broker_url)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
        yield client
    kombu.pools.reset()


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Run each in a thread with a connection of its own, all from the same moment."""
    start = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            start.wait(5)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
