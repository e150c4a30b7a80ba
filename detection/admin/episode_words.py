"""What is said of an episode in a word, in the list as on its page."""

from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detection.admin.evidence_addresses import evidence_url
from detection.admin.presentation import Tone, elapsed, label
from detection.models import Episode, EpisodeStatus, EvidenceFile, EvidenceKind, Verdict
from detection.services.evidence import files_of

STATUS_TONES = {
    EpisodeStatus.SUSPICIOUS: Tone.WARNING,
    EpisodeStatus.CONFIRMED: Tone.BAD,
    EpisodeStatus.CLEARED: Tone.NEUTRAL,
    EpisodeStatus.LOST: Tone.WARNING,
}
VERDICT_TONES = {
    Verdict.UNREVIEWED: Tone.ACTIVE,
    Verdict.CONFIRMED: Tone.BAD,
    Verdict.DISMISSED: Tone.NEUTRAL,
}


def kind_of(episode: Episode) -> str:
    return episode.get_crime_type_display().capitalize()


def shown_files() -> "Prefetch[str, Any, Any]":
    """For lists: what is kept of each episode, as `shown_files`."""
    kept = EvidenceFile.objects.filter(removed_at=None)
    return Prefetch("files", kept, to_attr="shown_files")


def shown_kinds(episode: Episode) -> set[str]:
    """The kinds of files that are kept; without a query where `shown_files` were fetched."""
    files = getattr(episode, "shown_files", None)
    return {file.kind for file in (files_of(episode.pk) if files is None else files)}


def snapshot_url(episode: Episode) -> str:
    """The picture's address behind the admin's door; the storage is never served openly."""
    return evidence_url(episode.pk, EvidenceKind.SNAPSHOT)


def status_label(episode: Episode) -> SafeString:
    status = EpisodeStatus(episode.status)
    return label(status.label, STATUS_TONES[status])


def verdict_label(episode: Episode) -> SafeString:
    verdict = Verdict(episode.verdict)
    reason = str(episode.get_dismiss_reason_display())
    return label(str(verdict.label), VERDICT_TONES[verdict], reason)


def duration_of(episode: Episode) -> str:
    if episode.ended_at is None:
        so_far = elapsed(timezone.now() - episode.started_at)
        said = _("%(time)s, open") % {"time": so_far}
        return format_html('<span class="co-steady">{}</span>', said)
    lasted = elapsed(episode.ended_at - episode.started_at)
    return format_html('<span class="co-steady">{}</span>', lasted)
