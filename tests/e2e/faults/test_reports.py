"""Every alert, crime and stop arrives, in order, once, with its times, whatever is killed."""

import itertools
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import redis

from simulators.laravel import LaravelSimulator, ReceivedCrime, SimulatedCamera
from tests.conftest import REPOSITORY
from tests.e2e.cluster import Cluster, epoch
from tests.e2e.faults.episodes import began
from tests.e2e.unforeseen import BROKER_AWAY
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

WRITER = "from tests.e2e.faults import episodes; episodes."


class ReportingCluster(Cluster):
    """Cameras that are listed and that nobody watches: episodes are written by the test."""

    camera_count = 8

    def _listed(self) -> list[SimulatedCamera]:
        return [
            SimulatedCamera(id=n, name=f"C{n}", ip_address="192.0.2.1", rtsp_url="rtsp://x/1")
            for n in range(1, self.camera_count + 1)
        ]

    def write(self, cameras: Sequence[int], numbers: Sequence[int], confidence: float = 55) -> None:
        call = f"write({list(cameras)}, {list(numbers)}, {confidence})"
        self.manage("shell", "--no-imports", "-c", WRITER + call)

    def attempts(self, external_id: int) -> int:
        query = (
            "SELECT coalesce(sum(attempts), 0) AS n FROM integrations_delivery d "
            "JOIN detection_camera c ON c.id = d.camera_id WHERE c.external_id = %s"
        )
        return int(self.rows(query, external_id)[0]["n"])


def a_cluster(folder: Path, broker_url: str) -> ReportingCluster:
    sqlite = f"sqlite:///{folder / 'cluster.sqlite3'}"
    cluster = ReportingCluster(folder, broker_url, sqlite, folder)
    cluster.settings |= {"BACKEND_TIMEOUT": "2", "SIREN_ENABLED": "false"}
    return cluster


def keys_without_end(broker: Broker) -> set[str]:
    """What stays in Redis for ever, but for kombu's own short lists and the zset of cameras."""
    bounded = ("_kombu.binding", "unacked", "crimeops:waiting")
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        names = [str(name) for name in client.scan_iter()]
        return {name for name in names if client.ttl(name) == -1 and not name.startswith(bounded)}


def is_tried(cluster: ReportingCluster, camera: int) -> bool:
    return cluster.attempts(camera) > 0


def stops_of(backend: LaravelSimulator, camera: int) -> int:
    return sum(stop.camera_id == camera for stop in backend.stops)


def assert_told_once_and_in_order(backend: LaravelSimulator, camera: int, episodes: int) -> None:
    crimes = [crime for crime in backend.crimes if crime.camera_id == camera]
    times = [(crime.start_time, crime.end_time) for crime in crimes]
    starts = [began(camera, number) for number in range(1, episodes + 1)]
    assert [start for start, _ in times] == starts, "once each, in order, the original times"
    assert {(end - start).total_seconds() for start, end in times} == {6.0}
    assert len({crime.idempotency_key for crime in crimes}) == episodes
    told: list[tuple[float, str]] = [
        *((alert.at, "alert") for alert in backend.alerts if alert.camera_id == camera),
        *((crime.at, "crime") for crime in crimes),
        *((stop.at, "stop") for stop in backend.stops if stop.camera_id == camera),
    ]
    assert [kind for _, kind in sorted(told)] == ["alert", "crime", "stop"] * episodes


def test_a_back_end_in_trouble_is_told_everything_when_it_recovers(
    tmp_path: Path, broker: Broker
) -> None:
    with a_cluster(tmp_path, broker.url) as cluster:
        cluster.list_cameras()
        cluster.start_worker("reports", "alarms,reports,default")
        cluster.start_beat()
        backend = cluster.backend

        def mend() -> None:
            backend.clear_faults()

        troubles: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
            ("down", backend.stop, backend.start),
            ("500", lambda: backend.fault("status:500"), mend),
            ("hanging", lambda: backend.fault("hang"), mend),
            ("reset, its work done", lambda: backend.fault("reset", after=True), mend),
        ]
        for camera, (name, spoil, mend_it) in enumerate(troubles, start=1):
            spoil()
            cluster.write([camera], [1])
            wait_until(partial(is_tried, cluster, camera), f"tried while {name}", 15)
            assert stops_of(backend, camera) == 0
            mended = time.monotonic()
            mend_it()
            wait_until(partial(stops_of, backend, camera), f"told after {name}", 15)
            print(f"all told {time.monotonic() - mended:.1f} s after the back end was {name}")
            assert_told_once_and_in_order(backend, camera, 1)
        assert cluster.rows("SELECT * FROM detection_trouble") == []

        cluster.write([5], [1], confidence=120)
        wait_until(lambda: stops_of(backend, 5) > 0, "what follows a refusal is told", 15)
        refused = cluster.rows("SELECT * FROM integrations_delivery WHERE status = 'refused'")
        assert [(row["kind"], row["attempts"]) for row in refused] == [("alert", 1)]
        assert "must be between 0 and 100" in refused[0]["last_error"]
        assert len([crime for crime in backend.crimes if crime.camera_id == 5]) == 1

        dying = [sys.executable, str(REPOSITORY / "manage.py"), "shell", "--no-imports", "-c"]
        call = f"{WRITER}write_and_die(6)"
        died = subprocess.run([*dying, call], env=cluster.environment, timeout=60, check=False)
        assert died.returncode == -9
        assert cluster.attempts(6) == 0
        cluster.write([7], [1])
        wait_until(lambda: stops_of(backend, 7) > 0, "later ones are told", 15)
        assert all(alert.camera_id != 6 for alert in backend.alerts), "what never happened is not"
        assert keys_without_end(broker) == set()
        cluster.processes.check()


