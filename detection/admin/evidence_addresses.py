"""The addresses of evidence, for whatever page shows it."""

from uuid import UUID

from django.urls import reverse

from detection.models import EvidenceKind


def evidence_url(episode_id: UUID, kind: EvidenceKind) -> str:
    """Where the newest file of a kind is seen."""
    return reverse("admin:detection_episode_evidence", args=(episode_id, kind.value))


def bundle_url(episode_id: UUID) -> str:
    """Where the zip of everything is taken."""
    return reverse("admin:detection_episode_bundle", args=(episode_id,))
