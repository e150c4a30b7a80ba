"""What the database keeps of seeing: cameras, their claims and zones, and the episodes."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Polygon, PolygonError
from detection.domain.zones import Zone as DomainZone
from detection.domain.zones import ZoneKind
from detection.fields import EncryptedNameField, EncryptedTextField


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class CameraState(models.TextChoices):
    """The life cycle of one camera, as `camera-lifecycle` draws it."""

    IDLE = "idle", "Idle"
    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    STOPPING = "stopping", "Stopping"
    ERROR = "error", "Error"


class Camera(models.Model):
    """A camera, as its registry lists it and as an operator has set it up."""

    registry = models.CharField(max_length=32, default="local")
    external_id = models.BigIntegerField(help_text="Its number at the registry.")
    name = models.CharField(max_length=200)
    enabled = models.BooleanField(default=True, help_text="Watch this camera.")
    stream_url = EncryptedTextField(blank=True)
    address = models.CharField(max_length=255, blank=True, help_text="On the cameras' network.")
    public_address = models.CharField(max_length=255, blank=True)
    control_address = models.CharField(
        max_length=255,
        blank=True,
        help_text="Where its siren is reached, host or host:port; empty: its address.",
    )
    username = EncryptedNameField(blank=True)
    password = EncryptedTextField(blank=True)
    control_password = EncryptedTextField(
        blank=True, help_text="Tapo account password, where it differs from the camera account's."
    )
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    station_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    storage_type = models.CharField(max_length=32, blank=True)
    listed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the registry last showed it as free."
    )

    state = models.CharField(
        max_length=16, choices=CameraState.choices, default=CameraState.IDLE, db_index=True
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is in this state.")
    state_changed_at = models.DateTimeField(default=timezone.now)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not tried again before this.")

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "external_id"], name="one_camera_per_listing"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def control_host(self) -> str:
        """Where pytapo finds it: the operator's word before the registry's."""
        return self.control_address or self.address


class ClaimQuerySet(models.QuerySet["Claim"]):
    def live(self, at: datetime) -> "ClaimQuerySet":
        """Claims whose lease has not run out."""
        return self.filter(expires_at__gt=at)

    def watching(self, since: datetime) -> "ClaimQuerySet":
        """Claims whose camera gave a frame since then."""
        return self.filter(last_frame_at__gte=since)


class Claim(models.Model):
    """The lease on a camera: at most one watcher at any instant.

    `token` grows with every change of hands and fences off a watcher that was overtaken.
    """

    camera = models.OneToOneField(Camera, on_delete=models.CASCADE, related_name="claim")
    token = models.BigIntegerField(default=0)
    held = models.BooleanField(
        default=False, help_text="The registry counts the camera as this instance's."
    )
    instance = models.CharField(max_length=255, blank=True, db_index=True)
    worker = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(
        null=True, blank=True, help_text="When a watcher was last asked."
    )
    last_frame_at = models.DateTimeField(null=True, blank=True)
    frames_decoded = models.BigIntegerField(default=0)
    frames_sampled = models.BigIntegerField(default=0)
    frames_analysed = models.BigIntegerField(default=0)
    frames_skipped = models.BigIntegerField(default=0, help_text="Overtaken by newer, or too old.")
    frames_per_second = models.FloatField(default=0)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["-claimed_at"]

    def __str__(self) -> str:
        return f"{self.camera} #{self.token}"


class Zone(models.Model):
    """A polygon on a camera's picture and what it means."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="zones")
    name = models.CharField(max_length=100)
    kind = models.CharField(
        max_length=32, choices=_choices(ZoneKind), default=ZoneKind.RESTRICTED.value
    )
    polygon = models.JSONField(
        help_text="Corners as [[x, y], …], each from 0 to 1 of the picture's width and height."
    )
    dwell_seconds = models.FloatField(
        null=True, blank=True, help_text="Overrides the site's dwell for this zone."
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["camera", "name"]
        constraints = [models.UniqueConstraint(fields=["camera", "name"], name="one_zone_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.camera})"

    def clean(self) -> None:
        try:
            Polygon.of(self.polygon)
        except PolygonError as error:
            raise ValidationError({"polygon": str(error)}) from error
        except (TypeError, ValueError) as error:
            raise ValidationError(
                {"polygon": "give corners as [[x, y], [x, y], [x, y]]"}
            ) from error
        if self.dwell_seconds is not None and self.dwell_seconds < 0:
            raise ValidationError({"dwell_seconds": "seconds are not negative"})

    def to_domain(self) -> DomainZone:
        """The zone as rules take it. Raises PolygonError for a polygon that was never cleaned."""
        return DomainZone(
            self.name, ZoneKind(self.kind), Polygon.of(self.polygon), self.dwell_seconds
        )


class EpisodeStatus(models.TextChoices):
    SUSPICIOUS = "suspicious", "Suspicious"
    CONFIRMED = "confirmed", "Confirmed"
    CLEARED = "cleared", "Cleared"
    LOST = "lost", "Lost"


OPEN_STATUSES = (EpisodeStatus.SUSPICIOUS, EpisodeStatus.CONFIRMED)


class Verdict(models.TextChoices):
    UNREVIEWED = "unreviewed", "Unreviewed"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Dismissed"


class DismissReason(models.TextChoices):
    NO_CRIME = "no_crime", "Nothing criminal happened"
    AUTHORISED = "authorised", "Authorised person"
    WRONG_OBJECT = "wrong_object", "Not a person (animal, shadow, object)"
    BAD_ZONE = "bad_zone", "Zone or schedule is set wrongly"
    TEST = "test", "Test or drill"
    OTHER = "other", "Other"


class Episode(models.Model):
    """One stretch of suspicion at one camera, from its first suspicious frame to its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    camera = models.ForeignKey(Camera, on_delete=models.PROTECT, related_name="episodes")
    claim_token = models.BigIntegerField(help_text="Fences off a watcher that was overtaken.")
    status = models.CharField(
        max_length=16, choices=EpisodeStatus.choices, default=EpisodeStatus.SUSPICIOUS
    )
    crime_type = models.CharField(max_length=32, choices=_choices(CrimeType))
    confidence = models.FloatField(help_text="Peak, 0–100.")
    reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(help_text="Capture time of the first suspicious frame.")
    alerted_at = models.DateTimeField(help_text="Capture time of the frame that raised the alert.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(
        db_index=True, help_text="When this cluster raised the alert."
    )
    snapshot = models.CharField(max_length=255, blank=True)
    confidence_timeline = models.JSONField(
        default=list, blank=True, help_text="[seconds since start, confidence] pairs."
    )
    verdict = models.CharField(
        max_length=16, choices=Verdict.choices, default=Verdict.UNREVIEWED, db_index=True
    )
    dismiss_reason = models.CharField(max_length=32, choices=DismissReason.choices, blank=True)
    note = models.TextField(blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["-started_at"]),
            models.Index(fields=["camera", "-started_at"]),
            models.Index(fields=["status", "-started_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera"],
                condition=Q(status__in=["suspicious", "confirmed"]),
                name="one_open_episode_per_camera",
            )
        ]

    def __str__(self) -> str:
        began = timezone.localtime(self.started_at)
        return f"{self.get_crime_type_display()} at {self.camera}, {began:%Y-%m-%d %H:%M:%S}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class EpisodeEventKind(models.TextChoices):
    OPENED = "opened", "Suspicion raised"
    CONFIDENCE = "confidence", "Confidence changed"
    CONFIRMED = "confirmed", "Crime confirmed"
    CLEARED = "cleared", "Cleared"
    LOST = "lost", "Camera lost"


class EpisodeEvent(models.Model):
    """A step of an episode, dated by capture time."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="events")
    step = models.PositiveIntegerField(
        null=True, blank=True, help_text="The watcher's count; empty where the sweep wrote it."
    )
    kind = models.CharField(max_length=16, choices=EpisodeEventKind.choices)
    at = models.DateTimeField()
    crime_type = models.CharField(max_length=32, choices=_choices(CrimeType), blank=True)
    confidence = models.FloatField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["episode", "step"], name="one_event_per_step")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%H:%M:%S}"
