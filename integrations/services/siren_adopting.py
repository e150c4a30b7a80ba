"""Alerts whose ring was lost, or who sounded them died before a row said so: given a siren row."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from detection.models import OPEN_STATUSES, Episode, Verdict
from integrations.models import Siren

logger = logging.getLogger(__name__)

# A ring is answered within tens of milliseconds; after this it was lost.
RING_GRACE_SECONDS = 2.0


def adopt_alerts_without_a_row(at: datetime) -> None:
    """A recent alert that no siren row knows: its ring was lost, or nobody lived to write it."""
    if not settings.ENVIRONMENT.siren_enabled:
        return
    longest = timedelta(seconds=settings.ENVIRONMENT.siren_seconds)
    rows = Siren.objects.filter(camera=OuterRef("camera"))
    # A moment in the future is of another host's clock, and says nothing.
    newer = rows.filter(rung_at__gte=OuterRef("decided_at"), rung_at__lte=at)
    ended = ~Q(status__in=OPEN_STATUSES) | Q(verdict=Verdict.DISMISSED)
    lost = Episode.objects.filter(
        ~Q(Exists(rows.filter(episode_id=OuterRef("pk")) | newer)),
        ~(ended & Q(Exists(rows.filter(silent_at=None)))),  # it sounds for another one
        ~Q(camera__control_address="", camera__address="", camera__public_address=""),
        decided_at__gt=at - longest,
        decided_at__lte=at - timedelta(seconds=RING_GRACE_SECONDS),
    )
    for episode in lost:
        logger.warning("the siren of episode %s was never recorded; tending it now", episode.pk)
        Siren.objects.update_or_create(
            camera_id=episode.camera_id,
            defaults={
                "episode_id": episode.pk,
                "wanted_until": episode.decided_at + longest,
                "rung_at": at,
                "sounded_at": None,
                "silent_at": None,
                "attempts": 0,
                "next_attempt_at": None,
                "held_until": None,
            },
        )
