"""Clips from a camera's packets to kept files: dated exactly, by threads that hold nobody up."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from threading import Event
from uuid import uuid4

import av
import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from detection import clip_desk
from detection.clip_desk import ClipDesk, ClipOptions
from detection.clips import CameraClips
from detection.domain.packets import Coding, PacketRing
from detection.domain.zones import Zone as DomainZone
from detection.domain.zones import ZoneKind
from detection.evidence import spooled_clip
from detection.evidence.spool_folder import ClipOrder, part_path
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, Episode, EvidenceFile, Trouble, Zone
from detection.ports import SourceOptions
from detection.services.clips import finish_clip
from detection.sources.pyav import PyAvSource
from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.conftest import REPOSITORY
from tests.films import a_ring, coded, has_its_index_in_front, number_in, pictures_of
from tests.integration.evidence_places import keep_in_folder
from tests.rows import a_camera, an_episode
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LEFT = [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def camera() -> Camera:
    return a_camera()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClipDesk]:
    monkeypatch.setattr(clip_desk, "SWEEP_SECONDS", 0.5)
    options = ClipOptions(tmp_path / "spool", max_seconds=600, most_spooled_bytes=1e9)
    desk = ClipDesk(options, lambda folder: finish_clip(folder, DjangoEvidenceStore()))
    yield desk
    desk.stop(20)


def open_episode(camera: Camera, started_at: datetime) -> Episode:
    return an_episode(camera, started_at=started_at, status="suspicious", ended_at=None)


def kept(episode: Episode, kind: str = "clip") -> EvidenceFile | None:
    return EvidenceFile.objects.filter(episode=episode, kind=kind, removed_at=None).last()


def wait_for(episode: Episode, kind: str = "clip", seconds: float = 20) -> EvidenceFile:
    wait_until(lambda: kept(episode, kind) is not None, f"the {kind} is kept", seconds)
    file = kept(episode, kind)
    assert file is not None
    return file


def film_of(
    desk: ClipDesk, camera: Camera, ring: PacketRing, began: float, seconds: float, **how: object
) -> Episode:
    """An episode of so many seconds whose packets are all in the ring."""
    episode = open_episode(camera, datetime.fromtimestamp(began, UTC))
    clips = CameraClips(desk, camera.pk, ring)
    zones = how.get("zones", [])
    clips.begin(episode.pk, started_at=episode.started_at, zones=zones)  # type: ignore[arg-type]
    clips.note_peak(datetime.fromtimestamp(began + seconds / 2, UTC))
    clips.end(datetime.fromtimestamp(began + seconds, UTC))
    return episode


# --- from a camera -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("clips") / "counting.mp4"
    coding, packets = coded(24, key_every=8)
    with av.open(str(path), "w") as container:
        stream = container.add_mux_stream("h264", width=coding.width, height=coding.height)
        for place, is_key, content in packets:
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = packet.dts = round(place * 90_000)
            packet.duration, packet.is_keyframe = 9_000, is_key
            container.mux_one(packet)
    return load_clip(path)


@pytest.mark.parametrize(("transport", "masked"), [("tcp", False), ("udp", False), ("tcp", True)])
def test_a_cameras_clip_shows_each_picture_when_the_watch_saw_it(
    camera: Camera, desk: ClipDesk, counting: Clip, folder: Path, transport: str, masked: bool
) -> None:
    zones = [DomainZone.of("neighbour", ZoneKind.PRIVACY, LEFT)] if masked else []
    ring = PacketRing(30, 8_000_000)
    seen: list[tuple[float, int]] = []
    with SimulatedTapo(user="viewer", password="x", clip=counting) as simulated:
        source = PyAvSource(
            SourceOptions(simulated.rtsp_url, transport=transport, frame_skip=1, packets=ring)
        )
        clips = CameraClips(desk, camera.pk, ring)
        with closing(source.pictures()) as pictures:
            episode, ended = None, 0.0
            for picture in pictures:
                assert picture.pixels is not None
                at = picture.captured_at.timestamp()
                seen.append((at, number_in(picture.pixels.max(axis=2))))
                if episode is None and len(seen) == 25:
                    episode = open_episode(camera, picture.captured_at)
                    clips.begin(episode.pk, started_at=picture.captured_at, zones=zones)
                if episode is not None and not ended and len(seen) == 40:
                    ended = at
                    clips.end(datetime.fromtimestamp(at - 9, UTC))  # a second of post-roll is left
                if ended and at > ended + 1.5:
                    break
    assert episode is not None
    file = wait_for(episode)
    began = datetime.fromisoformat(file.facts["began_at"]).timestamp()
    shown = pictures_of(folder / file.name)
    by_number = [(at - began, number) for at, number in seen]
    # The first pictures of a connection are dated before the way's delay is known.
    assert len(shown) > 40
    for at, number in shown[12:]:
        nearest = min(by_number, key=lambda pair: abs(pair[0] - at))
        assert nearest[1] == number
        assert nearest[0] == pytest.approx(at, abs=0.02)
    assert file.facts["is_cut"], "the camera was opened less than ten seconds before"
    assert (file.facts["re_encoded"], file.facts["masked"]) == (masked, masked)
    assert _colours_at(folder / file.name, 10) == 1 or not masked


# --- kept --------------------------------------------------------------------------------------


def test_a_clip_and_its_preview_become_links_of_the_episodes_chain(
    camera: Camera, desk: ClipDesk, folder: Path
) -> None:
    began = float(int(time.time()) - 60)
    episode = film_of(desk, camera, a_ring(began, 500), began + 12, 20)
    clip, preview = wait_for(episode), wait_for(episode, "preview")
    assert (clip.content_type, preview.content_type) == ("video/mp4", "image/webp")
    assert has_its_index_in_front(folder / clip.name)
    assert clip.facts == {
        "began_at": datetime.fromtimestamp(began + 2, UTC).isoformat(),
        "seconds": 40.1,
        "width": 64,
        "height": 48,
        "codec": "h264",
        "is_cut": False,
        "re_encoded": False,
        "masked": False,
    }
    assert (clip.sequence, preview.sequence) == (1, 2)
    assert preview.previous == clip.link
    wait_until(lambda: not list(desk.options.folder.iterdir()), "the spool is empty", 5)


def test_a_camera_that_fell_silent_has_a_clip_of_what_came(
    camera: Camera, desk: ClipDesk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooled_clip, "GRACE_SECONDS", 0.2)
    began = float(int(time.time()) - 60)
    episode = film_of(desk, camera, a_ring(began, 100), began + 5, 5)
    file = wait_for(episode)
    assert file.facts["seconds"] == pytest.approx(10.0)


def test_when_the_watch_ends_its_open_clip_is_finished(
    camera: Camera, desk: ClipDesk, folder: Path
) -> None:
    began = time.time()
    episode = open_episode(camera, datetime.fromtimestamp(began, UTC))
    clips = CameraClips(desk, camera.pk, a_ring(began, 30))
    clips.begin(episode.pk, started_at=episode.started_at, zones=[])
    clips.close()
    assert wait_for(episode).facts["seconds"] == pytest.approx(3.0)


# --- masked ------------------------------------------------------------------------------------


def test_a_cameras_privacy_zone_is_in_the_clip_and_was_never_spooled_without(
    camera: Camera, desk: ClipDesk, folder: Path
) -> None:
    began = float(int(time.time()) - 60)
    zone = DomainZone.of("neighbour", ZoneKind.PRIVACY, LEFT)
    episode = film_of(desk, camera, a_ring(began, 300), began + 12, 5, zones=[zone])
    file = wait_for(episode)
    assert (file.facts["masked"], file.facts["re_encoded"]) == (True, True)
    assert _colours_at(folder / file.name, 10) == 1


def test_a_zone_that_is_drawn_while_the_clip_waits_is_in_it(
    camera: Camera, desk: ClipDesk, folder: Path
) -> None:
    began = float(int(time.time()) - 60)
    Zone.objects.create(camera=camera, name="neighbour", kind="privacy", polygon=LEFT)
    episode = film_of(desk, camera, a_ring(began, 300), began + 12, 5)
    file = wait_for(episode)
    assert (file.facts["masked"], file.facts["re_encoded"]) == (True, True)
    assert _colours_at(folder / file.name, 10) == 1


def _colours_at(film: Path, column: int) -> int:
    with av.open(str(film)) as container:
        return len(
            {
                round(float(frame.to_ndarray(format="gray")[:, column].mean()) / 8)
                for frame in container.decode(video=0)
            }
        )


# --- what goes wrong ---------------------------------------------------------------------------


def test_a_clip_waits_in_the_spool_for_a_disk_that_takes_nothing_and_it_is_named(
    camera: Camera, desk: ClipDesk, folder: Path
) -> None:
    folder.mkdir()
    (folder / "episodes").write_text("a file where a folder should be")
    began = float(int(time.time()) - 60)
    episode = film_of(desk, camera, a_ring(began, 300), began + 12, 5)
    wait_until(lambda: Trouble.objects.exists(), "it is named", 10)
    assert "clips wait in the spool" in Trouble.objects.get().text
    (folder / "episodes").unlink()
    wait_for(episode)
    wait_until(lambda: not Trouble.objects.exists(), "it is well again", 10)


def test_a_clip_waits_for_a_database_that_is_away(
    camera: Camera, desk: ClipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Event()

    def away(*_: object, **__: object) -> None:
        tried.set()
        raise OperationalError("the database is away")

    with monkeypatch.context() as database:
        database.setattr("detection.services.clips.attach_file", away)
        began = float(int(time.time()) - 60)
        episode = film_of(desk, camera, a_ring(began, 300), began + 12, 5)
        assert tried.wait(10)
    wait_for(episode)


def test_a_spool_that_takes_nothing_costs_the_clip_and_nothing_else(
    camera: Camera, desk: ClipDesk
) -> None:
    desk.options.folder.write_text("a file where a folder should be")
    began = float(int(time.time()) - 60)
    film_of(desk, camera, a_ring(began, 300), began + 12, 5)
    wait_until(lambda: Trouble.objects.exists(), "it is named", 10)
    assert "a clip is cut short" in Trouble.objects.get().text
    desk.options.folder.unlink()
    wait_for(film_of(desk, a_camera(2), a_ring(began, 300), began + 12, 5))


def test_a_camera_whose_format_cannot_be_read_costs_no_other_cameras_clip(
    camera: Camera, desk: ClipDesk
) -> None:
    began = float(int(time.time()) - 60)
    odd = PacketRing(30, 1_000_000)
    odd.append(Coding("h264", 640, 360, b"\x01torn"), 0.0, began, True, 4, b"torn")
    film_of(desk, camera, odd, began + 1, 1)
    wait_for(film_of(desk, a_camera(2), a_ring(began, 300), began + 12, 5))


def test_a_clip_that_another_process_was_quicker_to_finish_is_no_trouble(desk: ClipDesk) -> None:
    tried: list[Path] = []

    def too_late(folder: Path) -> bool:
        shutil.rmtree(folder)
        tried.append(folder)
        raise FileNotFoundError(folder / "order.json")

    late = ClipDesk(desk.options, too_late)
    for number in (1, 2):
        folder = desk.options.folder / str(number)
        folder.mkdir(parents=True)
        ClipOrder(str(uuid4()), 1, 0.0, 0.0).write(folder)
        (folder / "lock").touch()
    late.start()
    try:
        wait_until(lambda: len(tried) == 2, "one does not hinder the next", 10)
    finally:
        late.stop(20)
    assert not Trouble.objects.exists()


def test_a_spool_that_is_full_begins_no_more_clips(camera: Camera, desk: ClipDesk) -> None:
    full = ClipOptions(desk.options.folder, max_seconds=600, most_spooled_bytes=1_000)
    (full.folder / "old").mkdir(parents=True)
    (full.folder / "old" / "1.packets").write_bytes(b"x" * 2_000)
    desk = ClipDesk(full, lambda folder: finish_clip(folder, DjangoEvidenceStore()))
    desk.start()
    try:
        wait_until(lambda: Trouble.objects.exists(), "it is named", 10)
        assert "SPOOL_MAX_GB" in Trouble.objects.get().text
        order = ClipOrder(str(uuid4()), camera.pk, 0.0, 0.0)
        assert desk.open(order, a_ring(0, 10), []) is None
    finally:
        desk.stop(20)


def test_an_episode_that_was_never_written_leaves_no_clip_for_ever(
    camera: Camera, tmp_path: Path
) -> None:
    spool = tmp_path / "spool" / str(uuid4())
    spool.mkdir(parents=True)
    ClipOrder(spool.name, camera.pk, 0.0, 0.0).write(spool)
    assert not finish_clip(spool, DjangoEvidenceStore()), "it may be written yet"
    old = time.time() - 3 * 86_400
    os.utime(spool / "order.json", (old, old))
    assert finish_clip(spool, DjangoEvidenceStore())
    assert not spool.exists()


@pytest.mark.parametrize("order", ["{", "[]", '{"episode_id": "x"}', '{"colour": "red"}'])
def test_an_order_that_cannot_be_read_holds_up_no_other(tmp_path: Path, order: str) -> None:
    spool = tmp_path / "spool" / "x"
    spool.mkdir(parents=True)
    (spool / "order.json").write_text(order)
    assert finish_clip(spool, DjangoEvidenceStore())
    assert not spool.exists()


KILLED = """
import sys, time
from pathlib import Path
from tests import settings
import django; django.setup()
from detection.clip_desk import ClipDesk, ClipOptions
from detection.evidence.spool_folder import ClipOrder
from tests.films import a_ring
began = float(sys.argv[3])
desk = ClipDesk(ClipOptions(Path(sys.argv[1]), 600, 1e9), lambda folder: True)
desk.open(ClipOrder(sys.argv[2], int(sys.argv[4]), began, began), a_ring(began, 300), [])
print("ready", flush=True)
time.sleep(60)
"""


def test_what_a_killed_worker_had_spooled_is_finished_by_the_next_one_on_its_host(
    camera: Camera, desk: ClipDesk, tmp_path: Path
) -> None:
    began = float(int(time.time()) - 60)
    episode = open_episode(camera, datetime.fromtimestamp(began, UTC))
    spool = desk.options.folder
    worker = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(spool), str(episode.pk), str(began), str(camera.pk)],
        cwd=REPOSITORY,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
    )
    part = part_path(spool / str(episode.pk), 1)
    try:
        wait_until(lambda: part.is_file() and part.stat().st_size > 5_000, "it spools", 30)
        desk.start()
        time.sleep(1.2)  # two sweeps: while it lives, its folder is its own
        assert kept(episode) is None
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        assert worker.stdout is not None
        worker.stdout.close()
    file = wait_for(episode)
    assert file.facts["seconds"] == pytest.approx(30.0)


def test_the_watch_waits_for_no_disk(
    camera: Camera, desk: ClipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Event()
    monkeypatch.setattr(
        "detection.evidence.spooled_clip.SpooledClip.pull", lambda _: not stuck.wait(20)
    )
    began = time.time()
    ring = a_ring(began, 30)
    clips = CameraClips(desk, camera.pk, ring)
    began_at = time.perf_counter()
    for _ in range(20):
        clips.begin(uuid4(), started_at=timezone.now(), zones=[])
        clips.note_peak(timezone.now())
        clips.mask([])
        clips.end(timezone.now())
    took = time.perf_counter() - began_at
    stuck.set()
    clips.close()
    print(f"20 clips begun and ended in {1000 * took:.1f} ms beside a disk that hangs")
    assert took < 0.5
