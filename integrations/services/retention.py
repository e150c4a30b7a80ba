"""How long telling keeps what it told, and which episodes it still needs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from detection.models import Episode
from detection.services.retention import KeptTable, prune_tables
from integrations.models import Delivery, DeliveryStatus

# What was refused stays as long as its episode: somebody must have looked.
FINISHED = Q(status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.SUPERSEDED))
ON_HOLD = Q(episode_id__in=Episode.objects.filter(held_at__isnull=False).values("pk"))

TABLES = (
    KeptTable("integrations.Delivery", "created_at", "delivery_keep_days", FINISHED & ~ON_HOLD),
    KeptTable("integrations.Sounding", "asked_at", "delivery_keep_days", ~ON_HOLD),
)


def prune(*, at: datetime) -> None:
    """Remove what is older than the settings allow."""
    prune_tables(TABLES, at=at)


def with_waiting_reports(episode_ids: Sequence[UUID]) -> set[UUID]:
    """The episodes among these whose reports have not all been told."""
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING, episode__in=episode_ids)
    return set(waiting.values_list("episode_id", flat=True))
