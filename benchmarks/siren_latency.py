"""From a decision to the siren request at the camera, with the whole cluster at work.

    python -m benchmarks.siren_latency --alarms 200 --out latency.json

Real decisions: people walk into the picture of simulated cameras, the detector sees them, and the
alarms worker asks a camera that takes 20 ms to answer.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulators.demo.stage import built_in_clip
from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.conftest import REPOSITORY
from tests.e2e.cluster import Cluster, epoch
from tests.e2e.conftest import cut
from tests.services import broker, postgres, wait_until

CAMERAS = 4
CAMERA_ANSWERS_IN_SECONDS = 0.02
LONGEST_EPISODE_SECONDS = 30.0


class Stage:
    """Cameras in front of which somebody appears, is alarmed away, and appears again."""

    def __init__(self, film: Path, folder: Path, cameras: int = CAMERAS) -> None:
        self._empty = _part(film, folder / "empty.mp4", 0.0, 3.0)
        self._person = _part(film, folder / "person.mp4", 12.0, 20.0)
        self.cameras = [
            SimulatedTapo(
                user="operator",
                password="secret-word-of-camera",
                clip=self._empty,
                latency_seconds=CAMERA_ANSWERS_IN_SECONDS,
            )
            for _ in range(cameras)
        ]

    def prepare(self, cluster: Cluster) -> None:
        """Start the cluster and wait until each camera is watched and its session warm."""
        cluster.settings |= {
            "PERSISTENCE_SECONDS": "0.3",
            "CLEAR_SECONDS": "0.5",
            "CONFIRM_SECONDS": "20",
        }
        numbers = range(1, len(self.cameras) + 1)
        cluster.list_cameras(zones=dict.fromkeys(numbers, RESTRICTED_ZONE))
        controls = {
            n: f"{c.host}:{c.control_port}" for n, c in zip(numbers, self.cameras, strict=True)
        }
        code = (
            "from detection.models import Camera; "
            "[Camera.objects.filter(external_id=number).update(control_address=control) "
            f"for number, control in {controls!r}.items()]"
        )
        cluster.manage("shell", "--no-imports", "-c", code)
        cluster.start()
        for number in range(1, len(self.cameras) + 1):
            cluster.wait_for_state(number, "running", seconds=60)
        wait_until(lambda: all(camera.logins for camera in self.cameras), "warm sessions", 30)

    def play(self, alarms: int) -> None:
        """Until so many sirens have sounded, each at a moment of its own."""
        wanted = -(-alarms // len(self.cameras))
        shown = dict.fromkeys(self.cameras, False)
        deadline = time.monotonic() + LONGEST_EPISODE_SECONDS * wanted
        while any(sounded(camera) < wanted for camera in self.cameras):
            assert time.monotonic() < deadline, "the cameras do not alarm"
            for camera in self.cameras:
                if camera.siren_on == shown[camera]:
                    shown[camera] = not shown[camera]
                    camera.switch_clip(self._person if shown[camera] else self._empty)
            time.sleep(0.05)
        for camera in self.cameras:
            camera.switch_clip(self._empty)
        wait_until(lambda: not any(camera.siren_on for camera in self.cameras), "silence", 30)


def _part(film: Path, target: Path, start: float, end: float) -> Clip:
    cut(film, target, start, end)
    return load_clip(target)


def sounded(camera: SimulatedTapo) -> int:
    """How many times it began to sound."""
    actions = ["stop", *(call.action for call in camera.siren_calls)]
    return sum(pair == ("stop", "start") for pair in pairwise(actions))


def latencies(cluster: Cluster, cameras: Sequence[SimulatedTapo]) -> list[float]:
    """Seconds from each decision to the first request at its camera; infinite where none came."""
    decided = cluster.rows(
        "SELECT decided_at, external_id FROM detection_episode e "
        "JOIN detection_camera c ON c.id = e.camera_id"
    )
    result = []
    for row in decided:
        calls = cameras[row["external_id"] - 1].siren_calls
        at = epoch(row["decided_at"])
        first = min((c.at for c in calls if c.action == "start" and c.at >= at), default=None)
        result.append(float("inf") if first is None else first - at)
    return result


def figures(seconds: Sequence[float]) -> dict[str, Any]:
    ordered = sorted(value * 1000 for value in seconds)
    return {
        "alarms": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[max(0, round(0.95 * len(ordered)) - 1)], 1),
        "max_ms": round(ordered[-1], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=200)
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--model-dir", type=Path, default=REPOSITORY / "var" / "models")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, broker() as server, postgres() as database:
        place = Path(folder)
        film = built_in_clip(REPOSITORY / "var" / "test", print)
        stage = Stage(film, place)
        with Cluster(place, server.url, database, options.model_dir, stage.cameras) as cluster:
            stage.prepare(cluster)
            stage.play(options.alarms)
            result = figures(latencies(cluster, stage.cameras))
    print(json.dumps(result))
    if options.out:
        options.out.write_text(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
