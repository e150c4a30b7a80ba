"""Reports from before the camera's order are given one, though a clock was set back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.django_db(transaction=True)


BEFORE = [("integrations", "0001_initial"), ("detection", "0002_reliability")]


def migrated_to(targets: list[tuple[str, str]]) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection)


def test_reports_from_before_are_numbered_by_camera_in_the_order_of_their_episodes() -> None:
    graph = MigrationExecutor(connection).loader.graph
    newest = [*graph.leaf_nodes("integrations"), *graph.leaf_nodes("detection")]
    apps = migrated_to(BEFORE).loader.project_state(BEFORE)
    try:
        now = timezone.now()
        camera = apps.apps.get_model("detection", "Camera").objects.create(
            registry="laravel", external_id=1, name="Yard"
        )
        episode, delivery = (
            apps.apps.get_model("detection", "Episode"),
            apps.apps.get_model("integrations", "Delivery"),
        )
        begun = {
            "camera": camera,
            "claim_token": 1,
            "crime_type": "trespassing",
            "confidence": 55,
            "started_at": now,
            "alerted_at": now,
            "decided_at": now,
        }
        first = episode.objects.create(status="cleared", ended_at=now, **begun)
        second = episode.objects.create(**begun)
        written = [(second, 1, 60), (first, 2, -9), (first, 1, 0), (second, 2, 61)]
        for of, number, seconds in written:
            made = delivery.objects.create(
                reporter="laravel",
                kind="alert",
                camera=camera,
                episode=of,
                sequence=number,
                payload={},
                next_attempt_at=now,
            )
            moment = now + timedelta(seconds=seconds)
            delivery.objects.filter(pk=made.pk).update(created_at=moment, last_error=f"{number}")
    finally:
        migrated_to(newest)
    from integrations.models import Delivery

    rows = Delivery.objects.order_by("sequence")
    assert [(row.episode_id, row.last_error, row.sequence) for row in rows] == [
        (first.pk, "1", 1),
        (first.pk, "2", 2),
        (second.pk, "1", 3),
        (second.pk, "2", 4),
    ]
