"""Claims: who watches a camera, and how it goes."""

from datetime import datetime

from django.db import models

from detection.models.cameras import Camera


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
    holder = models.CharField(
        max_length=255,
        blank=True,
        db_index=True,
        help_text="The instance that the registry counts the camera as; it alone may take it over.",
    )
    instance = models.CharField(max_length=255, blank=True, db_index=True)
    worker = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(
        null=True, blank=True, help_text="When a watcher was last asked."
    )
    restart_at = models.DateTimeField(
        null=True, blank=True, help_text="When its watch was last asked to begin anew."
    )
    beaten_at = models.DateTimeField(
        null=True, blank=True, help_text="When its instance last beat; empty: it must beat again."
    )
    last_frame_at = models.DateTimeField(null=True, blank=True)
    frames_decoded = models.BigIntegerField(default=0)
    frames_sampled = models.BigIntegerField(default=0)
    frames_analysed = models.BigIntegerField(default=0)
    frames_skipped = models.BigIntegerField(default=0, help_text="Overtaken by newer, or too old.")
    frames_per_second = models.FloatField(default=0)
    wanted_per_second = models.FloatField(default=0, help_text="Frames to analyse, as set up.")
    analysed_per_second = models.FloatField(default=0, help_text="Fewer than wanted: overload.")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["-claimed_at"]

    def __str__(self) -> str:
        return f"{self.camera} #{self.token}"
