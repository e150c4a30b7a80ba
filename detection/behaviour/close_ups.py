"""Cutting close-ups out of what was seen."""

from collections.abc import Sequence

import numpy as np

from detection.behaviour.regions import Crop, Region, regions_of
from detection.behaviour.sights import Boxes, Sight, thinned
from detection.domain.close_ups import CloseUp
from detection.domain.geometry import Box


def close_ups_of(sights: Sequence[Sight]) -> list[CloseUp]:
    """Of each place where people were near each other in this window, the longest-lasting first."""
    window = thinned(sights)
    return [close_up_of(window, region) for region in regions_of(window)]


def close_up_of(window: Sequence[Sight], region: Region) -> CloseUp:
    crop = Crop.around(region)
    height, width = window[0].grey.shape
    x1, y1, x2, y2 = (float(value) for value in region.box)
    left, top, right, bottom = crop.square
    return CloseUp(
        place=Box(x1 / width, y1 / height, x2 / width, y2 / height),
        square=Box(left / width, top / height, right / width, bottom / height),
        times=tuple(sight.at for sight in window),
        crops=np.stack([crop.cut(sight.grey) for sight in window]),
        people=tuple(
            crop.inside(_members(window, region, number)) for number in range(len(window))
        ),
    )


def _members(window: Sequence[Sight], region: Region, number: int) -> Boxes:
    return window[number].boxes[[m.box for m in region.members if m.sight == number]]
