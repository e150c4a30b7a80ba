"""`make demo` as a newcomer meets it, ended by Ctrl-C in the middle of an episode."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from rich.console import Console

from crimeops import envfile
from simulators.demo import database
from simulators.demo.__main__ import Interrupted, _ask
from simulators.demo.narrator import Narrator
from simulators.demo.processes import ProcessDied, Processes, free_port
from simulators.demo.stage import Stage
from simulators.laravel import SimulatedCamera
from tests.conftest import REPOSITORY
from tests.e2e.unforeseen import assert_nothing_unforeseen
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


@contextmanager
def a_demo(
    folder: Path, rendered_scene: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[str], bool]]]:
    """The demo's process, and whether it has said something yet."""
    shutil.copytree(rendered_scene.parent, folder / "state" / "clips")
    settings = folder / "env"
    envfile.write_new(settings)
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
    output = folder / "output"
    with output.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "simulators.demo", "--state", str(folder / "state")],
            cwd=REPOSITORY,
            env=kept | {"CRIMEOPS_ENV_FILE": str(settings), "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(text: str) -> bool:
        assert demo.poll() is None, output.read_text()
        return text in output.read_text()

    try:
        yield demo, said
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(30)


def test_ctrl_c_in_an_episode_ends_the_demo_cleanly_and_loses_nothing(
    tmp_path: Path, rendered_scene: Path
) -> None:
    with a_demo(tmp_path, rendered_scene) as (demo, said):
        wait_until(lambda: said("Up after"), "the demo is up", 60)
        wait_until(lambda: said("CRIME trespassing"), "a crime is reported", 60)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(25) == 0
    text = (tmp_path / "output").read_text()
    assert "Yard camera 1 released" in text
    assert "siren off" in text
    state = tmp_path / "state"
    assert_nothing_unforeseen(state / "logs")
    assert len(list((state / "evidence").rglob("clip-*.mp4"))) == 1
    assert not list((state / "spool").iterdir()), "nothing is left in the spool"
    summary = re.fullmatch(
        r"claimed=1 alerts=(\d+) crimes=1 stops=1 siren_p95_ms=(\d+) lost=0",
        text.splitlines()[-1],
    )
    assert summary, text
    assert int(summary[1]) >= 1
    assert int(summary[2]) < 2000


def test_ctrl_c_before_it_is_up_and_again_while_it_ends_leaves_nothing_behind(
    tmp_path: Path, rendered_scene: Path
) -> None:
    state = tmp_path / "state"
    with a_demo(tmp_path, rendered_scene) as (demo, said):
        log = state / "logs" / "streams-gpu.log"
        wait_until(lambda: not said("never said") and log.exists(), "the watching starts", 60)
        demo.send_signal(signal.SIGINT)
        wait_until(lambda: said("Ending"), "it ends", 10)
        demo.send_signal(signal.SIGINT)
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 130
    text = (tmp_path / "output").read_text()
    assert "Traceback" not in text, text
    assert "Up after" not in text
    assert processes_about(state) == []


def processes_about(state: Path) -> list[str]:
    """The command lines of the processes whose settings name the demo's folder (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            if f"sqlite:///{state}/".encode() in environment:
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue  # another user's, or it has just ended
    return found


def test_a_simulator_that_died_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    last_words = "import time; time.sleep(0.3); print('out of memory'); raise SystemExit(3)"
    processes.start("backend", [sys.executable, "-c", last_words], dict(os.environ))
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(ProcessDied, match="backend ended with status 3:\nout of memory"):
        _ask(processes, lambda: requests.get(url, timeout=1))
    processes.stop_all()


def test_a_child_whose_ending_is_cut_short_is_still_ended_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = Processes(tmp_path)
    child = processes.start("worker", ["sleep", "60"], dict(os.environ))

    def cut_short(*_: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr("simulators.demo.processes._end", cut_short)
        with pytest.raises(Interrupted):
            processes.stop("worker")
    assert child.process.poll() is None
    processes.stop_all()
    assert child.process.poll() is not None


def test_brackets_in_names_and_reasons_are_told_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, reason = "[red]Gate[/] :bomb:", "error: [/nonsense]"
    camera = SimulatedCamera(id=1, name=name, ip_address="127.0.0.1", rtsp_url="rtsp://x/")
    scene = Stage(tmp_path, {}, {}, [camera], [], tmp_path, tmp_path, embedded_broker=False)
    output = tmp_path / "output"
    with output.open("w") as file:
        narrator = Narrator(Console(file=file, soft_wrap=True), scene, datetime.now(UTC))
        monkeypatch.setattr(database, "states", lambda: {name: ("error", reason)})
        monkeypatch.setattr(database, "episodes_since", lambda _: [])
        narrator._look_at_states()
        narrator._tell_siren(name, {"action": "start", "at": 1.0})
        narrator._say_sirens()
        body = {"camera_id": 1, "crime_type": "[/x]", "confidence_score": 90.0}
        body |= {"start_time": "2026-02-27T14:28:00Z", "end_time": "2026-02-27T14:32:00Z"}
        for path in ("crime", "alert", "alert/stop", "cameras/1/claim"):
            call = {"path": f"/api/model/{path}", "status": 200, "body": body, "at": 1.0}
            narrator._tell_call(call)
    told = [line.split("  ", 1)[1].rstrip() for line in output.read_text().splitlines()]
    assert told == [
        f"{name} is in error: {reason}",
        f"{name}: siren sounds",
        f" {name}: CRIME [/x] 90 %  from 14:28:00 to 14:32:00 UTC",
        f"{name}: alert 90 % update",
        f"{name}: alert stopped",
        f"{name} claimed",
    ]
