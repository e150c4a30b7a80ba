"""Thirty cameras on three instances: each ten, also when one of them dies."""

import time
from collections import Counter
from pathlib import Path

import pytest
import redis

from tests.e2e.cluster import Cluster
from tests.e2e.faults import cheap
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

LIMIT = 10
INSTANCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
HEARTBEAT_TIMEOUT = 15.0
REFRESH = 2.0


def claimed(cluster: Cluster) -> Counter[str]:
    """How many cameras the back end counts for each instance; never more than it may hold."""
    count = Counter(cluster.backend.claims.values())
    assert max(count.values(), default=0) <= LIMIT
    return count


def running(cluster: Cluster) -> Counter[str]:
    rows = cluster.rows(
        "SELECT c.instance FROM detection_claim c JOIN detection_camera k ON k.id = c.camera_id "
        "WHERE k.state = 'running' AND c.expires_at > now()"
    )
    return Counter(row["instance"] for row in rows)


def most_at_any_time(cluster: Cluster) -> int:
    """The most cameras that one instance ever held at the back end, from its own records."""
    held: dict[int, str] = {}
    most = 0
    for _, instance, freed, gained in sorted(changes_of_hands(cluster)):
        for camera_id in freed:
            held.pop(camera_id, None)
        held |= dict.fromkeys(gained, instance)
        most = max(most, Counter(held.values())[instance])
    return most


Change = tuple[float, str, tuple[int, ...], tuple[int, ...]]


def changes_of_hands(cluster: Cluster) -> list[Change]:
    """When, which instance, which cameras it lost, which it gained."""
    changes: list[Change] = [
        (release.at, release.instance, release.camera_ids, ())
        for release in cluster.backend.releases
    ]
    for call in cluster.backend.calls:
        _, _, verb = call.path.rpartition("/")
        if call.status == 200 and verb in ("claim", "release"):
            camera = (int(call.path.split("/")[-2]),)
            claims = verb == "claim"
            changes.append((call.at, call.instance, () if claims else camera, camera * claims))
    return changes


def test_thirty_cameras_end_at_ten_each_and_those_of_a_dead_instance_go_where_room_is(
    tmp_path: Path, broker_url: str, postgres_url: str, model_dir: Path
) -> None:
    cameras = cheap.cheap_cameras(tmp_path, 30)
    with Cluster(
        tmp_path,
        broker_url,
        postgres_url,
        model_dir,
        cameras,
        heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
    ) as cluster:
        cluster.settings |= {"CAMERA_REFRESH_INTERVAL": str(REFRESH), "FRAME_SKIP": "2"}
        cluster.start_worker("rest", "gpu,reports,default")
        cluster.start_worker(INSTANCES[0], "streams", INSTANCE_ADDRESS=INSTANCES[0])
        cluster.start_beat()
        wait_until(lambda: claimed(cluster) == {INSTANCES[0]: LIMIT}, "one instance is full", 60)

        # Nobody else listens: what the full one leaves alone waits in the queue.
        broker = redis.Redis.from_url(broker_url)
        wait_until(lambda: broker.llen("streams") >= 10, "rings for the next ten wait", 30)
        waiting = broker.llen("streams")
        listed = len(cluster.backend.calls_to("/cameras"))
        wait_until(lambda: len(cluster.backend.calls_to("/cameras")) >= listed + 2, "it goes on")
        assert broker.llen("streams") >= waiting, "a full instance took rings"

        since = time.monotonic()
        for instance in INSTANCES[1:]:
            cluster.start_worker(instance, "streams", INSTANCE_ADDRESS=instance)
        ten_each = dict.fromkeys(INSTANCES, LIMIT)
        wait_until(lambda: claimed(cluster) == ten_each, "each has ten", 60)
        wait_until(lambda: running(cluster) == ten_each, "all thirty are watched", 60)
        print(f"10/10/10 after {time.monotonic() - since:.1f} s, processes started included")

        disabled = [
            camera
            for instance, many in zip(INSTANCES, (4, 3, 3), strict=True)
            for camera in sorted(c for c, i in cluster.backend.claims.items() if i == instance)[
                :many
            ]
        ]
        cluster.manage(
            "shell",
            "--no-imports",
            "-c",
            "from detection.models import Camera; "
            f"Camera.objects.filter(external_id__in={disabled}).update(enabled=False)",
        )
        for camera in disabled:
            cluster.backend.deactivate(camera)
        left = dict(zip(INSTANCES, (6, 7, 7), strict=True))
        wait_until(lambda: claimed(cluster) == left, "twenty are left", 40)

        killed = time.monotonic()
        cluster.processes.kill(INSTANCES[0])
        survivors = dict.fromkeys(INSTANCES[1:], LIMIT)
        wait_until(
            lambda: running(cluster) == survivors and claimed(cluster) == survivors,
            "the six of the dead one are watched by those with room",
            60,
        )
        took = time.monotonic() - killed
        # The back end's time-out, one refresh, and what the simulator and a stream take.
        print(f"another instance after {took:.1f} s with a time-out of {HEARTBEAT_TIMEOUT:.0f} s")
        assert took < HEARTBEAT_TIMEOUT + REFRESH + 10.0
        assert most_at_any_time(cluster) == LIMIT
        assert cluster.backend.violations == []
