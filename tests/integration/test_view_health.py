"""View health on real footage: no false event, each fault found; and what is kept of them."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray

from detection import signals
from detection.domain.view_health import LOOK_SIZE, HealthKind, ViewHealth
from detection.models import Camera, CameraState, Claim, HealthEvent
from detection.services import coverage
from detection.services.claims import Lease, Overtaken
from detection.services.health import note_health

SCENES = [f"scenes/{name}" for name in ("bottles.mp4", "cars.mp4", "people-one-by-one.mp4")]
SCENES.append("scenes/plaza.avi")
RATE = 2.5  # looks a second
FAULT_SECONDS = 10.0

Pixels = NDArray[np.uint8]


def pictures_of(clip: Path, seconds: float = 600.0) -> list[tuple[float, Pixels]]:
    """Time and whole picture, `RATE` times a second."""
    taken, due = [], 0.0
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            at = frame.time or number / 25
            if at > seconds:
                break
            if at >= due:
                due += 1 / RATE
                taken.append((at, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)))
    return taken


def small(pixels: Pixels) -> Pixels:
    reduced = cv2.resize(pixels, LOOK_SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(reduced, cv2.COLOR_BGR2GRAY), np.uint8)


def noisy(pixels: NDArray[Any], sigma: float = 2.0) -> Pixels:
    """A sensor's own noise, which lies over whatever is before the lens."""
    random = np.random.default_rng(int(pixels.sum()) % 2**32)
    grain = random.standard_normal(pixels.shape[:2], np.float32) * sigma
    if pixels.ndim == 3:
        grain = grain[..., None]
    return np.asarray(np.clip(pixels + grain, 0, 255).round(), np.uint8)


def hand(pixels: Pixels) -> Pixels:
    shade = np.linspace(15, 45, pixels.shape[1])[None, :, None]
    return noisy(np.broadcast_to(shade, pixels.shape).astype(float))


