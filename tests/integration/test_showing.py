"""What a watch gives to those who look: only when asked, masked, and never in the watch's way."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from numpy.typing import NDArray

from detection import showing
from detection.domain.geometry import Box
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.showing import Showing, Sight
from detection.transport.live import LivePictures
from simulators.demo.processes import free_port
from tests.services import wait_until

CAMERA = 5
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MASK = Zone.of("window", ZoneKind.PRIVACY, [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]])


class Stage:
    """A showing that runs, and a camera whose frames are white."""

    def __init__(self, pictures: LivePictures) -> None:
        self.zones: tuple[Zone, ...] = ()
        self.pictures = pictures
        self.showing = Showing(CAMERA, pictures, lambda: self.zones)
        self.showing.start()

    def frame(self, width: int = 1920, height: int = 1080) -> NDArray[np.uint8]:
        return np.full((height, width, 3), 255, np.uint8)

    def judged(self, *tracks: Track, suspects: frozenset[int] = frozenset()) -> None:
        self.showing.judged(Sight(self.frame(), AT, time.time(), tracks, suspects))


@pytest.fixture
def stage(broker: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(showing, "ASK_SECONDS", 0.1)
    stage = Stage(LivePictures(broker))
    yield stage
    stage.showing.close()


def pixels_of(jpeg: bytes) -> NDArray[np.uint8]:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def newest(stage: Stage) -> Any:
    wait_until(lambda: stage.pictures.newest(CAMERA), "a live picture")
    return stage.pictures.newest(CAMERA)


def test_nothing_is_shown_live_while_nobody_looks_and_a_still_is(stage: Stage) -> None:
    stage.judged()
    wait_until(lambda: stage.pictures.still(CAMERA), "a still")
    wait_until(lambda: stage.pictures.large(CAMERA), "a large picture")
    still, large = stage.pictures.still(CAMERA), stage.pictures.large(CAMERA)
    assert still is not None and large is not None
    assert pixels_of(still.jpeg).shape == (180, 320, 3)
    assert pixels_of(large.jpeg).shape == (540, 960, 3)
    assert stage.pictures.newest(CAMERA) is None


def test_who_looks_gets_pictures_with_boxes_and_the_time_of_the_camera(stage: Stage) -> None:
    stage.pictures.want(CAMERA)
    somebody = Track(3, "person", 0.914, Box(0.1, 0.2, 0.3, 0.9))
    stage.judged(somebody, suspects=frozenset({3}))
    picture = newest(stage)
    assert picture.captured_at == AT
    assert (datetime.now(UTC) - picture.taken_at).total_seconds() < 30
    assert picture.boxes == [
        {
            "id": 3,
            "label": "person",
            "confidence": 0.91,
            "xyxy": [0.1, 0.2, 0.3, 0.9],
            "suspect": True,
        }
    ]
    assert pixels_of(picture.jpeg).shape == (540, 960, 3)


def test_frames_that_nobody_judges_are_shown_without_boxes(stage: Stage) -> None:
    stage.pictures.want(CAMERA)
    stage.showing.see(stage.frame(320, 180), AT)
    picture = newest(stage)
    assert picture.boxes is None
    assert pixels_of(picture.jpeg).shape == (180, 320, 3), "a small one stays as it is"


def test_while_frames_are_judged_only_those_are_shown(stage: Stage) -> None:
    stage.judged()
    stage.showing.see(stage.frame(), AT)
    stage.pictures.want(CAMERA)
    assert newest(stage).boxes == []


def test_privacy_masks_are_painted_over_before_anything_leaves_the_watch(stage: Stage) -> None:
    stage.zones = (MASK,)
    stage.pictures.want(CAMERA)
    stage.judged()
    wait_until(lambda: stage.pictures.still(CAMERA), "a still")
    wait_until(lambda: stage.pictures.large(CAMERA), "a large picture")
    still, large = stage.pictures.still(CAMERA), stage.pictures.large(CAMERA)
    assert still is not None and large is not None
    for picture in (newest(stage), still, large):
        shown = pixels_of(picture.jpeg)
        middle = shown.shape[1] // 2
        assert int(shown[:, : middle - 8].max()) < 60, "the left half is painted"
        assert int(shown[:, middle + 24 :].min()) > 240, "the right half is seen"


def test_a_mask_that_cannot_be_painted_shows_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = threading.Event()

    def fail(*_: object) -> None:
        painted.set()
        raise ValueError("no such zone")

    monkeypatch.setattr(showing, "hide", fail)
    stage.pictures.want(CAMERA)
    stage.judged()
    assert painted.wait(10)
    assert stage.pictures.newest(CAMERA) is None and stage.pictures.still(CAMERA) is None


def test_five_pictures_a_second_are_enough(stage: Stage) -> None:
    stage.pictures.want(CAMERA)
    shown = set()
    began = time.monotonic()
    while time.monotonic() - began < 2.0:
        stage.judged()
        if picture := stage.pictures.newest(CAMERA):
            shown.add(picture.taken_at)
        time.sleep(0.02)
    assert 4 <= len(shown) <= 12, "of a hundred frames"


def test_without_redis_the_watch_notices_nothing() -> None:
    nowhere = LivePictures.connect(f"redis://127.0.0.1:{free_port()}/0")
    stage = Stage(nowhere)
    began = time.monotonic()
    for _ in range(100):
        stage.judged()
        stage.showing.see(stage.frame(64, 48), AT)
    assert time.monotonic() - began < 1.0
    stage.showing.close()
