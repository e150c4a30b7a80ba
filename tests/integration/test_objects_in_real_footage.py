"""Theft and robbery on real footage: what ordinary life must not be, and bottles that are taken."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detection.analysis import Judgement, SceneAnalysis
from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.episodes import EpisodePolicy
from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.outbound import SampledPicture
from detection.rules.robbery import Robbery
from detection.rules.settings import Settings
from detection.rules.setup import CameraSetup
from detection.rules.theft import Theft
from detection.trackers.bytetrack import ByteTracker

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FRAMES_A_SECOND = 4
SECONDS = 60


def judge(clip: Path, model_dir: Path, **settings: Mapping[str, Any]) -> list[Judgement]:
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=model_dir))
    setup = CameraSetup(settings=Settings((settings,)))
    scene = SceneAnalysis(ByteTracker(model_dir), [Theft, Robbery], setup, EpisodePolicy())
    judgements, due = [], 0.0
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            at = frame.time or number / 25
            if at < due or at > SECONDS:
                continue
            due = at + 1 / FRAMES_A_SECOND
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            box = Letterbox((pixels.shape[1], pixels.shape[0]), detector.input_size)
            small = box.apply(pixels)
            rows = detector.detect(small[None])[0]
            captured = BEGAN + timedelta(seconds=at)
            sampled = SampledPicture(Frame(1, number, captured, 0.0, small), pixels, box)
            judgements.append(scene.judge(Answer(number, rows, detector.class_names), sampled))
    return judgements


@pytest.mark.parametrize(
    "real_clip",
    [
        "scenes/plaza.avi",
        "scenes/people-one-by-one.mp4",
        "scenes/cars.mp4",
        "scenes/bottles.mp4",
    ],
    indirect=True,
)
def test_ordinary_life_is_no_theft_and_no_robbery(real_clip: Path, model_dir: Path) -> None:
    judgements = judge(real_clip, model_dir)
    assert len(judgements) > 90
    assert [event for judgement in judgements for event in judgement.events] == []
    assert max((s.confidence for j in judgements for s in j.suspicions), default=0.0) < 50


@pytest.mark.parametrize("real_clip", ["scenes/bottles.mp4"], indirect=True)
def test_bottles_that_a_hand_takes_are_seen_where_they_belong_to_the_house(
    real_clip: Path, model_dir: Path
) -> None:
    """One is taken at 7 s, two at 17.7 s and one at 31.9 s; each is back some seconds later."""
    judgements = judge(real_clip, model_dir, theft={"ownerless_confidence": 90})
    began: dict[tuple[int, ...], float] = {}
    for judgement in judgements:
        for _, suspicion in judgement.by_rule:
            if suspicion.confidence >= 50:
                at = (judgement.at - BEGAN).total_seconds()
                began.setdefault(suspicion.track_ids, at)
    assert sorted(began.values()) == pytest.approx([8.8, 19.6, 19.6, 33.8], abs=0.6)