def spray(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    shapes = cv2.resize(cv2.resize(pixels, (12, 7), interpolation=cv2.INTER_AREA), (width, height))
    return noisy(shapes * 0.3 + 120.0)


def turned(pixels: Pixels) -> Pixels:
    return noisy(np.roll(pixels, pixels.shape[1] // 5, axis=1).astype(float))


def raised(pixels: Pixels) -> Pixels:
    return noisy(np.roll(pixels, pixels.shape[0] // 6, axis=0).astype(float))


FAULTS: dict[str, tuple[Callable[[Pixels], Pixels], HealthKind]] = {
    "black": (lambda pixels: noisy(pixels * 0.02), HealthKind.BLACK),
    "hand": (hand, HealthKind.COVERED),
    "spray": (spray, HealthKind.COVERED),
    "unsharp": (
        lambda pixels: noisy(cv2.GaussianBlur(pixels, (0, 0), pixels.shape[1] / 80).astype(float)),
        HealthKind.COVERED,
    ),
    "turned": (turned, HealthKind.MOVED),
    "raised": (raised, HealthKind.MOVED),
}


@pytest.mark.parametrize("real_clip", SCENES, indirect=True)
def test_ordinary_life_is_no_health_event(real_clip: Path) -> None:
    view, looks = ViewHealth(), 0
    seconds = 0.0
    for at, pixels in pictures_of(real_clip):
        luma, began = small(pixels), time.thread_time()
        assert view.look(luma, at) is None
        seconds, looks = seconds + time.thread_time() - began, looks + 1
    print(f"{real_clip.name}: no event in {looks} looks, {seconds / looks * 1000:.2f} ms a look")


@pytest.mark.parametrize("real_clip", SCENES, indirect=True)
def test_each_fault_is_found_within_ten_seconds(real_clip: Path) -> None:
    taken = pictures_of(real_clip, 40)
    breaks_at = taken[-1][0] * 0.55
    found: dict[str, float] = {}
    for name, (spoil, kind) in FAULTS.items():
        view = ViewHealth()
        for at, pixels in taken:
            if at > breaks_at + FAULT_SECONDS:
                break
            trouble = view.look(small(spoil(pixels) if at > breaks_at else pixels), at)
            if trouble is not None:
                assert (name, trouble.kind) == (name, kind)
                found[name] = at - breaks_at
                break
    print(f"{real_clip.name}: " + ", ".join(f"{n} {s:.1f} s" for n, s in found.items()))
    assert found.keys() == FAULTS.keys()


@pytest.mark.parametrize("real_clip", SCENES, indirect=True)
def test_a_frozen_picture_is_found_within_ten_seconds(real_clip: Path) -> None:
    taken = pictures_of(real_clip, 40)
    freezes_at = taken[-1][0] * 0.75
    view = ViewHealth()
    for at, pixels in taken:
        if at <= freezes_at:
            last = small(pixels)
            view.look(last, at)
    for step in range(int(FAULT_SECONDS * RATE)):
        trouble = view.look(last, freezes_at + step / RATE)
        if trouble is not None:
            print(f"{real_clip.name}: frozen picture found after {step / RATE:.1f} s")
            assert trouble.kind is HealthKind.FROZEN
            return
    raise AssertionError("a frozen picture was not found")


@pytest.mark.parametrize("real_clip", ["fights/labels.csv"], indirect=True)
def test_fifty_other_cameras_give_no_false_event(real_clip: Path) -> None:
    """Their clips are short: each is shown to and fro for half a minute, with noise."""
    clips = sorted(real_clip.parent.rglob("*.mp4"))[::4]
    blamed = []
    for clip in clips:
        lumas = [small(pixels) for _, pixels in pictures_of(clip)]
        story = lumas + lumas[-2:0:-1]
        view = ViewHealth()
        for look in range(75):
            luma = noisy(story[look % len(story)].astype(float), 0.7)
            if view.look(luma, look / RATE) is not None:
                blamed.append(clip.name)
                break
    print(f"false events on {len(blamed)} of {len(clips)} clips: {blamed}")
    assert len(clips) > 40
    assert blamed == []


def test_the_drawn_scene_of_the_demo_is_no_health_event(rendered_scene: Path) -> None:
    taken = pictures_of(rendered_scene)
    length, view = taken[-1][0] + 1 / RATE, ViewHealth()
    for lap in range(3):
        for at, pixels in taken:
            assert view.look(small(pixels), lap * length + at) is None


# --- what is kept ---------------------------------------------------------------------------------


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def lease(db: None, now: datetime) -> Lease:
    camera = Camera.objects.create(registry="local", external_id=1, name="Yard")
    Claim.objects.create(camera=camera, token=3, expires_at=now + timedelta(seconds=10))
    return Lease(camera.pk, 3)


@pytest.fixture
def heard() -> Iterator[list[tuple[str, bool]]]:
    told: list[tuple[str, bool]] = []

    def listen(event: HealthEvent, **_: object) -> None:
        told.append((event.kind, event.ended_at is None))

    signals.health_changed.connect(listen)
    yield told
    signals.health_changed.disconnect(listen)


def note(lease: Lease, kind: HealthKind | None, began: datetime, at: datetime) -> None:
    note_health(lease=lease, kind=kind, began_at=began, detail="black: x", at=at)


@pytest.mark.django_db(transaction=True)
def test_a_trouble_is_kept_from_its_beginning_to_its_end_and_told(
    lease: Lease, now: datetime, heard: list[tuple[str, bool]]
) -> None:
    begun = now - timedelta(seconds=4)
    note(lease, HealthKind.BLACK, begun, now)
    note(lease, HealthKind.BLACK, now, now)
    note(lease, HealthKind.LOST, now, now + timedelta(seconds=9))
    note(lease, None, now, now + timedelta(seconds=20))
    note(lease, None, now, now + timedelta(seconds=30))
    lost, black = HealthEvent.objects.order_by("-began_at")
    assert (black.kind, black.began_at) == ("black", begun)
    assert black.ended_at == now + timedelta(seconds=9)
    assert (lost.kind, lost.ended_at) == ("lost", now + timedelta(seconds=20))
    assert heard == [("black", True), ("black", False), ("lost", True), ("lost", False)]


def test_a_watcher_that_was_overtaken_writes_no_event(lease: Lease, now: datetime) -> None:
    with pytest.raises(Overtaken):
        note(Lease(lease.camera_id, 2), HealthKind.BLACK, now, now)
    assert not HealthEvent.objects.exists()


def test_disabling_a_camera_ends_its_duty_and_its_trouble(lease: Lease, now: datetime) -> None:
    coverage.follow_duties(at=now)
    note(lease, HealthKind.BLACK, now, now)
    Camera.objects.update(enabled=False)
    later = now + timedelta(seconds=60)
    for _ in range(2):
        coverage.follow_duties(at=later)
    camera = Camera.objects.get()
    assert [duty.ended_at for duty in camera.duties.all()] == [later]
    assert [event.ended_at for event in camera.health_events.all()] == [later]
    Camera.objects.update(enabled=True)
    coverage.follow_duties(at=later)
    assert camera.duties.filter(ended_at=None).count() == 1


def test_the_admin_shows_a_bad_view_by_its_word(
    lease: Lease, now: datetime, admin_client: Client
) -> None:
    note(lease, HealthKind.COVERED, now, now)
    Claim.objects.update(last_frame_at=now)
    Camera.objects.update(state=CameraState.RUNNING, reason="covered: the lens is covered")
    coverage.follow_duties(at=now)
    camera = Camera.objects.get()
    for address in (
        "/admin/detection/camera/",
        "/admin/detection/camera/?watch=seems",
        f"/admin/detection/camera/{camera.pk}/change/",
        "/admin/detection/healthevent/?course=open&kind__exact=covered",
    ):
        page = admin_client.get(address).content.decode()
        assert ">Covered</span>" in page, address
    assert "Bad views" in admin_client.get("/admin/").content.decode()
    over = admin_client.get("/admin/detection/healthevent/?course=over").content.decode()
    assert ">Covered</span>" not in over
    assert (
        ">Covered</span>"
        not in admin_client.get("/admin/detection/camera/?watch=running").content.decode()
    )
