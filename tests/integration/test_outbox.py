"""The outbox: written with the step, sent in order, until it arrives, and once.

The back end is a strict simulator behind the product's own adapter. No worker runs: what a worker
would do is called, and what is rung lies in a real broker's queue.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from crimeops import adapters
from crimeops.celery import app
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.models import Camera, Episode
from detection.models import EpisodeEvent as EventRow
from detection.services import claims, episodes
from detection.services.claims import Lease
from integrations import tasks
from integrations.models import Delivery, Outlet, Siren
from integrations.services import delivering, outbox
from simulators.demo.processes import free_port
from simulators.laravel import LaravelSimulator, SimulatedCamera
from tests.integration.conftest import at_once
from tests.services import wait_until

pytestmark = pytest.mark.django_db


KEY = "the-key-of-this-test"
BEGAN = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)


def after(number: float) -> datetime:
    return BEGAN + timedelta(seconds=number)


OPENED = EpisodeOpened(after(0.6), CrimeType.TRESPASSING, 55.0, after(0), "person 3 in “yard”")
SURE = CrimeConfirmed(after(6), CrimeType.TRESPASSING, 85.0, after(0), "person 3 stayed")
CLEARED = EpisodeEnded(after(20), EpisodeState.CLEARED)
NONSENSE = EpisodeOpened(after(0.6), CrimeType.TRESPASSING, 120.0, after(0), "beyond all measure")


def risen(confidence: float) -> ConfidenceChanged:
    return ConfidenceChanged(after(2), CrimeType.TRESPASSING, confidence)


@pytest.fixture
def backend(settings: Settings) -> Iterator[LaravelSimulator]:
    """The back end that the product's own table of adapters leads to."""
    cameras = [
        SimulatedCamera(id=n, name=f"Camera {n}", ip_address="192.0.2.1", rtsp_url="rtsp://x/1")
        for n in (1, 2)
    ]
    with LaravelSimulator(KEY, cameras) as simulator:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"backend_url": simulator.url, "model_api_key": KEY, "backend_timeout": 2.0}
        )
        adapters.forget()
        yield simulator
        adapters.forget()


def rung(broker: "redis.Redis") -> list[str]:
    """The deliveries that were rung, oldest first."""
    messages: list[bytes] = broker.lrange("reports", 0, -1)  # type: ignore[assignment] # not awaitable here
    bodies = [json.loads(message)["headers"]["argsrepr"] for message in reversed(messages)]
    return [body.strip("(',)") for body in bodies]


def a_lease(number: int = 1, registry: str = "laravel") -> Lease:
    camera = Camera.objects.create(registry=registry, name=f"Camera {number}", external_id=number)
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=30, at=timezone.now()
    )
    assert lease is not None
    return lease


def claim(number: int = 1) -> None:
    adapters.load("CAMERA_REGISTRIES", "laravel").claim(number)


def record(lease: Lease, *steps: EpisodeEvent, episode_id: UUID | None = None) -> UUID:
    key = episode_id or uuid4()
    last: int = EventRow.objects.filter(episode_id=key).aggregate(last=Max("step"))["last"] or 0
    for number, event in enumerate(steps, start=last + 1):
        episodes.record_event(
            lease=lease,
            episode_id=key,
            event=event,
            step=number,
            timeline=[],
            decided_at=timezone.now(),
        )
    return key


def only(kind: str) -> Delivery:
    return Delivery.objects.get(kind=kind)


def told() -> list[tuple[str, str]]:
    return [(row.kind, row.status) for row in Delivery.objects.order_by("created_at", "sequence")]


def make_due() -> None:
    """As if the pauses were over."""
    Delivery.objects.update(next_attempt_at=timezone.now())
    Outlet.objects.update(next_turn_at=timezone.now(), down_since=None, failures=0)


# --- written with the step -----------------------------------------------------------------------


def test_a_step_and_its_delivery_are_rolled_back_together() -> None:
    lease = a_lease()

    def shut_down() -> None:
        with transaction.atomic():
            record(lease, OPENED)
            assert told() == [("alert", "pending")]
            raise RuntimeError("the database was shut down")

    with pytest.raises(RuntimeError):
        shut_down()
    assert (Episode.objects.count(), told()) == (0, [])


def test_the_steps_of_an_episode_are_queued_in_order_and_due_one_at_a_time() -> None:
    record(a_lease(), OPENED, SURE, CLEARED)
    assert told() == [("alert", "pending"), ("crime", "pending"), ("stop", "pending")]
    assert outbox.due_deliveries(at=timezone.now()) == [only("alert").pk]


