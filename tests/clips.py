"""Small clips for cameras whose picture does not matter."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def grey_clip(path: Path, *, pictures: int, level: int = 100) -> Path:
    """Write H.264 of 64×48 grey pixels at 15 frames a second; level 0 is black."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"profile": "baseline"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(pictures):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64), level, np.uint8), format="gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 15)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
