"""Making and taking back links to evidence, for officers who may."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.admin.base import signed_in
from detection.admin.episode_evidence import EvidencePages
from detection.admin.presentation import page_of
from detection.models import AuditAction, Episode, EvidenceFile, EvidenceKind, EvidenceLink
from detection.services import audit
from detection.services.evidence import newest_of
from detection.services.evidence_links import HOURS, MAY_LINK, make_link, revoke_link


class LinkForm(forms.Form):
    """What a link is for. `hours` is one of those that are offered."""

    kind = forms.ChoiceField(choices=EvidenceKind.choices)
    hours = forms.TypedChoiceField(choices=[(hours, hours) for hours in HOURS], coerce=int)
    purpose = forms.CharField(max_length=200)


class EvidenceLinkPages(EvidencePages):
    """The part of the episodes' admin that hands files to people without an account."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:episode_id>/evidence-links/",
                wrap(self.link),
                name="detection_episode_evidence_link",
            ),
            path(
                "<uuid:episode_id>/evidence-links/<uuid:link_id>/end/",
                wrap(self.unlink),
                name="detection_episode_evidence_unlink",
            ),
            *super().get_urls(),
        ]

    def link(self, request: HttpRequest, episode_id: UUID) -> HttpResponse:
        """Make a link to the newest file of a kind and return to the page, which shows it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        episode = self._linkable(request, episode_id)
        form = LinkForm(request.POST)
        file = newest_of(episode.pk, EvidenceKind(form.data["kind"])) if form.is_valid() else None
        if file is None:
            text = _("No link was made: choose a file, a time and for whom it is.")
            messages.error(request, text)
        else:
            self._make(request, episode, file, form)
            messages.success(request, _("The link is made. Copy its address below."))
        return _back(episode_id)

    def _make(
        self, request: HttpRequest, episode: Episode, file: EvidenceFile, form: LinkForm
    ) -> None:
        chosen = form.cleaned_data
        with transaction.atomic():
            made = make_link(
                file=file,
                maker=signed_in(request),
                hours=chosen["hours"],
                purpose=chosen["purpose"],
                at=timezone.now(),
            )
            audit.record(
                AuditAction.EVIDENCE_LINKED,
                request=request,
                subject=episode,
                details={
                    "said": f"{file.get_kind_display()}: {chosen['purpose']}, {chosen['hours']} h",
                    "link": str(made.pk),
                },
            )

    def unlink(self, request: HttpRequest, episode_id: UUID, link_id: UUID) -> HttpResponse:
        """Take a link back; from now on it answers as one that never was."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        episode = self._linkable(request, episode_id)
        link = EvidenceLink.objects.filter(pk=link_id, file__episode=episode).first()
        if link is None:
            raise Http404("no such link")
        with transaction.atomic():
            if revoke_link(link):
                details = {"said": _("taken back"), "link": str(link.pk)}
                audit.record(
                    AuditAction.EVIDENCE_LINKED, request=request, subject=episode, details=details
                )
        messages.success(request, _("The link is taken back."))
        return _back(episode_id)

    def _linkable(self, request: HttpRequest, episode_id: UUID) -> Episode:
        episode = self.seen_episode(request, episode_id, kind="link")
        if not request.user.has_perm(MAY_LINK):
            raise PermissionDenied
        return episode


def _back(episode_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(f"{page_of('detection_episode', episode_id)}#evidence")
