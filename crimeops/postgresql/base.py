"""Django's PostgreSQL, with an end to waiting for a server that says nothing.

TCP's own time-outs notice a host that is gone, but no server or proxy that keeps the connection and
is silent, and psycopg waits for an answer without end. A watch must not: it has cameras to look at.
https://docs.djangoproject.com/en/stable/ref/databases/#subclassing-the-built-in-database-backends
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg.waiting import Ready, Wait

logger = logging.getLogger(__name__)

KNOCK_SECONDS = 1.0
# Connections that stand are well then, and who has none is told so at once: nobody waits.
REFUSALS = ("too many clients", "too many connections", "connection slots are reserved")


class ImpatientConnection(psycopg.Connection[Any]):
    """Gives a silent server up, and closes: what was asked may still be answered, but to nobody."""

    silence_seconds: float | None = None
    tell_silence: Callable[[Exception], None]

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        if self.silence_seconds is None:
            return super().wait(gen, *arguments, **options)
        try:
            return super().wait(_until(gen, self.silence_seconds), *arguments, **options)
        except _Silence:
            self.pgconn.finish()
            error = psycopg.OperationalError(
                f"it said nothing for {self.silence_seconds:g} s; the connection is given up"
            )
            self.tell_silence(error)
            raise error from None


class _Silence(Exception):
    """The deadline passed while the server was waited for."""


def _until(gen: Any, seconds: float) -> Generator[Wait, Ready | int, Any]:
    """The same conversation with the server, ended where it is silent for so long."""
    deadline = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready != Ready.NONE:
                deadline = time.monotonic() + seconds
            elif time.monotonic() > deadline:
                raise _Silence
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


class Door:
    """Keeps a process from knocking at a database that is away with all its threads.

    After a failure one thread knocks each second; all others are refused at once until it answers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shut = False

    def check(self) -> None:
        """Raises psycopg.OperationalError while the database is known to be away."""
        if self._shut:
            raise psycopg.OperationalError("the database is away; it is knocked at each second")

    def shut(self, parameters: dict[str, Any], silence: float, error: Exception) -> None:
        """Let nobody through until a connection with these parameters is granted and answers."""
        with self._lock:
            if self._shut:
                return
            self._shut = True
        logger.error("the database is away: %s", str(error).strip())
        threading.Thread(target=self._knock, args=(parameters, silence), daemon=True).start()

    def _knock(self, parameters: dict[str, Any], silence: float) -> None:
        began = time.monotonic()
        while True:
            time.sleep(KNOCK_SECONDS)
            try:
                _ask(parameters, silence)
            except psycopg.Error:
                continue
            self._shut = False
            logger.warning("the database is back after %.0f s", time.monotonic() - began)
            return


def _ask(parameters: dict[str, Any], silence: float) -> None:
    """A connection is not enough: a proxy grants it before a server that answers nothing."""
    connection = ImpatientConnection.connect(**parameters)
    try:
        connection.silence_seconds, connection.tell_silence = silence, lambda _: None
        connection.execute("SELECT 1")
    finally:
        connection.close()


# State of the process, named as such: one door for each database.
_doors: dict[tuple[Any, ...], Door] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """Without `SILENCE_SECONDS` it waits for ever, as an operator's command does."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> ImpatientConnection:
        silence = self.settings_dict.get("SILENCE_SECONDS")
        self.isolation_level = IsolationLevel.READ_COMMITTED
        if silence is None:
            return ImpatientConnection.connect(**conn_params)
        where = tuple(conn_params.get(name) for name in ("host", "port", "dbname"))
        door = _doors.setdefault(where, Door())
        door.check()
        try:
            connection = ImpatientConnection.connect(**conn_params)
        except psycopg.OperationalError as error:
            if not any(refusal in str(error) for refusal in REFUSALS):
                door.shut(conn_params, silence, error)
            raise
        connection.silence_seconds = silence
        connection.tell_silence = partial(door.shut, conn_params, silence)
        return connection
