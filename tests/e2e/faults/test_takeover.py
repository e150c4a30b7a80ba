"""One watcher at any instant: frozen, killed, and woken up too late."""

import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo
from tests.e2e.cluster import Cluster
from tests.e2e.faults.cheap import cheap_cameras
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

HERE = "127.0.0.2"


def watchers(cluster: Cluster) -> dict[int, str]:
    """Who watches each camera and gets frames from it."""
    rows = cluster.rows(
        "SELECT k.external_id, c.worker FROM detection_claim c JOIN detection_camera k "
        "ON k.id = c.camera_id WHERE k.state = 'running' AND c.expires_at > now() "
        "AND c.last_frame_at > now() - interval '3 seconds'"
    )
    return {row["external_id"]: row["worker"] for row in rows}


def seconds_until_watched_by(cluster: Cluster, worker: str, cameras: int, since: float) -> float:
    def all_of_them() -> bool:
        cluster.processes.check()
        found = watchers(cluster)
        return len(found) == cameras and all(worker in watcher for watcher in found.values())

    wait_until(all_of_them, f"{cameras} cameras are watched by {worker}", 60)
    return time.monotonic() - since


def overtaken(log: str) -> set[int]:
    """The cameras of which a worker has learnt that another watches them."""
    said = re.findall(r"camera (\d+)(?:: lease \d+ is no longer ours| belongs to another)", log)
    return {int(camera) for camera in said}


def log_of(cluster: Cluster, name: str) -> str:
    return cluster.processes.named(name).log.read_text()


def told(episodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the head of their evidence: what was filmed is kept whoever has the camera now."""
    return [{k: v for k, v in row.items() if not k.startswith("evidence_")} for row in episodes]


def test_a_worker_that_was_frozen_yields_and_one_that_was_killed_is_replaced(
    tmp_path: Path, broker_url: str, postgres_url: str, model_dir: Path, scene: Path
) -> None:
    # An address of its own: the others have other passwords and would lock its logins.
    yard = SimulatedTapo(host="127.0.0.2", user="operator", password="password-of-yard", clip=scene)
    cameras = [yard, *cheap_cameras(tmp_path, 3)]
    with Cluster(tmp_path, broker_url, postgres_url, model_dir, cameras) as cluster:
        cluster.settings |= {
            "INSTANCE_ADDRESS": HERE,
            "TAPO_CONTROL_PORT": str(yard.control_port),
            "FRAME_SKIP": "2",
        }
        cluster.list_cameras(zones={1: RESTRICTED_ZONE})
        cluster.start_worker("rest", "gpu,alarms,reports,default")
        cluster.start_worker("first", "streams")
        cluster.start_beat()
        first = str(cluster.processes.named("first").process.pid)
        seconds_until_watched_by(cluster, f".{first}@", 4, time.monotonic())
        cluster.start_worker("second", "streams")
        second = str(cluster.processes.named("second").process.pid)
        wait_until(lambda: "ready" in log_of(cluster, "second"), "the second worker is up", 40)
        wait_until(lambda: yard.siren_on, "an episode is open", 40)

        cluster.processes.signal("first", signal.SIGSTOP)
        took = seconds_until_watched_by(cluster, f".{second}@", 4, time.monotonic())
        print(f"takeover from a frozen worker after {took:.1f} s")
        # A ring may fall into the hands of the frozen one; it is rung again after 10 s.
        assert took < 35.0
        written = "SELECT * FROM detection_episode WHERE claim_token = 1 ORDER BY id"
        steps = (
            "SELECT v.* FROM detection_episodeevent v JOIN detection_episode e "
            "ON e.id = v.episode_id WHERE e.claim_token = 1 ORDER BY v.id"
        )
        wait_until(lambda: cluster.rows(written)[0]["status"] == "lost", "its episode is over")
        before = told(cluster.rows(written)), cluster.rows(steps)
        said = len(log_of(cluster, "first"))
        released = [call for call in cluster.backend.calls if call.method == "DELETE"]

        cluster.processes.signal("first", signal.SIGCONT)
        wait_until(lambda: overtaken(log_of(cluster, "first")) == {1, 2, 3, 4}, "it learns it", 10)
        wait_until(
            lambda: all(camera.active_clients == 1 for camera in cameras), "it leaves the cameras"
        )
        assert set(watchers(cluster)) == {1, 2, 3, 4}
        assert all(f".{second}@" in worker for worker in watchers(cluster).values())
        assert (told(cluster.rows(written)), cluster.rows(steps)) == before
        said_since = log_of(cluster, "first")[said:].splitlines()
        # What it held of its lease is named as lost, which is no act.
        woken = "\n".join(line for line in said_since if "belong to a lease" not in line)
        for act in (
            "suspicious",
            "CRIME",
            "episode cleared",
            "episode lost",
            "confidence",
            "released",
            "is ERROR",
            "siren",
        ):
            assert act not in woken, woken
        assert [c for c in cluster.backend.calls if c.method == "DELETE"] == released
        assert cluster.backend.claims == dict.fromkeys(range(1, 5), HERE)

        killed = time.monotonic()
        cluster.processes.kill("second")
        took = seconds_until_watched_by(cluster, f".{first}@", 4, killed)
        print(f"takeover from a killed worker after {took:.1f} s")
        assert took < 20.0
        assert cluster.backend.claims == dict.fromkeys(range(1, 5), HERE)
        assert cluster.backend.violations == []
