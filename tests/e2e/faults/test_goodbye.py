"""SIGTERM and SIGINT: every camera is released at the back end within 5 s."""

import signal
import time
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.faults import cheap
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CAMERAS = range(1, 11)


def test_ten_cameras_are_released_in_time_with_one_frozen_and_the_back_end_slow(
    tmp_path: Path, broker_url: str, model_dir: Path
) -> None:
    cameras = cheap.cheap_cameras(tmp_path, len(CAMERAS))
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, sqlite, model_dir, cameras) as cluster:
        cluster.settings |= cheap.SETTINGS | {"READ_TIMEOUT": "30", "STALL_SECONDS": "3"}
        cluster.start_worker("rest", "gpu,reports,default")
        cluster.start_beat()
        for number in (signal.SIGTERM, signal.SIGINT):
            name = number.name
            cluster.start_worker(name, "streams")
            for camera in CAMERAS:
                cluster.wait_for_state(camera, "running", seconds=40)
            assert set(cluster.backend.claims) == set(CAMERAS)
            # Its reader hangs in the middle of a read, and does not come back for 30 s.
            cameras[0].freeze()
            cluster.wait_for_state(1, "error", "stalled")
            cluster.backend.fault("hang:1", "/cameras")

            asked = time.monotonic()
            cluster.processes.signal(name, number)
            wait_until(lambda: not cluster.backend.claims, "every camera is released", 15)
            took = time.monotonic() - asked
            worker = cluster.processes.named(name).process
            worker.wait(15)
            print(f"{name}: released after {took:.1f} s, gone after {time.monotonic() - asked:.1f}")
            assert took < 5.0
            assert "Traceback" not in cluster.processes.named(name).log.read_text()

            cluster.processes.forget(name)
            cluster.backend.clear_faults()
            cameras[0].unfreeze()
            rows = cluster.rows("SELECT holder, expires_at FROM detection_claim")
            assert {(row["holder"], row["expires_at"]) for row in rows} == {("", None)}
            states = cluster.rows("SELECT DISTINCT state FROM detection_camera")
            assert [row["state"] for row in states] == ["idle"]
        assert cluster.backend.violations == []
