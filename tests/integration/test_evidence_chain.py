"""How files become links: in order, once each, superseded, removed with a reason, held for ever."""

import math
import time
from copy import copy
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django import Settings

from detection.evidence.chain import faults_of
from detection.evidence.storage import DjangoEvidenceStore, fingerprint
from detection.keeping import PATIENCE_SECONDS, EvidenceKeeper
from detection.models import (
    AuditAction,
    AuditRecord,
    Camera,
    Episode,
    EvidenceFile,
    EvidenceKind,
    WhyRemoved,
)
from detection.ports import Made
from detection.services import audit, claims, retention
from detection.services.evidence import attach_file, forget_files, newest_of, said_of
from tests.integration.conftest import at_once
from tests.integration.evidence_places import keep_in_folder
from tests.rows import a_camera, a_file, an_episode
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


def files_in(folder: Path, episode: Episode) -> list[str]:
    place = folder / "episodes" / str(episode.pk)
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def is_whole(episode: Episode) -> bool:
    episode.refresh_from_db()
    files = [said_of(file) for file in episode.files.order_by("sequence")]
    return faults_of(files, links=episode.evidence_links, head=episode.evidence_head) == []


# --- kept ----------------------------------------------------------------------------------------


def a_keeper(camera: Camera) -> EvidenceKeeper:
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=9, at=timezone.now()
    )
    assert lease is not None
    return EvidenceKeeper(lease, DjangoEvidenceStore())


def keep(keeper: EvidenceKeeper, episode: Episode, *made: Made) -> None:
    for one in made:
        keeper.hold(episode.pk, EvidenceKind.SNAPSHOT, partial(copy, one))
        keeper.save()
        keeper.attach()


def test_each_file_has_a_name_and_a_link_of_its_own_and_the_newest_counts(folder: Path) -> None:
    episode = an_episode(a_camera())
    keeper = a_keeper(episode.camera)
    keep(keeper, episode, Made(b"first"), Made(b"second", {"width": 640}))
    keeper.save()  # what was superseded is removed with the next writing
    first, second = episode.files.order_by("sequence")
    size, sha256 = fingerprint(b"second")
    assert second.name == f"episodes/{episode.pk}/0002-snapshot-{sha256[:12]}.jpg"
    assert (second.size, second.sha256, second.facts) == (size, sha256, {"width": 640})
    assert (first.removed_why, second.previous) == ("superseded", first.link)
    assert newest_of(episode.pk, EvidenceKind.SNAPSHOT) == second
    assert files_in(folder, episode) == [second.name.rpartition("/")[2]]
    assert is_whole(episode)


def test_a_file_that_was_made_for_keeping_is_removed_when_it_is_kept_and_when_it_is_not(
    folder: Path, tmp_path: Path
) -> None:
    episode = an_episode(a_camera())
    keeper = a_keeper(episode.camera)
    (tmp_path / "clip").write_bytes(b"video")
    keep(keeper, episode, Made(tmp_path / "clip"))
    assert DjangoEvidenceStore().read(episode.files.get().name) == b"video"
    assert not (tmp_path / "clip").exists()
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("no folder")
    (tmp_path / "clip").write_bytes(b"video")
    keep(keeper, episode, Made(tmp_path / "clip"))
    assert not (tmp_path / "clip").exists()
    assert episode.files.count() == 1


def test_a_storage_that_is_slow_to_remove_keeps_the_lease_waiting_no_longer_than_a_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, is_well = DjangoEvidenceStore.delete, Event()

    def slow(store: DjangoEvidenceStore, name: str) -> None:
        assert is_well.wait(20)
        remove(store, name)

    monkeypatch.setattr(DjangoEvidenceStore, "delete", slow)
    episode = an_episode(a_camera())
    keeper = a_keeper(episode.camera)
    began = time.monotonic()
    keep(keeper, episode, Made(b"first"), Made(b"second"))
    keeper.save()
    assert time.monotonic() - began < 3 * PATIENCE_SECONDS
    assert keeper.is_writing and episode.files.filter(removed_at=None).count() == 1
    is_well.set()
    wait_until(lambda: len(files_in(folder, episode)) == 1, "the older one goes when it is well")


def test_a_file_that_the_database_refuses_keeps_no_other_waiting(folder: Path) -> None:
    episode = an_episode(a_camera())
    keep(a_keeper(episode.camera), episode, Made(b"odd", {"width": math.nan}), Made(b"well"))
    assert episode.files.get().sha256 == fingerprint(b"well")[1]


def test_of_an_episode_on_hold_nothing_is_superseded(folder: Path) -> None:
    episode = an_episode(a_camera(), held_at=NOW)
    keep(a_keeper(episode.camera), episode, Made(b"first"), Made(b"second"))
    assert episode.files.filter(removed_at=None).count() == 2
    assert len(files_in(folder, episode)) == 2


def test_files_that_come_at_once_become_one_chain() -> None:
    episode = an_episode(a_camera())

    def attach(number: int) -> Any:
        return attach_file(
            episode_id=episode.pk,
            kind=EvidenceKind.CLIP,
            name=f"episodes/{episode.pk}/{number}.mp4",
            size=1,
            sha256="ab" * 32,
        )

    at_once([partial(attach, number) for number in range(6)])
    assert [file.sequence for file in episode.files.order_by("sequence")] == [1, 2, 3, 4, 5, 6]
    assert is_whole(episode)


