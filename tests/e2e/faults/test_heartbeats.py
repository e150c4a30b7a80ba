"""Heartbeats and two beats: said from the claiming address, once, and only for fresh frames."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from simulators.laravel.records import RecordedCall
from tests.e2e.cluster import Cluster
from tests.e2e.faults import cheap
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

HERE = "127.0.0.2"
INTERVAL = 2.0


def beats(cluster: Cluster) -> list[RecordedCall]:
    return cluster.backend.calls_to("/heartbeat")


def wait_for_beat(cluster: Cluster, *camera_ids: int, seconds: float = 20) -> None:
    """A heartbeat that begins after this moment names exactly these cameras."""
    since = time.time()

    def named() -> bool:
        cluster.processes.check()
        newer = [beat for beat in beats(cluster) if beat.at > since]
        return bool(newer) and newer[-1].body == {"camera_ids": sorted(camera_ids)}

    wait_until(named, f"a heartbeat names {camera_ids}", seconds)


def test_with_two_beats_heartbeats_stay_single_and_say_what_is_watched(
    tmp_path: Path, broker_url: str, model_dir: Path
) -> None:
    cameras = cheap.cheap_cameras(tmp_path, 3)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, sqlite, model_dir, cameras) as cluster:
        backend = cluster.backend
        cluster.settings |= cheap.SETTINGS | {
            "HEARTBEAT_INTERVAL": str(INTERVAL),
            "CAMERA_REFRESH_INTERVAL": "1",
            "STALL_SECONDS": "3",
            "READ_TIMEOUT": "30",
            "BACKEND_TIMEOUT": "1",
        }
        cluster.start_worker("rest", "gpu,reports,default")
        cluster.start_beat("beat")
        cluster.start_beat("second-beat")
        broker = redis.Redis.from_url(broker_url)
        wait_until(lambda: broker.llen("streams"), "the cameras are rung", 30)
        # Each refresh also reconciles: both beats have done so several times within one ring.
        wait_until(lambda: len(backend.calls_to("/cameras")) >= 6, "both beats refresh")
        assert broker.llen("streams") == 3, "a camera was rung twice"
        broker.delete("streams")
        lost = time.monotonic()
        wait_until(lambda: broker.llen("streams") == 3, "lost rings are rung again")
        print(f"rung again {time.monotonic() - lost:.1f} s after the rings were lost")
        assert time.monotonic() - lost < 10.0 + 3.0, "the life of a ring and one reconcile"

        cluster.start_worker("streams", "streams", INSTANCE_ADDRESS=HERE)
        wait_for_beat(cluster, 1, 2, 3, seconds=40)
        first = len(beats(cluster))
        wait_until(lambda: len(beats(cluster)) >= first + 4, "more heartbeats")
        gaps = [b.at - a.at for a, b in pairwise(beats(cluster)[first - 1 :])]
        print(f"gaps between heartbeats with two beats: {[round(gap, 1) for gap in gaps]}")
        assert min(gaps) > INTERVAL / 2
        assert {beat.instance for beat in beats(cluster)} == {HERE}
        assert all(len(backend.calls_to(f"/cameras/{camera}/claim")) == 1 for camera in (1, 2, 3))

        cameras[1].freeze()
        wait_for_beat(cluster, 1, 3)
        cameras[1].unfreeze()
        wait_for_beat(cluster, 1, 2, 3)

        backend.stop()
        wait_until(lambda: "no heartbeat for 3 cameras" in cluster.everything_written(), "missed")
        backend.start()
        back = time.monotonic()
        wait_for_beat(cluster, 1, 2, 3)
        print(f"heartbeats resumed {time.monotonic() - back:.1f} s after the back end")

        backend.take_back(3)
        taken = time.monotonic()
        wait_until(lambda: 3 in backend.claims, "the camera that was taken back is claimed again")
        print(f"claimed again {time.monotonic() - taken:.1f} s after it was taken back")
        assert time.monotonic() - taken < 1.0 + 3.0, "one refresh and one renewal"
        assert backend.claims == dict.fromkeys((1, 2, 3), HERE)

        claims = len(backend.calls_to("/cameras/1/claim"))
        backend.fault("status:409", "/cameras/1/claim")
        backend.take_back(1)
        wait_until(lambda: len(backend.calls_to("/cameras/1/claim")) > claims, "it asks again")
        cluster.wait_for_state(1, "idle", seconds=10)
        wait_for_beat(cluster, 2, 3)
        assert cameras[0].active_clients == 0, "it was let go"
        assert not [call for call in backend.calls if call.method == "DELETE"]