def test_a_worker_and_a_broker_that_die_in_mid_delivery_lose_and_double_nothing(
    tmp_path: Path, broker: Broker
) -> None:
    with a_cluster(tmp_path, broker.url) as cluster:
        cluster.settings["BACKEND_TIMEOUT"] = "5"
        cluster.foreseen = BROKER_AWAY
        cluster.list_cameras()
        cluster.start_worker("reports", "alarms,reports,default")
        cluster.start_beat()
        backend = cluster.backend

        def crime_of(camera: int) -> list[ReceivedCrime]:
            return [crime for crime in backend.crimes if crime.camera_id == camera]

        backend.fault("hang:4", "/crime", times=1, after=True)
        cluster.write([1], [1])
        wait_until(lambda: crime_of(1), "the crime is there, and its answer is held back", 20)
        cluster.processes.kill("reports")
        killed = time.monotonic()
        cluster.start_worker("reports-2", "alarms,reports,default")
        wait_until(lambda: stops_of(backend, 1), "another worker goes on", 30)
        print(f"told {time.monotonic() - killed:.1f} s after the worker was killed")
        assert_told_once_and_in_order(backend, 1, 1)

        backend.fault("hang:4", "/crime", times=1, after=True)
        cluster.write([2], [1])
        wait_until(lambda: crime_of(2), "the crime is there, and its answer is held back", 20)
        broker.kill()
        broker.start()
        killed = time.monotonic()
        wait_until(lambda: stops_of(backend, 2), "the sweep rings what was lost", 40)
        print(f"told {time.monotonic() - killed:.1f} s after the broker came back")
        assert_told_once_and_in_order(backend, 2, 1)
        keys = Counter(crime.idempotency_key for crime in backend.crimes)
        assert set(keys.values()) == {1}


def test_a_backlog_drains_at_the_rate_and_a_new_crime_does_not_wait_for_it(
    tmp_path: Path, broker: Broker
) -> None:
    rate, cameras, each = 40, 40, 4
    cluster = a_cluster(tmp_path, broker.url)
    cluster.camera_count = cameras + 1
    cluster.settings["DELIVERIES_PER_SECOND"] = str(rate)
    with cluster:
        backend = cluster.backend
        backend.stop()
        cluster.write(range(1, cameras + 1), range(1, each + 1))
        for name in ("reports-1", "reports-2"):
            cluster.start_worker(name, "alarms,reports,default")
        cluster.start_beat()
        wait_until(lambda: away(cluster), "the back end is known to be away", 30)
        backend.start()
        wait_until(lambda: len(backend.alerts) > 10, "it is told again", 15)
        cluster.write([cameras + 1], [1])
        wait_until(lambda: len(backend.stops) == cameras * each + 1, "all is told", 60)

        tries = cluster.rows("SELECT sum(attempts) AS n FROM integrations_delivery")[0]["n"]
        reports = [call for call in backend.calls if call.method == "POST"]
        calls = sorted(call.monotonic for call in reports)
        assert tries - len(reports) < 30, "those under way, then one at a time while it was away"
        peak = max(sum(t <= other < t + 1 for other in calls) for t in calls)
        took = calls[-1] - calls[0]
        new = next(crime for crime in backend.crimes if crime.camera_id == cameras + 1)
        behind = sum(crime.at > new.at for crime in backend.crimes)
        print(f"{len(reports)} reports in {took:.1f} s, {peak} a second at most; ", end="")
        print(f"{behind} older crimes came after the new one")
        assert took >= 0.95 * (len(reports) - 1) / rate
        assert peak <= 1.5 * rate, "they left in their turns and may have met on their way"
        assert behind > 20
        for camera in range(1, cameras + 1):
            assert_told_once_and_in_order(backend, camera, each)
        assert min(distances(cluster)) > 0.099


def distances(cluster: Cluster) -> list[float]:
    """Seconds between the attempts of one camera's reports that follow each other."""
    rows = cluster.rows(
        "SELECT camera_id, attempted_at FROM integrations_delivery ORDER BY camera_id, attempted_at"
    )
    return [
        epoch(later["attempted_at"]) - epoch(earlier["attempted_at"])
        for earlier, later in itertools.pairwise(rows)
        if earlier["camera_id"] == later["camera_id"]
    ]


def away(cluster: Cluster) -> bool:
    rows = cluster.rows("SELECT down_since FROM integrations_outlet")
    return bool(rows and rows[0]["down_since"])