def test_a_place_in_a_chain_is_taken_once() -> None:
    file = a_file(an_episode(a_camera()))
    with pytest.raises(IntegrityError), transaction.atomic():
        EvidenceFile.objects.create(
            episode=file.episode, sequence=1, kind="clip", size=1, kept_at=NOW
        )


def test_a_row_that_is_rolled_back_removes_no_file(folder: Path) -> None:
    episode = an_episode(a_camera())
    a_file(episode, content=b"first")
    with transaction.atomic():
        a_file(episode, content=b"second")
        transaction.set_rollback(True)
    assert episode.files.get().removed_at is None
    assert len(files_in(folder, episode)) == 2, "the second waits for retention"
    assert is_whole(episode)


# --- removed, and never removed ------------------------------------------------------------------


def limit(settings: Settings, **changes: float) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)


def old_episode(camera: Camera, days: float, **fields: Any) -> Episode:
    episode = an_episode(camera, started_at=NOW - timedelta(days=days), **fields)
    a_file(episode, EvidenceKind.CLIP, b"x" * 100)
    return episode


def test_an_episode_on_hold_is_pruned_by_no_age_and_no_size(
    folder: Path, settings: Settings
) -> None:
    camera = a_camera()
    held = old_episode(camera, 9000, held_at=NOW)
    other = old_episode(camera, 1)
    limit(settings, evidence_max_gb=1e-9)
    retention.prune(at=NOW)
    assert (len(files_in(folder, held)), files_in(folder, other)) == (1, [])
    assert Episode.objects.filter(pk=held.pk).exists()
    assert other.files.get().removed_why == WhyRemoved.SIZE
    Episode.objects.update(held_at=None)
    retention.prune(at=NOW)
    assert not Episode.objects.filter(pk=held.pk).exists()


def test_who_had_the_evidence_of_an_episode_on_hold_stays_known() -> None:
    camera = a_camera()
    held, other = an_episode(camera, held_at=NOW), an_episode(camera)
    for episode in (held, other):
        audit.record(AuditAction.EVIDENCE_VIEWED, username="kim", subject=episode)
    AuditRecord.objects.update(at=NOW - timedelta(days=4000))
    retention.prune(at=NOW)
    assert [record.object_id for record in AuditRecord.objects.all()] == [str(held.pk)]


def test_a_hold_that_comes_at_the_last_moment_counts() -> None:
    chosen = old_episode(a_camera(), 200)
    Episode.objects.update(held_at=NOW)
    assert forget_files(episode_ids=[chosen.pk], why=WhyRemoved.AGE, at=NOW) == []
    assert chosen.files.get().removed_at is None


def test_a_camera_with_episodes_cannot_be_deleted_with_them() -> None:
    held = old_episode(a_camera(), 1, held_at=NOW)
    with pytest.raises(ProtectedError):
        held.camera.delete()


def test_crimes_keep_their_videos_longer(folder: Path) -> None:
    camera = a_camera()
    crime = old_episode(camera, 200, confirmed_at=NOW)
    dismissed = old_episode(camera, 200, confirmed_at=NOW, verdict="dismissed")
    retention.prune(at=NOW)
    assert (len(files_in(folder, crime)), files_in(folder, dismissed)) == (1, [])


def test_a_removal_that_was_broken_off_is_finished_by_the_next_run(folder: Path) -> None:
    """The rows said it, and then the host lost its power."""
    episode = old_episode(a_camera(), 1)
    forget_files(episode_ids=[episode.pk], why=WhyRemoved.SIZE, at=NOW)
    assert len(files_in(folder, episode)) == 1
    retention.prune(at=timezone.now())
    assert files_in(folder, episode) == []
    assert is_whole(episode)


# --- from before there were chains ---------------------------------------------------------------


def models_at(name: str) -> Any:
    MigrationExecutor(connection).migrate([("detection", name)])
    return MigrationExecutor(connection).loader.project_state([("detection", name)]).apps


def test_names_of_before_become_chains_and_go_back() -> None:
    leaves = [(app, name) for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes()]
    kept = default_storage.save("episodes/a/snapshot.jpg", ContentFile(b"old picture"))
    given = {
        "claim_token": 1,
        "status": "cleared",
        "crime_type": "trespassing",
        "confidence": 90,
        **dict.fromkeys(("started_at", "alerted_at", "decided_at", "ended_at"), NOW),
    }
    try:
        old = models_at("0006_review_desk")
        camera = old.get_model("detection", "Camera").objects.create(external_id=1, name="Yard")
        make = old.get_model("detection", "Episode").objects.create
        both = make(camera=camera, snapshot=kept, recording="episodes/a/gone.json.gz", **given)
        none = make(camera=camera, **given)
        MigrationExecutor(connection).migrate(leaves)
        episode = Episode.objects.get(pk=both.pk)
        assert is_whole(episode)
        assert not Episode.objects.get(pk=none.pk).files.exists()
        found = episode.files.values_list("sequence", "kind", "name", "size", "sha256")
        assert list(found.order_by("sequence")) == [
            (1, "snapshot", kept, 11, fingerprint(b"old picture")[1]),
            (2, "recording", "episodes/a/gone.json.gz", 0, ""),
        ]
        back = models_at("0006_review_desk").get_model("detection", "Episode").objects
        assert back.values_list("snapshot", "recording").get(pk=both.pk) == (
            kept,
            "episodes/a/gone.json.gz",
        )
    finally:
        MigrationExecutor(connection).migrate(leaves)
