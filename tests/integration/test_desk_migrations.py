"""Episodes of before the review desk keep pictures, notes and places through it, and back."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("pictures_in_memory"),
]

BEFORE = [("detection", "0005_calibration"), ("integrations", "0002_reliability")]
NOW = timezone.now()


def migrated(targets: Any) -> Any:
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def test_what_was_there_before_the_desk_goes_through_it_and_back_again() -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        old = migrated(BEFORE)
        user = old.get_model("auth", "User").objects.create(username="rana")
        camera = old.get_model("detection", "Camera").objects.create(external_id=1, name="Yard")
        zone = {"camera": camera, "name": "gate", "polygon": [[0, 0], [1, 0], [0, 1]]}
        old.get_model("detection", "Zone").objects.create(**zone)
        picture = default_storage.save("evidence/old.jpg", ContentFile(b"a picture"))
        begun = {"camera": camera, "claim_token": 1, "confidence": 70, "decided_at": NOW}
        begun |= {"started_at": NOW, "alerted_at": NOW, "ended_at": NOW, "status": "cleared"}
        episode = old.get_model("detection", "Episode").objects
        noted = episode.create(
            crime_type="robbery",
            snapshot=picture,
            recording="evidence/gone.json.gz",
            note="a knife",
            verdict="confirmed",
            reviewed_by=user,
            reviewed_at=NOW,
            confirmed_at=NOW,
            **begun,
        )
        bare = episode.create(crime_type="theft", **begun)
        delivery = {"reporter": "laravel", "kind": "alert", "camera": camera, "payload": {}}
        old.get_model("integrations", "Delivery").objects.create(
            episode=noted, sequence=1, next_attempt_at=NOW, **delivery
        )
        for _ in range(2):  # the way back is gone, and once more there
            new = migrated(newest)
            episodes = new.get_model("detection", "Episode").objects
            files = new.get_model("detection", "EvidenceFile").objects
            steps = new.get_model("detection", "ReviewStep").objects
            assert dict(episodes.values_list("pk", "severity")) == {noted.pk: 190, bare.pk: 55}
            assert list(files.values_list("kind", "size")) == [("snapshot", 9), ("recording", 0)]
            assert [(s.username, s.after) for s in steps.all()] == [("rana", {"note": "a knife"})]
            old = migrated(BEFORE)
            kept = old.get_model("detection", "Episode").objects.get(pk=noted.pk)
            assert (kept.snapshot, kept.recording) == (picture, "evidence/gone.json.gz")
            assert (kept.note, kept.reviewed_by_id) == ("a knife", user.pk)
        migrated([("detection", "0009_reviews")])
        migrated([("detection", "0008_evidence_names")])
        steps = migrated(newest).get_model("detection", "ReviewStep").objects
        assert steps.count() == 1, "a note is one step, however often it is migrated"
    finally:
        MigrationExecutor(connection).migrate(newest)
