"""What officers did with an episode, step by step, so that each step can be undone."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from detection.models.episodes import Episode


class ReviewAct(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmed")
    DISMISSED = "dismissed", _("Dismissed")
    ESCALATED = "escalated", _("Escalated")
    DEESCALATED = "deescalated", _("Took the escalation back")
    HELD = "held", _("Put on hold")
    RELEASED = "released", _("Ended the hold")
    NOTED = "noted", _("Noted")
    UNDONE = "undone", _("Undid")


class ReviewStep(models.Model):
    """One act of an officer on an episode. `before` and `after` are the fields that it changed.

    The `after` of a note is its text, that of an undoing also names the act that it undid.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="review_steps")
    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    username = models.CharField(max_length=150, help_text="Kept when the user is gone.")
    act = models.CharField(max_length=16, choices=ReviewAct.choices)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["episode", "at", "pk"]
        permissions = [
            ("release_hold", "Can end the hold of an episode"),
            ("undo_others_review", "Can undo what other officers did with an episode"),
        ]

    def __str__(self) -> str:
        return f"{self.username}: {self.get_act_display().lower()}"
