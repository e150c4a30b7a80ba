"""How the picture of people near each other changes, seen by a pose network.

The layers of a network that knows bodies answer weakly to a flickering lamp and strongly to a limb
that is elsewhere than before. What changes between two looks at one place is compared channel by
channel; where in the crop it happens is left out, so that the direction of a blow does not matter.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Maps = Sequence[NDArray[np.float32]]  # one (channels, height, width) for each layer

LAYER_CHANNELS: Final = (128, 128, 256)
"""Of the layers that are looked at: those of yolo11n-pose at strides 8, 16 and 32."""

SHORT_SECONDS: Final = 0.2
LONG_SECONDS: Final = 0.4
STRONGEST_SHARE: Final = 16  # one cell in so many
SMALLEST: Final = 1e-3  # under the logarithm
MOTION_FEATURES: Final = 2 * sum(LAYER_CHANNELS)


def motion_features(looks: Sequence[Maps], times: Sequence[float]) -> NDArray[np.float32]:
    """How much each channel changed over 0.2 s and 0.4 s, as logarithms.

    `looks` are two or more of one place, `times` their seconds in rising order.
    """
    values: list[NDArray[np.float32]] = []
    for layer in range(len(looks[0])):
        maps = np.stack([look[layer] for look in looks])
        short = _change(maps, times, SHORT_SECONDS)
        strongest = np.sort(short, axis=1)[:, -max(1, short.shape[1] // STRONGEST_SHARE) :]
        values += [strongest.mean(axis=1), _change(maps, times, LONG_SECONDS).max(axis=1)]
    return np.asarray(np.log(np.concatenate(values) + SMALLEST), np.float32)


def _change(
    maps: NDArray[np.float32], times: Sequence[float], seconds: float
) -> NDArray[np.float32]:
    """(channels, cells): the mean difference from the look about `seconds` before."""
    differences = [
        np.abs(maps[now] - maps[before]) for now, before in earlier_looks(times, seconds)
    ]
    mean = np.mean(differences, axis=0)
    return np.asarray(mean.reshape(len(mean), -1), np.float32)


def earlier_looks(times: Sequence[float], seconds: float) -> list[tuple[int, int]]:
    """For each look its own number and that of the one nearest to so many seconds before.

    A look without one even half as long before is left out, unless none has.
    """
    pairs = [
        (now, min(range(now), key=lambda before: abs(times[now] - times[before] - seconds)))
        for now in range(1, len(times))
    ]
    long = [pair for pair in pairs if times[pair[0]] - times[pair[1]] > seconds * 0.6]
    return long or pairs
