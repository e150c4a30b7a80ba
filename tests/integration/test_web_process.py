"""A real web process that is told to end while somebody watches live."""

import os
import socket
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from benchmarks.live_view import GUNICORN, SET_UP
from detection.transport.live import LivePicture, LivePictures
from detection.transport.viewers import Viewers
from simulators.demo.processes import answers, free_port
from tests.e2e.cluster import Cluster
from tests.services import valkey, wait_until

ENDS_WITHIN_SECONDS = 5.0  # gunicorn itself would wait for thirty


@pytest.mark.parametrize("leaves", ["the browser", "the process"])
def test_a_live_picture_holds_neither_a_thread_nor_the_end_of_its_process(
    leaves: str, tmp_path: Path
) -> None:
    port = free_port()
    with (
        valkey() as url,
        Cluster(tmp_path, url, f"sqlite:///{tmp_path / 'web.sqlite3'}", tmp_path) as cluster,
    ):
        said = cluster.manage("shell", "--no-imports", "-c", SET_UP.format(cameras=1))
        session = said.split("session")[1].split()[0]
        command = [GUNICORN, "crimeops.wsgi", "--bind", f"127.0.0.1:{port}"]
        web = cluster.processes.start("web", command, cluster.environment)
        wait_until(lambda: answers(port), "the web answers", 60)
        browser = HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"Cookie": f"sessionid={session}", "Accept": "multipart/mixed"}
        browser.request("GET", "/admin/detection/camera/1/live/stream/", headers=headers)
        answer = browser.getresponse()
        assert answer.status == 200
        assert answer.readline() == b"--picture\r\n", "it is told that the stream lives"
        viewers = Viewers.connect(url)
        assert viewers.count() == 1
        if leaves == "the browser":
            answer.close()
            browser.close()
            wait_until(lambda: viewers.count() == 0, "its place is free", ENDS_WITHIN_SECONDS)
            return
        began = time.monotonic()
        web.process.terminate()
        web.process.wait(20)
        assert time.monotonic() - began < ENDS_WITHIN_SECONDS
        assert b'"ended": "away"' in answer.read()
        browser.close()


def test_browsers_that_fall_silent_keep_no_thread(tmp_path: Path) -> None:
    port = free_port()
    with (
        valkey() as url,
        Cluster(
            tmp_path,
            url,
            f"sqlite:///{tmp_path / 'web.sqlite3'}",
            tmp_path,
            foreseen=("BlockingIOError",),  # gunicorn's word for a browser that it gives up
        ) as cluster,
    ):
        said = cluster.manage("shell", "--no-imports", "-c", SET_UP.format(cameras=1))
        session = said.split("session")[1].split()[0]
        command = [GUNICORN, "crimeops.wsgi", "--bind", f"127.0.0.1:{port}"]
        cluster.processes.start("web", command, cluster.environment)
        wait_until(lambda: answers(port), "the web answers", 60)
        pictures, viewers = LivePictures.connect(url), Viewers.connect(url)
        with socket.create_connection(("127.0.0.1", port)) as half, socket.socket() as viewer:
            half.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert half.recv(4096).startswith(b"HTTP/1.1")
            half.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            viewer.connect(("127.0.0.1", port))
            path = "/admin/detection/camera/1/live/stream/"
            heads = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={session}"
            viewer.sendall(f"{heads}\r\n\r\n".encode())
            wait_until(lambda: viewers.count() == 1, "it looks")

            def is_over() -> bool:
                pictures.post(1, LivePicture(datetime.now(UTC), os.urandom(400_000), None))
                return viewers.count() == 0

            wait_until(is_over, "who takes nothing is given up, and not only the place", 40)
            half.settimeout(30)
            while half.recv(4096):
                """What is left of the whole answer; then the half request ends."""
