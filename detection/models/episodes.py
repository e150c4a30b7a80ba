"""Episodes, their steps, and what an officer made of them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.domain.crimes import CrimeType
from detection.models.cameras import Camera
from detection.models.choices import choices_of


class EpisodeStatus(models.TextChoices):
    SUSPICIOUS = "suspicious", _("Suspicious")
    CONFIRMED = "confirmed", _("Confirmed")
    CLEARED = "cleared", _("Cleared")
    LOST = "lost", _("Lost")


OPEN_STATUSES = (EpisodeStatus.SUSPICIOUS, EpisodeStatus.CONFIRMED)


class Verdict(models.TextChoices):
    UNREVIEWED = "unreviewed", _("Unreviewed")
    CONFIRMED = "confirmed", _("Confirmed")
    DISMISSED = "dismissed", _("Dismissed")


class DismissReason(models.TextChoices):
    NO_CRIME = "no_crime", _("Nothing criminal happened")
    AUTHORISED = "authorised", _("Authorised person")
    WRONG_OBJECT = "wrong_object", _("Not a person (animal, shadow, object)")
    BAD_ZONE = "bad_zone", _("Zone or schedule is set wrongly")
    TEST = "test", _("Test or drill")
    OTHER = "other", _("Other")


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
    severity = models.PositiveSmallIntegerField(
        default=0, help_text="How urgent it is to look at it; see detection.domain.severity."
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
    escalated_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when a superior is asked to look at it."
    )
    escalated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    held_at = models.DateTimeField(
        null=True, blank=True, help_text="On hold since then: nothing of it is ever pruned."
    )
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    evidence_links = models.PositiveIntegerField(
        default=0, help_text="How many links its chain of evidence has."
    )
    evidence_head = models.CharField(max_length=64, blank=True, help_text="The last of them.")

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["camera", "-started_at"]),
            models.Index(fields=["status", "-started_at"]),
            models.Index(fields=["-verdict", "-severity", "-started_at", "-id"], name="the_queue"),
            models.Index(
                fields=["crime_type", "-verdict", "-severity", "-started_at", "-id"],
                name="the_queue_of_a_type",
            ),
            models.Index(fields=["-started_at", "-id"], name="episodes_by_age"),
            models.Index(fields=["verdict", "camera"], name="waiting_by_camera"),
            models.Index(
                fields=["started_at", "camera", "crime_type", "verdict", "dismiss_reason"],
                name="figures_of_episodes",
            ),
            models.Index(
                fields=["-started_at"],
                condition=Q(escalated_at__isnull=False),
                name="escalated_episodes",
            ),
            models.Index(
                fields=["-started_at"],
                condition=Q(held_at__isnull=False),
                name="held_episodes",
            ),
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
        return gettext("%(kind)s at %(camera)s, %(moment)s") % {
            "kind": self.get_crime_type_display(),
            "camera": self.camera,
            "moment": f"{began:%Y-%m-%d %H:%M:%S}",
        }

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class EpisodeEventKind(models.TextChoices):
    OPENED = "opened", _("Suspicion raised")
    CONFIDENCE = "confidence", _("Confidence changed")
    CONFIRMED = "confirmed", _("Crime confirmed")
    CLEARED = "cleared", _("Cleared")
    LOST = "lost", _("Camera lost")


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
    stages = models.JSONField(
        default=dict,
        blank=True,
        help_text="When the frame behind it passed each stage, POSIX seconds by name.",
    )

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["episode", "step"], name="one_event_per_step")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%H:%M:%S}"
