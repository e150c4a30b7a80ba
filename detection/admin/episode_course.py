"""The course of an episode: moments for its timeline, and the way from the camera to the reports.

Moments of capture are told by the camera's clock, all others by ours: where the two differ, what
lies between them is no duration.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from detection.admin.episode_additions import ADDITIONS, Mark, Stage
from detection.admin.presentation import Tone
from detection.models import Episode, EpisodeEvent, EpisodeEventKind

CAPTURED = "captured"
# A frame that took longer from the camera was never judged: it is the camera's clock that is wrong.
LONGEST_WAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a stage took; None where that is not known or, by the camera's clock, not to be."""

    key: str
    label: str
    at: datetime | None
    milliseconds: float | None
    since: str
    is_camera_clock: bool = False  # and that is why it is not known


def marks_of(episode: Episode) -> list[Mark]:
    """All moments of the timeline, the earliest first; `episode.events` may be prefetched."""
    marks = [
        Mark("suspicious", _("Suspicious"), episode.started_at, Tone.WARNING),
        Mark("alerted", _("Alert raised"), episode.alerted_at, Tone.WARNING),
    ]
    marks += [mark for event in episode.events.all() if (mark := _mark(event))]
    for addition in ADDITIONS:
        marks += addition.marks(episode)
    return sorted(marks, key=lambda mark: mark.at)


def _mark(event: EpisodeEvent) -> Mark | None:
    match EpisodeEventKind(event.kind):
        case EpisodeEventKind.CONFIRMED:
            kind = event.get_crime_type_display()
            label = _("Confirmed: %(crime)s") % {"crime": kind}
            return Mark(f"confirmed-{event.crime_type}", label, event.at, Tone.BAD)
        case EpisodeEventKind.CLEARED:
            return Mark("cleared", _("Cleared"), event.at)
        case EpisodeEventKind.LOST:
            return Mark("lost", _("Camera lost"), event.at, Tone.WARNING)
    return None


def stages_of(episode: Episode) -> list[Stage]:
    """The way of the frame that raised the alert, then what the episode's additions say of it."""
    events = episode.events.all()
    opened = next((event for event in events if event.kind == EpisodeEventKind.OPENED), None)
    passed = opened.stages if opened else {}
    own = [
        Stage(CAPTURED, _("Captured"), _moment(passed, CAPTURED) or episode.alerted_at),
        Stage("decoded", _("Decoded"), _moment(passed, "decoded")),
        Stage("posted", _("Sent to the detector"), _moment(passed, "posted")),
        Stage("inferred", _("Looked at"), _moment(passed, "inferred")),
        Stage("decided", _("Decided"), _moment(passed, "decided") or episode.decided_at),
    ]
    return own + [stage for addition in ADDITIONS for stage in addition.stages(episode)]


def _moment(passed: dict[str, float], stage: str) -> datetime | None:
    seconds = passed.get(stage)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def latencies_of(stages: list[Stage]) -> list[Latency]:
    """Each stage with the time since the one before that is known, or since its own beginning."""
    found: list[Latency] = []
    before: Stage | None = None
    for stage in stages:
        if stage.since is not None:
            found.append(_latency(stage, stage.since, _("the decision")))
            continue
        if before is None:
            found.append(Latency(stage.key, stage.label, stage.at, None, ""))
        else:
            is_captured = before.key == CAPTURED
            found.append(_latency(stage, before.at, before.label, from_capture=is_captured))
        before = stage if stage.at is not None else before
    return found


def _latency(
    stage: Stage, since: datetime | None, label: str, *, from_capture: bool = False
) -> Latency:
    if stage.at is None or since is None:
        return Latency(stage.key, stage.label, stage.at, None, "")
    took = stage.at - since
    if took < timedelta(0) or (from_capture and took > LONGEST_WAY):  # their clocks differ
        return Latency(stage.key, stage.label, stage.at, None, label, from_capture)
    return Latency(stage.key, stage.label, stage.at, took / timedelta(milliseconds=1), label)
