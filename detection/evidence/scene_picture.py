"""A frame of the film of a watched scene: a head that tells the state, the picture, the strip."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detection.domain.episodes import EpisodeState, Thresholds
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.evidence.confidence_strip import ConfidenceStrip
from detection.evidence.drawing import (
    AMBER,
    BOLD,
    INK,
    RED,
    REGULAR,
    TEXT_SIZE,
    WHITE,
    Colour,
    draw_tracks,
    draw_zones,
    scale_of,
    text_width,
    write,
)
from detection.evidence.privacy import hide

_HEAD, _STRIP = 26, 104  # pixels at the usual size
_STATES: Mapping[EpisodeState, tuple[str, Colour, Colour]] = {
    EpisodeState.QUIET: ("QUIET", (44, 41, 38), WHITE),
    EpisodeState.SUSPICIOUS: ("ALERT", AMBER, INK),
    EpisodeState.CONFIRMED: ("CRIME", RED, WHITE),
}


def scene_picture(
    picture: NDArray[np.uint8],
    *,
    tracks: Sequence[Track],
    suspicions: Sequence[Suspicion],
    zones: Sequence[Zone],
    state: EpisodeState,
    strip: ConfidenceStrip,
    thresholds: Thresholds,
    clock: str,
) -> NDArray[np.uint8]:
    """The picture (height, width, 3) BGR with what was seen, between its head and the strip.

    What its privacy zones hide is not in it.
    """
    scale, (height, width) = scale_of(picture), picture.shape[:2]
    head, foot = round(_HEAD * scale / 2) * 2, round(_STRIP * scale / 2) * 2
    canvas = np.empty((head + height + foot, width, 3), np.uint8)
    shown = canvas[head : head + height]
    shown[:] = hide(picture, zones)
    draw_zones(shown, zones)
    draw_tracks(shown, tracks, {i for s in suspicions for i in s.track_ids})
    _draw_head(canvas[:head], scale, state, suspicions, clock)
    canvas[head + height :] = strip.draw((width, foot), scale, thresholds)
    return canvas


def _draw_head(
    head: NDArray[np.uint8],
    scale: float,
    state: EpisodeState,
    suspicions: Sequence[Suspicion],
    clock: str,
) -> None:
    name, ground, ink = _STATES[state]
    head[:] = ground
    size, pad = TEXT_SIZE * scale, round(8 * scale)
    base = head.shape[0] - round(0.6 * size)
    write(head, name, (pad, base), ink, size, BOLD)
    clock_at = head.shape[1] - pad - round(text_width(clock, size, BOLD))
    write(head, clock, (clock_at, base), ink, size, BOLD)
    if suspicions:
        surest = max(suspicions, key=lambda suspicion: suspicion.confidence)
        crime = surest.crime_type.replace("_", " ")
        begins = pad + round(text_width(name, size, BOLD) + 0.8 * size)
        text = f"{crime} {surest.confidence:.0f} %  {surest.reason}"
        write(head, _fitting(text, size, clock_at - begins - pad), (begins, base), ink, size)


def _fitting(text: str, size: float, width: float) -> str:
    """As much of the text as the width has room for."""
    if text_width(text, size, REGULAR) <= width:
        return text
    while text and text_width(f"{text}…", size, REGULAR) > width:
        text = text[:-1]
    return f"{text}…"
