"""The pace of telling: a rate, one attempt at a back end that is away, all when it answers."""

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from urllib3.util.retry import Retry

from crimeops import adapters
from detection.models import Camera
from integrations.models import Delivery, Outlet
from integrations.ports import IntegrationError
from integrations.services import delivering, outbox, outlets
from simulators.laravel import LaravelSimulator, SimulatedCamera
from tests.integration.conftest import at_once
from tests.integration.test_outbox import OPENED, SURE, a_lease, make_due, record

pytestmark = pytest.mark.django_db

KEY = "the-key-of-this-test"


@pytest.fixture
def backend(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaravelSimulator]:
    """It is asked four times for a 500 or 503, as it is in earnest, but without pauses between."""
    monkeypatch.setattr(Retry, "get_backoff_time", lambda _: 0.0)
    cameras = [
        SimulatedCamera(id=n, name=f"Camera {n}", ip_address="192.0.2.1", rtsp_url="rtsp://x/1")
        for n in range(1, 9)
    ]
    with LaravelSimulator(KEY, cameras) as simulator:
        changes: dict[str, Any] = {
            "backend_url": simulator.url,
            "model_api_key": KEY,
            "backend_timeout": 0.5,
            "siren_enabled": False,
        }
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)
        adapters.forget()
        yield simulator
        adapters.forget()


def use_rate(settings: Settings, per_second: float) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"deliveries_per_second": per_second}
    )


def episodes_at(*cameras: int) -> None:
    for number in cameras:
        record(a_lease(number), OPENED, SURE)


def try_all() -> None:
    """What the sweep and a worker do."""
    for pk in outbox.due_deliveries(at=timezone.now()):
        delivering.deliver(delivery_id=pk)


def outlet() -> Outlet:
    return Outlet.objects.get(reporter="laravel")


def when_its_turn_comes() -> None:
    Outlet.objects.update(next_turn_at=timezone.now())


# --- the rate ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_all_workers_together_keep_the_rate(settings: Settings) -> None:
    use_rate(settings, 20)
    began = time.monotonic()
    taken = at_once([lambda: [outlets.take_turn(reporter="laravel") for _ in range(5)]] * 4)
    took = time.monotonic() - began
    assert taken == [[True] * 5] * 4
    assert took >= 19 / 20, "the first goes at once, each other a twentieth of a second later"


def test_a_turn_that_is_far_off_is_not_waited_for(settings: Settings) -> None:
    use_rate(settings, 0.1)
    assert outlets.take_turn(reporter="laravel")
    assert not outlets.take_turn(reporter="laravel")


def test_a_clock_that_was_set_back_stops_nothing() -> None:
    far = timezone.now() + timedelta(hours=1)
    Outlet.objects.create(reporter="laravel", next_turn_at=far)
    assert outlets.take_turn(reporter="laravel")


def test_two_reports_of_a_camera_keep_their_distance(
    backend: LaravelSimulator, settings: Settings
) -> None:
    use_rate(settings, 1000)
    episodes_at(1)
    following = delivering.deliver(delivery_id=Delivery.objects.get(kind="alert").pk)
    assert following is not None
    delivering.deliver(delivery_id=following)
    alert, crime = backend.calls
    assert crime.monotonic - alert.monotonic >= delivering.CAMERA_REST_SECONDS - 0.01


# --- away ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["hang:1.0", "reset", "status:503", "status:401", "status:429"])
def test_a_back_end_that_is_away_is_asked_by_one_report_at_a_time(
    backend: LaravelSimulator, fault: str
) -> None:
    backend.fault(fault)
    episodes_at(1, 2, 3)
    try_all()
    assert outlet().down_since is not None
    assert outlet().last_error != ""
    tried = Delivery.objects.filter(attempts__gt=0)
    assert [(row.attempts, row.failures) for row in tried] == [(1, 0)], "the others were not tried"
    assert outbox.due_deliveries(at=timezone.now()) == [], "nor is anything rung"

    when_its_turn_comes()
    assert len(outbox.due_deliveries(at=timezone.now())) == 1
    try_all()
    assert sum(Delivery.objects.values_list("attempts", flat=True)) == 2
    assert Delivery.objects.filter(next_attempt_at__gt=timezone.now()).count() == 0


def test_a_back_end_that_answers_again_is_told_everything(backend: LaravelSimulator) -> None:
    backend.fault("status:503")
    episodes_at(1, 2, 3)
    try_all()
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(seconds=60))
    backend.clear_faults()
    when_its_turn_comes()
    try_all()
    now = outlet()
    assert (now.down_since, now.failures, now.last_error) == (None, 0, "")
    while outbox.due_deliveries(at=timezone.now()):
        try_all()
    assert Delivery.objects.exclude(status="delivered").count() == 0
    assert sorted(crime.camera_id for crime in backend.crimes) == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_bare_500_is_the_back_ends_when_it_repeats(backend: LaravelSimulator) -> None:
    backend.fault("status:500")
    episodes_at(1, 2, 3, 4)
    for expected in (1, 2, 3):
        delivering.deliver(delivery_id=outbox.due_deliveries(at=timezone.now())[0])
        assert outlet().failures == expected
        assert (outlet().down_since is not None) == (expected == 3)
    assert sum(Delivery.objects.values_list("failures", flat=True)) == 3


