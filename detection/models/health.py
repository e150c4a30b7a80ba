"""What was wrong with a camera's view, and when. Not crimes: nobody is told but operators."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from detection.domain.view_health import HealthKind
from detection.models.cameras import Camera
from detection.models.choices import choices_of


class HealthEvent(models.Model):
    """A time in which a camera did not see what it should; at most one is open for each camera."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="health_events")
    kind = models.CharField(max_length=16, choices=choices_of(HealthKind), db_index=True)
    began_at = models.DateTimeField(db_index=True, help_text="When the view was last good.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Empty while it lasts.")
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-began_at", "-pk"]
        indexes = [
            models.Index(fields=["camera", "-began_at"]),
            models.Index(fields=["ended_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera"],
                condition=Q(ended_at=None),
                name="one_open_health_event_per_camera",
            )
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s at %(camera)s") % {
            "kind": self.get_kind_display(),
            "camera": self.camera,
        }
