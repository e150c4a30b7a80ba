"""Sirens without what they seem to need: the broker, the database, or the alarms worker.

The decision itself needs the broker, which carries the frames, so a process that does what a watch
task does at that moment stands in for it where the broker or the database is away.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from simulators.tapo import SimulatedTapo
from tests.clips import grey_clip
from tests.conftest import REPOSITORY
from tests.e2e.cluster import Cluster
from tests.e2e.unforeseen import BROKER_AWAY, DATABASE_AWAY
from tests.gate import PostgresGate
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

PASSWORD = "secret-word-of-camera"
ALARMS = "alarms,reports,default"
# A camera takes 20 ms to answer.
LATENCY = 0.02
CAMERA = (
    "from detection.models import Camera; Camera.objects.create(registry='laravel', external_id=1, "
    "name='Gate', address='127.0.0.1', control_address='127.0.0.1:{port}', username='operator', "
    "password='" + PASSWORD + "', state='running'); print('made')"
)


class Ringer:
    """Speaks with the process of `tests.e2e.ringer`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def say(self, *words: object) -> float:
        """Returns when it acted, by `time.monotonic()`; what it sends may not take long."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        at, took = self._process.stdout.readline().split()
        assert float(took) < 3.0
        return float(at)

    def leave(self) -> None:
        """End as a process does that is told to stop."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0


@contextmanager
def ringing(cluster: Cluster) -> Iterator[Ringer]:
    log = (cluster.folder / "logs" / "ringer.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ringer"],
        env=cluster.environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        yield Ringer(process)
    finally:
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout, log):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grey_clip(tmp_path_factory.mktemp("clip") / "grey.mp4", pictures=1)


def starts(camera: SimulatedTapo) -> list[float]:
    return [call.monotonic for call in camera.siren_calls if call.action == "start"]


def sounds_within(camera: SimulatedTapo, since: float, seconds: float, what: str) -> float:
    """Also that it is sounded again, as firmware wants it that falls silent."""
    wait_until(lambda: camera.siren_on, f"the siren sounds {what}", seconds, 0.005)
    first = next(at for at in starts(camera) if at >= since)
    print(f"{what}: decision → siren after {(first - since) * 1000:.0f} ms")
    before = len(starts(camera))
    wait_until(lambda: len(starts(camera)) > before, f"sounded again {what}", 5)
    return first - since


def silent_within(camera: SimulatedTapo, since: float, seconds: float, what: str) -> float:
    wait_until(lambda: not camera.siren_on, f"silent {what}", seconds, 0.005)
    stopped = camera.siren_calls[-1].monotonic
    print(f"{what}: end → silent after {(stopped - since) * 1000:.0f} ms")
    calls = len(starts(camera))
    time.sleep(2.5)  # longer than any pause before it would be sounded again
    assert len(starts(camera)) == calls or not camera.siren_on
    return stopped - since


def test_without_the_broker_the_watch_task_sounds_and_silences_by_itself(
    tmp_path: Path, broker: Broker, model_dir: Path, grey: Path
) -> None:
    camera = SimulatedTapo(user="operator", password=PASSWORD, clip=grey, latency_seconds=LATENCY)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker.url, sqlite, model_dir, [camera]) as cluster:
        cluster.manage("shell", "--no-imports", "-c", CAMERA.format(port=camera.control_port))
        cluster.foreseen = BROKER_AWAY
        with ringing(cluster) as ringer:
            ringer.say("learn", 1)
            broker.kill()
            episode = uuid4()
            at = ringer.say("wanted", 1, episode)
            assert sounds_within(camera, at, 5, "broker killed, nobody logged in") < 2.0
            at = ringer.say("unwanted", 1, episode)
            assert silent_within(camera, at, 5, "broker killed") < 1.0
            episode = uuid4()
            at = ringer.say("wanted", 1, episode)
            assert sounds_within(camera, at, 5, "broker killed, session warm") < 0.5
            at = ringer.say("unwanted", 1, episode)
            assert silent_within(camera, at, 5, "broker killed") < 1.0
            ringer.say("wanted", 1, uuid4())
            wait_until(lambda: camera.siren_on, "it sounds")
            at = time.monotonic()
            ringer.leave()
            assert silent_within(camera, at, 5, "the process that sounds it ends") < 3.0
    assert camera.logins == 1


