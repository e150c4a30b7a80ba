"""Rules count seconds, not frames: what happens in the demo's clip is found at lower rates too."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from detection.analysis import SceneAnalysis
from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.episodes import CrimeConfirmed, EpisodeEnded, EpisodeOpened, EpisodePolicy
from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.domain.zones import Zone, ZoneKind
from detection.outbound import SampledPicture
from detection.rules.setup import CameraSetup
from detection.rules.trespassing import Trespassing
from detection.trackers.bytetrack import ByteTracker
from simulators.scene import RESTRICTED_ZONE, STORY

MODELS = Path(os.environ.get("CRIMEOPS_MODEL_DIR", Path(__file__).parents[2] / "var" / "models"))
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FPS = 15
STEP = 5  # the clip is analysed once, three frames a second; slower cameras take some of them


@cache
def analysed(clip: Path) -> list[tuple[Answer, SampledPicture]]:
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=MODELS))
    letterbox = Letterbox((640, 360), detector.input_size)
    found = []
    with av.open(str(clip)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index % STEP:
                continue
            pixels = letterbox.apply(np.asarray(picture.to_ndarray(format="bgr24"), np.uint8))
            rows = detector.detect(pixels[None])[0]
            at = NOON + timedelta(seconds=index / FPS)
            nothing = np.empty((0, 0, 3), np.uint8)  # the pictures themselves are not judged
            frame = Frame(1, index, at, at.timestamp(), pixels)
            answer = Answer(index, rows, dict(detector.class_names))
            found.append((answer, SampledPicture(frame, nothing, letterbox)))
    return found


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("first", [0, 1])
def test_the_intruder_is_alerted_and_reported_at_lower_rates(
    rendered_scene: Path, every: int, first: int
) -> None:
    scene = SceneAnalysis(
        ByteTracker(MODELS),
        [Trespassing],
        CameraSetup((Zone.of("yard", ZoneKind.RESTRICTED, RESTRICTED_ZONE),)),
        EpisodePolicy(),
    )
    events = [
        event
        for answer, sampled in analysed(rendered_scene)[first::every]
        for event in scene.judge(answer, sampled).events
    ]
    interval = every * STEP / FPS
    (opened,) = [event for event in events if isinstance(event, EpisodeOpened)]
    (crime,) = [event for event in events if isinstance(event, CrimeConfirmed)]
    (ended,) = [event for event in events if isinstance(event, EpisodeEnded)]
    entered = NOON + timedelta(seconds=STORY["enters_zone"])
    left = NOON + timedelta(seconds=STORY["leaves_zone"])
    slack = timedelta(seconds=0.5 + interval)
    assert entered - slack <= opened.started_at <= entered + slack
    assert opened.at <= entered + timedelta(seconds=0.6) + 2 * slack
    assert opened.at < crime.at < left
    assert ended.at > left
    print(f"{1 / interval:.1f} frames/s: alert after {(opened.at - entered).total_seconds():.1f} s")
