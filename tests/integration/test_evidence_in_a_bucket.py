"""Evidence in a bucket of a real S3 server: kept whole, read in parts, listed, pruned, refused."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from detection.evidence.storage import DjangoEvidenceStore
from detection.keeping import EvidenceKeeper
from detection.models import Episode, EvidenceFile, EvidenceKind, Trouble
from detection.ports import Made
from detection.services import claims, retention
from tests.integration.evidence_places import keep_in_bucket
from tests.rows import a_camera, a_file, an_episode, officer
from tests.services import ObjectServer, object_server

pytestmark = pytest.mark.django_db(transaction=True)

VIDEO = bytes(range(256)) * 40_000  # 10.2 MB: more than one piece, and sent in several parts


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with object_server() as running:
        yield running


@pytest.fixture
def store(server: ObjectServer, settings: Settings) -> DjangoEvidenceStore:
    keep_in_bucket(settings, server.bucket)
    return DjangoEvidenceStore()


def a_folder() -> str:
    return f"episodes/{uuid4()}"


def test_a_file_is_kept_whole_and_read_in_parts(
    store: DjangoEvidenceStore, server: ObjectServer, tmp_path: Path
) -> None:
    (tmp_path / "clip").write_bytes(VIDEO)
    name = store.save(f"{a_folder()}/0001-clip.mp4", tmp_path / "clip")
    assert (server.bucket.folder / name).read_bytes() == VIDEO
    assert store.size(name) == len(VIDEO)
    assert store.read(name) == VIDEO
    assert b"".join(store.stream(name, 5_000_001, 7)) == VIDEO[5_000_001:5_000_008]
    assert b"".join(store.stream(name, len(VIDEO) - 3)) == VIDEO[-3:]


def test_files_are_listed_by_their_folders_and_removed(store: DjangoEvidenceStore) -> None:
    folder, other = a_folder(), a_folder()
    for name in (f"{folder}/0001-snapshot.jpg", f"{folder}/0002-clip.mp4", f"{other}/0001-x.jpg"):
        store.save(name, b"four")
    listed = {kept.folder: kept for kept in store.kept()}
    kept = listed[folder.partition("/")[2]]
    assert [(file.name, file.size) for file in kept.files] == [
        ("0001-snapshot.jpg", 4),
        ("0002-clip.mp4", 4),
    ]
    assert kept.newest is not None
    assert timezone.now() - kept.newest < timedelta(minutes=1)
    assert store.kept_in(kept.folder) == kept
    store.delete(f"{folder}/0001-snapshot.jpg")
    store.delete(f"{folder}/0001-snapshot.jpg")  # what is gone is no fault
    store.remove(kept.folder)
    assert kept.folder not in {kept.folder for kept in store.kept()}
    assert store.kept_in(other.partition("/")[2]).size == 4


def test_what_is_missing_and_what_is_refused_are_told_apart(
    store: DjangoEvidenceStore, server: ObjectServer, settings: Settings
) -> None:
    for ask in (store.read, store.size):
        with pytest.raises(FileNotFoundError):
            ask(f"{a_folder()}/0001-clip.mp4")
    keep_in_bucket(settings, server.bucket, evidence_bucket_secret_key="another-secret")
    with pytest.raises(OSError, match="refuses") as refused:
        store.save(f"{a_folder()}/0001-clip.mp4", b"x")
    assert not isinstance(refused.value, FileNotFoundError)
    assert "another-secret" not in str(refused.value)
    keep_in_bucket(settings, server.bucket, evidence_bucket="no-such-bucket")
    with pytest.raises(OSError, match="NoSuchBucket"):
        store.is_there()


def test_no_address_of_a_bucket_is_ever_given_away(store: DjangoEvidenceStore) -> None:
    with pytest.raises(ImproperlyConfigured):
        default_storage.url("episodes/x/0001-clip.mp4")


class DroppingServer:
    """Takes connections and ends each after some bytes, as a network that breaks off."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                left = self._after
                while left > 0 and (got := client.recv(min(left, 65_536))):
                    left -= len(got)

    def close(self) -> None:
        self._listener.close()


def test_a_writing_that_breaks_off_keeps_nothing(
    store: DjangoEvidenceStore, server: ObjectServer, settings: Settings, tmp_path: Path
) -> None:
    folder = a_folder()
    (tmp_path / "clip").write_bytes(VIDEO)
    dropping = DroppingServer(after=300_000)
    keep_in_bucket(settings, server.bucket, evidence_bucket_server=dropping.url)
    try:
        with pytest.raises(OSError, match="bucket"):
            store.save(f"{folder}/0001-clip.mp4", tmp_path / "clip")
    finally:
        dropping.close()
    assert not (server.bucket.folder / folder).exists()


