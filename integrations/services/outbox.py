"""The outbox: what must be told of an episode is written with it and sent until it arrives."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery

from crimeops.ringing import ring
from detection.models import OPEN_STATUSES, Episode, EpisodeEvent, EpisodeEventKind
from detection.services.claims import database_now
from integrations.models import Delivery, DeliveryKind, DeliveryStatus
from integrations.services import outlets

GOODBYE_SECONDS = 1.5
# A report that failed so often for its own sake, for so long, holds up its camera's no more.
HOPELESS_FAILURES = 30
HOPELESS_SECONDS = 1800.0
# So many reports of one worker may be on their way at once; the sweep rings no more than that.
CHAINS = 6

KINDS = {
    EpisodeEventKind.OPENED: DeliveryKind.ALERT,
    EpisodeEventKind.CONFIDENCE: DeliveryKind.ALERT,
    EpisodeEventKind.CONFIRMED: DeliveryKind.CRIME,
    EpisodeEventKind.CLEARED: DeliveryKind.STOP,
    EpisodeEventKind.LOST: DeliveryKind.STOP,
}


def queue_deliveries(*, episode: Episode, event: EpisodeEvent) -> list[Delivery]:
    """Write what each of the camera's back ends must be told of this step.

    Call it in the transaction that writes the step and has locked the camera's claim, which gives
    the reports their order; ring the deliveries after its commit.
    """
    registry = episode.camera.registry
    reporters = [registry] if registry in settings.REPORTERS else []
    return [_queue(reporter, episode, event) for reporter in reporters]


def _queue(reporter: str, episode: Episode, event: EpisodeEvent) -> Delivery:
    kind = KINDS[EpisodeEventKind(event.kind)]
    siblings = Delivery.objects.filter(episode=episode, reporter=reporter)
    if kind is DeliveryKind.ALERT:  # only the newest alert counts
        siblings.filter(
            _unclaimed(database_now()), kind=kind, status=DeliveryStatus.PENDING
        ).update(status=DeliveryStatus.SUPERSEDED)
    of_camera = Delivery.objects.filter(camera=episode.camera_id, reporter=reporter)
    last: int = of_camera.aggregate(last=Max("sequence"))["last"] or 0
    return Delivery.objects.create(
        reporter=reporter,
        kind=kind,
        camera=episode.camera,
        episode=episode,
        sequence=last + 1,
        payload=_payload(kind, event),
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


def due_deliveries(*, at: datetime) -> list[UUID]:
    """What is worth ringing now: of each back end the most urgent ones, in the order they are sent.

    Each that is sent rings the next, so a few are enough; a back end that is away is asked for one.
    """
    due: list[UUID] = []
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    for reporter in waiting.order_by().values_list("reporter", flat=True).distinct():
        if outlets.may_be_asked(reporter=reporter, at=at):
            away = outlets.is_away(reporter=reporter)
            due += most_urgent(reporter, away, at=at)[: 1 if away else CHAINS]
    return due


def most_urgent(reporter: str, away: bool = False, at: datetime | None = None) -> list[UUID]:
    """What the back end should be told next, a few at most.

    The newest alert or crime first: its camera's first report goes, before others' old ones.

    A back end that is away is tried with whatever was tried longest ago, so that no single report
    that it cannot digest can keep it from being found well again.
    """
    turn = in_turn(at or database_now(), paused_too=away)
    rows = Delivery.objects.filter(turn, reporter=reporter)
    if away:
        longest_ago = rows.order_by(F("attempted_at").asc(nulls_first=True), "created_at")
        return list(longest_ago.values_list("pk", flat=True)[:CHAINS])
    serious = Delivery.objects.filter(
        camera=OuterRef("camera"),
        reporter=OuterRef("reporter"),
        status=DeliveryStatus.PENDING,
        kind__in=(DeliveryKind.ALERT, DeliveryKind.CRIME),
    )
    newest = Subquery(serious.order_by("-sequence").values("created_at")[:1])
    urgent_first = rows.annotate(newest=newest).order_by(
        F("newest").desc(nulls_last=True), "created_at", "sequence"
    )
    return list(urgent_first.values_list("pk", flat=True)[:CHAINS])


def _unclaimed(at: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=at)


def in_turn(at: datetime, paused_too: bool = False) -> Q:
    """In order within an episode always, and within a camera: a stop must not end a later alert.

    The order is a number, never a time: by clocks that disagree two reports wait for each other.
    A report that fails again and again for its own sake does not hold up other episodes for ever.
    """
    before = Delivery.objects.filter(
        camera=OuterRef("camera"),
        reporter=OuterRef("reporter"),
        status=DeliveryStatus.PENDING,
        sequence__lt=OuterRef("sequence"),
    )
    hopeless = Q(
        failures__gte=HOPELESS_FAILURES,
        created_at__lt=at - timedelta(seconds=HOPELESS_SECONDS),
    )
    earlier = before.filter(Q(episode=OuterRef("episode")) | ~hopeless)
    due = Q() if paused_too else Q(next_attempt_at=None) | Q(next_attempt_at__lte=at)
    return Q(status=DeliveryStatus.PENDING) & due & _unclaimed(at) & ~Q(Exists(earlier))


def _may_be_resent() -> Q:
    """What was told is told, and what has changed since must not be told as if it were so.

    An alert of an episode that is over would never be stopped, a stop would end a later alert.
    """
    later_alert = Delivery.objects.filter(
        camera=OuterRef("camera"),
        reporter=OuterRef("reporter"),
        kind=DeliveryKind.ALERT,
        sequence__gt=OuterRef("sequence"),
    )
    going_on = Q(episode__status__in=OPEN_STATUSES)
    still_so = ~Q(Exists(later_alert)) & (Q(kind=DeliveryKind.STOP) | going_on)
    refused = Q(status=DeliveryStatus.REFUSED) & (Q(kind=DeliveryKind.CRIME) | still_so)
    return refused | Q(status=DeliveryStatus.PENDING)


def resend_delivery(*, delivery_id: UUID) -> bool:
    """Make a refused or waiting delivery due; the same key tells the back end so.

    False where it is on its way, or must not be sent again.
    """
    resent = Delivery.objects.filter(_may_be_resent(), _unclaimed(database_now()), pk=delivery_id)
    if not resent.update(status=DeliveryStatus.PENDING, next_attempt_at=None, claimed_until=None):
        return False
    ring_delivery(delivery_id=delivery_id)
    return True


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
    under_way = Q(status=DeliveryStatus.PENDING, claimed_until__gt=database_now())
    waiting = Delivery.objects.filter(camera_id=camera_id)
    while first := waiting.filter(in_turn(database_now()) | under_way).first():
        if time.monotonic() > deadline or outlets.is_away(reporter=first.reporter):
            return False
        time.sleep(0.05)
    return True
