"""When a camera should have been watched, and when it really was.

Kept as times from–to rather than as sums: a day's figure is their overlap, so that midnight, a
worker that was killed and a second watcher can neither lose a second nor count one twice.
"""

from django.db import models
from django.db.models import Q

from detection.models.cameras import Camera


class Duty(models.Model):
    """A time in which a camera is enabled."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="duties")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "duties"
        ordering = ["-began_at"]
        indexes = [
            models.Index(fields=["camera", "-began_at"]),
            models.Index(fields=["ended_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera"], condition=Q(ended_at=None), name="one_open_duty_per_camera"
            )
        ]

    def __str__(self) -> str:
        return f"{self.camera} since {self.began_at:%Y-%m-%d %H:%M:%S}"


class WatchedTime(models.Model):
    """A time in which a camera's frames came, showed something and were analysed."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="watched_times")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(help_text="Moved on with each renewal of the lease.")

    class Meta:
        ordering = ["-began_at"]
        indexes = [
            models.Index(fields=["camera", "-ended_at"]),
            models.Index(fields=["ended_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.camera} from {self.began_at:%H:%M:%S} to {self.ended_at:%H:%M:%S}"