def test_a_silent_bucket_is_waited_for_no_longer_than_it_says(
    store: DjangoEvidenceStore, server: ObjectServer, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bucket = server.bucket
        keep_in_bucket(
            settings, bucket, evidence_bucket_server=address, evidence_bucket_timeout=1.0
        )
        began = time.monotonic()
        with pytest.raises(OSError, match="cannot be reached"):
            store.size("episodes/x/0001-clip.mp4")
        assert time.monotonic() - began < 8, "two times one second, and the pause between"


# --- the whole way -------------------------------------------------------------------------------


def a_keeper(episode: Episode) -> EvidenceKeeper:
    lease = claims.take_lease(
        camera_id=episode.camera_id, instance="here", worker="w", max_cameras=1, at=timezone.now()
    )
    assert lease is not None
    return EvidenceKeeper(lease, DjangoEvidenceStore())


def test_while_the_bucket_is_away_its_trouble_is_named_and_the_page_says_so(
    store: DjangoEvidenceStore, settings: Settings
) -> None:
    episode = an_episode(a_camera())
    page = officer("boss", "view_episode")
    address = f"/admin/detection/episode/{episode.pk}/evidence/snapshot/"
    with object_server() as own:
        keep_in_bucket(settings, own.bucket)
        keeper = a_keeper(episode)
        keeper.hold(episode.pk, EvidenceKind.SNAPSHOT, lambda: Made(b"first"))
        keeper.save()
        keeper.attach()
        assert page.get(address).status_code == 200
        own.kill()
        keeper.hold(episode.pk, EvidenceKind.CLIP, lambda: Made(b"second"))
        written = _until_written(keeper)
        assert "no video is kept: the bucket cannot be reached" in Trouble.objects.get().text
        assert written < 10
        answer = page.get(address)
        assert answer.status_code == 503
        assert b"It is not lost: try again in a while." in answer.content
        own.start()
        keeper.hold(episode.pk, EvidenceKind.CLIP, lambda: Made(b"third"))
        _until_written(keeper)
    assert not Trouble.objects.exists()
    assert [file.kind for file in episode.files.all()] == ["snapshot", "clip"]


def _until_written(keeper: EvidenceKeeper) -> float:
    """As the upkeep does, turn by turn; seconds that it took."""
    began = time.monotonic()
    keeper.save()
    while keeper.is_writing:
        keeper.save()
    keeper.attach()
    return time.monotonic() - began


def test_a_bucket_is_pruned_like_a_disk(
    store: DjangoEvidenceStore, server: ObjectServer, settings: Settings
) -> None:
    camera, now = a_camera(), timezone.now()
    old, held, young = (
        an_episode(camera, started_at=now - timedelta(days=days)) for days in (120, 110, 1)
    )
    Episode.objects.filter(pk=held.pk).update(held_at=now)
    files = [a_file(episode, EvidenceKind.CLIP, b"x" * 100) for episode in (old, held, young)]
    retention.prune(at=now)
    left = [(server.bucket.folder / file.name).exists() for file in files]
    assert left == [False, True, True]
    assert old.files.get().removed_why == "age"
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"evidence_max_gb": 150 / 1e9})
    retention.prune(at=now)
    assert [(server.bucket.folder / file.name).exists() for file in files] == [False, True, False]
    assert young.files.get().removed_why == "size"


def test_an_empty_bucket_is_taken_for_the_wrong_one(
    store: DjangoEvidenceStore, settings: Settings
) -> None:
    old = an_episode(a_camera(), started_at=timezone.now() - timedelta(days=120))
    a_file(old, EvidenceKind.CLIP, b"x")
    with object_server() as empty:
        keep_in_bucket(settings, empty.bucket)
        retention.prune(at=timezone.now())
    assert old.files.get().removed_at is None


def test_a_player_gets_the_part_that_it_asks_for(store: DjangoEvidenceStore) -> None:
    episode = an_episode(a_camera())
    a_file(episode, EvidenceKind.CLIP, VIDEO)
    page: Client = officer("boss", "view_episode")
    address = f"/admin/detection/episode/{episode.pk}/evidence/clip/"
    answer = page.get(address, headers={"Range": "bytes=10000000-10000099"})
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes 10000000-10000099/{len(VIDEO)}"
    assert b"".join(answer.streaming_content) == VIDEO[10_000_000:10_000_100]  # type: ignore[attr-defined]
    assert EvidenceFile.objects.count() == 1


def test_a_bucket_is_verified_like_a_disk(settings: Settings) -> None:
    episode = an_episode(a_camera(), started_at=timezone.now() - timedelta(days=1))
    with object_server() as own:
        keep_in_bucket(settings, own.bucket)
        kinds = (EvidenceKind.CLIP, EvidenceKind.SNAPSHOT)
        files = [a_file(episode, kind, b"x" * 100) for kind in kinds]
        call_command("verify_evidence", stdout=StringIO())
        (own.bucket.folder / files[0].name).write_bytes(b"x" * 99 + b"y")
        (own.bucket.folder / files[1].name).unlink()
        DjangoEvidenceStore().save(f"episodes/{episode.pk}/0009-clip.mp4", b"a stranger")
        out = StringIO()
        with pytest.raises(CommandError, match="3 faults"):
            call_command("verify_evidence", stdout=out)
        for what in ("its SHA-256 is another", "the file is missing", "no row knows this file"):
            assert what in out.getvalue()
        own.kill()
        with pytest.raises(CommandError, match="cannot be r") as away:
            call_command("verify_evidence", stdout=StringIO())
        assert away.value.returncode == 2
