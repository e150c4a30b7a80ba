"""Five hundred broken connections leave no memory, file or thread behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.tapo import SimulatedTapo, load_clip, prepare_clip, serve
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

CAMERAS = 8
WARM_UP, RECONNECTS = 150, 500


class Reader:
    """The process that reads, and what it says of itself."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def figures(self) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told


@contextmanager
def reading(addresses: list[str]) -> Iterator[Reader]:
    command = [sys.executable, "-m", "tests.e2e.faults.reconnecting"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(addresses) + "\n\n")
    process.stdin.flush()
    try:
        yield Reader(process)
    finally:
        process.kill()
        process.wait(10)
        process.stdin.close()
        assert process.stdout is not None
        process.stdout.close()


def test_memory_files_and_threads_stay_flat_over_five_hundred_reconnects(
    tmp_path: Path, scene: Path
) -> None:
    clip = load_clip(
        prepare_clip(scene, tmp_path / "small.mp4", width=320, height=180, gop_seconds=0.2)
    )
    cameras = [
        SimulatedTapo(user="a", password="b", clip=clip, name=f"camera-{n}") for n in range(CAMERAS)
    ]
    with serve(*cameras), reading([camera.rtsp_url for camera in cameras]) as reader:
        decoded = [0] * CAMERAS

        def after(connections: int) -> dict[str, Any]:
            """Hang up on each reader as soon as it has got a picture, so often in all."""
            told = reader.figures()
            while told["connections"] < connections:
                for number, camera in enumerate(cameras):
                    if told["decoded"][number] > decoded[number]:
                        decoded[number] = told["decoded"][number]
                        camera.drop_clients()
                time.sleep(0.02)
                told = reader.figures()
            return told

        before = after(WARM_UP)
        end = after(WARM_UP + RECONNECTS)
        growth = end["resident"] / before["resident"] - 1
        print(
            f"{end['connections'] - before['connections']:.0f} reconnects: resident memory "
            f"{growth:+.1%}, files {before['descriptors']:.0f} → {end['descriptors']:.0f}, "
            f"threads {before['threads']:.0f} → {end['threads']:.0f}"
        )
        assert growth < 0.05
        assert end["descriptors"] <= before["descriptors"] + CAMERAS
        assert end["threads"] == before["threads"] == CAMERAS + 1
