"""The files that prove an episode, each a link of the episode's chain."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from detection.models.episodes import Episode


class EvidenceKind(models.TextChoices):
    """What a file shows. Of a kind the newest that is kept counts."""

    SNAPSHOT = "snapshot", _("Annotated picture")
    CLEAN_SNAPSHOT = "clean_snapshot", _("Picture")
    PREVIEW = "preview", _("Preview")
    CLIP = "clip", _("Video")
    RECORDING = "recording", _("Recording")


class WhyRemoved(models.TextChoices):
    """Why a file is no longer kept though its row is."""

    SUPERSEDED = "superseded", _("A newer one took its place")
    AGE = "age", _("It was older than evidence is kept")
    SIZE = "size", _("Evidence took more space than it may")


class EvidenceFile(models.Model):
    """One file of an episode. Written once; later only `removed_at` and `removed_why` change.

    `link` is the SHA-256 of `previous` (the link before, empty for the first) and of what this row
    says of its file, so that no file can be changed, left out or put in between unseen.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="files")
    sequence = models.PositiveIntegerField(help_text="Its place in the episode's chain, from 1.")
    kind = models.CharField(max_length=16, choices=EvidenceKind.choices)
    name = models.CharField(max_length=255, help_text="In the evidence storage.")
    content_type = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="Of the file; empty: kept before hashes.")
    facts = models.JSONField(
        default=dict,
        blank=True,
        help_text="What its reader must know, as when a video begins.",
    )
    kept_at = models.DateTimeField()
    previous = models.CharField(max_length=64, blank=True)
    link = models.CharField(max_length=64)
    removed_at = models.DateTimeField(null=True, blank=True)
    removal = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 over its link, and when and why it went."
    )
    removed_why = models.CharField(max_length=100, blank=True, choices=WhyRemoved.choices)

    class Meta:
        ordering = ["episode", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["episode", "sequence"], name="one_chain_per_episode")
        ]
        indexes = [
            models.Index(
                fields=["episode", "kind", "sequence"],
                condition=models.Q(removed_at__isnull=True),
                name="evidence_that_is_kept",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.episode_id}"


class EvidenceLink(models.Model):
    """A way to one file for somebody without an account, until it expires or is taken back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(EvidenceFile, on_delete=models.CASCADE, related_name="links")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    purpose = models.CharField(max_length=200, blank=True, help_text="For whom it was made.")

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"link to {self.file}"
