"""Alert thresholds for a budget of false alarms, at the least cost in crimes."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import TypeVar

from detection.calibration.curves import Judged

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rung:
    """A threshold, and the episodes a day that still reach it."""

    threshold: float
    dismissed_per_day: float
    confirmed_per_day: float


def ladder(
    judged: Sequence[Judged], *, days: float, today: float, crime: float, most_lost: float = 1.0
) -> list[Rung]:
    """Today's threshold, and each whole percent above it that a dismissed episode does not reach.

    No rung is at `crime` or above, or loses a larger share of the confirmed than `most_lost`.
    """
    missed = {floor(one.confidence) + 1 for one in judged if not one.is_crime}
    first = _rung(judged, days, today)
    least = (1 - most_lost) * first.confirmed_per_day
    higher = [_rung(judged, days, float(t)) for t in sorted(missed) if today < t < crime]
    return [first, *(rung for rung in higher if rung.confirmed_per_day >= least)]


def within_budget(ladders: Mapping[Key, Sequence[Rung]], budget: float) -> dict[Key, Rung]:
    """A rung of each ladder, so that all together stay within the budget of dismissed a day.

    Raised first is what costs the fewest confirmed episodes for each dismissed one that goes. Where
    even the highest rungs do not do, they are the answer.
    """
    chosen = {key: rungs[0] for key, rungs in ladders.items()}
    while _total(chosen) > budget and (steps := _steps(ladders, chosen)):
        _, _, key, rung = min(steps, key=lambda step: step[:2])
        chosen[key] = rung
    for key, rungs in ladders.items():  # what a later, larger step made needless
        others = _total(chosen) - chosen[key].dismissed_per_day
        enough = (rung for rung in rungs if others + rung.dismissed_per_day <= budget)
        chosen[key] = next(enough, chosen[key])
    return chosen


def _steps(
    ladders: Mapping[Key, Sequence[Rung]], chosen: Mapping[Key, Rung]
) -> list[tuple[float, float, Key, Rung]]:
    """Each step up that there is: its cost, its height, whose and where to."""
    steps = []
    for key, rungs in ladders.items():
        at = chosen[key]
        for rung in rungs:
            gone = at.dismissed_per_day - rung.dismissed_per_day
            if rung.threshold > at.threshold and gone > 0:
                cost = (at.confirmed_per_day - rung.confirmed_per_day) / gone
                steps.append((cost, rung.threshold - at.threshold, key, rung))
    return steps


def _rung(judged: Sequence[Judged], days: float, threshold: float) -> Rung:
    reached = [one.is_crime for one in judged if one.confidence >= threshold]
    crimes = sum(reached)
    return Rung(threshold, (len(reached) - crimes) / days, crimes / days)


def _total(chosen: Mapping[Key, Rung]) -> float:
    return sum(rung.dismissed_per_day for rung in chosen.values())
