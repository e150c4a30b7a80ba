"""The part of an episode's page that names its files, and hands them on: bundle and links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.episode_additions import ADDITIONS, Exported, Mark, Stage
from detection.admin.evidence_addresses import bundle_url, evidence_url
from detection.admin.presentation import moment
from detection.models import Episode, EvidenceFile, EvidenceKind, EvidenceLink
from detection.services.evidence_links import DEFAULT_HOURS, HOURS, MAY_LINK, is_valid, token_of


class EvidenceSection:
    """See EpisodeAddition: a section of the page, and nothing else."""

    def prepare(self, episodes: QuerySet[Episode]) -> QuerySet[Episode]:
        return episodes

    def summary(self, episode: Episode) -> str:
        return ""

    def section(self, request: HttpRequest, episode: Episode) -> str:
        files = list(EvidenceFile.objects.filter(episode=episode).order_by("sequence"))
        may_link = request.user.has_perm(MAY_LINK)
        shown = [file for file in files if file.removed_at is None]
        gone = [file for file in files if file.removed_at and not _has(shown, file)]
        return render_to_string(
            "admin/detection/episode/evidence.html",
            {
                "episode": episode,
                "rows": [_row(file, shown) for file in shown],
                "gone": [_gone(file) for file in gone],
                "bundle_url": bundle_url(episode.pk),
                "may_link": may_link,
                "hours": [(hours, _lasting(hours)) for hours in HOURS],
                "default_hours": DEFAULT_HOURS,
                "links": _links(request, episode, timezone.now()) if may_link else [],
            },
            request,
        )

    def acts(self, request: HttpRequest, episode: Episode) -> str:
        if not episode.evidence_links:
            return ""
        url = bundle_url(episode.pk)
        return render_to_string("admin/detection/episode/bundle_act.html", {"url": url}, request)

    def marks(self, episode: Episode) -> Sequence[Mark]:
        return ()

    def stages(self, episode: Episode) -> Sequence[Stage]:
        return ()

    def subjects(self, episode: Episode) -> Sequence[Model]:
        return ()

    def exported(self, episode: Episode) -> Exported:
        return Exported()


def _row(file: EvidenceFile, shown: Sequence[EvidenceFile]) -> dict[str, Any]:
    newest = [other for other in shown if other.kind == file.kind][-1] == file
    return {
        "file": file,
        "name": str(file.get_kind_display()),
        "url": evidence_url(file.episode_id, EvidenceKind(file.kind)) if newest else "",
        "kept": moment(file.kept_at),
    }


def _has(shown: Sequence[EvidenceFile], gone: EvidenceFile) -> bool:
    """A newer one took its place: the old one is no loss."""
    return any(file.kind == gone.kind for file in shown)


def _gone(file: EvidenceFile) -> dict[str, Any]:
    return {
        "name": str(file.get_kind_display()),
        "since": moment(file.removed_at),
        "why": str(file.get_removed_why_display()),
    }


def _links(request: HttpRequest, episode: Episode, now: datetime) -> list[dict[str, Any]]:
    rows = EvidenceLink.objects.filter(file__episode=episode, expires_at__gt=now, revoked_at=None)
    return [
        {
            "link": link,
            "name": str(link.file.get_kind_display()),
            "address": request.build_absolute_uri(reverse("evidence_link", args=(token_of(link),))),
            "until": moment(link.expires_at),
        }
        for link in rows.select_related("file", "made_by")
        if is_valid(link, at=now)
    ]


def _lasting(hours: int) -> str:
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return _("%(count)d days") % {"count": hours // 24}


ADDITIONS.append(EvidenceSection())
