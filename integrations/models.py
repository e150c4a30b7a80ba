"""What the database keeps of telling: reports, the back ends they go to, and the sirens."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.models import Camera, Episode


class DeliveryKind(models.TextChoices):
    ALERT = "alert", _("Alert")
    CRIME = "crime", _("Crime")
    STOP = "stop", _("Stop")


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    REFUSED = "refused", _("Refused")
    SUPERSEDED = "superseded", _("Superseded")


class Delivery(models.Model):
    """One thing to tell one back end; its id is the Idempotency-Key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reporter = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, choices=DeliveryKind.choices)
    camera = models.ForeignKey(Camera, on_delete=models.PROTECT, related_name="deliveries")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="deliveries")
    sequence = models.PositiveIntegerField(help_text="Order within the camera; no clock gives it.")
    payload = models.JSONField(help_text="What is told, in our own words; the adapter translates.")
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(
        default=0, help_text="Attempts that the back end, though there, did not take."
    )
    attempted_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-sequence"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status="pending"), name="due_deliveries"
            ),
            models.Index(
                fields=["camera", "sequence"], condition=Q(status="pending"), name="in_order"
            ),
            models.Index(fields=["camera", "attempted_at"], name="last_of_camera"),
            models.Index(fields=["created_at"], name="deliveries_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "reporter", "sequence"], name="one_order_per_camera"
            )
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s to %(reporter)s") % {
            "kind": self.get_kind_display(),
            "reporter": self.reporter,
        }


class Outlet(models.Model):
    """A back end as the reports see it: when the next may go, and since when it is away."""

    reporter = models.CharField(max_length=32, unique=True)
    next_turn_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    recoveries = models.PositiveIntegerField(
        default=0, help_text="Answers after failures; what failed from before one says nothing."
    )
    down_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.reporter


class Siren(models.Model):
    """The siren of a camera: what is wanted of it and what it is known to do.

    `silent_at` is empty until the camera has confirmed that it is quiet.
    """

    camera = models.OneToOneField(Camera, on_delete=models.CASCADE, related_name="siren")
    episode_id = models.UUIDField(null=True, blank=True)
    wanted_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When it was first asked for.")
    sounded_at = models.DateTimeField(null=True, blank=True, help_text="Last time it was sounded.")
    silent_at = models.DateTimeField(null=True, blank=True)
    method = models.CharField(max_length=32, blank=True, help_text="The way that is asked first.")
    reached_at = models.CharField(
        max_length=255, blank=True, help_text="host:port where it was last sounded."
    )
    sounded_by = models.JSONField(
        default=list, blank=True, help_text="Ways that have not confirmed since that it is silent."
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    held_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then a live process looks after it."
    )
    logins_closed_until = models.DateTimeField(
        null=True, blank=True, help_text="Nobody logs in at the camera before this."
    )
    logins_closed_to = models.CharField(
        max_length=32,
        blank=True,
        help_text="Mark of the refused password; empty: the camera suspends every login.",
    )

    class Meta:
        permissions = [("test_siren", "Can test sirens")]

    def __str__(self) -> str:
        return gettext("Siren of %(camera)s") % {"camera": self.camera}


class SilencedBy(models.TextChoices):
    """What ended a sounding; empty where nobody knows."""

    OFFICER = "officer", _("by hand")
    DISMISSAL = "dismissal", _("episode dismissed")
    EPISODE = "episode", _("episode over")
    TIME = "time", _("time over")
    TEST = "test", _("test over")
    ANOTHER = "another", _("goes on for the next episode")


class Sounding(models.Model):
    """One time that a siren was asked to sound, until it was silent: its history, one row each.

    Written beside the siren's row, never before the camera is asked. Without an episode it was a
    test.
    """

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="soundings")
    episode_id = models.UUIDField(null=True, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(
        null=True, blank=True, help_text="When the camera first confirmed that it sounds."
    )
    method = models.CharField(max_length=32, blank=True)
    silenced_at = models.DateTimeField(
        null=True, blank=True, help_text="When the camera confirmed that it is silent."
    )
    silenced_by = models.CharField(max_length=16, choices=SilencedBy.choices, blank=True)
    officer = models.CharField(
        max_length=150, blank=True, help_text="Who silenced it or dismissed the episode."
    )
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["asked_at", "pk"]
        indexes = [
            models.Index(fields=["episode_id", "asked_at"], name="soundings_of_episode"),
            models.Index(fields=["asked_at"], name="soundings_by_age"),
            models.Index(
                fields=["camera"], condition=Q(silenced_at__isnull=True), name="open_soundings"
            ),
        ]

    def __str__(self) -> str:
        return f"Siren of {self.camera}, {self.asked_at:%Y-%m-%d %H:%M:%S}"
