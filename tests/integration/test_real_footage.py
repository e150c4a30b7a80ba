"""The frame path on real footage: decode, letterbox, detect, track, judge; without a cluster."""

from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from detection.analysis import Judgement, SceneAnalysis
from detection.detectors.factory import DetectorOptions, load_detector
from detection.domain.episodes import CrimeConfirmed, EpisodeOpened, EpisodePolicy
from detection.domain.geometry import Polygon
from detection.domain.recordings import read, row_of, write
from detection.domain.zones import Zone, ZoneKind
from detection.foreground import Foreground
from detection.ports import Picture
from detection.replaying import replay
from detection.rules.setup import CameraSetup
from detection.services.setups import rule_types
from detection.trackers.bytetrack import ByteTracker

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
MIDDLE = Polygon.of([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
WHOLE = Zone("all", ZoneKind.RESTRICTED, Polygon.of([[0, 0], [1, 0], [1, 1], [0, 1]]))


class Footage:
    """A clip as a camera, as fast as it can be read: `rate` pictures in each of its seconds.

    Played `quicker`, more happens in a second of what the scene is told. See FrameSource.
    """

    def __init__(self, clip: Path, *, rate: float, seconds: float, quicker: float = 1.0) -> None:
        self._clip, self._seconds, self._quicker = clip, seconds, quicker
        self._step = quicker / rate

    def pictures(self) -> Generator[Picture]:
        due = 0.0
        with av.open(str(self._clip)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                at = frame.time or number / 25
                if at >= self._seconds:
                    return
                if at >= due - 1e-6:
                    due += self._step
                    pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                    yield Picture(BEGAN + timedelta(seconds=at / self._quicker), pixels)

    def close(self) -> None:
        """A clip ends by itself."""


def judge(footage: Footage, model_dir: Path, zones: Sequence[Zone] = ()) -> list[Judgement]:
    """What is made of it by all rules, at their defaults."""
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=model_dir))
    setup = CameraSetup(tuple(zones))
    scene = SceneAnalysis(ByteTracker(model_dir), rule_types(), setup, EpisodePolicy())
    return [seen.judgement for seen in Foreground(footage, detector, scene).run()]


def people_followed(judgements: Sequence[Judgement]) -> float:
    """In a picture, on average."""
    return float(np.mean([len(judgement.moment.people) for judgement in judgements]))


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_pedestrians_in_a_restricted_plaza_are_a_crime(real_clip: Path, model_dir: Path) -> None:
    judgements = judge(Footage(real_clip, rate=3, seconds=30), model_dir, [WHOLE])
    people = [sum(track.is_person for track in j.tracks) for j in judgements]
    assert sum(count >= 1 for count in people) >= 0.9 * len(people)
    events = [event for j in judgements for event in j.events]
    assert isinstance(events[0], EpisodeOpened)
    assert any(isinstance(event, CrimeConfirmed) for event in events)


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_a_recording_of_real_footage_plays_as_it_was_judged(
    real_clip: Path, model_dir: Path
) -> None:
    """Though its boxes are rounded, and it has neither pixels nor a tracker."""
    judgements = judge(Footage(real_clip, rate=3, seconds=30), model_dir, [WHOLE])
    content = write([row_of(judged.moment, judged.by_rule) for judged in judgements])
    print(f"{len(judgements)} frames with people in {len(content) / 1000:.0f} kB")
    again = replay(read(content), rule_types(), CameraSetup((WHOLE,)), EpisodePolicy())
    assert again == [event for judged in judgements for event in judged.events]


@pytest.mark.parametrize("rate", [5, 1])
@pytest.mark.parametrize(
    "real_clip",
    [
        "scenes/plaza.avi",
        "scenes/people-one-by-one.mp4",
        "scenes/bottles.mp4",
        "scenes/cars.mp4",
    ],
    indirect=True,
)
def test_ordinary_life_without_zones_is_no_episode(
    real_clip: Path, model_dir: Path, rate: int
) -> None:
    judgements = judge(Footage(real_clip, rate=rate, seconds=150), model_dir)
    assert len(judgements) >= 29 * rate
    assert [event for j in judgements for event in j.events] == []


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_walkers_are_followed_at_two_and_a_half_pictures_a_second(
    real_clip: Path, model_dir: Path
) -> None:
    """At ten a second 6.7 people are followed; boxes that must overlap leave 4 of them here."""
    judgements = judge(Footage(real_clip, rate=2.5, seconds=80), model_dir)
    assert people_followed(judgements) > 6.0


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_a_plaza_played_thrice_as_fast_is_full_of_runners(real_clip: Path, model_dir: Path) -> None:
    footage = Footage(real_clip, rate=5, seconds=80, quicker=3)
    runners = {
        who
        for judgement in judge(footage, model_dir)
        for name, suspicion in judgement.by_rule
        if name == "running"
        for who in suspicion.track_ids
    }
    assert len(runners) >= 5


@pytest.mark.parametrize(
    "real_clip",
    [
        "scenes/plaza.avi",
        "scenes/bottles.mp4",
        "scenes/cars.mp4",
        "scenes/people-one-by-one.mp4",
    ],
    indirect=True,
)
def test_ordinary_life_before_a_protected_place_is_no_vandalism(
    real_clip: Path, model_dir: Path
) -> None:
    protected = Zone("middle", ZoneKind.PROTECTED, MIDDLE)
    judgements = judge(Footage(real_clip, rate=5, seconds=60), model_dir, [protected])
    assert len(judgements) > 50
    assert [s for j in judgements for name, s in j.by_rule if name == "vandalism"] == []
