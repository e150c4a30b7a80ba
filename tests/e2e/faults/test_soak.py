"""A short soak with a fixed schedule: what `make soak` does for half an hour."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# Alarms and the broker are killed, the database is cut in an alarm, a camera locks logins, and the
# back end loses its answers and takes a camera back.
SEED = 419


def test_a_short_soak_keeps_every_promise(tmp_path: Path, model_dir: Path) -> None:
    folder = tmp_path / "soak"
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.6", "--cameras", "3"]
    command += ["--seed", str(SEED), "--calm", "10"]
    command += ["--folder", str(folder), "--models", str(model_dir)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=220, check=False
    )
    print(done.stdout, done.stderr)
    line = done.stdout.strip().splitlines()[-1]
    assert line.startswith("lost=0 duplicated=0 sirens_left_on=0 uncovered_s=")
    assert done.returncode == 0

    report = json.loads((folder / "report.json").read_text())
    assert report["settled"] and len(report["faults"]) >= 5
    outcomes = [passage["outcome"] for passage in report["passages"]]
    assert "told" in outcomes, "a soak in which nobody was seen proves nothing"
    told = re.findall(r"(\d+) (alerts|crimes|stops)", report["figures"]["told"])
    assert all(int(count) > 0 for count, _ in told)
