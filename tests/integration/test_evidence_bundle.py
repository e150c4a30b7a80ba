"""A bundle is whole, proves itself without us, and says what is missing in it."""

import gc
import gzip
import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from crimeops.logging import remember_secret
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import AuditRecord, Episode, EpisodeEvent, EvidenceKind
from tests.conftest import REPOSITORY
from tests.integration.evidence_places import keep_in_folder
from tests.rows import FRAGMENTS, a_camera, a_delivery, a_file, an_episode, officer

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)
VIDEO = bytes(range(256)) * 4_000
JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    settings.TIME_ZONE = "Asia/Riyadh"
    return tmp_path / "evidence"


@pytest.fixture
def episode() -> Episode:
    episode = an_episode(a_camera(station_id=4), started_at=AT, note="two men, one van")
    EpisodeEvent.objects.create(episode=episode, step=1, kind="opened", at=AT)
    a_file(episode, EvidenceKind.SNAPSHOT, JPEG)
    a_file(episode, EvidenceKind.CLEAN_SNAPSHOT, JPEG + b", clean")
    a_file(episode, EvidenceKind.RECORDING, gzip.compress(b"{}"))
    a_file(episode, EvidenceKind.CLIP, VIDEO, facts={"seconds": 24.5})
    return episode


@pytest.fixture
def page() -> Client:
    return officer("kim", "view_episode")


def take(page: Client, episode: Episode) -> bytes:
    answer = page.get(reverse("admin:detection_episode_bundle", args=(episode.pk,)))
    assert answer.status_code == 200
    content: bytes = answer.getvalue()
    return content


