"""The outbox: what must be told of an episode is written with it and sent until it arrives."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crimeops.adapters import load
from crimeops.ringing import ring
from detection.models import Episode, EpisodeEvent, EpisodeEventKind
from integrations.models import Delivery, DeliveryKind, DeliveryStatus, Siren
from integrations.ports import (
    AlertReport,
    CrimeReport,
    IntegrationError,
    Report,
    Reporter,
    StopReport,
)

logger = logging.getLogger(__name__)

# Longer than one attempt can take (4 requests with time-outs and back-off): then it was lost.
ATTEMPT_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
GOODBYE_SECONDS = 1.5
SIREN_FIRST_SECONDS = 0.3
HOPELESS_ATTEMPTS = 30  # about 25 minutes of trying

KINDS = {
    EpisodeEventKind.OPENED: DeliveryKind.ALERT,
    EpisodeEventKind.CONFIDENCE: DeliveryKind.ALERT,
    EpisodeEventKind.CONFIRMED: DeliveryKind.CRIME,
    EpisodeEventKind.CLEARED: DeliveryKind.STOP,
    EpisodeEventKind.LOST: DeliveryKind.STOP,
}


def queue_deliveries(*, episode: Episode, event: EpisodeEvent) -> list[Delivery]:
    """Write what each of the camera's back ends must be told of this step.

    Call it in the transaction that writes the step; ring the deliveries after its commit.
    """
    registry = episode.camera.registry
    reporters = [registry] if registry in settings.REPORTERS else []
    return [_queue(reporter, episode, event) for reporter in reporters]


def _queue(reporter: str, episode: Episode, event: EpisodeEvent) -> Delivery:
    kind = KINDS[EpisodeEventKind(event.kind)]
    siblings = Delivery.objects.filter(episode=episode, reporter=reporter)
    if kind is DeliveryKind.ALERT:  # only the newest alert counts
        siblings.filter(
            _unclaimed(timezone.now()), kind=kind, status=DeliveryStatus.PENDING
        ).update(status=DeliveryStatus.SUPERSEDED)
    last: int = siblings.aggregate(last=Max("sequence"))["last"] or 0
    return Delivery.objects.create(
        reporter=reporter,
        kind=kind,
        camera=episode.camera,
        episode=episode,
        sequence=last + 1,
        payload=_payload(kind, event),
        next_attempt_at=timezone.now(),
    )


def _payload(kind: DeliveryKind, event: EpisodeEvent) -> dict[str, Any]:
    if kind is DeliveryKind.STOP:
        return {}
    if kind is DeliveryKind.ALERT:
        return {"confidence": event.confidence}
    assert event.started_at is not None  # a confirmation always says when it began
    return {
        "crime_type": event.crime_type,
        "confidence": event.confidence,
        "started_at": event.started_at.isoformat(),
        "confirmed_at": event.at.isoformat(),
    }


def due_deliveries(*, at: datetime, limit: int = 20) -> list[UUID]:
    """Deliveries that may be attempted now: the first unfinished of each episode, oldest first."""
    return list(
        Delivery.objects.filter(_attemptable(at))
        .order_by("created_at")
        .values_list("pk", flat=True)[:limit]
    )


def _unclaimed(at: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=at)


def _attemptable(at: datetime) -> Q:
    """In order within an episode always, and within a camera: a stop must not end a later alert.

    A report that fails again and again for its own sake does not hold up other episodes for ever.
    """
    pending = Delivery.objects.filter(
        camera=OuterRef("camera"), reporter=OuterRef("reporter"), status=DeliveryStatus.PENDING
    )
    earlier = pending.filter(
        Q(episode=OuterRef("episode"), sequence__lt=OuterRef("sequence"))
        | Q(created_at__lt=OuterRef("created_at"), attempts__lt=HOPELESS_ATTEMPTS)
    )
    return (
        Q(status=DeliveryStatus.PENDING, next_attempt_at__lte=at)
        & _unclaimed(at)
        & ~Q(Exists(earlier))
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that this process, and no other, may now send."""

    delivery: Delivery
    claimed_until: datetime


