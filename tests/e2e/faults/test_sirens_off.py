"""A siren is never left on: whoever sounds it is killed, and it falls silent all the same.

The cameras' sirens sound until they are told to stop, as no real one does.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import cut
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PASSWORD = "secret-word-of-camera"
ALARMS = "alarms,reports,default"
DISMISS = """
import time
from django.contrib.auth.models import User
from detection.models import Episode, Verdict
from detection.services.review_steps import Actor
from detection.services.reviews import review_episode
officer = User.objects.create_superuser("officer", "", "x")
for episode in Episode.objects.filter(status__in=["suspicious", "confirmed"]):
    review_episode(episode_id=episode.pk, verdict=Verdict.DISMISSED, by=Actor(officer),
                   reason="no_crime")
print("dismissed", time.monotonic())
"""


@pytest.fixture(scope="module")
def empty_yard(rendered_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    part = tmp_path_factory.mktemp("yard") / "empty.mp4"
    cut(rendered_scene, part, 0.0, 4.0)
    return part


@pytest.fixture
def camera(empty_yard: Path) -> SimulatedTapo:
    return SimulatedTapo(user="operator", password=PASSWORD, clip=empty_yard)


@pytest.fixture
def cluster(
    tmp_path: Path, broker_url: str, model_dir: Path, camera: SimulatedTapo
) -> Iterator[Cluster]:
    """Streams, alarms and beat, watching an empty yard."""
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, sqlite, model_dir, [camera]) as cluster:
        cluster.settings |= {
            "TAPO_CONTROL_PORT": str(camera.control_port),
            "CLEAR_SECONDS": "1",
            "SIREN_SECONDS": "20",
        }
        cluster.list_cameras(zones={1: RESTRICTED_ZONE})
        cluster.start_worker("streams", "streams,gpu")
        cluster.start_worker("alarms", ALARMS)
        cluster.start_beat()
        cluster.wait_for_state(1, "running", seconds=40)
        wait_until(lambda: camera.logins == 1, "the session is warm")
        yield cluster


def starts(camera: SimulatedTapo) -> list[float]:
    return [call.monotonic for call in camera.siren_calls if call.action == "start"]


def sounds(camera: SimulatedTapo, film: Path, seconds: float = 15.0) -> None:
    """Somebody walks into the yard."""
    camera.switch_clip(film)
    wait_until(lambda: camera.siren_on, "the siren sounds", seconds, 0.01)


def stays(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not condition():
            return False
        time.sleep(0.02)
    return True


def silent_since(camera: SimulatedTapo, what: str, seconds: float) -> float:
    wait_until(lambda: not camera.siren_on, what, seconds, 0.01)
    assert stays(lambda: not camera.siren_on, 2.5), "nobody sounds it again"
    return camera.siren_calls[-1].monotonic


def test_it_is_off_when_an_operator_dismisses_and_when_those_who_sound_it_are_killed(
    cluster: Cluster, camera: SimulatedTapo, scene: Path, empty_yard: Path
) -> None:
    sounds(camera, scene)
    dismissed = cluster.manage("shell", "--no-imports", "-c", DISMISS)
    at = float(dismissed.rpartition(" ")[2])
    quiet = silent_since(camera, "silent after the dismissal", 10)
    print(f"dismissed in the admin → silent after {quiet - at:.2f} s")
    assert quiet - at < 2.0
    camera.switch_clip(empty_yard)
    ended = "SELECT id FROM detection_episode WHERE status IN ('suspicious', 'confirmed')"
    wait_until(lambda: not cluster.rows(ended), "the episode ends")

    cluster.processes.kill("alarms")
    sounds(camera, scene)
    before = len(starts(camera))
    wait_until(lambda: len(starts(camera)) >= before + 2, "sounded again by the watcher")
    camera.switch_clip(empty_yard)
    silent_since(camera, "silent at the end of the episode", 15)

    cluster.start_worker("alarms-again", ALARMS)
    wait_until(lambda: camera.logins >= 3, "the new alarms worker is warm", 30)
    sounds(camera, scene)
    wait_until(lambda: len(starts(camera)) >= before + 4, "sounded again by the alarms worker")
    cluster.processes.kill("alarms-again")
    killed, before = time.monotonic(), len(starts(camera))
    wait_until(lambda: len(starts(camera)) > before, "the watcher takes over", 10, 0.01)
    print(f"alarms worker killed → sounded again after {starts(camera)[-1] - killed:.2f} s")

    cluster.processes.kill("streams")
    killed = time.monotonic()
    assert camera.siren_on
    cluster.start_worker("alarms-third", ALARMS)
    quiet = silent_since(camera, "silent though all that sounded it were killed", 30)
    print(f"watcher and alarms worker killed → silent after {quiet - killed:.1f} s")
    assert quiet - killed < 30


def test_it_is_off_when_its_watcher_is_killed(
    cluster: Cluster, camera: SimulatedTapo, scene: Path
) -> None:
    sounds(camera, scene)
    cluster.processes.kill("streams")
    killed = time.monotonic()
    quiet = silent_since(camera, "silent though its watcher was killed", 31)
    print(f"watcher killed → silent after {quiet - killed:.1f} s")
    assert quiet - killed < 30
