"""What it costs to look for fights, and whether frames are analysed as often all the same.

    python -m benchmarks.fight_path --seconds 20 --cameras 1 4 --out cost.json

Four people stand near each other before each camera, in one place or in two, and 5 pictures a
second go the whole way: letterbox, real broker, detector, pose network, fight model, tracker and
rules. The pictures are noise, so who is seen in them is given; the networks run as on any other
picture. First the price: CPU time of the whole process, counted where it is spent, frame after
frame as fast as it goes, so that other work on the machine decides nothing. Then the rate, in real
time: how many frames and looks there are, and how long cameras wait.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.analysis import SceneAnalysis
from detection.behaviour.fight_features import Look
from detection.behaviour.lookout import Lookout
from detection.close_looking import CloseLooking
from detection.detectors.factory import DetectorOptions, load_detector
from detection.detectors.fights import FightClassifier, FightModel
from detection.detectors.pose import PoseNetwork
from detection.domain.episodes import EpisodePolicy
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.pace import Governor, SideWork
from detection.inference import drain
from detection.outbound import Outbound, SampledPicture
from detection.ports import Detector
from detection.rules.assault import Assault
from detection.rules.fighting import Fighting
from detection.rules.setup import CameraSetup
from detection.trackers.bytetrack import ByteTracker
from detection.transport.redis import RedisTransport
from tests.conftest import REPOSITORY
from tests.services import valkey, wait_until

RATE = 5
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
INPUT = (640, 384)
PLACES = {
    "one place": [200.0, 250.0, 300.0, 350.0],
    "two places": [100.0, 150.0, 450.0, 500.0],
}


class Meter:
    """CPU seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.process_time() - began


class Crowd:
    """The real detector, that is made to see four people. See Detector."""

    class_names: Mapping[int, str] = {0: "person"}
    input_size = INPUT

    def __init__(self, detector: Detector, lefts: list[float], meter: Meter) -> None:
        self._detector, self._meter = detector, meter
        boxes = [[x, 130.0, x + 40, 230.0, 0.9, 0] for x in lefts]
        self._rows = np.array(boxes, np.float32)

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with self._meter.of("detector"):
            self._detector.detect(batch)
        return [self._rows for _ in batch]


class MeteredPose:
    """See PoseLooks."""

    def __init__(self, pose: PoseNetwork, meter: Meter) -> None:
        self._pose, self._meter = pose, meter

    def look(self, crops: NDArray[np.uint8]) -> list[Look]:
        with self._meter.of("pose network"):
            return self._pose.look(crops)


class MeteredLooker(FightClassifier):
    """The classifier; what it takes beyond the pose network is the fight model's."""

    def __init__(self, pose: MeteredPose, meter: Meter) -> None:
        super().__init__(pose, FightModel())
        self._meter = meter

    def look(self, close_up: Any) -> Any:
        with self._meter.of("looks"):
            return super().look(close_up)


class Watched:
    """One camera's side of the path."""

    def __init__(self, number: int, url: str, model_dir: Path) -> None:
        tracker, rules = ByteTracker(model_dir), [Fighting, Assault]
        self.scene = SceneAnalysis(tracker, rules, CameraSetup(), EpisodePolicy(), Lookout())
        mailbox = RedisTransport.connect(url, lambda: None)
        self.outbound = Outbound(mailbox, number, 1.0, self.scene.next_close_up)
        self.number, self.sequence = number, 0
        self.letterbox = Letterbox((640, 360), INPUT)

    def post(self, pixels: NDArray[np.uint8]) -> None:
        self.sequence += 1
        small, at = self.letterbox.apply(pixels), BEGAN + timedelta(seconds=self.sequence / RATE)
        frame = Frame(self.number, self.sequence, at, time.time(), small)
        self.outbound.offer(SampledPicture(frame, pixels, self.letterbox))

    def judge(self) -> tuple[bool, int]:
        """Whether the frame was analysed, and how many opinions came with it."""
        found = self.outbound.collect(1.0)
        if found is None or found[0].rows is None:
            return False, 0
        self.scene.judge(*found)
        return True, len(found[0].opinions)


@dataclass(frozen=True, slots=True)
class Stage:
    """What is measured: people in which places, how many cameras, for how long, in real time?"""

    place: str
    cameras: int
    seconds: float
    in_time: bool


def measure(stage: Stage, detector: Detector, pose: PoseNetwork, folder: Path) -> dict[str, Any]:
    place, cameras, seconds = stage.place, stage.cameras, stage.seconds
    meter, governor = Meter(), Governor()
    crowd = Crowd(detector, PLACES[place], meter)
    looker = MeteredLooker(MeteredPose(pose, meter), meter)
    close = CloseLooking(lambda: looker)
    wait_until(lambda: close.most_now() > 0, "who looks is at hand")
    pictures = np.random.default_rng(0).integers(0, 255, (8, 360, 640, 3), np.uint8)
    analysed = opinions = 0
    waits = []
    with valkey() as url:
        queue = RedisTransport.connect(url, lambda: None)
        watched = [Watched(number, url, folder) for number in range(1, cameras + 1)]
        began = time.monotonic()
        used = time.process_time()
        for number in range(round(RATE * seconds)):
            if stage.in_time:
                time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            else:
                close.work, governor = SideWork(0.1), Governor()  # as if there were time enough
            posted = time.monotonic()
            for camera in watched:
                camera.post(pictures[number % len(pictures)])
            drain(queue, crowd, governor, batch_size=16, max_age_seconds=1.0, close=close)
            waits.append(time.monotonic() - posted)
            for camera in watched:
                was_analysed, came = camera.judge()
                analysed, opinions = analysed + was_analysed, opinions + came
        used, took = time.process_time() - used, time.monotonic() - began
    spent = meter.seconds
    looks = spent.pop("looks", 0.0)
    spent["fight model and its features"] = looks - spent.get("pose network", 0.0)
    spent["everything else"] = used - spent["detector"] - looks
    named = {"people": place, "cameras": cameras}
    if not stage.in_time:
        spent["all"] = used
        each = {what: round(1000 * s / seconds / cameras, 1) for what, s in spent.items()}
        looks_a_second = round(opinions / seconds / cameras, 2)
        return named | {"CPU ms a second of footage": each, "looks a second": looks_a_second}
    return named | {
        "frames analysed a second of each camera": round(analysed / took / cameras, 2),
        "looks a second of each camera": round(opinions / took / cameras, 2),
        "p50 ms until all are answered": round(1000 * statistics.median(waits), 1),
        "p95 ms until all are answered": round(1000 * float(np.percentile(waits, 95)), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--model-dir", type=Path, default=REPOSITORY / "var" / "models")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=options.model_dir))
    pose = PoseNetwork(options.model_dir)
    stages = [Stage(place, 1, options.seconds, in_time=False) for place in PLACES]
    stages += [
        Stage(place, cameras, options.seconds, in_time=True)
        for cameras in options.cameras
        for place in PLACES
    ]
    results = [measure(stage, detector, pose, options.model_dir) for stage in stages]
    print(json.dumps(results, indent=2))
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
