"""What the queue says of one episode, on its card as in its row of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.episode_additions import ADDITIONS
from detection.admin.episode_words import (
    duration_of,
    kind_of,
    status_label,
    verdict_label,
)
from detection.admin.evidence_addresses import evidence_url
from detection.admin.neighbours import FILTERS
from detection.admin.presentation import page_of, plain
from detection.models import Episode, EvidenceFile, EvidenceKind, Verdict

PICTURES = (EvidenceKind.SNAPSHOT, EvidenceKind.PREVIEW)


@dataclass(frozen=True, slots=True)
class Badge:
    """A mark that an officer must not overlook: an icon of unfold's font, and its words."""

    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """One episode as the template writes it. `edge` is a tone; colour never says it alone."""

    episode: Episode
    url: str
    name: str
    kind: str
    began: datetime
    age: str
    certainty: str
    reason: str
    status: SafeString
    verdict: SafeString
    duration: str
    told: SafeString
    still: str
    preview: str
    badges: Sequence[Badge]
    edge: str

    @property
    def may_be_dismissed(self) -> bool:
        """In bulk only what is over and undecided: an open one is looked at by itself."""
        return self.episode.verdict == Verdict.UNREVIEWED and not self.episode.is_open


def with_pictures(episodes: QuerySet[Episode]) -> QuerySet[Episode]:
    """Also which pictures are kept of each, by one query for all."""
    kept = EvidenceFile.objects.filter(removed_at=None, kind__in=PICTURES)
    kept = kept.only("episode_id", "kind").order_by("sequence")
    return episodes.prefetch_related(Prefetch("files", queryset=kept, to_attr="shown_files"))


def card_of(episode: Episode, at: datetime, query: str = "") -> EpisodeCard:
    """The card of an episode that `with_pictures` and the additions have prepared."""
    began = timezone.localtime(episode.started_at)
    kind = kind_of(episode)
    kept = {file.kind for file in getattr(episode, "shown_files", [])}
    lines = (addition.summary(episode) for addition in ADDITIONS)
    return EpisodeCard(
        episode=episode,
        url=page_of("detection_episode", episode.pk) + _carrying(query),
        name=_("%(kind)s at %(camera)s") % {"kind": kind, "camera": episode.camera.name},
        kind=kind,
        began=began,
        age=age_of(at - episode.started_at),
        certainty=_("confirmed") if episode.confirmed_at else _("suspected"),
        reason=plain(episode.reason),
        status=status_label(episode),
        verdict=verdict_label(episode),
        duration=duration_of(episode),
        told=format_html_join("", "{}", ((line,) for line in lines if line)),
        still=_picture(episode, EvidenceKind.SNAPSHOT, kept),
        preview=_picture(episode, EvidenceKind.PREVIEW, kept),
        badges=_badges(episode),
        edge=_edge(episode),
    )


def _carrying(query: str) -> str:
    """The page of an episode leads on in the order of the queue that it was opened from."""
    return f"?{urlencode({FILTERS: query})}" if query else ""


def age_of(age: timedelta) -> str:
    """How long ago, in its largest unit: an officer sorts by it at a glance."""
    minutes = max(0, int(age.total_seconds())) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    days = hours // 24
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def _picture(episode: Episode, kind: EvidenceKind, kept: set[str]) -> str:
    if kind not in kept:
        return ""
    return evidence_url(episode.pk, kind)


def _badges(episode: Episode) -> list[Badge]:
    found = []
    if episode.escalated_at:
        found.append(Badge("priority_high", _("Escalated")))
    if episode.held_at:
        found.append(Badge("lock", _("On hold")))
    return found


def _edge(episode: Episode) -> str:
    if episode.verdict != Verdict.UNREVIEWED:
        return "neutral"
    return "bad" if episode.confirmed_at else "warning"
