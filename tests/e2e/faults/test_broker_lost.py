"""Redis is killed, frozen, full or read-only: streams stay open, and work resumes by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from simulators.tapo import SimulatedTapo, prepare_clip
from tests.e2e.cluster import Cluster
from tests.e2e.odd_worker import answers_of, start_odd_worker
from tests.e2e.unforeseen import BROKER_AWAY
from tests.gate import Gate
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

CAMERAS = 3


@contextmanager
def watched(
    folder: Path, broker: Broker, model_dir: Path, scene: Path
) -> Iterator[tuple[Cluster, list[SimulatedTapo], Gate]]:
    small = prepare_clip(scene, folder / "small.mp4", width=320, height=180, fps=6)
    cameras = [
        SimulatedTapo(user="operator", password=f"password-{n}", clip=small, name=f"camera-{n}")
        for n in range(CAMERAS)
    ]
    sqlite = f"sqlite:///{folder / 'cluster.sqlite3'}"
    with (
        Gate(broker.port) as gate,
        Cluster(folder, f"redis://127.0.0.1:{gate.port}/0", sqlite, model_dir, cameras) as cluster,
    ):
        cluster.foreseen = BROKER_AWAY
        cluster.settings |= {"FRAME_SKIP": "2", "STALL_SECONDS": "6"}
        start_odd_worker(cluster, "streams-gpu", "streams,gpu")
        cluster.start_worker("rest", "alarms,reports,default")
        cluster.start_beat()
        for number in range(1, CAMERAS + 1):
            cluster.wait_for_state(number, "running", seconds=60)
        yield cluster, cameras, gate


def everything_works_again(cluster: Cluster, since: float) -> float:
    """Seconds until each camera's next frame was judged; beat and both workers are heard too."""

    def judged_by_all() -> bool:
        cluster.processes.check()
        return len({one.camera for one in answers_of(cluster) if one.at > since}) == CAMERAS

    wait_until(judged_by_all, "every camera is analysed again", 30, 0.02)
    resumed = time.time() - since
    beats = len(cluster.backend.calls_to("/heartbeat"))
    # Beat rings, a `default` worker passes it on, and the watching worker sends it.
    wait_until(
        lambda: len(cluster.backend.calls_to("/heartbeat")) > beats, "heartbeats go out again", 30
    )
    print(f"heartbeat after {time.time() - since:.1f} s")
    for number in range(1, CAMERAS + 1):
        cluster.wait_for_state(number, "running", seconds=20)
    return resumed


def all_show(cluster: Cluster, reason: str) -> None:
    for number in range(1, CAMERAS + 1):
        cluster.wait_for_state(number, "error", reason, seconds=20)


def test_work_resumes_within_seconds_after_redis_was_lost(
    tmp_path: Path, broker: Broker, model_dir: Path, scene: Path
) -> None:
    with watched(tmp_path, broker, model_dir, scene) as (cluster, cameras, gate):
        sessions = [camera.total_sessions for camera in cameras]
        tokens = cluster.rows("SELECT camera_id, token FROM detection_claim ORDER BY camera_id")

        broker.kill()
        all_show(cluster, "not_analysed: the mailbox cannot be reached")
        broker.start()
        killed = everything_works_again(cluster, time.time())

        gate.freeze()
        all_show(cluster, "not_analysed: the mailbox cannot be used: Redis does not answer")
        gate.open()
        frozen = everything_works_again(cluster, time.time())

        with redis.Redis(port=broker.port) as server:
            server.config_set("maxmemory", "1")
            all_show(cluster, "not_analysed: the mailbox cannot be used: Redis is full")
            server.config_set("maxmemory", "0")
            full = everything_works_again(cluster, time.time())

            server.replicaof("127.0.0.1", "1")
            all_show(cluster, "not_analysed: the mailbox cannot be used: Redis takes no writes")
            server.replicaof("NO", "ONE")
            read_only = everything_works_again(cluster, time.time())

        print(
            f"work resumed after Redis was killed {killed:.1f} s, frozen {frozen:.1f} s, "
            f"full {full:.1f} s, read-only {read_only:.1f} s"
        )
        assert [camera.total_sessions for camera in cameras] == sessions
        now = cluster.rows("SELECT camera_id, token FROM detection_claim ORDER BY camera_id")
        assert now == tokens, "nobody let go of a camera"
        assert max(killed, frozen, full, read_only) < 10