def deliver(*, delivery_id: UUID) -> UUID | None:
    """Attempt one delivery if it is its turn; returns the camera's next one, if it is due."""
    attempt = _claim(delivery_id=delivery_id, at=timezone.now())
    if attempt is None:
        return None
    delivery = attempt.delivery
    _let_the_siren_go_first(delivery)
    try:
        reporter: Reporter = load("REPORTERS", delivery.reporter)
        answer = reporter.send(_report(delivery), str(delivery.pk))
    except IntegrationError as error:
        _record_failure(attempt, error)
        if not error.permanent:
            return None
    else:
        _record_success(attempt, answer)
    following = (
        Delivery.objects.filter(
            _attemptable(timezone.now()), camera=delivery.camera_id, reporter=delivery.reporter
        )
        .order_by("created_at")
        .first()
    )
    return following.pk if following else None


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
    deadline = delivery.created_at + timedelta(seconds=SIREN_FIRST_SECONDS)
    while timezone.now() < deadline and not asked.exists():
        time.sleep(0.005)


def _claim(*, delivery_id: UUID, at: datetime) -> Attempt | None:
    until = at + timedelta(seconds=ATTEMPT_SECONDS)
    claimed = Delivery.objects.filter(_attemptable(at), pk=delivery_id).update(
        claimed_until=until, attempts=F("attempts") + 1
    )
    if claimed != 1:
        return None
    delivery = Delivery.objects.select_related("camera").get(pk=delivery_id)
    return Attempt(delivery, until)


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
    _finish(
        attempt,
        status=DeliveryStatus.DELIVERED,
        answer=answer,
        delivered_at=timezone.now(),
        last_error="",
    )
    delivery = attempt.delivery
    logger.info(
        "%s of episode %s delivered to %s (attempt %d)",
        delivery.kind,
        delivery.episode_id,
        delivery.reporter,
        delivery.attempts,
    )


def _record_failure(attempt: Attempt, error: IntegrationError) -> None:
    delivery = attempt.delivery
    if error.permanent:
        _finish(attempt, status=DeliveryStatus.REFUSED, last_error=str(error))
    else:
        pause = _pause_seconds(delivery.attempts, error.retry_after_seconds)
        _finish(
            attempt,
            next_attempt_at=timezone.now() + timedelta(seconds=pause),
            last_error=str(error),
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


def _finish(attempt: Attempt, **changes: Any) -> None:
    """Write the outcome, unless the attempt took so long that another has begun."""
    Delivery.objects.filter(
        pk=attempt.delivery.pk, claimed_until=attempt.claimed_until, status=DeliveryStatus.PENDING
    ).update(claimed_until=None, **changes)


def _pause_seconds(attempts: int, asked_for_seconds: float) -> float:
    """Exponential with jitter, so that a back end that returns is not met by all at once."""
    longest: float = settings.ENVIRONMENT.delivery_max_backoff
    pause = min(longest, FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 10))
    return max(asked_for_seconds, pause * random.uniform(0.5, 1.0))  # noqa: S311 — no secret


def resend_delivery(*, delivery_id: UUID) -> None:
    """Make a delivery due again, whatever became of it; the same key tells the back end so."""
    now = timezone.now()
    Delivery.objects.filter(pk=delivery_id).filter(_unclaimed(now)).update(
        status=DeliveryStatus.PENDING, next_attempt_at=now, claimed_until=None
    )
    ring_delivery(delivery_id=delivery_id)


def ring_delivery(*, delivery_id: UUID) -> None:
    """Ask a reports worker to deliver after the commit; the sweep rings what gets lost."""
    after_commit(lambda: ring("integrations.deliver", str(delivery_id)))


def after_commit(step: Callable[[], object]) -> None:
    """Run after the transaction under way, else now; unlike Django's, without asking the database.

    Outside a transaction `on_commit` connects, and the database may be what is missing.
    """
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(step)
    else:
        step()


def wait_until_told(*, camera_id: int, seconds: float = GOODBYE_SECONDS) -> bool:
    """Let the last reports of a camera go out while it is still claimed; returns whether they did.

    A back end may refuse the stop of a camera that nobody holds. What is not told by then goes on
    waiting in the outbox.
    """
    deadline = time.monotonic() + seconds
    while Delivery.objects.filter(
        _attemptable(timezone.now())
        | Q(status=DeliveryStatus.PENDING, claimed_until__gt=timezone.now()),
        camera_id=camera_id,
    ).exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
