"""The demo's clip tells its story to the real network."""

import os
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.letterbox import Letterbox
from simulators.scene import RESTRICTED_ZONE, STORY, render_scene

MODELS = Path(os.environ.get("CRIMEOPS_MODEL_DIR", Path(__file__).parents[2] / "var" / "models"))
FPS = 15
EVERY = 5
PERSON = 0
SURE = 0.5


@dataclass(frozen=True)
class Seen:
    """A person in the clip: when, how sure the network is, and whether the feet are in the zone."""

    at: float
    confidence: float
    in_zone: bool
    height: float


@pytest.fixture(scope="module")
def seen(rendered_scene: Path) -> list[Seen]:
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=MODELS))
    letterbox = Letterbox((640, 360), detector.input_size)
    zone = np.array(RESTRICTED_ZONE, np.float32)
    people = []
    with av.open(str(rendered_scene)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % EVERY:
                continue
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            found = letterbox.undo(detector.detect(letterbox.apply(pixels)[None])[0])
            for (x1, y1, x2, y2), confidence, class_id in zip(
                found.boxes_xyxy.tolist(), found.confidences.tolist(), found.class_ids, strict=True
            ):
                if class_id == PERSON and confidence >= SURE:
                    inside = cv2.pointPolygonTest(zone, ((x1 + x2) / 2, y2), False) >= 0
                    people.append(Seen(index / FPS, confidence, inside, y2 - y1))
    return people


def _times(start: str, end: str) -> list[float]:
    frames = range(0, round(STORY["ends"] * FPS), EVERY)
    return [at / FPS for at in frames if STORY[start] <= at / FPS <= STORY[end]]


def test_the_intruder_is_found_in_nearly_every_frame(seen: list[Seen]) -> None:
    times = _times("wholly_visible_from", "wholly_visible_until")
    found = {person.at for person in seen}
    assert sum(at in found for at in times) >= 0.95 * len(times)


def test_the_intruder_is_about_half_as_tall_as_the_picture(seen: list[Seen]) -> None:
    heights = [person.height for person in seen if person.at < STORY["leaves_picture"]]
    assert 0.45 < float(np.median(heights)) < 0.55


def test_the_feet_are_in_the_zone_during_the_stay_and_only_then(seen: list[Seen]) -> None:
    margin = 0.4  # seconds around the crossings, in which either is right
    for person in seen:
        if STORY["enters_zone"] + margin < person.at < STORY["leaves_zone"] - margin:
            assert person.in_zone, person
        elif not (STORY["enters_zone"] - margin < person.at < STORY["leaves_zone"] + margin):
            assert not person.in_zone, person


def test_the_passer_by_is_found_too_and_stays_outside(seen: list[Seen]) -> None:
    passing = [person for person in seen if person.at >= STORY["second_enters_picture"]]
    assert len(passing) >= 15
    assert not any(person.in_zone for person in passing)


def test_nobody_is_there_at_the_start_in_between_and_at_the_end(seen: list[Seen]) -> None:
    for start, end in (
        (0.0, STORY["enters_picture"]),
        (STORY["leaves_picture"], STORY["second_enters_picture"]),
        (STORY["second_leaves_picture"], STORY["ends"]),
    ):
        assert not [person for person in seen if start <= person.at <= end]


def test_the_clip_streams_and_loops_cleanly(rendered_scene: Path) -> None:
    with av.open(str(rendered_scene)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 640, 360)
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert len(packets) == 600
        assert all(packet.pts == packet.dts for packet in packets)  # no B-frames
        key_frames = [index for index, packet in enumerate(packets) if packet.is_keyframe]
        assert key_frames == list(range(0, 600, FPS))


def test_the_same_call_renders_the_same_bytes(tmp_path: Path) -> None:
    shares: list[float] = []
    render_scene(tmp_path / "one.mp4", seconds=6, progress=shares.append)
    render_scene(tmp_path / "two.mp4", seconds=6)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert shares[-1] == 1.0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["one.mp4", "two.mp4"]


def test_another_size_can_be_asked_for(tmp_path: Path) -> None:
    render_scene(tmp_path / "small.mp4", seconds=1, fps=5, size=(320, 180))
    with av.open(str(tmp_path / "small.mp4")) as container:
        assert container.streams.video[0].width == 320