def test_a_camera_of_our_own_has_nobody_to_tell() -> None:
    record(a_lease(registry="local"), OPENED, SURE, CLEARED)
    assert told() == []


def test_each_delivery_is_rung_after_the_commit(
    broker: "redis.Redis", django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    lease = a_lease()
    with django_capture_on_commit_callbacks(execute=True):
        record(lease, OPENED, SURE)
        assert rung(broker) == []
    assert rung(broker) == [str(only("alert").pk), str(only("crime").pk)]


def test_a_broker_that_is_down_stops_neither_the_step_nor_the_report(
    broker: "redis.Redis",
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setitem(app.conf, "broker_url", f"redis://127.0.0.1:{free_port()}/0")
    lease = a_lease()
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        record(lease, OPENED)
    assert time.monotonic() - began < 2.0
    assert "integrations.deliver is not rung" in caplog.text
    assert outbox.due_deliveries(at=timezone.now()) == [only("alert").pk]


# --- coalescing ----------------------------------------------------------------------------------


def test_only_the_newest_alert_counts(backend: LaravelSimulator) -> None:
    claim()
    record(a_lease(), OPENED, risen(66.0), risen(77.0))
    assert told() == [("alert", "superseded"), ("alert", "superseded"), ("alert", "pending")]
    (due,) = outbox.due_deliveries(at=timezone.now())
    delivering.deliver(delivery_id=due)
    assert [alert.confidence_score for alert in backend.alerts] == [77.0]


def test_an_alert_on_its_way_is_not_superseded_and_comes_first() -> None:
    lease = a_lease()
    key = record(lease, OPENED)
    Delivery.objects.update(claimed_until=timezone.now() + timedelta(seconds=30))
    record(lease, risen(77.0), episode_id=key)
    assert told() == [("alert", "pending"), ("alert", "pending")]
    assert outbox.due_deliveries(at=timezone.now()) == []


def test_an_alert_never_supersedes_that_of_another_episode() -> None:
    record(a_lease(1), OPENED)
    record(a_lease(2), OPENED)
    assert told() == [("alert", "pending"), ("alert", "pending")]
    assert len(outbox.due_deliveries(at=timezone.now())) == 2


# --- sending -------------------------------------------------------------------------------------


def test_an_episode_is_told_in_order_each_delivery_naming_the_next(
    backend: LaravelSimulator,
) -> None:
    claim()
    record(a_lease(), OPENED, SURE, CLEARED)
    alert, crime, stop = only("alert"), only("crime"), only("stop")
    assert delivering.deliver(delivery_id=stop.pk) is None, "it is not its turn"
    assert delivering.deliver(delivery_id=crime.pk) is None
    assert not (backend.alerts or backend.crimes or backend.stops)

    assert delivering.deliver(delivery_id=alert.pk) == crime.pk
    assert delivering.deliver(delivery_id=crime.pk) == stop.pk
    assert delivering.deliver(delivery_id=stop.pk) is None
    assert told() == [("alert", "delivered"), ("crime", "delivered"), ("stop", "delivered")]
    sent = [
        (c.path, c.headers["Idempotency-Key"]) for c in backend.calls if "cameras" not in c.path
    ]
    assert sent == [
        ("/api/model/alert", str(alert.pk)),
        ("/api/model/crime", str(crime.pk)),
        ("/api/model/alert/stop", str(stop.pk)),
    ]
    (told_crime,) = backend.crimes
    assert (told_crime.start_time, told_crime.end_time) == (after(0), after(6))
    assert told_crime.confidence_score == 85.0
    assert only("crime").answer == {
        "status": True,
        "message": "Crime reported successfully",
        "data": {"crime_id": 1, "status": "pending", "severity": "critical"},
    }
    assert backend.violations == []


def test_the_doorbell_rings_the_next_of_the_episode(
    backend: LaravelSimulator,
    broker: "redis.Redis",
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    claim()
    record(a_lease(), OPENED, SURE)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.deliver(str(only("alert").pk))
    assert rung(broker) == [str(only("crime").pk)]


def test_a_doorbell_for_a_row_that_is_gone_does_nothing() -> None:
    tasks.deliver(str(uuid4()))


def test_back_ends_that_hang_hold_only_so_many_threads(
    backend: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim()
    record(a_lease(), OPENED)
    full = BoundedSemaphore(1)
    monkeypatch.setattr(tasks, "_delivering", full)
    with full:
        began = time.monotonic()
        tasks.deliver(str(only("alert").pk))
        assert time.monotonic() - began < 2.0
    assert (told(), only("alert").attempts) == ([("alert", "pending")], 0)
    tasks.deliver(str(only("alert").pk))
    assert told() == [("alert", "delivered")]
    assert full.acquire(blocking=False), "the place is free again"


def test_a_delivery_that_arrived_is_not_sent_again(backend: LaravelSimulator) -> None:
    claim()
    record(a_lease(), OPENED)
    for _ in range(2):
        delivering.deliver(delivery_id=only("alert").pk)
    assert len(backend.calls_to("/alert")) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_a_delivery_once(
    backend: LaravelSimulator, broker: "redis.Redis"
) -> None:
    claim()
    record(a_lease(), OPENED)
    backend.fault("hang:0.2", "/alert")
    pk = only("alert").pk
    at_once([lambda: delivering.deliver(delivery_id=pk)] * 4)
    assert len(backend.calls_to("/alert")) == 1
    assert (only("alert").status, only("alert").attempts) == ("delivered", 1)


# --- trouble -------------------------------------------------------------------------------------


def test_a_transient_refusal_is_tried_again_later_under_the_same_key(
    backend: LaravelSimulator,
) -> None:
    backend.fault("status:409", "/alert", times=1)
    record(a_lease(), OPENED, SURE)
    assert delivering.deliver(delivery_id=only("alert").pk) is None
    began = timezone.now()
    alert = only("alert")
    assert (alert.status, alert.attempts, alert.claimed_until) == ("pending", 1, None)
    assert "/api/model/alert answered 409" in alert.last_error
    assert alert.next_attempt_at is not None
    assert 0.4 < (alert.next_attempt_at - began).total_seconds() < 1.5
    assert outbox.due_deliveries(at=began) == []
    assert delivering.deliver(delivery_id=only("crime").pk) is None, "the crime waits behind it"

    claim()
    assert outbox.due_deliveries(at=began + timedelta(seconds=2)) == [alert.pk]
    make_due()
    assert delivering.deliver(delivery_id=alert.pk) == only("crime").pk
    alert = only("alert")
    assert (alert.status, alert.attempts, alert.last_error) == ("delivered", 2, "")
    assert alert.delivered_at is not None
    keys = [call.headers["Idempotency-Key"] for call in backend.calls_to("/alert")]
    assert keys == [str(alert.pk)] * 2


def test_the_pause_doubles_and_ends_at_the_longest(
    backend: LaravelSimulator, settings: Settings
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"delivery_max_backoff": 4.0})
    backend.fault("status:409", "/alert")
    record(a_lease(), OPENED)
    for longest in (1.0, 2.0, 4.0, 4.0, 4.0):
        make_due()
        delivering.deliver(delivery_id=only("alert").pk)
        due_at = only("alert").next_attempt_at
        assert due_at is not None
        pause = (due_at - timezone.now()).total_seconds()
        assert longest / 2 - 0.5 <= pause <= longest
    assert only("alert").attempts == 5


def test_a_refusal_for_good_is_kept_with_its_reason_and_the_next_goes_on(
    backend: LaravelSimulator,
) -> None:
    claim()
    record(a_lease(), NONSENSE, SURE)
    alert = only("alert")
    assert delivering.deliver(delivery_id=alert.pk) == only("crime").pk
    alert.refresh_from_db()
    assert (alert.status, alert.attempts) == ("refused", 1)
    assert "must be between 0 and 100" in alert.last_error
    delivering.deliver(delivery_id=only("crime").pk)
    assert told() == [("alert", "refused"), ("crime", "delivered")]


def test_trouble_of_one_camera_holds_up_no_other(backend: LaravelSimulator) -> None:
    backend.fault("status:409", "/alert", times=1)
    record(a_lease(1), OPENED)
    record(a_lease(2), OPENED)
    for due in outbox.due_deliveries(at=timezone.now()):
        delivering.deliver(delivery_id=due)
    assert sorted(told()) == [("alert", "delivered"), ("alert", "pending")]


# --- in order within a camera --------------------------------------------------------------------


def two_episodes(lease: Lease) -> tuple[Delivery, Delivery]:
    """The stop of an earlier episode and the alert of the next one; all else is told."""
    first = record(lease, OPENED, CLEARED)
    Delivery.objects.filter(kind="alert").update(status="delivered")
    second = record(lease, OPENED)
    return (
        Delivery.objects.get(episode_id=first, kind="stop"),
        Delivery.objects.get(episode_id=second),
    )


def test_the_stop_of_an_earlier_episode_goes_before_the_next_alert(
    backend: LaravelSimulator,
) -> None:
    stop, alert = two_episodes(a_lease())
    assert outbox.due_deliveries(at=timezone.now()) == [stop.pk]
    assert delivering.deliver(delivery_id=alert.pk) is None, "it is not its turn"
    assert delivering.deliver(delivery_id=stop.pk) == alert.pk, "the camera's next one"
    assert delivering.deliver(delivery_id=alert.pk) is None
    assert [call.path for call in backend.calls] == ["/api/model/alert/stop", "/api/model/alert"]
    assert backend.active_alerts == {1}, "no late stop ends the alert"


def test_a_stop_that_fails_holds_the_next_alert_of_its_camera_until_it_is_hopeless(
    backend: LaravelSimulator,
) -> None:
    stop, alert = two_episodes(a_lease())
    backend.fault("status:409", "/alert/stop", times=1)
    assert delivering.deliver(delivery_id=stop.pk) is None
    assert outbox.due_deliveries(at=timezone.now()) == [], "not even while it pauses"

    stops, long_ago = Delivery.objects.filter(pk=stop.pk), timezone.now() - timedelta(hours=1)
    stops.update(failures=outbox.HOPELESS_FAILURES)
    assert outbox.due_deliveries(at=timezone.now()) == [], "a back end may be ill for a while"
    stops.update(failures=outbox.HOPELESS_FAILURES - 1, created_at=long_ago)
    assert outbox.due_deliveries(at=timezone.now()) == []
    stops.update(failures=outbox.HOPELESS_FAILURES, attempts=1000)
    assert outbox.due_deliveries(at=timezone.now()) == [alert.pk]
    delivering.deliver(delivery_id=alert.pk)
    assert [row.confidence_score for row in backend.alerts] == [55.0]
    stop.refresh_from_db()
    assert stop.status == "pending", "and is tried on"


def test_within_an_episode_the_order_holds_however_hopeless_it_is(
    backend: LaravelSimulator,
) -> None:
    record(a_lease(), OPENED, SURE)
    Delivery.objects.filter(kind="alert").update(
        failures=1000,
        created_at=timezone.now() - timedelta(days=1),
        next_attempt_at=timezone.now() + timedelta(seconds=60),
    )
    assert outbox.due_deliveries(at=timezone.now()) == []
    assert delivering.deliver(delivery_id=only("crime").pk) is None


def test_a_clock_that_is_set_back_between_two_reports_does_not_block_them(
    backend: LaravelSimulator,
) -> None:
    claim()
    record(a_lease(), OPENED, SURE)
    alert, crime = only("alert"), only("crime")
    earlier = alert.created_at - timedelta(seconds=5)
    Delivery.objects.filter(pk=crime.pk).update(created_at=earlier)
    assert outbox.due_deliveries(at=timezone.now()) == [alert.pk]
    assert delivering.deliver(delivery_id=alert.pk) == crime.pk


def test_a_stop_of_a_host_whose_clock_is_ahead_goes_before_the_next_alert_all_the_same() -> None:
    stop, alert = two_episodes(a_lease())
    Delivery.objects.filter(pk=stop.pk).update(created_at=alert.created_at + timedelta(hours=1))
    assert outbox.due_deliveries(at=timezone.now()) == [stop.pk]


def test_what_was_never_tried_is_due_whatever_the_clock_says() -> None:
    record(a_lease(), OPENED)
    yesterday = timezone.now() - timedelta(days=1)
    assert outbox.due_deliveries(at=yesterday) == [only("alert").pk]


@pytest.mark.django_db(transaction=True)
def test_reports_of_one_camera_that_are_written_at_once_get_an_order(broker: "redis.Redis") -> None:
    lease = a_lease()
    key = record(lease, OPENED)

    def write(step: int) -> None:
        episodes.record_event(
            lease=lease,
            episode_id=key,
            event=risen(60.0 + step),
            step=step,
            timeline=[],
            decided_at=timezone.now(),
        )

    at_once([partial(write, step) for step in range(2, 8)])
    numbers = Delivery.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == list(range(1, 8))


def test_a_stop_that_was_refused_for_good_holds_up_nothing() -> None:
    stop, alert = two_episodes(a_lease())
    Delivery.objects.filter(pk=stop.pk).update(status="refused")
    assert outbox.due_deliveries(at=timezone.now()) == [alert.pk]


def test_a_few_deliveries_are_rung_at_once_the_newest_first() -> None:
    """Each that is sent rings the next, so that a backlog floods neither the queue nor a worker."""
    for number in range(1, 10):
        record(a_lease(number), OPENED)
    newest = list(Delivery.objects.order_by("-created_at").values_list("pk", flat=True))
    assert outbox.due_deliveries(at=timezone.now()) == newest[: outbox.CHAINS]


def test_a_crime_of_now_goes_before_old_stops_of_other_cameras() -> None:
    for number in range(1, 5):
        record(a_lease(number), OPENED, SURE, CLEARED)
    Delivery.objects.exclude(kind="stop").update(status="delivered")
    lease = a_lease(9)
    old, new = record(lease, OPENED, CLEARED), record(lease, OPENED, SURE)
    Delivery.objects.filter(kind="alert").update(status="delivered")
    record(a_lease(10), OPENED, CLEARED)
    Delivery.objects.filter(camera__external_id=10, kind="alert").update(status="delivered")
    first = Delivery.objects.get(episode=old, kind="stop")
    assert outbox.most_urgent("laravel")[0] == first.pk, (
        "in its camera's order, yet before the others"
    )
    Delivery.objects.filter(pk=first.pk).update(status="delivered")
    assert outbox.most_urgent("laravel")[0] == Delivery.objects.get(episode=new, kind="crime").pk


# --- the siren first -----------------------------------------------------------------------------


def seconds_to_deliver(kind: str) -> float:
    began = time.monotonic()
    delivering.deliver(delivery_id=only(kind).pk)
    return time.monotonic() - began


def test_the_first_alert_waits_a_moment_for_the_siren(backend: LaravelSimulator) -> None:
    record(a_lease(), OPENED)
    assert 0.1 < seconds_to_deliver("alert") < 1.0
    assert told() == [("alert", "delivered")]


def test_a_siren_that_was_asked_holds_the_alert_up_no_more(backend: LaravelSimulator) -> None:
    lease = a_lease()
    key = record(lease, OPENED)
    Siren.objects.create(camera_id=lease.camera_id, episode_id=key, sounded_at=timezone.now())
    Delivery.objects.update(created_at=timezone.now() + timedelta(seconds=60))
    assert seconds_to_deliver("alert") < 1.0


def test_only_a_first_alert_that_is_young_waits(
    backend: LaravelSimulator, settings: Settings
) -> None:
    record(a_lease(), OPENED, SURE)
    late = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(kind="alert").update(created_at=late)
    assert seconds_to_deliver("alert") < 0.25
    Delivery.objects.filter(kind="crime").update(created_at=timezone.now() + timedelta(seconds=60))
    assert seconds_to_deliver("crime") < 0.25

    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"siren_enabled": False})
    key = record(a_lease(2), OPENED)
    Delivery.objects.filter(episode_id=key).update(
        created_at=timezone.now() + timedelta(seconds=60)
    )
    began = time.monotonic()
    delivering.deliver(delivery_id=Delivery.objects.get(episode_id=key).pk)
    assert time.monotonic() - began < 0.25


# --- and lost attempts ---------------------------------------------------------------------------


def test_an_attempt_that_was_lost_is_taken_over_when_its_time_is_up(
    backend: LaravelSimulator,
) -> None:
    claim()
    record(a_lease(), OPENED)
    alert = only("alert")
    Delivery.objects.update(claimed_until=timezone.now() + timedelta(seconds=1), attempts=1)
    assert delivering.deliver(delivery_id=alert.pk) is None
    assert outbox.due_deliveries(at=timezone.now()) == []
    assert backend.alerts == []

    Delivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert outbox.due_deliveries(at=timezone.now()) == [alert.pk]
    delivering.deliver(delivery_id=alert.pk)
    assert (only("alert").status, only("alert").attempts) == ("delivered", 2)


@pytest.mark.django_db(transaction=True)
def test_an_attempt_holds_its_claim_for_as_long_as_the_back_end_takes(
    backend: LaravelSimulator, broker: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "ATTEMPT_SECONDS", 0.5)
    monkeypatch.setattr(delivering, "RENEW_SECONDS", 0.1)
    claim()
    record(a_lease(), OPENED)
    pk = only("alert").pk
    backend.fault("hang:1.5", "/alert", times=1)

    def intrude() -> None:
        wait_until(lambda: only("alert").claimed_until is not None, "the attempt began", 5)
        while not backend.alerts:
            assert delivering.deliver(delivery_id=pk) is None
            time.sleep(0.05)

    at_once([lambda: delivering.deliver(delivery_id=pk), intrude])
    assert len(backend.calls_to("/alert")) == 1
    assert (only("alert").status, only("alert").attempts) == ("delivered", 1)


@pytest.mark.django_db(transaction=True)
def test_the_outcome_of_an_attempt_that_was_taken_over_is_another_ones(
    backend: LaravelSimulator, broker: "redis.Redis"
) -> None:
    claim()
    record(a_lease(), OPENED)
    pk = only("alert").pk
    backend.fault("hang:0.4", "/alert", times=1)

    def overtake() -> None:
        wait_until(lambda: only("alert").claimed_until is not None, "the attempt began", 5)
        Delivery.objects.update(attempts=F("attempts") + 1)

    at_once([lambda: delivering.deliver(delivery_id=pk), overtake])
    assert len(backend.alerts) == 1
    assert (only("alert").status, only("alert").answer) == ("pending", None)


def test_a_lost_answer_does_not_make_a_crime_twice(backend: LaravelSimulator) -> None:
    claim()
    record(a_lease(), OPENED, SURE)
    delivering.deliver(delivery_id=only("alert").pk)
    backend.fault("not_json", "/crime", times=1)
    delivering.deliver(delivery_id=only("crime").pk)
    assert only("crime").status == "pending"
    make_due()
    delivering.deliver(delivery_id=only("crime").pk)
    assert only("crime").status == "delivered"
    assert len(backend.crimes) == 1


# --- resend and sweep ----------------------------------------------------------------------------


def test_a_refused_delivery_is_sent_again_on_request_under_its_key(
    backend: LaravelSimulator,
    broker: "redis.Redis",
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    claim()
    record(a_lease(), NONSENSE)
    alert = only("alert")
    delivering.deliver(delivery_id=alert.pk)
    Delivery.objects.update(payload={"confidence": 99.0})
    with django_capture_on_commit_callbacks(execute=True):
        outbox.resend_delivery(delivery_id=alert.pk)
    assert rung(broker) == [str(alert.pk)]
    delivering.deliver(delivery_id=alert.pk)
    assert only("alert").status == "delivered"
    keys = {call.headers["Idempotency-Key"] for call in backend.calls_to("/alert")}
    assert keys == {str(alert.pk)}


def test_a_delivery_on_its_way_is_not_made_due_by_a_request(
    broker: "redis.Redis",
) -> None:
    record(a_lease(), OPENED)
    claimed_until = timezone.now() + timedelta(seconds=30)
    Delivery.objects.update(claimed_until=claimed_until)
    outbox.resend_delivery(delivery_id=only("alert").pk)
    assert only("alert").claimed_until == claimed_until


def test_the_sweep_rings_what_is_due_and_nothing_else(
    broker: "redis.Redis", django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    now = timezone.now()
    due, waiting, on_its_way, lapsed = [
        Delivery.objects.get(episode=record(a_lease(number), OPENED)) for number in range(1, 5)
    ]

    def change(delivery: Delivery, **fields: Any) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(**fields)

    change(waiting, next_attempt_at=now + timedelta(seconds=60))
    change(on_its_way, claimed_until=now + timedelta(seconds=60))
    change(lapsed, claimed_until=now - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_deliveries()
    assert rung(broker) == [str(lapsed.pk), str(due.pk)], "the newest first"


# --- goodbye -------------------------------------------------------------------------------------


def test_goodbye_waits_for_nothing_where_everything_is_told() -> None:
    lease = a_lease()
    began = time.monotonic()
    assert outbox.wait_until_told(camera_id=lease.camera_id, seconds=5)
    assert time.monotonic() - began < 0.5


def test_goodbye_gives_up_on_a_back_end_that_is_silent() -> None:
    lease = a_lease()
    record(lease, OPENED)
    assert not outbox.wait_until_told(camera_id=lease.camera_id, seconds=0.2)


def test_goodbye_does_not_wait_for_what_was_refused_or_must_pause() -> None:
    lease = a_lease()
    record(lease, OPENED)
    Delivery.objects.update(attempts=1, next_attempt_at=timezone.now() + timedelta(seconds=60))
    assert outbox.wait_until_told(camera_id=lease.camera_id, seconds=0.2)
