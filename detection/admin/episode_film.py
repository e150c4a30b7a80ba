"""What the player and the timeline of an episode's page are told: files, zones, thresholds, course.

Times are POSIX seconds of capture; the page shows them in the user's zone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from detection.admin.episode_course import marks_of
from detection.admin.episode_timeline import samples_of
from detection.admin.evidence_addresses import evidence_url
from detection.domain.crimes import CrimeType
from detection.domain.zones import Zone, ZoneKind
from detection.models import Episode, EvidenceFile, EvidenceKind
from detection.services.setups import SetupDraft, examine

# After its end an episode's files are still being written: the time after it, and the disk.
STILL_COMING = timedelta(minutes=2)


def film_of(episode: Episode, files: Iterable[EvidenceFile]) -> dict[str, Any]:
    """All of it, as JSON takes it."""
    # Of a kind the newest that is kept counts; without one, the last that was says why it is gone.
    newest = sorted(files, key=lambda file: (file.removed_at is None, file.sequence))
    kept = {file.kind: file for file in newest}
    draft = examine(episode.camera_id)
    limits = draft.setup.settings.thresholds_of(CrimeType(episode.crime_type))
    return {
        "began": episode.started_at.timestamp(),
        "alerted": episode.alerted_at.timestamp(),
        "ended": _seconds(episode.ended_at),
        "is_open": episode.is_open,
        "crime": episode.crime_type,
        "thresholds": {"alert": limits.alert, "crime": limits.crime},
        "samples": samples_of(episode),
        "marks": [
            {
                "key": mark.key,
                "label": str(mark.label),
                "at": mark.at.timestamp(),
                "tone": mark.tone,
            }
            for mark in marks_of(episode)
        ],
        "zones": zones_of(draft),
        "still": _file(episode, kept, EvidenceKind.SNAPSHOT).get("url", ""),
        "clip": _clip(episode, kept),
        "recording": _file(episode, kept, EvidenceKind.RECORDING),
    }


def zones_of(draft: SetupDraft) -> list[dict[str, Any]]:
    """The camera's zones as they are set today; an episode keeps none of its own."""
    return [_zone(zone) for zone in draft.setup.zones]


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "name": zone.name,
        "kind": zone.kind,
        "points": [list(point) for point in zone.outline],
        "is_line": zone.kind is ZoneKind.ENTRY_LINE,
    }


# --- files ---------------------------------------------------------------------------------------


def _clip(episode: Episode, kept: Mapping[str, EvidenceFile]) -> dict[str, Any]:
    told = _file(episode, kept, EvidenceKind.CLIP)
    file = kept.get(EvidenceKind.CLIP)
    facts = file.facts if file else {}
    began = _moment(facts.get("began_at"))
    if told["state"] == "ready" and began is not None:
        told |= {
            "began": began.timestamp(),
            "seconds": _number(facts.get("seconds")),
            "width": _number(facts.get("width")),
            "height": _number(facts.get("height")),
            "is_cut": bool(facts.get("is_cut")),
            "masked": bool(facts.get("masked")),
        }
    elif told["state"] == "ready":
        told["began"] = None  # it plays, but nothing can be drawn over it
    return told


def _file(episode: Episode, kept: Mapping[str, EvidenceFile], kind: EvidenceKind) -> dict[str, Any]:
    """`ready` with an address, `coming`, `removed` with the reason, or `none`."""
    file = kept.get(kind)
    if file is None:
        return {"state": "coming" if may_come(episode) else "none"}
    if file.removed_at is None:
        return {"state": "ready", "url": f"{evidence_url(episode.pk, kind)}?n={file.sequence}"}
    why = str(file.get_removed_why_display())
    return {"state": "removed", "at": _seconds(file.removed_at), "why": why}


def may_come(episode: Episode, at: datetime | None = None) -> bool:
    """Whether files of the episode may still be on their way."""
    if episode.ended_at is None:
        return episode.is_open
    return (at or timezone.now()) - episode.ended_at < STILL_COMING


# --- words and numbers ---------------------------------------------------------------------------


def _moment(text: object) -> datetime | None:
    """The time that a file's facts give; None for what is none."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
