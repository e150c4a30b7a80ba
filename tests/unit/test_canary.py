"""When a worker is taken for deaf, and when it is only busy or alone."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery.worker import state

from crimeops import canary
from crimeops.canary import Hearing, Watchdog, patience


def hearing() -> Hearing:
    return Hearing(30.0, interval_seconds=5.0, good_at=100.0, looked_at=100.0)


def deaf_from(hearing: Hearing, start: float, end: float) -> float | None:
    """When, looking every five seconds, it is first found to be deaf."""
    moments = [start + 5.0 * step for step in range(1 + int((end - start) / 5.0))]
    return next((moment for moment in moments if hearing.is_deaf(moment)), None)


def test_a_worker_is_deaf_when_its_patience_is_over() -> None:
    assert deaf_from(hearing(), 100.0, 200.0) == 135.0


def test_whoever_hears_now_and_then_is_not_deaf() -> None:
    worker = hearing()
    assert deaf_from(worker, 100.0, 125.0) is None
    worker.heard(127.0)
    assert deaf_from(worker, 130.0, 200.0) == 160.0


def test_a_process_that_was_stopped_for_a_while_is_not_deaf() -> None:
    worker = hearing()
    assert deaf_from(worker, 100.0, 110.0) is None
    assert deaf_from(worker, 190.0, 300.0) == 225.0, "it counts from when it goes on"


def test_a_time_that_is_already_past_changes_nothing() -> None:
    worker = hearing()
    worker.heard(90.0)
    assert worker.good_at == 100.0


def test_each_restart_of_the_last_ten_minutes_doubles_the_patience_up_to_a_limit() -> None:
    assert patience(30.0, [], now=1000.0) == 30.0
    assert patience(30.0, [100.0, 500.0, 900.0], now=1000.0) == 120.0
    assert patience(30.0, [999.0] * 50, now=1000.0) == 480.0


# --- the watchdog of a worker that never was -----------------------------------------------------


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    rings: list[tuple[str, str]] = []

    def ring(task: str, *, queue: "SimpleNamespace", expires: float) -> bool:
        rings.append((task, queue.name))
        return True

    monkeypatch.setattr(canary, "ring", ring)
    return rings


@pytest.fixture
def watchdog() -> Watchdog:
    watchdog = Watchdog("streams@host", slots=2)
    watchdog.ready.set()
    return watchdog


def test_the_canary_is_sent_to_the_workers_own_queue(
    watchdog: Watchdog, rung: list[tuple[str, str]]
) -> None:
    assert watchdog._ought_to_hear()
    assert rung == [("detection.sing", "streams@host.dq2")]


def test_before_a_worker_is_ready_it_cannot_hear(rung: list[tuple[str, str]]) -> None:
    assert not Watchdog("streams@host", slots=2)._ought_to_hear()
    assert rung == []


def test_a_worker_whose_slots_are_all_taken_is_busy_and_not_deaf(
    watchdog: Watchdog, rung: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "active_requests", {"one", "two"})
    assert not watchdog._ought_to_hear()


@pytest.mark.parametrize("error", [None, ValueError("the broker is full")], ids=repr)
def test_a_broker_that_does_not_take_the_canary_deafens_nobody(
    watchdog: Watchdog, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ring(*_: object, **__: object) -> bool:
        if error:
            raise error
        return False

    monkeypatch.setattr(canary, "ring", ring)
    assert not watchdog._ought_to_hear()


def test_whoever_finds_this_worker_broken_has_it_restarted(
    rung: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    why: list[str] = []
    watchdog = Watchdog("gpu@host", slots=2)
    watchdog._interval = 0.01
    monkeypatch.setattr(canary, "_watchdog", watchdog)
    monkeypatch.setattr(canary, "restart", why.append)
    canary.complain("the detector is broken")
    watchdog.run()
    assert why == ["the detector is broken"]


# --- who else is told ----------------------------------------------------------------------------


def test_systemd_and_the_health_check_are_told(
    watchdog: Watchdog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = tmp_path / "notify"
    file = tmp_path / "canary"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        watchdog._file = file
        watchdog._tell_supervisors()
        assert systemd.recv(64) == b"WATCHDOG=1"
    assert file.exists()


def test_a_supervisor_that_is_gone_ends_no_watchdog(
    watchdog: Watchdog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    watchdog._file = tmp_path / "no such folder" / "canary"
    watchdog._tell_supervisors()


def test_a_new_life_knows_of_the_restarts_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, words: started.append((path, words)))
    monkeypatch.setattr("time.time", lambda: 1000.0)
    monkeypatch.setenv(canary.RESTARTS, "100,900")
    canary._begin_anew()
    assert os.environ[canary.RESTARTS] == "900,1000"
    monkeypatch.setattr("time.time", lambda: 1001.0)
    assert patience(30.0, canary._restarts(), now=1001.0) == 120.0
    ((path, words),) = started
    assert os.access(path, os.X_OK) and words
