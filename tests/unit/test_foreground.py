"""A source judged in the foreground: each sampled picture once, by whoever is there to look."""

from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from detection.analysis import SceneAnalysis
from detection.behaviour.lookout import Lookout
from detection.domain.close_ups import CloseUp
from detection.domain.crimes import CrimeType
from detection.domain.episodes import EpisodeEnded, EpisodeOpened, EpisodePolicy, EpisodeState
from detection.domain.frames import Detections
from detection.domain.geometry import Box
from detection.domain.moments import Moment, Opinion
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.foreground import Foreground
from detection.frame_judging import FrameJudging
from detection.ports import CloseLook, Picture
from detection.rules.rule import Rule, RuleOptions
from detection.rules.setup import CameraSetup
from detection.trackers.bytetrack import ByteTracker

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Pictures:
    """Ten a second, every second one sampled. See FrameSource."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.closed = self.hung_up = False

    def pictures(self) -> Generator[Picture]:
        try:
            for number in range(self._count):
                if self.closed:
                    return
                pixels = np.zeros((36, 64, 3), np.uint8) if number % 2 == 0 else None
                yield Picture(after(number / 10), pixels)
        finally:
            self.hung_up = True

    def close(self) -> None:
        self.closed = True


class OnePerson:
    """See Detector."""

    class_names: Mapping[int, str] = {0: "person"}
    input_size = (64, 64)

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        assert batch.shape == (1, 64, 64, 3)
        return [np.array([[10, 20, 20, 40, 0.9, 0]], np.float32)]


class OneTrack:
    """Stands in for the tracker."""

    def update(
        self, detections: Detections, names: Mapping[int, str], seconds: float = 0.0
    ) -> list[Track]:
        return [Track(1, "person", 0.9, Box(0.1, 0.1, 0.2, 0.5)) for _ in range(len(detections))]


class Brawls:
    """See FrameClassifier."""

    class_names: Mapping[int, str] = {0: "brawl"}

    def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
        return [Opinion("brawl", 0.7)]


class Suspicious(Rule[RuleOptions]):
    """Suspects everybody, and takes opinions down. See Rule."""

    NAME = "suspicious"
    Options = RuleOptions

    def observe(self, moment: Moment) -> list[Suspicion]:
        return [Suspicion(CrimeType.THEFT, 60, (track.id,), "") for track in moment.tracks]


def foreground(source: Pictures, **parts: Any) -> Foreground:
    tracker = cast(ByteTracker, OneTrack())
    scene = SceneAnalysis(tracker, [Suspicious], CameraSetup(), EpisodePolicy())
    return Foreground(source, OnePerson(), scene, **parts)


def test_every_sampled_picture_is_judged_at_its_own_time() -> None:
    seen = list(foreground(Pictures(10)).run())
    assert [one.judgement.at for one in seen] == [after(s) for s in (0, 0.2, 0.4, 0.6, 0.8)]
    assert all(one.sampled.original.shape == (36, 64, 3) for one in seen)


def test_the_last_seconds_of_a_file_are_looked_at_once_more() -> None:
    class TwoPeople(OnePerson):
        def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            return [np.array([[10, 20, 20, 40, 0.9, 0], [22, 20, 32, 40, 0.9, 0]], np.float32)]

    class Looker:
        times: tuple[float, ...] = ()

        def look(self, close_up: CloseUp) -> CloseLook:
            self.times = close_up.times
            return CloseLook((Opinion("fighting", 0.5),))

    looker = Looker()
    setup = CameraSetup()
    scene = SceneAnalysis(cast(ByteTracker, OneTrack()), [], setup, EpisodePolicy(), Lookout())
    seen = list(Foreground(Pictures(15), TwoPeople(), scene, looker).run())
    *before, last = [one.judgement.moment for one in seen]
    assert [len(moment.opinions) for moment in (*before, last)] == [0] * 7 + [1, 1]
    assert last.at == after(1.6), "where the next picture would be"
    assert looker.times[-1] == after(1.4).timestamp(), "with the last picture"


def test_an_episode_that_is_open_at_the_end_is_ended_there() -> None:
    watched = foreground(Pictures(10))
    events = [event for one in watched.run() for event in one.judgement.events]
    assert [type(event) for event in events] == [EpisodeOpened]
    assert watched.finish() == [EpisodeEnded(after(0.8), EpisodeState.LOST)]
    assert watched.finish() == []


def test_closing_it_ends_it_with_the_next_picture() -> None:
    source = Pictures(10)
    watched = foreground(source)
    seen = []
    for one in watched.run():
        seen.append(one)
        watched.close()
    assert len(seen) == 1
    assert source.hung_up


def test_whoever_leaves_off_hangs_up() -> None:
    source = Pictures(10)
    run = foreground(source).run()
    next(run)
    assert not source.hung_up
    run.close()
    assert source.hung_up


def test_a_classifier_of_the_operators_own_is_heard() -> None:
    watched = foreground(Pictures(1), judging=FrameJudging(Brawls()))
    (seen,) = watched.run()
    assert [(o.label, o.probability) for o in seen.judgement.moment.opinions] == [("brawl", 0.7)]


def test_without_one_there_are_no_opinions() -> None:
    (seen,) = foreground(Pictures(1)).run()
    assert list(seen.judgement.moment.opinions) == []
