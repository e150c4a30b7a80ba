"""What the simulated cameras show, and so what the back end must be told: the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from simulators.demo.stage import built_in_clip
from simulators.scene import STORY
from simulators.tapo import Clip, load_clip, prepare_clip
from simulators.tapo.rtp import CLOCK_RATE

BEGINS_AT = 3.0  # of the rendered scene: nobody is in the picture yet
STANDS = (11.0, 13.0)  # the person stands still in the zone: this may be repeated
STANDS_AGAIN = 7
CALM_SECONDS = 30.0  # of an empty yard, added to every other camera's loop


@dataclass(frozen=True)
class Story:
    """A clip that is repeated; a person is in the zone from `enters` to `leaves`, or never."""

    name: str
    clip: Clip
    enters: float | None = None
    leaves: float = 0.0

    @property
    def seconds(self) -> float:
        return self.clip.duration / CLOCK_RATE


@dataclass(frozen=True, slots=True)
class Reel:
    """From when a camera showed a story from its beginning, until it showed another."""

    story: Story
    started_at: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A person's way through the zone; `whole` unless the film was changed meanwhile."""

    camera_id: int
    enters_at: float
    leaves_at: float
    whole: bool


def passages(camera_id: int, reels: Sequence[Reel], until: float) -> list[Passage]:
    """Every passage that a camera has shown, by its own clock."""
    found = []
    ends = [reel.started_at for reel in reels[1:]] + [until]
    for reel, end in zip(reels, ends, strict=True):
        if reel.story.enters is None:
            continue
        lap = reel.started_at
        while lap + reel.story.enters < end:
            leaves_at = lap + reel.story.leaves
            found.append(
                Passage(
                    camera_id, lap + reel.story.enters, min(leaves_at, end), whole=leaves_at <= end
                )
            )
            lap += reel.story.seconds
    return found


@dataclass(frozen=True)
class Repertoire:
    """All that the cameras may show."""

    busy: Story
    calm: Story
    small: Story
    empty: Story
    black: Story

    @classmethod
    def prepare(cls, folder: Path) -> "Repertoire":
        """Render what is not there yet; kept in `folder` for the next run."""
        scene = built_in_clip(folder, lambda _: None)
        small = scene.with_name(f"small-{scene.name}")
        if not small.exists():
            unfinished = small.with_suffix(".part.mp4")
            prepare_clip(scene, unfinished, width=320, height=180).rename(small)
        black = folder / "clips" / "black.mp4"
        if not black.exists():
            _render_black(black)
        whole = load_clip(scene)
        yard = _part(whole, 0.0, BEGINS_AT)
        return cls(
            busy=_told("busy", whole),
            calm=_told("calm", whole, yard, round(CALM_SECONDS / BEGINS_AT)),
            small=_told("small", load_clip(small)),
            empty=Story("empty", yard),
            black=Story("black", load_clip(black)),
        )


def _told(name: str, scene: Clip, yard: Clip | None = None, times: int = 0) -> Story:
    stands, ends = STANDS, scene.duration / CLOCK_RATE
    standing = [_part(scene, *stands)] * STANDS_AGAIN
    parts = [_part(scene, BEGINS_AT, stands[1]), *standing, _part(scene, stands[1], ends)]
    clip = _joined([*parts, *([yard] * times if yard else [])])
    added = STANDS_AGAIN * (stands[1] - stands[0])
    return Story(
        name, clip, STORY["enters_zone"] - BEGINS_AT, STORY["leaves_zone"] - BEGINS_AT + added
    )


def _part(clip: Clip, start: float, end: float) -> Clip:
    """The pictures of some seconds; the first must be a key frame."""
    first, last = round(start * CLOCK_RATE), round(end * CLOCK_RATE)
    units = [
        replace(unit, position=unit.position - first)
        for unit in clip.units
        if first <= unit.position < last
    ]
    assert units[0].key
    return replace(clip, units=tuple(units), duration=last - first)


def _joined(parts: Sequence[Clip]) -> Clip:
    units, at = [], 0
    for part in parts:
        units += [replace(unit, position=unit.position + at) for unit in part.units]
        at += part.duration
    return replace(parts[0], units=tuple(units), duration=at)


def _render_black(path: Path) -> None:
    options = {"profile": "baseline", "tune": "zerolatency"}
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=15, options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(30):
            picture = av.VideoFrame.from_ndarray(np.zeros((360, 640), np.uint8), format="gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 15)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    unfinished.rename(path)
