"""Episodes, their steps, and what an officer made of them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from detection.domain.crimes import CrimeType
from detection.models.cameras import Camera
from detection.models.choices import choices_of


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
    crime_type = models.CharField(max_length=32, choices=choices_of(CrimeType))
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
    recording = models.CharField(
        max_length=255,
        blank=True,
        help_text="The file of what was followed and suspected, to be replayed.",
    )
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
    crime_type = models.CharField(max_length=32, choices=choices_of(CrimeType), blank=True)
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
