"""What a bundle says of its episode in files for machines."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser

from detection.admin.episode_history import history_of
from detection.models import Episode, EvidenceFile
from detection.services.evidence import said_of


def episode_facts(
    episode: Episode, viewer: AbstractUser, at: datetime, notes: list[str]
) -> dict[str, Any]:
    """All that is known of the episode; times in UTC."""
    camera = episode.camera
    return {
        "exported": {"at": _utc(at), "by": viewer.get_username(), "notes": notes},
        "times_are": "UTC",
        "time_zone_of_the_site": settings.TIME_ZONE,
        "episode": {
            "id": str(episode.pk),
            "status": episode.status,
            "crime_type": episode.crime_type,
            "confidence": episode.confidence,
            "severity": episode.severity,
            "reason": episode.reason,
            "started_at": _utc(episode.started_at),
            "alerted_at": _utc(episode.alerted_at),
            "decided_at": _utc(episode.decided_at),
            "confirmed_at": _utc(episode.confirmed_at),
            "ended_at": _utc(episode.ended_at),
            "confidence_timeline": episode.confidence_timeline,
        },
        "review": {
            "verdict": episode.verdict,
            "dismiss_reason": episode.dismiss_reason,
            "note": episode.note,
            "reviewed_by": str(episode.reviewed_by or ""),
            "reviewed_at": _utc(episode.reviewed_at),
            "escalated_at": _utc(episode.escalated_at),
            "held_at": _utc(episode.held_at),
        },
        "camera": {
            "id": camera.pk,
            "name": camera.name,
            "registry": camera.registry,
            "external_id": camera.external_id,
            "station_id": camera.station_id,
            "latitude": camera.latitude,
            "longitude": camera.longitude,
        },
        "events": [
            {
                "kind": event.kind,
                "at": _utc(event.at),
                "crime_type": event.crime_type,
                "confidence": event.confidence,
                "started_at": _utc(event.started_at),
                "detail": event.detail,
                "stages": event.stages,
            }
            for event in episode.events.all()
        ],
    }


def history_facts(episode: Episode, viewer: AbstractUser) -> list[dict[str, Any]]:
    """Who did what with the episode, as far as the viewer may know; the newest first."""
    return [
        {
            "at": _utc(line.at),
            "who": line.who,
            "act": line.key,
            "what": line.what,
            "detail": line.detail,
            "undone": line.is_undone,
        }
        for line in history_of(episode, viewer)
    ]


def chain_facts(episode: Episode, inside: dict[int, str]) -> dict[str, Any]:
    """The chain as detection.evidence.bundle_check proves it; `inside` names the files it is of."""
    files = [
        said_of(file) | {"in_bundle": inside.get(file.sequence, "")}
        for file in EvidenceFile.objects.filter(episode=episode).order_by("sequence")
    ]
    head = Episode.objects.values_list("evidence_links", "evidence_head").get(pk=episode.pk)
    return {"episode": str(episode.pk), "links": head[0], "head": head[1], "files": files}


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None
