"""Real footage on the whole way of a frame: lookout, real broker, networks, tracker, rules."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as site

from detection.analysis import Judgement, SceneAnalysis
from detection.close_looking import CloseLooking
from detection.detectors.factory import DetectorOptions, load_detector
from detection.detectors.fights import FightClassifier, load_fight_classifier
from detection.domain.crimes import CrimeType
from detection.domain.episodes import EpisodeOpened
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.pace import Governor, SideWork
from detection.domain.zones import Zone, ZoneKind
from detection.foreground import Foreground
from detection.inference import drain
from detection.outbound import Outbound, SampledPicture
from detection.ports import CloseLooker, Detector, DetectorError, SourceOptions
from detection.rules.setup import CameraSetup
from detection.services.setups import site_setup
from detection.sources.pyav import PyAvSource
from detection.transport.redis import RedisTransport
from detection.watching import build_scene
from tests.footage import Footage
from tests.services import wait_until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VIOLENT = {CrimeType.FIGHTING, CrimeType.ASSAULT, CrimeType.ROBBERY}
# Clips that the model was trained on: these hold the path together, not its accuracy.
FIGHT = "fights/fight/fi062.mp4"


@pytest.fixture(scope="module")
def detector(model_dir: Path) -> Detector:
    return load_detector(DetectorOptions(weights="yolo26n.pt", folder=model_dir))


@pytest.fixture(scope="module")
def classifier(model_dir: Path) -> FightClassifier:
    return load_fight_classifier(model_dir)


@pytest.fixture
def scene(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> SceneAnalysis:
    environment = site.ENVIRONMENT.model_copy(update={"model_dir": model_dir})
    monkeypatch.setattr(site, "ENVIRONMENT", environment)
    return build_scene(site_setup())


def through_the_broker(
    clip: Path, url: str, detector: Detector, scene: SceneAnalysis, load: Callable[[], CloseLooker]
) -> Iterator[Judgement]:
    """Each picture is posted, taken, analysed, answered and judged before the next one comes."""
    queue = RedisTransport.connect(url, lambda: None)
    mailbox = RedisTransport.connect(url, lambda: None)
    outbound = Outbound(mailbox, 7, 60.0, scene.next_close_up)
    close, letterbox = CloseLooking(load), None
    close.most_now()  # begins to load
    wait_until(lambda: not close._is_loading(), "whoever looks is loaded, or has failed", 60)
    for number, picture in enumerate(Footage(clip).pictures()):
        assert picture.pixels is not None
        height, width = picture.pixels.shape[:2]
        letterbox = letterbox or Letterbox((width, height), detector.input_size)
        pixels = letterbox.apply(picture.pixels)
        close.work = SideWork(0.1)  # the test must not depend on how busy the machine is
        sent = Frame(7, number, picture.captured_at, 4e9, pixels)
        outbound.offer(SampledPicture(sent, picture.pixels, letterbox))
        drain(queue, detector, Governor(), batch_size=4, max_age_seconds=60.0, close=close)
        found = outbound.collect(5.0)
        assert found is not None
        answer, sampled = found
        assert answer.rows is not None, answer.refusal
        yield scene.judge(answer, sampled)


def opened(judgements: list[Judgement]) -> list[CrimeType]:
    events = [event for judgement in judgements for event in judgement.events]
    return [event.crime_type for event in events if isinstance(event, EpisodeOpened)]


@pytest.mark.parametrize("real_clip", [FIGHT], indirect=True)
def test_a_fight_opens_an_episode(
    real_clip: Path,
    broker_url: str,
    detector: Detector,
    scene: SceneAnalysis,
    classifier: FightClassifier,
) -> None:
    judgements = list(
        through_the_broker(real_clip, broker_url, detector, scene, lambda: classifier)
    )
    assert opened(judgements) in ([CrimeType.FIGHTING], [CrimeType.ASSAULT])
    assert any(judgement.moment.bodies for judgement in judgements), "poses reach the rules"


@pytest.mark.parametrize("fault", ["cannot be loaded", "fails at each look"])
@pytest.mark.parametrize("real_clip", [FIGHT], indirect=True)
def test_detection_goes_on_without_the_pose_network(
    real_clip: Path,
    fault: str,
    broker_url: str,
    detector: Detector,
    scene: SceneAnalysis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing:
        def look(self, _: object) -> object:
            raise RuntimeError("out of memory")

    def load() -> CloseLooker:
        if fault == "cannot be loaded":
            raise DetectorError("no weights")
        return Failing()  # type: ignore[return-value]  # it returns nothing at all

    judgements = list(through_the_broker(real_clip, broker_url, detector, scene, load))
    assert len(judgements) == 20
    assert sum(bool(judgement.tracks) for judgement in judgements) > 10
    assert opened(judgements) == []
    told = "tried again in 5 minutes: no weights" if "loaded" in fault else "a close look failed"
    assert sum(told in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(
    "real_clip",
    ["scenes/plaza.avi", "scenes/people-one-by-one.mp4", "scenes/cars.mp4", "scenes/bottles.mp4"],
    indirect=True,
)
@pytest.mark.timeout(600)
def test_a_quiet_place_has_no_violence(
    real_clip: Path, detector: Detector, scene: SceneAnalysis, classifier: FightClassifier
) -> None:
    """The whole clip at 5 pictures a second, at the default settings."""
    path = Foreground(Footage(real_clip), detector, scene, classifier)
    judgements = [seen.judgement for seen in path.run()]
    assert VIOLENT.isdisjoint(opened(judgements))


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
@pytest.mark.timeout(600)
def test_a_slow_camera_is_looked_at_often_enough_to_take_no_walkers_for_fighters(
    real_clip: Path, detector: Detector, scene: SceneAnalysis, classifier: FightClassifier
) -> None:
    """Of its ten pictures a second FRAME_SKIP alone leaves two: too few for the fight model."""
    options = SourceOptions(str(real_clip), hurry=scene.wants_more, begins_at=NOON)
    path = Foreground(PyAvSource(options), detector, scene, classifier)
    judgements = [seen.judgement for seen in path.run()]
    assert len(judgements) > 300, "people are near each other here, so five a second are wanted"
    assert opened(judgements) == []


@pytest.mark.parametrize("real_clip", [FIGHT], indirect=True)
def test_masked_people_are_not_looked_at(
    real_clip: Path, detector: Detector, scene: SceneAnalysis, classifier: FightClassifier
) -> None:
    everything = Zone.of("all", ZoneKind.MASK, [[0, 0], [1, 0], [1, 1], [0, 1]])
    scene.use_setup(CameraSetup((everything,)))
    path = Foreground(Footage(real_clip), detector, scene, classifier)
    judgements = [seen.judgement for seen in path.run()]
    assert all(not judgement.moment.opinions for judgement in judgements)
