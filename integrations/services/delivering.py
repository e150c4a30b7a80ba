"""One report on its way: claimed, sent in its turn, and its outcome written."""

import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils.dateparse import parse_datetime

from crimeops.adapters import load
from crimeops.logging import redact, redact_json
from detection.services.claims import database_now
from integrations.models import Delivery, DeliveryKind, DeliveryStatus, Outlet, Siren
from integrations.ports import (
    AlertReport,
    CrimeReport,
    IntegrationError,
    Report,
    Reporter,
    StopReport,
)
from integrations.services import outlets
from integrations.services.outbox import in_turn, most_urgent

logger = logging.getLogger(__name__)

# An attempt renews its claim while it lasts: one that does not was lost with its worker.
ATTEMPT_SECONDS = 8.0
RENEW_SECONDS = 2.0
# But not without end: whatever holds an attempt up, others may try it after this.
LONGEST_ATTEMPT_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
SIREN_FIRST_SECONDS = 0.3
# The contract: ten reports a second of one camera at most.
CAMERA_REST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that this process alone may send now; its number fences off a late one.

    `away` and `recoveries` are what was known of the back end when it began.
    """

    delivery: Delivery
    number: int
    away: bool
    recoveries: int


def deliver(*, delivery_id: UUID) -> UUID | None:
    """Attempt this delivery in its turn, or the most urgent one where another worker was quicker.

    Returns the back end's most urgent one that is due after it.
    """
    rung = Delivery.objects.filter(pk=delivery_id).only("reporter", "camera_id").first()
    if rung is None:
        return None
    away = outlets.is_away(reporter=rung.reporter)
    if not Delivery.objects.filter(in_turn(database_now(), paused_too=away), pk=rung.pk).exists():
        return None
    _let_the_camera_rest(rung)
    if not outlets.take_turn(reporter=rung.reporter):
        return None
    attempt = _claim(delivery_id, away) or _claim_any(rung.reporter, away)
    if attempt is None or not _send(attempt):
        return None
    return next(iter(most_urgent(rung.reporter)), None)


def _let_the_camera_rest(delivery: Delivery) -> None:
    """Two reports of one camera follow each other at a distance; they never go at once."""
    same = Delivery.objects.filter(camera=delivery.camera_id, reporter=delivery.reporter)
    last = same.aggregate(last=Max("attempted_at"))["last"]
    if last is not None:
        rested = (database_now() - last).total_seconds()
        if 0 <= rested < CAMERA_REST_SECONDS:
            time.sleep(CAMERA_REST_SECONDS - rested)


def _claim_any(reporter: str, away: bool) -> Attempt | None:
    """The turn is ours: it must not be wasted where others took what we came for."""
    for other in most_urgent(reporter, away):
        if attempt := _claim(other, away):
            return attempt
    return None


def _claim(delivery_id: UUID, away: bool) -> Attempt | None:
    now = database_now()
    just_told = Delivery.objects.filter(
        camera=OuterRef("camera"),
        reporter=OuterRef("reporter"),
        attempted_at__gt=now - timedelta(seconds=CAMERA_REST_SECONDS),
        attempted_at__lte=now,
    )
    ready = in_turn(now, paused_too=away) & ~Q(Exists(just_told))
    claimed = Delivery.objects.filter(ready, pk=delivery_id).update(
        claimed_until=now + timedelta(seconds=ATTEMPT_SECONDS),
        attempted_at=now,
        attempts=F("attempts") + 1,
    )
    if claimed != 1:
        return None
    delivery = Delivery.objects.select_related("camera").get(pk=delivery_id)
    outlet = Outlet.objects.get(reporter=delivery.reporter)
    return Attempt(delivery, delivery.attempts, outlet.down_since is not None, outlet.recoveries)


def _send(attempt: Attempt) -> bool:
    """Returns whether the back end can be asked for more."""
    delivery = attempt.delivery
    _let_the_siren_go_first(delivery)
    try:
        reporter: Reporter = load("REPORTERS", delivery.reporter)
        with _held(attempt):
            answer = reporter.send(_report(delivery), str(delivery.pk))
    except IntegrationError as error:
        return _record_failure(attempt, error)
    except Exception as error:
        logger.exception("%s cannot be sent: an error of ours", delivery)
        _record_own_fault(attempt, error)
        return True
    _record_success(attempt, answer)
    return True


def _let_the_siren_go_first(delivery: Delivery) -> None:
    """The contract wants the alarm before the alert, and both were rung at the same moment.

    A siren that is slow or broken holds the alert up for `SIREN_FIRST_SECONDS` at most.
    """
    first_alert = delivery.kind == DeliveryKind.ALERT and delivery.attempts == 1
    if not first_alert or not settings.ENVIRONMENT.siren_enabled:
        return
    asked = Siren.objects.filter(episode_id=delivery.episode_id).exclude(
        silent_at=None, sounded_at=None, attempts=0
    )
    age = (database_now() - delivery.created_at).total_seconds()  # less than 0 by another clock
    deadline = time.monotonic() + min(SIREN_FIRST_SECONDS - age, SIREN_FIRST_SECONDS)
    while time.monotonic() < deadline and not asked.exists():
        time.sleep(0.005)


@contextmanager
def _held(attempt: Attempt) -> Iterator[None]:
    """Keep the claim for as long as the back end takes: the claim of a dead worker soon lapses."""
    over = threading.Event()
    threading.Thread(target=_renew, args=(attempt, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()  # not waited for: the database may be what it waits for


def _renew(attempt: Attempt, over: threading.Event) -> None:
    deadline = time.monotonic() + LONGEST_ATTEMPT_SECONDS
    while not over.wait(RENEW_SECONDS) and time.monotonic() < deadline:
        try:
            until = database_now() + timedelta(seconds=ATTEMPT_SECONDS)
            if _still_ours(attempt).update(claimed_until=until) and not over.is_set():
                outlets.hold_turn(reporter=attempt.delivery.reporter)
        except DatabaseFault as error:  # the request goes on, so its claim must when that is back
            logger.warning("the claim of a delivery cannot be renewed: %s", error)
            connection.close()
    connection.close()  # this thread's own; none was made where the answer came at once


def _still_ours(attempt: Attempt) -> Any:
    """The row, unless the attempt was given up and another has begun."""
    return Delivery.objects.filter(
        pk=attempt.delivery.pk, attempts=attempt.number, status=DeliveryStatus.PENDING
    )


def _report(delivery: Delivery) -> Report:
    camera, payload = delivery.camera, delivery.payload
    match DeliveryKind(delivery.kind):
        case DeliveryKind.ALERT:
            return AlertReport(camera.external_id, payload["confidence"])
        case DeliveryKind.STOP:
            return StopReport(camera.external_id)
        case DeliveryKind.CRIME:
            return CrimeReport(
                camera.external_id,
                payload["crime_type"],
                payload["confidence"],
                _moment(payload["started_at"]),
                _moment(payload["confirmed_at"]),
            )


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"the payload of a delivery holds no moment: {text!r}")
    return moment


def _record_success(attempt: Attempt, answer: dict[str, Any]) -> None:
    delivery, now = attempt.delivery, database_now()
    _still_ours(attempt).update(
        claimed_until=None,
        status=DeliveryStatus.DELIVERED,
        answer=redact_json(answer),
        attempted_at=now,  # the camera rests from when the back end had it
        delivered_at=now,
        last_error="",
    )
    outlets.note_answer(reporter=delivery.reporter)
    logger.info(
        "%s of episode %s delivered to %s (attempt %d)",
        delivery.kind,
        delivery.episode_id,
        delivery.reporter,
        delivery.attempts,
    )


def _record_failure(attempt: Attempt, error: IntegrationError) -> bool:
    """Returns whether the back end can be asked for more.

    What fails with the whole back end does not pause by itself: it is due when that answers. A
    back end that is well until a report comes that failed before is kept from well by that report.
    """
    delivery = attempt.delivery
    again = delivery.last_error != ""
    changes: dict[str, Any] = {}
    if error.permanent:
        changes["status"] = DeliveryStatus.REFUSED
    elif not attempt.away and (again or not error.away):
        changes = _pause(delivery, error.retry_after_seconds)
    _still_ours(attempt).update(
        claimed_until=None, attempted_at=database_now(), last_error=str(error), **changes
    )
    logger.warning(
        "%s of episode %s not delivered to %s (attempt %d, %s): %s",
        delivery.kind,
        delivery.episode_id,
        delivery.reporter,
        delivery.attempts,
        "refused for good" if error.permanent else "will be tried again",
        error,
    )
    if error.permanent:  # it answers, after all
        outlets.note_answer(reporter=delivery.reporter)
        return True
    if not attempt.away and delivery.failures >= outlets.SUSPECT_FAILURES:
        return True  # it tells of itself; the back end was well, and others go on
    is_away = outlets.note_failure(
        reporter=delivery.reporter, recoveries=attempt.recoveries, error=error
    )
    return not (is_away or error.away)


def _record_own_fault(attempt: Attempt, error: Exception) -> None:
    """What we cannot even send pauses as well and is named, but tells nothing of the back end."""
    text = f"cannot be sent ({type(error).__name__}: {error}); the log of the worker tells more"
    _still_ours(attempt).update(
        claimed_until=None, last_error=redact(text), **_pause(attempt.delivery)
    )


def _pause(delivery: Delivery, asked_for_seconds: float = 0.0) -> dict[str, Any]:
    failures = delivery.failures + 1
    pause = timedelta(seconds=_pause_seconds(failures, asked_for_seconds))
    return {"failures": failures, "next_attempt_at": database_now() + pause}


def _pause_seconds(failures: int, asked_for_seconds: float) -> float:
    """Exponential with jitter, so that a report that fails for its own sake disturbs nobody."""
    longest: float = settings.ENVIRONMENT.delivery_max_backoff
    pause = min(longest, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
    return max(asked_for_seconds, pause * random.uniform(0.5, 1.0))  # noqa: S311 — no secret
