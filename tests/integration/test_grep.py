"""The grep of the end-to-end tests finds what is planted, wherever and in whatever form."""

import hashlib
import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from simulators.tapo import SimulatedTapo
from tests import services
from tests.e2e.cluster import API_KEY, Cluster
from tests.e2e.databases import SECRET_KEY
from tests.e2e.secrets import assert_nothing_leaked

PASSWORD = "p@ssw0rd/of the camera"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, rendered_scene: Path) -> Iterator[Cluster]:
    """One without workers: only what a test plants is written."""
    folder = tmp_path_factory.mktemp("cluster")
    base = f"sqlite:///{folder / 'cluster.sqlite3'}"
    camera = SimulatedTapo(user="operator", password=PASSWORD, clip=rendered_scene)
    with services.valkey() as url, Cluster(folder, url, base, folder, [camera]) as cluster:
        yield cluster


FORMS: dict[str, str] = {
    "plain": PASSWORD,
    "in an address": quote(PASSWORD, safe=""),
    "basic login": b64encode(f"operator:{PASSWORD}".encode()).decode(),
    "Tapo's hash": hashlib.sha256(PASSWORD.encode()).hexdigest().upper(),
    "Tapo's older hash": hashlib.md5(PASSWORD.encode()).hexdigest().upper(),
    "the API key": API_KEY,
    "the signing key": SECRET_KEY,
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_found_in_a_log(cluster: Cluster, form: str) -> None:
    log = cluster.folder / "logs" / "worker.log"
    log.write_text(f"INFO it is {FORMS[form]} here")
    try:
        with pytest.raises(AssertionError, match=r"1 leaks|2 leaks"):
            assert_nothing_leaked(cluster)
    finally:
        log.unlink()
    assert assert_nothing_leaked(cluster) > 0


def in_a_row(cluster: Cluster) -> Callable[[], object]:
    path = cluster.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as base:
        base.execute("INSERT INTO auth_group (name) VALUES (?)", (f"said {PASSWORD}",))

    def undo() -> None:
        with sqlite3.connect(path, isolation_level=None) as base:
            base.execute("DELETE FROM auth_group WHERE name LIKE 'said %'")
            base.execute("VACUUM")
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return undo


def in_a_task(cluster: Cluster) -> Callable[[], object]:
    """As Celery sends it: the arguments are base64 inside of JSON."""
    client = redis.Redis.from_url(cluster.broker_url)
    body = b64encode(json.dumps([[PASSWORD], {}, {}]).encode()).decode()
    client.lpush("streams", json.dumps({"body": body, "headers": {}}))
    return client.flushall


def in_a_key(cluster: Cluster) -> Callable[[], object]:
    client = redis.Redis.from_url(cluster.broker_url)
    client.set(f"camera:{PASSWORD}", 1)
    return client.flushall


def in_evidence(cluster: Cluster) -> Callable[[], object]:
    file = cluster.folder / "evidence" / "snapshot.jpg"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"\xff\xd8" + PASSWORD.encode())
    return file.unlink


def in_a_command_line(cluster: Cluster) -> Callable[[], object]:
    command = ["sh", "-c", "sleep 60; true", PASSWORD]
    cluster.processes.start("careless", command, {"PATH": "/bin:/usr/bin"})
    return lambda: cluster.processes.stop("careless")


@pytest.mark.parametrize("plant", [in_a_row, in_a_task, in_a_key, in_evidence, in_a_command_line])
def test_it_is_found_wherever_it_lies(
    cluster: Cluster, plant: Callable[[Cluster], Callable[[], object]]
) -> None:
    undo = plant(cluster)
    try:
        with pytest.raises(AssertionError, match="leaks"):
            assert_nothing_leaked(cluster)
    finally:
        undo()
    assert_nothing_leaked(cluster)


def test_rows_of_postgres_are_searched(tmp_path: Path) -> None:
    with services.valkey() as broker, services.postgres() as url:
        cluster = Cluster(tmp_path, broker, url, tmp_path)
        insert = "INSERT INTO auth_group (name) VALUES (%s)"
        with (
            pytest.raises(AssertionError, match="table auth_group"),
            cluster,
            psycopg.connect(url) as base,
        ):
            base.execute(insert, (API_KEY,))
