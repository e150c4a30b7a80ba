"""The database cut off, then silent, while an intruder comes and goes: nothing of it is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.scene import RESTRICTED_ZONE, STORY
from simulators.tapo import SimulatedTapo
from tests.e2e.cluster import Cluster, epoch
from tests.e2e.conftest import SCENE_STARTS_AT, cut
from tests.e2e.unforeseen import DATABASE_AWAY
from tests.gate import PostgresGate
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

ENTERS = STORY["enters_zone"] - SCENE_STARTS_AT


@pytest.fixture
def gate(postgres_url: str) -> Iterator[PostgresGate]:
    with PostgresGate(postgres_url) as gate:
        yield gate


def test_an_episode_of_an_outage_is_written_and_told_with_its_own_times(
    tmp_path: Path,
    broker_url: str,
    postgres_url: str,
    gate: PostgresGate,
    model_dir: Path,
    rendered_scene: Path,
    scene: Path,
) -> None:
    quiet = tmp_path / "quiet.mp4"
    cut(rendered_scene, quiet, 0.0, SCENE_STARTS_AT)
    camera = SimulatedTapo(user="operator", password="password-of-one", clip=quiet)
    with Cluster(tmp_path, broker_url, postgres_url, model_dir, [camera]) as cluster:
        cluster.foreseen = DATABASE_AWAY
        cluster.settings["TAPO_CONTROL_PORT"] = str(camera.control_port)
        cluster.list_cameras(zones={1: RESTRICTED_ZONE})
        cluster.settings |= {"DATABASE_URL": gate.url, "CLEAR_SECONDS": "2"}
        cluster.start()
        cluster.wait_for_state(1, "running", seconds=40)
        token = cluster.rows("SELECT token FROM detection_claim")[0]["token"]

        for number, close in enumerate((gate.cut, gate.freeze), start=1):
            live_through_an_outage(cluster, camera, gate, close, scene, number)
            camera.switch_clip(quiet)
            assert cluster.rows("SELECT token FROM detection_claim")[0]["token"] == token, (
                "its watcher kept the camera"
            )
        cluster.processes.check()
        assert "are lost" not in cluster.everything_written()
        assert cluster.backend.violations == []


def knocks(cluster: Cluster) -> int:
    """How often the worker that watches found the database away."""
    return cluster.processes.named("streams-gpu").log.read_text().count("the database is away: ")


def live_through_an_outage(
    cluster: Cluster,
    camera: SimulatedTapo,
    gate: PostgresGate,
    close: Callable[[], None],
    scene: Path,
    number: int,
) -> None:
    backend = cluster.backend

    def ended() -> int:
        return cluster.everything_written().count("camera 1: episode cleared")

    before, told, away = ended(), len(backend.stops), knocks(cluster)
    close()
    wait_until(lambda: knocks(cluster) > away, "the watcher noticed", 20)
    camera.switch_clip(scene)
    wait_until(lambda: ended() > before, "the intruder came and went in the outage", 60)
    assert len(backend.stops) == told, "nothing is told that was not written"
    pictured = {picture.parent for picture in (cluster.folder / "evidence").rglob("*.jpg")}
    assert len(pictured) == number, "pictures were kept in the outage"
    assert camera.started_at is not None
    entered = camera.started_at + ENTERS
    gate.open()
    wait_until(lambda: len(backend.stops) > told, "the stop arrives", 30)
    alert, crime, stop = backend.alerts[-1], backend.crimes[-1], backend.stops[-1]
    assert len(backend.crimes) == number
    assert alert.at < crime.at < stop.at
    assert crime.start_time.timestamp() == pytest.approx(entered, abs=0.8)
    rows = cluster.rows("SELECT * FROM detection_episode ORDER BY started_at DESC")
    assert [row["status"] for row in rows] == ["cleared"] * number
    assert epoch(rows[0]["started_at"]) == pytest.approx(crime.start_time.timestamp(), abs=0.01)
    named = "SELECT name FROM detection_evidencefile WHERE kind = 'snapshot' ORDER BY kept_at DESC"
    assert (cluster.folder / "evidence" / cluster.rows(named)[0]["name"]).is_file()
    print(f"told {alert.at - crime.start_time.timestamp():.1f} s late")
