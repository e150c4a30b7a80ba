"""What a replay shows of each episode, for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from detection.domain.courses import Change
from detection.models import Episode, Verdict
from detection.replaying import Replayed


@dataclass(frozen=True, slots=True)
class Line:
    """An episode and what would become of it; `fault` where its recording cannot be read."""

    episode: Episode
    replayed: Replayed | None
    fault: str = ""

    @property
    def change(self) -> str:
        return self.replayed.difference.change.value if self.replayed else "unreadable"


def is_lost(line: Line, verdict: Verdict) -> bool:
    return line.change == Change.LOST and line.episode.verdict == verdict


def told(line: Line) -> str:
    episode = line.episode
    began = timezone.localtime(episode.started_at)
    head = (
        f"{began:%Y-%m-%d %H:%M:%S}  {episode.camera.name}  {episode.get_crime_type_display()}, "
        f"{episode.get_verdict_display().lower()}"
    )
    return f"{head}  ({episode.pk})\n    {'; '.join(_findings(line))}"


def _findings(line: Line) -> list[str]:
    if line.replayed is None:
        return [f"cannot be played again: {line.fault}"]
    difference, as_said = line.replayed.difference, line.replayed.as_said
    found = [difference.change.value.upper()]
    if difference.change is Change.OTHER_TYPE and difference.crime_type:
        found.append(f"now {difference.crime_type.replace('_', ' ')}")
    if difference.change is Change.UNDECIDED:
        found.append("the recording begins too late for the times that these settings name")
    if shift := round(difference.alert_shift_seconds, 1):
        found.append(f"alert {abs(shift):g} s {'later' if shift > 0 else 'earlier'}")
    found += [f"crime gained: {crime.replace('_', ' ')}" for crime in difference.crimes_gained]
    found += [f"crime lost: {crime.replace('_', ' ')}" for crime in difference.crimes_lost]
    if as_said:
        found.append(f"{', '.join(as_said)} taken at its word of then: it needs pictures")
    return found


def counts(lines: Sequence[Line]) -> dict[str, int]:
    return {
        **Counter(line.change for line in lines),
        "dismissed gone (a gain)": sum(is_lost(line, Verdict.DISMISSED) for line in lines),
        "confirmed lost": sum(is_lost(line, Verdict.CONFIRMED) for line in lines),
    }


def as_json(line: Line) -> dict[str, Any]:
    episode = line.episode
    row: dict[str, Any] = {
        "id": str(episode.pk),
        "camera": episode.camera_id,
        "crime_type": episode.crime_type,
        "verdict": episode.verdict,
        "started_at": episode.started_at.isoformat(),
        "change": line.change,
    }
    if line.replayed is None:
        return row | {"fault": line.fault}
    difference = line.replayed.difference
    return row | {
        "now": difference.crime_type,
        "alert_shift_seconds": round(difference.alert_shift_seconds, 3),
        "crimes_gained": list(difference.crimes_gained),
        "crimes_lost": list(difference.crimes_lost),
        "as_said": list(line.replayed.as_said),
    }
