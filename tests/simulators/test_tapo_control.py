"""The simulated control port, judged by the client that real cameras are driven with."""

import gc
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from pytapo import Tapo

from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.clips import grey_clip

pytestmark = [
    pytest.mark.enable_socket,
    # A camera's certificate is self-signed, so pytapo does not verify it and urllib3 complains.
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    # pytapo closes neither its HTTP session nor its event loop.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
PASSWORD = "Correct horse 1!"


@pytest.fixture(autouse=True)
def _clients_are_collected_where_their_warnings_are_expected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grey_clip(tmp_path_factory.mktemp("clip") / "grey.mp4", pictures=15)


@pytest.fixture(scope="module")
def clip(clip_path: Path) -> Clip:
    return load_clip(clip_path)


@pytest.fixture
def camera(clip: Clip) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as simulated:
        yield simulated


def log_in(camera: SimulatedTapo, password: str = PASSWORD) -> Any:
    """A client without the probes, as the product makes it."""
    return Tapo(
        camera.host,
        "admin",
        password,
        cloudPassword="",
        controlPort=camera.control_port,
        isKLAP=False,
        transportMethod="pytapo",
    )


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_pytapo_logs_in_without_its_probes(camera: SimulatedTapo) -> None:
    client = log_in(camera)

    assert client.getBasicInfo()["device_info"]["basic_info"]["device_type"] == "SMART.IPCAMERA"
    assert (camera.logins, camera.failed_logins) == (1, 0)


def test_pytapo_finds_out_by_its_own_probes_how_to_log_in(camera: SimulatedTapo) -> None:
    client = Tapo(camera.host, "admin", PASSWORD, controlPort=camera.control_port)

    assert client.isKLAP is False
    assert client.transport.method == "pytapo"
    assert (camera.logins, camera.failed_logins) == (1, 0)


def test_an_older_camera_that_hashes_passwords_with_md5_works_too(clip: Clip) -> None:
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip, password_hash="md5") as camera:
        assert log_in(camera).getEncryptionMethod() == "md5"


def test_the_manual_alarm_turns_the_siren_on_and_off_and_is_recorded(
    camera: SimulatedTapo,
) -> None:
    client = log_in(camera)
    before = time.time()

    client.startManualAlarm()
    sounded = camera.siren_on
    client.stopManualAlarm()

    assert sounded
    assert not camera.siren_on
    assert [(call.action, call.method) for call in camera.siren_calls] == [
        ("start", "manual_msg_alarm"),
        ("stop", "manual_msg_alarm"),
    ]
    assert before <= camera.siren_calls[0].at <= camera.siren_calls[1].at <= time.time()
    assert camera.siren_calls[0].monotonic < camera.siren_calls[1].monotonic


def test_the_siren_status_can_be_set_and_read(camera: SimulatedTapo) -> None:
    client = log_in(camera)

    client.setSirenStatus(True)

    assert client.getHubSirenStatus()["status"] == "on"
    client.setSirenStatus(False)
    assert client.getHubSirenStatus()["status"] == "off"
    assert [call.method for call in camera.siren_calls] == ["setSirenStatus", "setSirenStatus"]


def test_the_alarm_settings_can_be_read(camera: SimulatedTapo) -> None:
    client = log_in(camera)

    assert client.getAlarm()["alarm_mode"] == ["sound"]
    assert client.getAlarmConfig()[4]["result"]["status"] == "off"


def test_the_siren_falls_silent_by_itself_where_the_firmware_does_so(
    camera: SimulatedTapo,
) -> None:
    camera.siren_seconds = 0.2
    client = log_in(camera)

    client.startManualAlarm()

    assert camera.siren_on
    wait_until(lambda: not camera.siren_on)
    assert [call.action for call in camera.siren_calls] == ["start"]


def test_firmware_without_manual_alarm_raises_and_the_siren_status_still_works(
    camera: SimulatedTapo,
) -> None:
    camera.manual_alarm_supported = False
    client = log_in(camera)

    with pytest.raises(Exception, match="UNSUPPORTED_METHOD"):
        client.startManualAlarm()

    assert not camera.siren_on
    client.setSirenStatus(True)
    assert camera.siren_on


def test_firmware_without_siren_status_raises(camera: SimulatedTapo) -> None:
    camera.siren_status_supported = False
    client = log_in(camera)

    with pytest.raises(Exception, match="METHOD_DO_NOT_EXIST"):
        client.setSirenStatus(True)

    assert camera.siren_calls == []


def test_a_wrong_password_is_invalid_authentication_data(camera: SimulatedTapo) -> None:
    with pytest.raises(Exception, match="Invalid authentication data"):
        log_in(camera, "wrong")

    assert camera.logins == 0
    # One probe, and the login which pytapo tries twice.
    assert camera.failed_logins == 3


def test_too_many_wrong_logins_suspend_the_right_password_too(camera: SimulatedTapo) -> None:
    camera.lock_out_after = 3
    with pytest.raises(Exception, match="Invalid authentication data"):
        log_in(camera, "wrong")

    with pytest.raises(Exception, match=r"Temporary Suspension: Try again in 1800 seconds"):
        log_in(camera)

    assert 1700 < camera.locked_out_seconds <= 1800


def test_a_suspension_ends_after_its_time(camera: SimulatedTapo) -> None:
    camera.lock_out(0.3)
    with pytest.raises(Exception, match="Temporary Suspension: Try again in 1 seconds"):
        log_in(camera)

    wait_until(lambda: camera.locked_out_seconds == 0)

    log_in(camera)
    assert camera.logins == 1


