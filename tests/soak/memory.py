"""Memory stays flat: how much each process that lived long grew after its warm-up."""

from collections.abc import Sequence
from statistics import median

from tests.soak.parts import RssReading

WARM_UP_SECONDS = 60.0
LONG_LIVED_SECONDS = 180.0
MARK_READINGS = 5


def growth(readings: Sequence[RssReading]) -> dict[str, float]:
    """Per cent from the warm-up mark to the end, for each process that lived long enough."""
    grown = {}
    for process in {reading.process for reading in readings}:
        own = sorted((r for r in readings if r.process == process), key=lambda r: r.at)
        warm = [r.kilobytes for r in own if r.at >= own[0].at + WARM_UP_SECONDS]
        lived = own[-1].at - own[0].at
        if lived < LONG_LIVED_SECONDS or len(warm) < 2 * MARK_READINGS:
            continue
        mark, end = median(warm[:MARK_READINGS]), median(warm[-MARK_READINGS:])
        grown[process] = (end - mark) / mark * 100
    return grown
