"""The tap of a streams worker while its broker comes and goes."""

import threading
from collections.abc import Iterator

import pytest
import redis

from crimeops.celery import app
from detection import tap
from simulators.demo.processes import free_port
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


def take_away(broker: "redis.Redis", patched: pytest.MonkeyPatch) -> None:
    """Connections break, and new ones are refused."""
    patched.setitem(app.conf, "broker_url", f"redis://127.0.0.1:{free_port()}/0")
    broker.client_kill_filter(_type="normal", skipme=True)


def test_a_tap_that_was_shut_asks_again_and_again_to_be_opened_while_the_broker_is_away(
    broker: "redis.Redis",
    stop: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tap, "LOOK_AGAIN_SECONDS", 0.2)
    shut = tap.Tap(app, "streams@here", stop)
    monkeypatch.setattr(app.amqp.queues, "_consume_from", {})  # as its worker does when told
    take_away(broker, monkeypatch)
    shut.shut()
    wait_until(lambda: caplog.text.count("cannot be turned") >= 4, "it goes on asking")


@pytest.mark.parametrize("fault", ["away", "full"])
def test_a_broker_in_trouble_ends_no_watch(
    broker: "redis.Redis", stop: threading.Event, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not tap.is_flooded(app, tap.QUEUE)  # it has a connection from now on
    if fault == "away":
        take_away(broker, monkeypatch)
    else:
        broker.config_set("maxmemory", "1")
    try:
        tap.Tap(app, "streams@here", stop).shut()
        assert not tap.is_flooded(app, tap.QUEUE)
    finally:
        broker.config_set("maxmemory", "0")