def test_a_suspension_leaves_sessions_that_are_open_alone(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.lock_out(60)

    client.startManualAlarm()

    assert camera.siren_on


def test_an_expired_session_is_renewed_by_a_second_login(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.expire_sessions()

    client.startManualAlarm()

    assert camera.logins == 2
    assert len(camera.siren_calls) == 1


def test_a_session_expires_by_itself(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.session_seconds = 0.0

    with pytest.raises(Exception, match="Invalid stok value"):
        client.startManualAlarm()

    assert camera.siren_calls == []


def test_a_changed_password_refuses_the_next_login(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.change_password("new")

    client.startManualAlarm()
    with pytest.raises(Exception, match="Invalid authentication data"):
        log_in(camera)

    log_in(camera, "new")
    assert camera.logins == 2


def test_a_connection_dropped_while_waiting_is_made_anew_by_pytapo(
    camera: SimulatedTapo,
) -> None:
    client = log_in(camera)
    camera.latency_seconds = 2.0
    thread = threading.Thread(target=client.startManualAlarm)
    thread.start()
    wait_until(lambda: len(camera.siren_calls) == 1)

    camera.latency_seconds = 0.0
    camera.drop_connections()
    thread.join(5)

    assert not thread.is_alive()
    # The first request had arrived: a siren call may be repeated, and must bear it.
    assert len(camera.siren_calls) == 2


def test_the_camera_acts_at_once_and_answers_after_its_latency(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.latency_seconds = 0.2
    before = time.monotonic()

    client.startManualAlarm()

    assert time.monotonic() - before >= 0.2
    assert camera.siren_calls[0].monotonic - before < 0.15


def test_an_injected_error_does_nothing_and_pytapo_tries_again(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    camera.fail_next()

    client.startManualAlarm()

    assert len(camera.siren_calls) == 1


def test_a_closed_control_port_refuses_and_opens_again_on_the_same_port(
    camera: SimulatedTapo,
) -> None:
    port = camera.control_port
    camera.refuse_control()
    with pytest.raises(OSError, match="refused"):
        log_in(camera)

    camera.accept_control()

    assert camera.control_port == port
    log_in(camera)


def test_another_client_switches_the_siren_while_the_port_is_open_and_the_password_right(
    camera: SimulatedTapo,
) -> None:
    camera.switch_siren("start", PASSWORD)
    assert camera.siren_on
    with pytest.raises(ConnectionError):
        camera.switch_siren("stop", "another")
    camera.refuse_control()
    with pytest.raises(ConnectionError):
        camera.switch_siren("stop", PASSWORD)
    assert camera.siren_on

    camera.accept_control()
    camera.switch_siren("stop", PASSWORD)
    assert not camera.siren_on


def test_a_request_with_a_wrong_tag_is_refused(camera: SimulatedTapo) -> None:
    client = log_in(camera)
    client.transport.cnonce = "0" * 16
    client.transport.retryStok = False

    # pytapo takes the refusal for a lost session and logs in once more.
    client.startManualAlarm()

    assert camera.logins == 2
    assert len(camera.siren_calls) == 1


def test_the_program_serves_the_cameras_of_a_file_until_it_is_told_to_end(
    tmp_path: Path, clip_path: Path
) -> None:
    common = {"user": "admin", "clip": str(clip_path)}
    config = tmp_path / "cameras.json"
    config.write_text(
        json.dumps(
            [
                {**common, "name": "yard", "password_env": "YARD_PASSWORD", "siren_seconds": 3},
                {**common, "name": "gate", "password": PASSWORD},
            ]
        )
    )
    program = subprocess.Popen(
        [sys.executable, "-m", "simulators.tapo", "--config", str(config), "--status-port", "0"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "YARD_PASSWORD": PASSWORD},
        text=True,
    )
    try:
        lines = _lines(program)
        events = [json.loads(lines.get(timeout=10)) for _ in range(3)]
        yard, gate, status = events
        client = Tapo(
            yard["host"],
            "admin",
            PASSWORD,
            controlPort=yard["control_port"],
            isKLAP=False,
            transportMethod="pytapo",
        )
        client.startManualAlarm()
        siren = json.loads(lines.get(timeout=10))
        with urlopen(f"http://{status['host']}:{status['port']}/state", timeout=5) as answer:
            state = json.load(answer)
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=3) == 0
    finally:
        program.kill()
        program.wait()

    assert [event["event"] for event in events] == ["ready", "ready", "status"]
    assert (yard["name"], gate["name"]) == ("yard", "gate")
    assert (siren["event"], siren["name"], siren["action"]) == ("siren", "yard", "start")
    assert siren["at"] == state[0]["siren_calls"][0]["at"]
    assert [one["siren_on"] for one in state] == [True, False]
    assert PASSWORD not in json.dumps([events, siren, state])


def test_the_program_says_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    config = tmp_path / "cameras.json"
    config.write_text('[{"user": "admin", "clip": "a.mp4", "pasword": "typo"}]')

    program = subprocess.run(
        [sys.executable, "-m", "simulators.tapo", "--config", str(config)],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=20,
    )

    assert program.returncode == 2
    assert "unknown settings pasword" in program.stderr


def _lines(program: "subprocess.Popen[str]") -> "queue.Queue[str]":
    """Read on a thread, so that a program which says nothing fails the test, not hangs it."""
    lines: queue.Queue[str] = queue.Queue()
    assert program.stdout is not None
    stdout = program.stdout

    def read() -> None:
        with stdout:
            for line in stdout:
                lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines
