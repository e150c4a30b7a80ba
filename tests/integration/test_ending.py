"""A worker ends for good whenever it is told to, and lets its cameras go before."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from celery.utils.nodenames import worker_direct

from crimeops.celery import app
from tests.services import wait_until

SETTINGS = {"CANARY_INTERVAL": "0.5", "DEAF_SECONDS": "4", "PYTHONUNBUFFERED": "1"}
COMMAND = [sys.executable, "-m", "tests.integration.endless_worker", "worker", "-Q", "streams"]


@contextmanager
def watching(
    folder: Path, broker_url: str, let_go: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A worker of its own process with one camera, and what it wrote."""
    database = f"sqlite:///{folder / 'nothing.sqlite3'}"
    environment = os.environ | SETTINGS | {"LET_GO": str(let_go)}
    environment |= {"REDIS_URL": broker_url, "DATABASE_URL": database}
    written = folder / "worker.log"
    environment["DJANGO_SETTINGS_MODULE"] = "crimeops.settings"
    with written.open("wb") as log:
        worker = subprocess.Popen(
            COMMAND, stdout=log, stderr=subprocess.STDOUT, env=environment, process_group=0
        )
    try:
        app.send_task("detection.watch", (1,))
        wait_until(lambda: b"a camera is watched" in written.read_bytes(), "it watches", 60)
        yield worker, written
    finally:
        worker.kill()
        worker.wait(10)


def ends(worker: "subprocess.Popen[bytes]", written: Path) -> None:
    wait_until(lambda: worker.poll() is not None, "it ends", 20)
    text = written.read_text(errors="replace")
    assert text.count("a camera is released") == 1, text[-2000:]


def test_a_worker_that_is_shut_down_by_remote_control_ends_and_does_not_restart_itself(
    tmp_path: Path, broker: "redis.Redis", broker_url: str
) -> None:
    with watching(tmp_path, broker_url, let_go=tmp_path) as (worker, written):
        app.control.shutdown()
        ends(worker, written)
        assert "restarts itself" not in written.read_text(errors="replace")


def test_a_worker_that_is_told_to_end_while_it_restarts_itself_ends(
    tmp_path: Path, broker: "redis.Redis", broker_url: str
) -> None:
    let_go = tmp_path / "let go"
    with watching(tmp_path, broker_url, let_go) as (worker, written):
        hostname = f"streams.{worker.pid}@{socket.gethostname()}"
        app.control.cancel_consumer(worker_direct(hostname).name)
        wait_until(lambda: b"restarts itself" in written.read_bytes(), "it is deaf", 20)
        worker.send_signal(signal.SIGTERM)
        wait_until(lambda: b"Warm shutdown" in written.read_bytes(), "it heard the signal", 20)
        let_go.touch()
        ends(worker, written)
