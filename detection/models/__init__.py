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
from detection.models.evidence import EvidenceFile, EvidenceKind, EvidenceLink, WhyRemoved
from detection.models.health import HealthEvent
from detection.models.preferences import UserPreferences
from detection.models.reviews import ReviewAct, ReviewStep
from detection.models.setup import Schedule, Site
from detection.models.track_log import TrackLog
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
    "EvidenceFile",
    "EvidenceKind",
    "EvidenceLink",
    "HealthEvent",
    "LoginAttempt",
    "Pulse",
    "ReviewAct",
    "ReviewStep",
    "Schedule",
    "Site",
    "StationAccess",
    "ThresholdSuggestion",
    "TrackLog",
    "Trouble",
    "UserPreferences",
    "Verdict",
    "WatchedTime",
    "WhyRemoved",
    "Zone",
    "seen_by",
    "stations_of",
]
