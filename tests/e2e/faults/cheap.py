"""Cameras that cost next to nothing, where their pictures do not matter."""

from pathlib import Path

from simulators.tapo import SimulatedTapo, prepare_clip
from simulators.tapo.clip import load_clip
from tests.clips import grey_clip

FRAMES_PER_SECOND = 3
# Every frame is analysed, so that a camera is known to be watched within a second.
SETTINGS = {"FRAME_SKIP": "1"}


def cheap_cameras(folder: Path, count: int) -> list[SimulatedTapo]:
    """Grey pictures of 64×48 pixels, three a second, from one clip in memory."""
    grey = grey_clip(folder / "grey-15.mp4", pictures=60)
    small = prepare_clip(grey, folder / "grey.mp4", width=64, height=48, fps=FRAMES_PER_SECOND)
    clip = load_clip(small)
    return [
        SimulatedTapo(user="operator", password=f"password-{number}", clip=clip, name=f"c{number}")
        for number in range(1, count + 1)
    ]
