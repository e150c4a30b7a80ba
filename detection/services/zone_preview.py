"""Who would have triggered: the tracks of the last day, judged by zones as they are drawn.

Computed in the web process: the drawing is not kept yet, its officer waits for the answer, and it
ends after `BUDGET_SECONDS`, the newest hours first, so that no worker has to be asked.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from detection.domain.track_log import Sample, TrackLogError, feet_of, read_page
from detection.models import Camera
from detection.rules.setup import CameraSetup
from detection.services.setups import load_setup, rule_types, site_policy
from detection.services.track_logs import contents, pages_since
from detection.services.zone_drafts import Drawing, examine_drafts
from detection.zone_trial import Trial, Trigger, left_out, naming

HOURS: Final = 24
BUDGET_SECONDS: Final = 4.0
STRETCH_SECONDS: Final = 1200.0  # played in one go; a cut between loses what rules remember
GAP_SECONDS: Final = 60.0  # after which nobody of before is there
MOST_POINTS: Final = 20_000  # of ways over the picture, the newest
LEAST_STEP: Final = 0.008  # between two of them, as a share of the picture
MOST_TRIGGERS: Final = 500  # that are told

PageKey = tuple[int, datetime, datetime]


@dataclass(slots=True)
class Found:
    """What the day would have brought. `covered_from` is where the time ran out, if it did."""

    since: datetime
    until: datetime
    triggers: list[Trigger] = field(default_factory=list)
    ways: list[list[tuple[float, float]]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    logged_seconds: float = 0.0
    covered_from: datetime | None = None
    seconds: float = 0.0


def look_back(
    camera: Camera, drawing: Drawing, *, until: datetime, budget: float = BUDGET_SECONDS
) -> Found:
    """Try the drawn zones on the last day. Raises DraftError.

    Hours go by the schedules; what somebody armed by hand holds today, not yesterday.
    """
    began = time.monotonic()
    drafts = [draft for draft in drawing.zones if draft.enabled]
    examine_drafts(camera, drawing.zones)
    zones = tuple(examine_drafts(camera, drafts))
    setup: CameraSetup = replace(load_setup(camera.pk), zones=zones, profile=None)
    found = Found(until - timedelta(hours=HOURS), until)
    found.left_out = {zone.name: left_out(rule_types(), zone) for zone in zones}
    trial = Trial(naming(rule_types(), zones), setup, site_policy(), found.triggers)
    pages = pages_since(camera_id=camera.pk, since=found.since)
    points = 0
    for stretch in _stretches(pages):
        if time.monotonic() - began > budget:
            found.covered_from = found.covered_from or _end_of(stretch)
            break
        aspect, samples = _read(stretch, found.since)
        if not samples:
            continue
        found.logged_seconds += (samples[-1].at - samples[0].at).total_seconds()
        if trial.rules:
            trial.play(samples, aspect)
        if points < MOST_POINTS:
            ways = [way for way in feet_of(samples, LEAST_STEP).values() if len(way) > 1]
            found.ways += ways
            points += sum(map(len, ways))
    found.triggers.sort(key=lambda trigger: trigger.alerted_at, reverse=True)
    found.seconds = time.monotonic() - began
    return found


def _stretches(pages: Sequence[PageKey]) -> Iterator[list[PageKey]]:
    """Pages that belong together, each in order of time; the newest stretch first."""
    stretch: list[PageKey] = []
    for page in pages:
        if stretch:
            apart = (stretch[0][1] - page[2]).total_seconds()
            length = (stretch[-1][2] - page[1]).total_seconds()
            if apart > GAP_SECONDS or length > STRETCH_SECONDS:
                yield stretch
                stretch = []
        stretch.insert(0, page)
    if stretch:
        yield stretch


def _read(stretch: Sequence[PageKey], since: datetime) -> tuple[float, list[Sample]]:
    packed = contents([key for key, _, _ in stretch])
    aspect, samples = 16 / 9, []
    for key, began_at, _ in stretch:
        try:
            aspect, page = read_page(packed[key], began_at)
            samples += [sample for sample in page if sample.at >= since]
        except (KeyError, TrackLogError):
            continue  # pruned meanwhile, or torn: the rest still tells
    return aspect, samples


def _end_of(stretch: Sequence[PageKey]) -> datetime:
    return stretch[-1][2]


def as_rows(found: Found) -> list[dict[str, Any]]:
    """The triggers in plain values, the newest first."""
    return [
        {
            "zone": trigger.zone,
            "rules": list(trigger.rules),
            "crime_type": trigger.crime_type,
            "at": trigger.alerted_at,
            "confirmed": trigger.confirmed_at is not None,
            "confidence": round(trigger.confidence),
            "place": trigger.place,
            "lasted": ((trigger.ended_at or trigger.alerted_at) - trigger.started_at),
        }
        for trigger in found.triggers[:MOST_TRIGGERS]
    ]
