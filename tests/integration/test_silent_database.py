"""A PostgreSQL that is cut off or silent holds nobody up, and is used again when it is back."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import OperationalError, connections
from psycopg import sql
from pytest_django import DjangoDbBlocker, Settings

from crimeops.postgresql.base import KNOCK_SECONDS, DatabaseWrapper
from crimeops.settings import database
from detection import signals
from detection.domain.crimes import CrimeType
from detection.domain.episodes import EpisodeOpened
from detection.evidence.storage import DjangoEvidenceStore
from detection.recording import EpisodeRecorder
from detection.services.claims import Lease, WatchCounters
from detection.services.holding import PROOF_SECONDS, Holding, Mark
from tests import services
from tests.gate import PIECE, Gate, PostgresGate

pytestmark = pytest.mark.usefixtures("_other_databases")
SILENCE = 1.0
PATIENCE = 5.0  # as in the product, for what must not need it
BEGAN = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)
OPENED = EpisodeOpened(BEGAN, CrimeType.TRESPASSING, 55.0, BEGAN, "person 3 in “yard”")


@pytest.fixture
def _other_databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The databases here are not the tests' own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with services.postgres() as url:
        yield url


@pytest.fixture
def gate(server: str) -> Iterator[PostgresGate]:
    with PostgresGate(server) as gate:
        yield gate


@pytest.fixture
def connection(gate: PostgresGate) -> Iterator[DatabaseWrapper]:
    wrapper = DatabaseWrapper(settings_of(gate.url))
    yield wrapper
    wrapper.close()


def settings_of(url: str) -> dict[str, object]:
    made = database(url)
    options = made["OPTIONS"]
    assert isinstance(options, dict)
    return made | {
        "TIME_ZONE": None,
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "SILENCE_SECONDS": SILENCE,
        "OPTIONS": options | {"connect_timeout": 2},
    }


def answers(connection: DatabaseWrapper) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except OperationalError:
        connection.close()
        return False


def seconds_to_ask(connection: DatabaseWrapper) -> float:
    began = time.monotonic()
    assert not answers(connection)
    return time.monotonic() - began


def test_a_silent_server_is_given_up_and_then_nobody_waits(
    connection: DatabaseWrapper, gate: Gate
) -> None:
    assert answers(connection)
    gate.freeze()
    assert SILENCE <= seconds_to_ask(connection) < SILENCE + 1, "the statement was given up"
    assert max(seconds_to_ask(connection) for _ in range(5)) < 0.1, "others are refused at once"
    gate.open()
    services.wait_until(lambda: answers(connection), "it is used again", 10)


def test_a_server_that_is_cut_off_is_used_again(connection: DatabaseWrapper, gate: Gate) -> None:
    assert answers(connection)
    gate.cut()
    assert max(seconds_to_ask(connection) for _ in range(5)) < 0.5
    gate.open()
    services.wait_until(lambda: answers(connection), "it is used again", 10)


def test_a_slow_statement_is_ended_by_the_server_and_the_connection_stays(
    connection: DatabaseWrapper,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 300")
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(5)")
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_an_answer_that_comes_in_pieces_is_no_silence(connection: DatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT repeat('x', 20000), pg_sleep(0.01) FROM generate_series(1, 150)")
        assert len(cursor.fetchall()) == 150


def test_many_threads_at_a_silent_server_wait_once_each(
    connection: DatabaseWrapper, gate: Gate
) -> None:
    assert answers(connection)
    gate.freeze()
    settings = connection.settings_dict

    def ask(_: int) -> float:
        return seconds_to_ask(DatabaseWrapper(settings))

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(ask, range(8))) < 4
        assert max(pool.map(ask, range(8))) < 0.2
    gate.open()
    services.wait_until(lambda: answers(connection), "it is used again", 10)


def test_a_decision_that_falls_into_a_silence_sounds_its_siren_and_waits_for_nothing(
    connection: DatabaseWrapper, gate: Gate, settings: Settings
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"siren_enabled": False})
    connection.settings_dict["SILENCE_SECONDS"] = PATIENCE
    assert answers(connection)
    heard: list[float] = []

    def listen(**_: object) -> None:
        heard.append(time.monotonic())

    signals.siren_wanted.connect(listen)
    usual = connections["default"]
    connections["default"] = connection
    try:
        holding = Holding(Lease(1, 1), Mark.now())
        recorder = EpisodeRecorder(holding, DjangoEvidenceStore(), lambda: None)
        gate.freeze()
        for slowest in (PROOF_SECONDS, PROOF_SECONDS):
            began = time.monotonic()
            recorder.record(OPENED, [])
            took = time.monotonic() - began
            print(f"siren after {1000 * (heard[-1] - began):.0f} ms, watched on after {took:.2f} s")
            assert took < slowest
        assert len(heard) == 2
    finally:
        connections["default"] = usual
        signals.siren_wanted.disconnect(listen)


def test_who_was_paused_waits_for_the_truth_as_long_as_for_any_statement(
    connection: DatabaseWrapper, gate: Gate
) -> None:
    """A database that is merely slow must be able to tell it that it was overtaken."""
    assert answers(connection)
    usual = connections["default"]
    connections["default"] = connection
    now = Mark.now()
    long_ago = Mark(now.monotonic - 60, now.wall - 60)
    try:
        holding = Holding(Lease(1, 1), long_ago)
        gate.freeze()
        began = time.monotonic()
        with pytest.raises(OperationalError):
            holding.renew(frame_age_seconds=None, counters=WatchCounters(), frames_per_second=0.0)
        assert time.monotonic() - began >= SILENCE
    finally:
        connections["default"] = usual


class Bouncer(PostgresGate):
    """As PgBouncer: it grants connections itself, also where the server behind answers nothing."""

    is_server_dead = False

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if not (self.is_server_dead and piece[:1] in b"QP"):  # Query and Parse
                    target.sendall(piece)
        super()._forward(source, target)


def test_who_is_granted_a_connection_and_no_answer_is_not_let_in(server: str) -> None:
    with Bouncer(server) as gate:
        connection = DatabaseWrapper(settings_of(gate.url))
        assert answers(connection)
        gate.is_server_dead = True
        assert not answers(connection)
        until, longest = time.monotonic() + 4 * KNOCK_SECONDS, 0.0
        while time.monotonic() < until:
            longest = max(longest, seconds_to_ask(connection))
        assert longest < 0.3, "after the first nobody waits, though connections are granted"
        gate.is_server_dead = False
        services.wait_until(lambda: answers(connection), "it is used again", 10)
        connection.close()


def test_a_server_with_too_many_clients_shuts_out_nobody_else(server: str) -> None:
    with PostgresGate(server) as gate, psycopg.connect(server, autocommit=True) as operator:
        connection = DatabaseWrapper(settings_of(gate.url))
        role = sql.Identifier("a_crowd")
        operator.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 0").format(role))
        try:
            crowd = DatabaseWrapper(connection.settings_dict | {"USER": "a_crowd"})
            with pytest.raises(OperationalError, match="too many connections"):
                crowd.ensure_connection()
            assert answers(connection), "it is not away"
        finally:
            connection.close()
            operator.execute(sql.SQL("DROP ROLE {}").format(role))
