"""What is kept of an episode where the disk is full, or the database away."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from detection import recording
from detection.analysis import Judgement
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.evidence.storage import DjangoEvidenceStore, WholeFileStorage
from detection.models import Camera, Episode, EvidenceFile, Trouble
from detection.models import EpisodeEvent as EventRow
from detection.outbound import SampledPicture
from detection.recording import EpisodeRecorder
from detection.services import claims, episodes
from detection.services.holding import Holding, Mark
from tests.conftest import REPOSITORY
from tests.integration.evidence_places import keep_in_folder

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)
OPENED = EpisodeOpened(AT, CrimeType.TRESPASSING, 55.0, AT, "person 3 in “yard”")
RISEN = ConfidenceChanged(AT, CrimeType.TRESPASSING, 70.0)
SURE = CrimeConfirmed(AT, CrimeType.TRESPASSING, 85.0, AT, "person 3 stayed")
CLEARED = EpisodeEnded(AT, EpisodeState.CLEARED)


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def recorder(folder: Path) -> EpisodeRecorder:
    camera = Camera.objects.create(registry="local", name="Camera 1", external_id=1)
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=1, at=timezone.now()
    )
    assert lease is not None
    return EpisodeRecorder(Holding(lease, Mark.now()), DjangoEvidenceStore())


def keep_snapshot(recorder: EpisodeRecorder) -> None:
    pixels = np.zeros((360, 640, 3), np.uint8)
    frame = Frame(1, 1, AT, 0.0, pixels)
    sampled = SampledPicture(frame, pixels, Letterbox((640, 360), (640, 384)))
    suspicion = Suspicion(CrimeType.TRESPASSING, 85.0, (), "person 3 stayed")
    recorder.picture(Judgement(Moment(AT), [], [suspicion], [SURE]), sampled)


# --- a full disk ---------------------------------------------------------------------------------


def test_a_disk_that_takes_no_picture_stops_no_episode_and_is_named_until_it_does(
    recorder: EpisodeRecorder, folder: Path
) -> None:
    folder.mkdir()
    (folder / "episodes").write_text("a file where a folder should be: it fails for root as well")
    recorder.record(OPENED, [])
    keep_snapshot(recorder)
    recorder.record(SURE, [])
    assert Episode.objects.get().status == "confirmed"
    assert not EvidenceFile.objects.exists()
    trouble = Trouble.objects.get()
    assert trouble.subject.startswith("Evidence on ")
    assert "picture is kept: " in trouble.text

    (folder / "episodes").unlink()
    keep_snapshot(recorder)
    assert not Trouble.objects.exists()
    kept = folder / EvidenceFile.objects.get(kind="snapshot").name
    assert kept.read_bytes()[:2] == b"\xff\xd8"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_nothing_half(full_disk: Path) -> None:
    storage = WholeFileStorage(location=full_disk, allow_overwrite=True)
    storage.save("episodes/1/snapshot.jpg", ContentFile(b"x" * 20_000))
    for name in ("episodes/1/snapshot.jpg", "episodes/2/snapshot.jpg"):
        with pytest.raises(OSError, match="No space left"):
            storage.save(name, ContentFile(b"y" * 100_000))
    files = [path for path in full_disk.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"x" * 20_000], "the old one is as it was"


def test_a_write_that_ends_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """As any user: the kernel cuts this process off at 64 KiB a file."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "from django.core.files.base import ContentFile\n"
        "from detection.evidence.storage import WholeFileStorage\n"
        f"storage = WholeFileStorage(location={str(tmp_path)!r})\n"
        "storage.save('episodes/1/snapshot.jpg', ContentFile(b'x' * 200_000))\n"
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tests import settings; import django; django.setup()\n" + code,
        ],
        cwd=REPOSITORY,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "File too large" in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# --- the stages of a step ------------------------------------------------------------------------


def test_a_step_tells_when_the_frame_behind_it_passed_each_stage(recorder: EpisodeRecorder) -> None:
    stages = {"captured": 100.0, "decoded": 100.07, "posted": 100.08, "inferred": 100.2}
    before = time.time()
    recorder.record(OPENED, [], stages)
    recorder.record(RISEN, [], stages)
    recorder.record(SURE, [])
    opened, risen, sure = EventRow.objects.order_by("step")
    decided = opened.stages.pop("decided")
    assert opened.stages == stages
    assert before <= decided <= time.time()
    assert (risen.stages, sure.stages) == ({}, {})


# --- while the database is away ------------------------------------------------------------------


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Undone, the database is back. What really is cut stands among the end-to-end tests."""

    def refuse(**_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(episodes, "record_event", refuse)
    monkeypatch.setattr(episodes, "attach_evidence", refuse)
    return monkeypatch


def written() -> list[tuple[str, list[str]]]:
    return [
        (
            episode.status,
            list(EventRow.objects.filter(episode=episode).values_list("kind", flat=True)),
        )
        for episode in Episode.objects.order_by("decided_at")
    ]


def test_steps_and_the_picture_are_held_and_written_in_order(
    recorder: EpisodeRecorder, away: pytest.MonkeyPatch, folder: Path
) -> None:
    began = timezone.now()
    for event in (OPENED, RISEN):
        recorder.record(event, [(0.0, 55.0)])
    keep_snapshot(recorder)
    recorder.record(SURE, [(0.0, 55.0), (1.0, 85.0)])
    assert written() == []
    decided_by = timezone.now()
    away.undo()
    recorder.write()
    assert written() == [("confirmed", ["opened", "confidence", "confirmed"])]
    episode = Episode.objects.get()
    assert began <= episode.decided_at <= decided_by, "when it was decided, not when written"
    assert episode.confidence_timeline == [[0.0, 55.0], [1.0, 85.0]]
    kept = episode.files.order_by("kind")
    assert [file.kind for file in kept] == ["clean_snapshot", "snapshot"]
    assert all((folder / file.name).is_file() for file in kept)


def test_what_is_held_is_bounded_and_episodes_stay_whole(
    recorder: EpisodeRecorder,
    away: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(recording, "MOST_UNWRITTEN", 8)
    for _ in range(3):
        steps: list[EpisodeEvent] = [OPENED, *[RISEN] * 20, SURE, CLEARED]
        for event in steps:
            recorder.record(event, [])
    recorder.record(OPENED, [])
    assert "3 steps are lost for want of memory" in caplog.text
    monkeypatch.undo()
    away.undo()
    recorder.write()
    whole = ("cleared", ["opened", "confirmed", "cleared"])
    assert written() == [whole, whole, ("suspicious", ["opened"])]


def test_what_a_watch_could_not_write_is_named_when_it_ends(
    recorder: EpisodeRecorder, away: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.record(OPENED, [])
    recorder.close()
    assert "1 steps are lost with this watch" in caplog.text
    assert "suspicious: trespassing 55 %" in caplog.text


def test_what_is_held_belongs_to_the_lease(
    recorder: EpisodeRecorder, away: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.record(OPENED, [])
    away.undo()
    camera = Camera.objects.get()
    camera.claim.token += 1
    camera.claim.save()
    with pytest.raises(claims.Overtaken):
        recorder.write()
    assert written() == []
    assert "belong to a lease that was lost" in caplog.text
