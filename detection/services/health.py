"""Health events: what was wrong with a camera's view, from when to when."""

import logging
from datetime import datetime
from functools import partial

from django.db import transaction

from detection import signals
from detection.domain.view_health import HealthKind
from detection.models import Claim, HealthEvent
from detection.services.claims import Lease, Overtaken

logger = logging.getLogger(__name__)


@transaction.atomic
def note_health(
    *, lease: Lease, kind: HealthKind | None, began_at: datetime, detail: str, at: datetime
) -> None:
    """Make this the camera's only open trouble; None: it sees well. Safe to say twice.

    Raises:
        Overtaken: another watcher judges the camera now.
    """
    if not Claim.objects.filter(camera_id=lease.camera_id, token=lease.token).exists():
        raise Overtaken(f"camera {lease.camera_id}: lease {lease.token} is no longer ours")
    going_on = HealthEvent.objects.filter(camera_id=lease.camera_id, ended_at=None)
    for event in going_on.exclude(kind=kind.value if kind else ""):
        end_event(event=event, at=at)
    if kind is None or going_on.filter(kind=kind.value).exists():
        return
    event = HealthEvent.objects.create(
        camera_id=lease.camera_id, kind=kind.value, began_at=min(began_at, at), detail=detail[:300]
    )
    logger.warning("camera %s: its view is bad: %s (%s)", lease.camera_id, kind.value, detail)
    _tell(event)


def end_event(*, event: HealthEvent, at: datetime) -> None:
    """The camera sees again, or nobody wants it to any more."""
    event.ended_at = max(at, event.began_at)
    event.save(update_fields=["ended_at"])
    seconds = (event.ended_at - event.began_at).total_seconds()
    logger.info("camera %s: no longer %s, after %.0f s", event.camera_id, event.kind, seconds)
    _tell(event)


def _tell(event: HealthEvent) -> None:
    """After the commit; a listener in trouble must not end the watch."""
    tell = partial(signals.health_changed.send_robust, sender=HealthEvent, event=event)
    transaction.on_commit(tell)