def test_without_the_database_the_siren_sounds_and_is_silenced_and_the_books_follow(
    tmp_path: Path, broker: Broker, postgres_url: str, model_dir: Path, grey: Path
) -> None:
    camera = SimulatedTapo(user="operator", password=PASSWORD, clip=grey, latency_seconds=LATENCY)
    with (
        PostgresGate(postgres_url) as gate,
        Cluster(tmp_path, broker.url, gate.url, model_dir, [camera]) as cluster,
    ):
        cluster.manage("shell", "--no-imports", "-c", CAMERA.format(port=camera.control_port))
        cluster.foreseen = DATABASE_AWAY
        cluster.start_beat()
        with ringing(cluster) as ringer:
            for fault in (gate.cut, gate.freeze):
                name = f"database {fault.__name__}"
                logins = camera.logins
                cluster.start_worker(f"alarms-{fault.__name__}", ALARMS)
                ringer.say("learn", 1)
                wait_until(partial(has_more_logins, camera, logins), "the session is warm", 30)
                fault()
                for number in range(2):
                    if number:
                        time.sleep(4)  # every sweep and ping waits for the database by now
                    episode = uuid4()
                    at = ringer.say("wanted", 1, episode)
                    assert sounds_within(camera, at, 5, name) < 0.5
                    at = ringer.say("unwanted", 1, episode)
                    assert silent_within(camera, at, 5, name) < 1.5
                cluster.processes.kill(f"alarms-{fault.__name__}")
                name += ", alarms worker killed"
                episode = uuid4()
                at = ringer.say("wanted", 1, episode)
                assert sounds_within(camera, at, 8, name) < 3.0
                at = ringer.say("unwanted", 1, episode)
                assert silent_within(camera, at, 5, name) < 3.0
                gate.open()
                back = time.monotonic()
                wait_until(partial(is_written_silent, cluster, episode), "the books", 20)
                print(f"{name}: books written {time.monotonic() - back:.1f} s after its return")


def has_more_logins(camera: SimulatedTapo, logins: int) -> bool:
    return camera.logins > logins


def is_written_silent(cluster: Cluster, episode: UUID) -> bool:
    rows = cluster.rows("SELECT * FROM integrations_siren WHERE episode_id = %s", episode)
    return bool(rows and rows[0]["silent_at"])


def test_no_restart_loop_logs_in_at_a_camera_that_is_locked_out(
    tmp_path: Path, broker: Broker, model_dir: Path, grey: Path
) -> None:
    camera = SimulatedTapo(user="operator", password=PASSWORD, clip=grey)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker.url, sqlite, model_dir, [camera]) as cluster:
        cluster.manage("shell", "--no-imports", "-c", CAMERA.format(port=camera.control_port))
        camera.lock_out(1200)
        cluster.start_beat()
        closed = "SELECT * FROM integrations_siren WHERE logins_closed_until IS NOT NULL"
        asked = 0
        for life in range(3):
            name = f"alarms-{life}"
            cluster.start_worker(name, ALARMS)
            log = cluster.processes.named(name).log
            wait_until(partial(speaks_of, log, "may not work"), "the camera was to be warmed", 40)
            wait_until(lambda: cluster.rows(closed), "the cool-down is written")
            if not life:
                asked = camera.failed_logins
            cluster.processes.kill(name)
        print(f"locked out: {asked} login requests in the first life, then none in two restarts")
        assert asked > 0
        assert (camera.logins, camera.failed_logins) == (0, asked)


def speaks_of(log: Path, words: str) -> bool:
    return words in log.read_text(errors="replace")
