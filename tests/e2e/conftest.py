"""Broker, databases and clips shared by the end-to-end tests."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests import services
from tests.e2e.databases import migrate

SCENE_STARTS_AT = 7.0  # the test's clip leaves out the empty first seconds


@pytest.fixture
def broker() -> Iterator[services.Broker]:
    with services.broker() as server:
        yield server


@pytest.fixture
def broker_url(broker: services.Broker) -> str:
    return broker.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One server for the whole run; each test takes a database of its own on it."""
    with services.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """A database that is copied for each test and that nobody else uses."""
    with services.fresh_database(postgres_server) as url:
        migrate(url)
        yield url


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    with services.fresh_database(postgres_server, copy_of=migrated_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def scene(rendered_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's scene from second 7 to 30: a person is in the zone from 9.07 to 21.93."""
    part = tmp_path_factory.mktemp("scene") / "part.mp4"
    cut(rendered_scene, part, SCENE_STARTS_AT, 30.0)
    return part


@pytest.fixture(scope="session")
def empty_scene(rendered_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's scene before anybody comes: what a camera shows until its story shall begin."""
    part = tmp_path_factory.mktemp("scene") / "empty.mp4"
    cut(rendered_scene, part, 0.0, 4.0)
    return part


def cut(source: Path, target: Path, start: float, end: float) -> None:
    """Copy the packets from one key frame to another."""
    with av.open(str(source)) as original, av.open(str(target), "w") as copy:
        video = original.streams.video[0]
        assert video.time_base is not None
        out = copy.add_stream_from_template(video)
        for packet in original.demux(video):
            if packet.pts is None or not start <= packet.pts * video.time_base < end:
                continue
            shift = int(Fraction(start) / video.time_base)
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = out
            copy.mux(packet)
