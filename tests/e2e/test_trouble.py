"""One camera's or the back end's trouble: named, visible, mended by itself, and nobody else's."""

from pathlib import Path

import pytest

from simulators.tapo import SimulatedTapo, prepare_clip
from tests.e2e.cluster import Cluster
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def test_each_camera_in_trouble_says_why_while_the_others_go_on(
    tmp_path: Path, broker_url: str, model_dir: Path, scene: Path
) -> None:
    small = prepare_clip(scene, tmp_path / "small.mp4", width=320, height=180)
    names = ("good", "refuses", "other-password", "no-key-frame", "freezes", "resizes")
    cameras = [
        SimulatedTapo(user="operator", password=f"password-of-{name}", clip=scene, name=name)
        for name in names
    ]
    _, refusing, locked, keyless, freezing, resizing = cameras
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, sqlite, model_dir, cameras) as cluster:
        cluster.settings |= {"RETRY_AFTER": "3", "MAX_READ_FAILURES": "4", "READ_TIMEOUT": "3"}
        refusing.refuse_rtsp()
        locked.change_password("another one")
        keyless.suppress_key_frames()
        cluster.start()
        for number in (1, 5, 6):
            cluster.wait_for_state(number, "running", seconds=40)
        cluster.wait_for_state(2, "error", "refused")
        cluster.wait_for_state(3, "error", "auth_failed")
        cluster.wait_for_state(4, "error", "no_video")

        freezing.freeze()
        resizing.switch_clip(small)
        cluster.wait_for_state(5, "error", "timed_out", seconds=20)
        freezing.unfreeze()
        cluster.wait_for_state(5, "running")
        cluster.wait_for_state(6, "running")

        wait_until(lambda: 2 not in cluster.backend.claims, "the refusing camera is released")
        refusing.accept_rtsp()
        cluster.wait_for_state(2, "running", seconds=30)

        cluster.wait_for_state(1, "running")
        claim = cluster.rows(
            "SELECT frames_sampled, frames_analysed, frames_skipped FROM detection_claim c "
            "JOIN detection_camera k ON k.id = c.camera_id WHERE k.external_id = 1"
        )[0]
        assert claim["frames_analysed"] > claim["frames_skipped"]
        written = cluster.everything_written()
        for camera in cameras:
            assert camera.password not in written


def test_a_back_end_in_trouble_is_named_and_used_again_when_it_recovers(
    tmp_path: Path, broker_url: str, model_dir: Path, scene: Path
) -> None:
    camera = SimulatedTapo(user="operator", password="password-of-one", clip=scene)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(
        tmp_path, broker_url, sqlite, model_dir, [camera], api_key="not-the-right-key"
    ) as cluster:
        cluster.start()

        def log(text: str) -> bool:
            return text in cluster.everything_written()

        wait_until(lambda: log("refuses the API key (401): check MODEL_API_KEY"), "key refused", 40)
        assert "not-the-right-key" not in cluster.everything_written()
        cluster.processes.stop_all()

        cluster.api_key = "the-api-key-of-this-test"
        cluster.backend.fault("not_json", "/cameras")
        cluster.start()
        wait_until(lambda: log("but not as the contract says"), "malformed answer named", 40)
        cluster.backend.clear_faults()
        cluster.backend.stop()
        wait_until(lambda: log("cannot reach the back end"), "a back end that is down is named", 30)
        cluster.backend.start()
        cluster.wait_for_state(1, "running", seconds=40)
        cluster.processes.check()


def test_weights_with_a_wrong_digest_are_refused_and_the_cameras_say_so(
    tmp_path: Path, broker_url: str, scene: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "yolo26n.pt").write_bytes(b"not the weights")
    camera = SimulatedTapo(user="operator", password="password-of-one", clip=scene)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, sqlite, models, [camera]) as cluster:
        cluster.start()
        cluster.wait_for_state(1, "error", "not_analysed", seconds=60)
        reason = cluster.state_of(1)[1]
        assert "yolo26n.pt is not the official" in reason and "Delete it" in reason
        assert cluster.backend.calls_to("/heartbeat") == [], "a camera nobody analyses is unwatched"


def test_flower_runs_behind_its_password_and_refuses_to_run_without(
    tmp_path: Path, broker_url: str, model_dir: Path
) -> None:
    import requests

    from simulators.demo.processes import answers, free_port
    from tests.e2e.cluster import CELERY

    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    port = free_port()
    with Cluster(tmp_path, broker_url, sqlite, model_dir) as cluster:
        open_flower = cluster.processes.start(
            "open-flower", [*CELERY, "flower"], cluster.environment
        )
        assert open_flower.process.wait(30) != 0
        assert "set FLOWER_BASIC_AUTH" in open_flower.tail()
        cluster.processes.forget("open-flower")

        # As operators set it: in the file, which Flower itself knows nothing of.
        env_file = tmp_path / "env"
        env_file.write_text(f"FLOWER_PORT={port}\nFLOWER_BASIC_AUTH=crimeops:open sesame\n")
        cluster.settings["CRIMEOPS_ENV_FILE"] = str(env_file)
        flower = cluster.processes.start("flower", [*CELERY, "flower"], cluster.environment)
        wait_until(lambda: answers(port), "Flower listens", 30)
        page = f"http://127.0.0.1:{port}/flower/"
        for path in ("", "tasks", "workers", "api/workers"):
            assert requests.get(page + path, timeout=5).status_code == 401
        assert requests.get(page, auth=("crimeops", "open sesame"), timeout=5).status_code == 200
        assert "http://127.0.0.1" in flower.log.read_text()
        assert not answers(port, "127.0.0.2"), "it listens on its own address only"
