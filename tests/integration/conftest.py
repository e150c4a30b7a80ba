"""A real broker for rings, a simulated camera, and acts that begin in the same moment."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import kombu.pools
import pytest
import redis
from django.db import connection
from pytest_django import Settings

from crimeops.celery import app
from integrations.services.siren_keeper import KEEPER
from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.clips import grey_clip
from tests.integration.siren_site import PASSWORD
from tests.services import valkey

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _no_siren_outlives_its_test() -> Iterator[None]:
    """One that cannot be silenced is tried for ever, and would speak in the next test."""
    yield
    for hold in KEEPER._all():
        hold.supersede()


@pytest.fixture
def pictures_in_memory(settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
def broker(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """A real broker for the rings; Celery would otherwise keep the connections it once made."""
    monkeypatch.setitem(app.conf, "broker_url", broker_url)
    _forget_connections()
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
        yield client
    _forget_connections()


def _forget_connections() -> None:
    """Close what Celery keeps, and let it know: a closed pool is of no use to the next test."""
    kombu.pools.reset()
    app._pool = None  # type: ignore[attr-defined]  # Celery offers no other way
    app.amqp._producer_pool = None  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return load_clip(grey_clip(tmp_path_factory.mktemp("clip") / "grey.mp4", pictures=1))


@pytest.fixture
def tapo(clip: Clip) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as simulated:
        yield simulated


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
