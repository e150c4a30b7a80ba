"""A worker that a test slows down or breaks; all the rest is the product's own.

`python -m tests.e2e.odd_worker worker -Q gpu` is `celery -A crimeops worker -Q gpu` whose detector
does what the file ODD_DETECTOR says at that moment, and which notes in the file ODD_ANSWERS how old
each frame was when it had been judged.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.e2e.cluster import Cluster

BLACK = 40  # a picture that is darker everywhere is the poisonous one


class OddDetector:
    """See Detector. `frame_seconds` a frame at least, and the `fault` that is asked for.

    A `blind` one leaves the model alone: it takes that time and no other, on any machine.
    """

    def __init__(self, real: Any, orders: Path) -> None:
        self._real = real
        self._orders = orders
        self.class_names: Mapping[int, str] = real.class_names
        self.input_size: tuple[int, int] = real.input_size

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        began = time.monotonic()
        orders = json.loads(self._orders.read_text())
        match orders.get("fault"):
            case "always":
                raise ValueError("the model is broken for now")
            case "poison" if any(self._is_black(picture) for picture in batch):
                raise RuntimeError("this picture breaks the model")
            case "large" if len(batch) > 2:
                raise MemoryError
            case "hang":
                time.sleep(600)
        found: list[NDArray[np.float32]] = [np.empty((0, 6), np.float32)] * len(batch)
        if not orders.get("blind"):
            found = self._real.detect(batch)
        rest = orders.get("frame_seconds", 0.0) * len(batch) - (time.monotonic() - began)
        time.sleep(max(0.0, rest))
        return found

    def _is_black(self, picture: NDArray[np.uint8]) -> bool:
        middle = picture[picture.shape[0] // 2, 10:-10]
        return bool(middle.max() < BLACK)


def order(file: Path, **orders: Any) -> None:
    """What the detector does from now on: `frame_seconds`, `fault`, `blind`."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(orders))
    fresh.replace(file)


@dataclass(frozen=True)
class Judged:
    """One frame: whose, when it had been judged, and how old it was then."""

    camera: int
    at: float
    age: float


def start_odd_worker(cluster: Cluster, name: str, queues: str, **settings: str) -> None:
    """Start one; what it judges is read by `answers_of`, and `order` tells its detector.

    The file `NAME.defect` in the cluster's folder makes it "deaf" or "stuck", in this life.
    """
    orders = cluster.folder / "orders.json"
    if not orders.exists():
        order(orders)
    command = [sys.executable, "-m", "tests.e2e.odd_worker", "worker", "-Q", queues]
    odd = {
        "ODD_DETECTOR": str(orders),
        "ODD_ANSWERS": str(cluster.folder / "answers.txt"),
        "ODD_DEFECT": str(cluster.folder / f"{name}.defect"),
    }
    cluster.processes.start(name, command, cluster.environment | odd | settings)


def answers_of(cluster: Cluster) -> list[Judged]:
    """All that was judged so far, oldest first."""
    lines = (cluster.folder / "answers.txt").read_text().splitlines()
    split = [line.split() for line in lines if line.count(" ") == 2]
    return [Judged(int(camera), float(at), float(age)) for camera, at, age in split]


def _be_ready_to_break(file: Path) -> None:
    from celery import signals

    def wait(consumer: Any) -> None:
        while not file.exists():
            time.sleep(0.05)
        # "deaf": connected, and asks for nothing; "stuck": its main thread never comes back.
        defects = {"deaf": (consumer.task_consumer.cancel,), "stuck": (time.sleep, 600)}
        defect = defects[file.read_text()]
        file.unlink()
        consumer.call_soon(*defect)

    def ready(sender: Any, **_: Any) -> None:
        threading.Thread(target=wait, args=(sender,), daemon=True).start()

    signals.worker_ready.connect(ready, weak=False)


def main() -> None:
    import django

    django.setup()
    from detection import tasks
    from detection.analysis import SceneAnalysis

    if orders := os.environ.get("ODD_DETECTOR"):
        load = tasks._detector
        tasks._detector = lambda: OddDetector(load(), Path(orders))  # type: ignore[assignment]
    if answers := os.environ.get("ODD_ANSWERS"):
        judge = SceneAnalysis.judge
        file = Path(answers).open("a", buffering=1)  # noqa: SIM115 — as long as the process

        def judge_and_note(self: SceneAnalysis, answer: Any, sampled: Any) -> Any:
            judgement, now = judge(self, answer, sampled), time.time()
            frame = sampled.frame
            file.write(f"{frame.camera_id} {now:.3f} {now - frame.received_at:.4f}\n")
            return judgement

        SceneAnalysis.judge = judge_and_note  # type: ignore[method-assign]
    if defect := os.environ.get("ODD_DEFECT"):
        _be_ready_to_break(Path(defect))
    from celery.bin.celery import main as celery

    sys.argv = ["celery", "-A", "crimeops", *sys.argv[1:]]
    celery()


if __name__ == "__main__":
    main()