@pytest.mark.django_db(transaction=True)
def test_a_report_that_the_back_end_cannot_digest_keeps_no_other_from_going(
    backend: LaravelSimulator,
) -> None:
    backend.fault("status:500", times=12)  # each attempt is four requests
    episodes_at(1)
    for _ in range(3):
        when_its_turn_comes()
        Delivery.objects.update(next_attempt_at=timezone.now())
        try_all()
    assert outlet().down_since is not None
    episodes_at(2)
    Delivery.objects.filter(camera__external_id=1).update(
        next_attempt_at=timezone.now() + timedelta(seconds=60)
    )
    when_its_turn_comes()
    try_all()
    assert [alert.camera_id for alert in backend.alerts] == [2], "what was not tried yet goes first"
    assert outlet().down_since is None


def test_a_refusal_for_good_is_an_answer(backend: LaravelSimulator) -> None:
    backend.fault("status:503")
    episodes_at(1)
    try_all()
    backend.clear_faults()
    Delivery.objects.filter(kind="alert").update(payload={"confidence": 120.0})
    when_its_turn_comes()
    try_all()
    assert outlet().down_since is None
    assert Delivery.objects.get(kind="alert").status == "refused"
    try_all()
    assert Delivery.objects.get(kind="crime").status == "delivered"


def test_how_long_the_back_end_asks_to_be_left_alone_is_kept(backend: LaravelSimulator) -> None:
    Outlet.objects.create(reporter="laravel", next_turn_at=timezone.now())
    busy = IntegrationError("busy", permanent=False, away=True, retry_after_seconds=40)
    assert outlets.note_failure(reporter="laravel", recoveries=0, error=busy)
    assert 38 < (outlet().next_turn_at - timezone.now()).total_seconds() <= 40


def test_a_failure_that_began_before_the_last_answer_says_nothing_of_now() -> None:
    Outlet.objects.create(reporter="laravel", next_turn_at=timezone.now(), failures=1)
    before = outlet().recoveries
    outlets.note_answer(reporter="laravel")
    gone = IntegrationError("gone", permanent=False, away=True)
    assert not outlets.note_failure(reporter="laravel", recoveries=before, error=gone)
    assert outlet().down_since is None


def test_goodbye_does_not_wait_for_a_back_end_that_is_away(backend: LaravelSimulator) -> None:
    episodes_at(1)
    Outlet.objects.create(
        reporter="laravel", next_turn_at=timezone.now(), down_since=timezone.now()
    )
    began = time.monotonic()
    camera = Camera.objects.get()
    assert not outbox.wait_until_told(camera_id=camera.pk, seconds=5)
    assert time.monotonic() - began < 0.5


def test_the_pause_of_what_was_refused_for_its_own_sake_ends_with_the_outage(
    backend: LaravelSimulator,
) -> None:
    episodes_at(1)
    make_due()
    later = timezone.now() + timedelta(seconds=60)
    Delivery.objects.update(next_attempt_at=later)
    Outlet.objects.create(
        reporter="laravel", next_turn_at=timezone.now(), down_since=timezone.now()
    )
    outlets.note_answer(reporter="laravel")
    assert not Delivery.objects.filter(next_attempt_at__gt=timezone.now()).exists()


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_slower_sends_another_report_in_its_turn(
    backend: LaravelSimulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_rate(settings, 50)
    monkeypatch.setattr(outlets, "TURN_SECONDS", 30.0)
    episodes_at(1, 2, 3, 4)
    first = outbox.due_deliveries(at=timezone.now())[0]
    soon = timezone.now() + timedelta(seconds=1.2)
    Outlet.objects.create(reporter="laravel", next_turn_at=soon)  # all three wait for their turn
    at_once([lambda: delivering.deliver(delivery_id=first)] * 3)
    sent = [call.headers["Idempotency-Key"] for call in backend.calls_to("/alert")]
    assert len(set(sent)) == len(sent) == 3


@pytest.mark.django_db(transaction=True)
def test_the_thread_that_renews_leaves_no_connection_behind(backend: LaravelSimulator) -> None:
    episodes_at(1)
    pk = Delivery.objects.get(kind="alert").pk

    def run() -> None:
        delivering.deliver(delivery_id=pk)
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join(10)
    assert Delivery.objects.get(pk=pk).status == "delivered"
