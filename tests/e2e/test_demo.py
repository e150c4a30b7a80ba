"""`make demo` as a newcomer meets it, ended by Ctrl-C in the middle of an episode."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crimeops import envfile
from tests.conftest import REPOSITORY
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def test_ctrl_c_in_an_episode_ends_the_demo_cleanly_and_loses_nothing(
    tmp_path: Path, rendered_scene: Path
) -> None:
    clips = tmp_path / "state" / "clips"
    shutil.copytree(rendered_scene.parent, clips)
    settings = tmp_path / "env"
    envfile.write_new(settings)
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
    output = tmp_path / "output"
    with output.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "simulators.demo", "--state", str(tmp_path / "state")],
            cwd=REPOSITORY,
            env=kept | {"CRIMEOPS_ENV_FILE": str(settings), "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:

        def said(text: str) -> bool:
            assert demo.poll() is None, output.read_text()
            return text in output.read_text()

        wait_until(lambda: said("Up after"), "the demo is up", 60)
        wait_until(lambda: said("CRIME trespassing"), "a crime is reported", 60)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(25) == 0
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(30)
    text = output.read_text()
    assert "Yard camera 1 released" in text
    assert "siren off" in text
    summary = re.fullmatch(
        r"claimed=1 alerts=(\d+) crimes=1 stops=1 siren_p95_ms=(\d+) lost=0",
        text.splitlines()[-1],
    )
    assert summary, text
    assert int(summary[1]) >= 1
    assert int(summary[2]) < 2000
