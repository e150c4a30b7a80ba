"""What the database keeps of telling: the outbox of reports, and sirens that may sound."""

import uuid

from django.db import models
from django.db.models import Q

from detection.models import Camera, Episode


class DeliveryKind(models.TextChoices):
    ALERT = "alert", "Alert"
    CRIME = "crime", "Crime"
    STOP = "stop", "Stop"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    REFUSED = "refused", "Refused"
    SUPERSEDED = "superseded", "Superseded"


class Delivery(models.Model):
    """One thing to tell one back end; its id is the Idempotency-Key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reporter = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, choices=DeliveryKind.choices)
    camera = models.ForeignKey(Camera, on_delete=models.PROTECT, related_name="deliveries")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="deliveries")
    sequence = models.PositiveIntegerField(help_text="Order within the episode.")
    payload = models.JSONField(help_text="What is told, in our own words; the adapter translates.")
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
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
                fields=["camera", "created_at"], condition=Q(status="pending"), name="in_order"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "reporter", "sequence"], name="one_delivery_per_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.reporter}"


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
    method = models.CharField(max_length=32, blank=True, help_text="The way that last worked.")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"Siren of {self.camera}"