def inside(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert bundle.testzip() is None
        return {name.partition("/")[2]: bundle.read(name) for name in bundle.namelist()}


def test_everything_is_in_it_and_the_videos_bytes_are_those_that_were_kept(
    page: Client, episode: Episode
) -> None:
    found = inside(take(page, episode))
    assert set(found) == {
        "clip.mp4",
        "snapshot.jpg",
        "clean-snapshot.jpg",
        "recording.json.gz",
        "metadata.json",
        "deliveries.json",
        "history.json",
        "chain.json",
        "report.html",
        "SHA256SUMS",
    }
    assert found["clip.mp4"] == VIDEO
    metadata = json.loads(found["metadata.json"])
    assert metadata["episode"]["started_at"] == "2026-02-27T14:28:00.000+00:00"
    assert metadata["review"]["note"] == "two men, one van"
    assert metadata["exported"]["notes"] == []
    report = found["report.html"].decode()
    assert "2026-02-27 17:28:00" in report, "at the site"
    assert "14:28:00 UTC" in report
    assert "data:image/jpeg;base64," in report
    assert "two men, one van" in report
    for address in ("http://", "https://", 'src="/'):
        assert address not in report


def test_each_taking_is_on_record(page: Client, episode: Episode) -> None:
    for _ in range(2):
        take(page, episode)
    records = AuditRecord.objects.filter(action="evidence_exported")
    assert [(record.username, record.object_id) for record in records] == [
        ("kim", str(episode.pk))
    ] * 2


def test_who_may_not_see_the_episode_gets_none_and_is_on_record(episode: Episode) -> None:
    address = reverse("admin:detection_episode_bundle", args=(episode.pk,))
    stranger = officer("clerk", "view_camera")
    assert stranger.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    refused = AuditRecord.objects.filter(action="evidence_refused")
    assert [record.username for record in refused] == ["clerk"]


# --- it proves itself ----------------------------------------------------------------------------


@pytest.fixture
def unpacked(page: Client, episode: Episode, tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(take(page, episode))) as bundle:
        bundle.extractall(tmp_path / "bundle")
    (place,) = (tmp_path / "bundle").iterdir()
    return place


def test_sha256sum_finds_it_whole(unpacked: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "clip.mp4: OK" in checked.stdout


def packed(place: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as bundle:
        for path in sorted(place.iterdir()):
            bundle.write(path, f"{place.name}/{path.name}")
    return target


def rewritten(place: Path, change: Callable[[dict[str, Any]], None]) -> None:
    chain = json.loads((place / "chain.json").read_text())
    change(chain)
    (place / "chain.json").write_text(json.dumps(chain))
    _sum_anew(place)


def _sum_anew(place: Path) -> None:
    names = [path.name for path in place.iterdir() if path.name != "SHA256SUMS"]
    sums = subprocess.run(["sha256sum", *names], cwd=place, capture_output=True, check=True)
    (place / "SHA256SUMS").write_bytes(sums.stdout)


def _flip(place: Path) -> None:
    (place / "clip.mp4").write_bytes(VIDEO[:-1] + b"x")


def _flip_and_sum(place: Path) -> None:
    _flip(place)
    _sum_anew(place)


CHANGES: dict[str, Callable[[Path], object]] = {
    "clip.mp4: was changed": _flip,
    "clip.mp4: is not the file that the chain says": _flip_and_sum,
    "clip.mp4: is missing": lambda place: (place / "clip.mp4").unlink(),
    "is not in the list of hashes": lambda place: (place / "added.mp4").write_bytes(b"x"),
    "row 2 was removed": lambda place: rewritten(place, lambda chain: chain["files"].pop(1)),
    "its row was changed": lambda place: rewritten(
        place, lambda chain: chain["files"][0].update(kept_at="2020-01-01T00:00:00+00:00")
    ),
    "is of another episode": lambda place: rewritten(place, lambda c: c.update(episode="x")),
}


def test_an_untouched_bundle_verifies(unpacked: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("verify_evidence", bundle=packed(unpacked, tmp_path / "b.zip"), stdout=out)
    assert "chain of 4 links" in out.getvalue()


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_of_a_bundle_is_named(what: str, unpacked: Path, tmp_path: Path) -> None:
    CHANGES[what](unpacked)
    with pytest.raises(CommandError) as found:
        call_command(
            "verify_evidence", bundle=packed(unpacked, tmp_path / "b.zip"), stdout=io.StringIO()
        )
    assert what in str(found.value)
    assert found.value.returncode == 1


def test_a_bundle_is_checked_by_the_standard_library_alone(unpacked: Path, tmp_path: Path) -> None:
    packed(unpacked, tmp_path / "b.zip")
    isolated = [sys.executable, "-S", "-m", "detection.evidence.bundle_check"]
    checked = subprocess.run(
        [*isolated, str(tmp_path / "b.zip")],
        cwd=REPOSITORY,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "Nothing was changed." in checked.stdout


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"<html>"])
def test_what_is_no_bundle_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(CommandError, match="no bundle") as refused:
        call_command("verify_evidence", bundle=tmp_path / "b.zip")
    assert refused.value.returncode == 2


# --- what is missing, changed or secret ----------------------------------------------------------


def notes_of(content: bytes) -> list[str]:
    found = inside(content)
    notes: list[str] = json.loads(found["metadata.json"])["exported"]["notes"]
    for note in notes:
        assert note in found["report.html"].decode()
    return notes


def test_a_bundle_of_an_open_episode_without_a_video_says_so(page: Client) -> None:
    open_one = an_episode(a_camera(), status="suspicious", ended_at=None)
    assert notes_of(take(page, open_one)) == [
        "The episode was still open when this was taken: more may follow.",
        "There is no video of this episode.",
    ]


def test_a_missing_and_a_changed_file_are_said_to_be_so(
    page: Client, episode: Episode, folder: Path, tmp_path: Path
) -> None:
    (folder / episode.files.get(kind="clip").name).unlink()
    (folder / episode.files.get(kind="snapshot").name).write_bytes(b"\xff\xd8 forged")
    content = take(page, episode)
    assert notes_of(content)[0] == "clip.mp4 is missing: it was kept, and is not there any more."
    assert "CHANGED since it was kept" in inside(content)["report.html"].decode()
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(CommandError, match="is not the file that the chain says was kept"):
        call_command("verify_evidence", bundle=tmp_path / "b.zip", stdout=io.StringIO())


def test_a_storage_that_is_away_is_no_bundle(page: Client, episode: Episode, folder: Path) -> None:
    (folder / "episodes").rename(folder / "not mounted")
    answer = page.get(reverse("admin:detection_episode_bundle", args=(episode.pk,)))
    assert answer.status_code == 503
    assert not AuditRecord.objects.filter(action="evidence_exported").exists()


def test_a_file_that_breaks_off_is_said_to_be_so(
    page: Client, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = DjangoEvidenceStore.stream

    def breaking(store: DjangoEvidenceStore, name: str, *rest: Any) -> Any:
        with closing(stream(store, name, *rest)) as pieces:
            yield next(pieces)[:100]
        raise OSError("the bucket went away")

    monkeypatch.setattr(DjangoEvidenceStore, "stream", breaking)
    found = notes_of(take(page, episode))
    assert "clip.mp4 could not be read to its end: take the bundle again." in found


def test_no_secret_is_in_it(page: Client, episode: Episode) -> None:
    for fragment in FRAGMENTS:
        remember_secret(fragment)
    a_delivery(episode, payload={"url": "rtsp://wachmann-17:pa55@10.0.0.1/", "key": "geheim"})
    content = take(page, episode)
    assert b"rtsp://" in content
    for fragment in FRAGMENTS:
        assert fragment.encode() not in content


def test_files_of_a_held_episode_that_were_followed_by_newer_ones_are_in_it_too(
    page: Client, episode: Episode
) -> None:
    Episode.objects.filter(pk=episode.pk).update(held_at=timezone.now())
    a_file(episode, EvidenceKind.SNAPSHOT, JPEG + b", later")
    found = inside(take(page, episode))
    assert found["snapshot.jpg"] == JPEG + b", later"
    assert found["0001-snapshot.jpg"] == JPEG


@pytest.mark.django_db(transaction=True)  # closing an answer closes the test's connection
def test_who_leaves_in_the_middle_leaves_nothing_open(page: Client, episode: Episode) -> None:
    """An open file or a broken zip would be a warning, and warnings are errors here."""
    address = reverse("admin:detection_episode_bundle", args=(episode.pk,))
    answer: Any = page.get(address)
    pieces = iter(answer.streaming_content)
    assert len(next(pieces)) > 0
    answer.close()
    del pieces, answer
    gc.collect()


def test_a_large_video_is_never_in_memory(page: Client, episode: Episode, folder: Path) -> None:
    size = 60_000_000
    long_one = an_episode(a_camera(2), started_at=AT + timedelta(hours=1))
    a_file(long_one, EvidenceKind.CLIP, bytes(size))
    address = reverse("admin:detection_episode_bundle", args=(long_one.pk,))
    tracemalloc.start()
    try:
        answer: Any = page.get(address)
        sent = sum(len(piece) for piece in answer.streaming_content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > size
    assert peak < 8_000_000
