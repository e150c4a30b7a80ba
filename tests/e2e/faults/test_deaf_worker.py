"""A worker that lives but takes nothing any more notices it and begins anew by itself."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators.tapo import SimulatedTapo, prepare_clip
from tests.e2e.cluster import Cluster
from tests.e2e.odd_worker import answers_of, start_odd_worker
from tests.e2e.unforeseen import BROKER_AWAY
from tests.gate import Gate
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

DEAF_SECONDS = 4.0
RESTARTS = "restarts itself"
CANARIES = {"CANARY_INTERVAL": "0.5", "DEAF_SECONDS": str(DEAF_SECONDS)}


@contextmanager
def watched(
    folder: Path, broker: Broker, model_dir: Path, scene: Path
) -> Iterator[tuple[Cluster, Gate]]:
    small = prepare_clip(scene, folder / "small.mp4", width=320, height=180, fps=6)
    cameras = [
        SimulatedTapo(user="operator", password=f"password-{n}", clip=small, name=f"camera-{n}")
        for n in range(2)
    ]
    sqlite = f"sqlite:///{folder / 'cluster.sqlite3'}"
    with (
        Gate(broker.port) as gate,
        Cluster(folder, f"redis://127.0.0.1:{gate.port}/0", sqlite, model_dir, cameras) as cluster,
    ):
        cluster.foreseen = BROKER_AWAY
        cluster.settings |= CANARIES | {"FRAME_SKIP": "2"}
        start_odd_worker(cluster, "streams", "streams", MAX_CAMERAS="2")
        start_odd_worker(cluster, "gpu", "gpu")
        cluster.start_worker("rest", "alarms,reports,default")
        cluster.start_beat()
        for number in (1, 2):
            cluster.wait_for_state(number, "running", seconds=60)
        yield cluster, gate


def log_of(cluster: Cluster, name: str) -> str:
    return cluster.processes.named(name).log.read_text(errors="replace")


def tokens(cluster: Cluster) -> list[int]:
    return [row["token"] for row in cluster.rows("SELECT token FROM detection_claim ORDER BY id")]


def analysed_after(cluster: Cluster, since: float) -> None:
    def both() -> bool:
        cluster.processes.check()
        return len({one.camera for one in answers_of(cluster) if one.at > since}) == 2

    wait_until(both, "both cameras are analysed", 60)


def test_a_deaf_worker_and_a_stuck_one_restart_themselves_and_their_cameras_are_watched_again(
    tmp_path: Path, broker: Broker, model_dir: Path, scene: Path
) -> None:
    with watched(tmp_path, broker, model_dir, scene) as (cluster, gate):
        # A broker that is away for longer than a canary's patience deafens nobody.
        gate.cut()
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 2 * DEAF_SECONDS, "the broker is away", 30)
        gate.open()
        back = time.time()
        analysed_after(cluster, back)
        print(f"analysed {time.time() - back:.1f} s after a cut broker came back")
        wait_until(lambda: time.time() > back + 1.5 * DEAF_SECONDS, "nobody panics", 30)
        assert RESTARTS not in cluster.everything_written()
        pids = {name: cluster.processes.named(name).process.pid for name in ("streams", "gpu")}
        before = tokens(cluster)

        # The watching worker is deaf: it releases its cameras and takes them again.
        (tmp_path / "streams.defect").write_text("deaf")
        deaf_at = time.time()
        wait_until(lambda: RESTARTS in log_of(cluster, "streams"), "deafness is noticed", 30)
        noticed = time.time() - deaf_at
        wait_until(lambda: min(tokens(cluster)) > max(before), "both are taken again", 60)
        analysed_after(cluster, time.time())
        print(
            f"deaf streams worker: noticed {noticed:.1f} s, watched {time.time() - deaf_at:.1f} s"
        )
        assert noticed < 2 * DEAF_SECONDS
        released = re.findall(r"camera \d+ \(.*\) released", log_of(cluster, "streams"))
        assert len(released) == 2, "in order, not by running out"

        # The detecting worker's main thread hangs: it cannot end in order and is replaced.
        (tmp_path / "gpu.defect").write_text("stuck")
        stuck_at = time.time()
        wait_until(lambda: "is replaced as it is" in log_of(cluster, "gpu"), "replaced", 30)
        analysed_after(cluster, time.time())
        print(f"stuck gpu worker: analysed again after {time.time() - stuck_at:.1f} s")

        cluster.processes.check()
        now = {name: cluster.processes.named(name).process.pid for name in ("streams", "gpu")}
        assert now == pids
        assert RESTARTS not in log_of(cluster, "rest")
