"""From which confidence on a suspicion counts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which confidence (0..100) a type of crime alerts, and is sure."""

    alert: float
    crime: float
