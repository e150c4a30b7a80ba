"""What the database keeps of seeing: cameras, their claims and zones, and the episodes."""

from detection.models.access import (
    AuditAction,
    AuditRecord,
    LoginAttempt,
    StationAccess,
    seen_by,
    stations_of,
)
from detection.models.calibration import ThresholdSuggestion
from detection.models.cameras import Camera, CameraState, Zone
from detection.models.claims import Claim, ClaimQuerySet
from detection.models.coverage import Duty, WatchedTime
from detection.models.episodes import (
    OPEN_STATUSES,
    DismissReason,
    Episode,
    EpisodeEvent,
    EpisodeEventKind,
    EpisodeStatus,
    Verdict,
)
from detection.models.health import HealthEvent
from detection.models.setup import Schedule, Site
from detection.models.troubles import Pulse, Trouble

__all__ = [
    "OPEN_STATUSES",
    "AuditAction",
    "AuditRecord",
    "Camera",
    "CameraState",
    "Claim",
    "ClaimQuerySet",
    "DismissReason",
    "Duty",
    "Episode",
    "EpisodeEvent",
    "EpisodeEventKind",
    "EpisodeStatus",
    "HealthEvent",
    "LoginAttempt",
    "Pulse",
    "Schedule",
    "Site",
    "StationAccess",
    "ThresholdSuggestion",
    "Trouble",
    "Verdict",
    "WatchedTime",
    "Zone",
    "seen_by",
    "stations_of",
]
