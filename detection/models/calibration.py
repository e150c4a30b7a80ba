"""What officers' verdicts suggest for a camera's thresholds, and what was made of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext

from detection.domain.crimes import CrimeType
from detection.models.cameras import Camera
from detection.models.choices import choices_of


class ThresholdSuggestion(models.Model):
    """An alert threshold for one crime type at one camera, as the verdicts of some days suggest it.

    A newer one takes the place of one that was never applied.
    """

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="suggestions")
    crime_type = models.CharField(max_length=32, choices=choices_of(CrimeType))
    made_at = models.DateTimeField(db_index=True)
    budget = models.FloatField(help_text="Dismissed episodes a day that the camera may have.")
    days_watched = models.FloatField(help_text="Over which the verdicts were counted.")
    is_pooled = models.BooleanField(
        default=False, help_text="By the verdicts of all cameras: this one has too few."
    )
    confirmed = models.PositiveIntegerField(help_text="Verdicts that were used.")
    dismissed = models.PositiveIntegerField(help_text="Verdicts that were used.")
    unreviewed = models.PositiveIntegerField(help_text="Episodes here that wait for a verdict.")
    today = models.FloatField(help_text="The threshold in force when this was made.")
    suggested = models.FloatField(null=True, blank=True, help_text="Empty: too few verdicts.")
    note = models.CharField(max_length=500, blank=True, help_text="What is missing or falls short.")
    curve = models.JSONField(
        default=dict, blank=True, help_text="Method, points and shares; empty: too few verdicts."
    )
    effect = models.JSONField(
        default=dict, blank=True, help_text="What it would have changed on this camera's episodes."
    )
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    own_before = models.FloatField(
        null=True, blank=True, help_text="The camera's own threshold before; empty: inherited."
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "camera", "crime_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "crime_type"],
                condition=models.Q(applied_at=None),
                name="one_open_suggestion_per_crime",
            )
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s at %(camera)s") % {
            "kind": self.get_crime_type_display(),
            "camera": self.camera,
        }

    @property
    def is_change(self) -> bool:
        return self.suggested is not None and self.suggested != self.today

    @property
    def is_applied(self) -> bool:
        """Whether it was applied and not undone."""
        return self.applied_at is not None and self.undone_at is None
