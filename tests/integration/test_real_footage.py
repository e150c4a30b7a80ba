"""The frame path on real footage: decode, letterbox, detect, track, judge; without a cluster."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from detection.analysis import Judgement, SceneAnalysis
from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.episodes import CrimeConfirmed, EpisodeOpened, EpisodePolicy
from detection.domain.frames import Answer, Frame
from detection.domain.geometry import Polygon
from detection.domain.letterbox import Letterbox
from detection.domain.zones import Zone, ZoneKind
from detection.outbound import SampledPicture
from detection.rules.loitering import Loitering
from detection.rules.rule import RuleOptions
from detection.rules.trespassing import Trespassing
from detection.trackers.bytetrack import ByteTracker

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WHOLE = Zone("all", ZoneKind.RESTRICTED, Polygon.of([[0, 0], [1, 0], [1, 1], [0, 1]]))


def judge_clip(
    clip: Path, model_dir: Path, zones: list[Zone], *, seconds: float, rate: float = 3.0
) -> list[Judgement]:
    """Judge a clip at `rate` frames a second for at most `seconds`, faster than real time."""
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=model_dir))
    scene = SceneAnalysis(
        ByteTracker(model_dir), [Trespassing, Loitering], RuleOptions(), EpisodePolicy(), zones
    )
    judgements, due = [], 0.0
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            at = frame.time or number / 25
            if at < due or at > seconds:
                continue
            due = at + 1 / rate
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            box = Letterbox((pixels.shape[1], pixels.shape[0]), detector.input_size)
            small = box.apply(pixels)
            captured = BEGAN + timedelta(seconds=at)
            rows = detector.detect(small[None])[0]
            sampled = SampledPicture(Frame(1, number, captured, 0.0, small), pixels, box)
            judgements.append(scene.judge(Answer(number, rows, detector.class_names), sampled))
    return judgements


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_pedestrians_in_a_restricted_plaza_are_a_crime(real_clip: Path, model_dir: Path) -> None:
    judgements = judge_clip(real_clip, model_dir, [WHOLE], seconds=30)
    people = [sum(track.is_person for track in j.tracks) for j in judgements]
    assert sum(count >= 1 for count in people) >= 0.9 * len(people)
    events = [event for j in judgements for event in j.events]
    assert isinstance(events[0], EpisodeOpened)
    assert any(isinstance(event, CrimeConfirmed) for event in events)


@pytest.mark.parametrize(
    "real_clip", ["scenes/plaza.avi", "scenes/bottles.mp4", "scenes/cars.mp4"], indirect=True
)
def test_ordinary_life_without_zones_is_no_episode(real_clip: Path, model_dir: Path) -> None:
    judgements = judge_clip(real_clip, model_dir, [], seconds=40, rate=2.0)
    assert len(judgements) > 20
    assert [event for j in judgements for event in j.events] == []
