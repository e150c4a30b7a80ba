"""Reports that a back end, though there, cannot digest, and what we cannot send: others go on."""

from datetime import datetime
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from detection.services.claims import database_now
from integrations.models import Delivery, Outlet
from integrations.ports import IntegrationError, Report
from integrations.services import delivering, outbox, outlets
from tests.integration.test_outlets import episodes_at, outlet, try_all, when_its_turn_comes
from tests.services import wait_until

pytestmark = pytest.mark.django_db


class Answering:
    """A back end that raises for one camera, or takes the report."""

    def __init__(self, error: Exception | None = None, camera: int = 1) -> None:
        self.error = error
        self.camera = camera
        self.asked: list[int] = []

    def send(self, report: Report, idempotency_key: str) -> dict[str, Any]:
        self.asked.append(report.camera_external_id)
        if self.error is not None and report.camera_external_id == self.camera:
            raise self.error
        return {"status": True, "message": "ta\0ken \ud83d"}


def use(monkeypatch: pytest.MonkeyPatch, answering: Answering) -> Answering:
    monkeypatch.setattr(delivering, "load", lambda *_: answering)
    monkeypatch.setattr(delivering, "CAMERA_REST_SECONDS", 0.0)
    monkeypatch.setattr(delivering, "SIREN_FIRST_SECONDS", 0.0)
    return answering


def hangs() -> IntegrationError:
    return IntegrationError("no answer in time", permanent=False, away=True)


def test_one_report_that_makes_the_back_end_hang_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poisoned = use(monkeypatch, Answering(hangs()))
    episodes_at(1)
    try_all()
    assert outlet().down_since is not None
    episodes_at(2, 3, 4)
    for _ in range(20):
        when_its_turn_comes()
        Delivery.objects.filter(failures=0).update(next_attempt_at=None)
        try_all()
    rows = Delivery.objects.exclude(camera__external_id=1)
    assert set(rows.values_list("status", flat=True)) == {"delivered"}
    poison = Delivery.objects.get(camera__external_id=1, kind="alert")
    assert poison.failures > 0, "it failed where others did not"
    assert poison.next_attempt_at is not None and poison.next_attempt_at > timezone.now()
    assert poisoned.asked[:2] == [1, 2], "what was never tried probes first"


def test_a_suspect_makes_the_back_end_look_away_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Answering(hangs()))
    episodes_at(1)
    Delivery.objects.update(failures=outlets.SUSPECT_FAILURES, last_error="no answer in time")
    episodes_at(2)
    for pk in Delivery.objects.filter(kind="alert").values_list("pk", flat=True):
        delivering.deliver(delivery_id=pk)
    assert outlet().down_since is None
    assert Delivery.objects.get(camera__external_id=2, kind="alert").status == "delivered"
    Outlet.objects.update(down_since=timezone.now())
    outlets.note_answer(reporter="laravel")
    poison = Delivery.objects.get(camera__external_id=1, kind="alert")
    assert poison.next_attempt_at is not None and poison.next_attempt_at > timezone.now()


def test_who_hears_of_an_answer_from_before_rings_no_other_while_the_back_end_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    episodes_at(1, 2)
    Outlet.objects.create(reporter="laravel", next_turn_at=timezone.now())

    class RecoversMeanwhile(Answering):
        def send(self, report: Report, idempotency_key: str) -> dict[str, Any]:
            Outlet.objects.update(recoveries=F("recoveries") + 1)
            raise hangs()

    use(monkeypatch, RecoversMeanwhile())
    first = outbox.due_deliveries(at=timezone.now())[0]
    assert delivering.deliver(delivery_id=first) is None, "the sweep rings, not the failure"


@pytest.mark.parametrize("error", [KeyError("confidence"), None])
def test_an_error_of_ours_pauses_its_report_is_named_and_blames_no_back_end(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    use(monkeypatch, Answering(error))
    episodes_at(1, 2)
    if error is None:
        Delivery.objects.filter(camera__external_id=1, kind="alert").update(payload={})
    for _ in range(outlets.FAILURES_IN_A_ROW + 1):
        Delivery.objects.update(next_attempt_at=None)
        pk = Delivery.objects.get(camera__external_id=1, kind="alert").pk
        delivering.deliver(delivery_id=pk)
    row = Delivery.objects.get(camera__external_id=1, kind="alert")
    assert row.failures == row.attempts == outlets.FAILURES_IN_A_ROW + 1
    assert "cannot be sent (KeyError: 'confidence')" in row.last_error
    assert (row.status, row.claimed_until) == ("pending", None)
    assert row.next_attempt_at is not None and row.next_attempt_at > timezone.now()
    assert outlet().down_since is None


def test_what_no_database_holds_is_taken_out_of_answers_and_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = IntegrationError("422: the cam\0era \ud83d is bad", permanent=True)
    use(monkeypatch, Answering(bad))
    episodes_at(1, 2)
    try_all()
    refused = Delivery.objects.get(camera__external_id=1, kind="alert")
    assert (refused.status, refused.last_error) == ("refused", "422: the camera \\ud83d is bad")
    taken = Delivery.objects.get(camera__external_id=2, kind="alert")
    assert taken.status == "delivered"
    assert taken.answer == {"status": True, "message": "taken \\ud83d"}


def held(monkeypatch: pytest.MonkeyPatch, longest: float) -> delivering.Attempt:
    """An attempt that is renewed each 50 ms."""
    monkeypatch.setattr(delivering, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(delivering, "LONGEST_ATTEMPT_SECONDS", longest)
    episodes_at(1)
    Delivery.objects.filter(kind="alert").update(attempts=1)
    return delivering.Attempt(Delivery.objects.get(kind="alert"), 1, away=False, recoveries=0)


@pytest.mark.django_db(transaction=True)
def test_a_renewal_outlives_a_fault_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = held(monkeypatch, longest=30.0)
    faults = [OperationalError("gone")] * 3
    real = database_now

    def moment() -> datetime:
        if faults:
            raise faults.pop()
        return real()

    monkeypatch.setattr(delivering, "database_now", moment)
    with delivering._held(attempt):
        claimed = Delivery.objects.filter(kind="alert", claimed_until__isnull=False)
        wait_until(claimed.exists, "the claim is renewed", 10)


@pytest.mark.django_db(transaction=True)
def test_a_renewal_does_not_go_on_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = held(monkeypatch, longest=0.2)
    renewal = Thread(target=delivering._renew, args=(attempt, Event()))
    renewal.start()
    renewal.join(10)
    assert not renewal.is_alive(), "though the attempt is not over"
    assert Delivery.objects.get(kind="alert").claimed_until is not None
