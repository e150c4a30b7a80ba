"""The one address behind which a file of evidence is seen, by those who may see its episode."""

import logging
from uuid import UUID

from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone

from detection.admin.base import ReadOnlyAdmin, signed_in
from detection.admin.bundle import gather, stream
from detection.models import AuditAction, Episode, EvidenceFile, EvidenceKind
from detection.services import audit
from detection.serving import SHOWN, away_text, said, serve

logger = logging.getLogger(__name__)

ASKED_FOR = {*EvidenceKind.values, "bundle", "link"}
PICTURES = {EvidenceKind.SNAPSHOT, EvidenceKind.CLEAN_SNAPSHOT, EvidenceKind.PREVIEW}


class EvidencePages(ReadOnlyAdmin[Episode]):
    """The part of the episodes' admin that hands out their files."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:episode_id>/evidence/<slug:kind>/",
                self.admin_site.admin_view(self.evidence),
                name="detection_episode_evidence",
            ),
            path(
                "<uuid:episode_id>/bundle/",
                self.admin_site.admin_view(self.bundle),
                name="detection_episode_bundle",
            ),
            *super().get_urls(),
        ]

    def evidence(self, request: HttpRequest, episode_id: UUID, kind: str) -> HttpResponseBase:
        """The newest file of a kind; each stretch of looking at it is on record."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        episode = self.seen_episode(request, episode_id, kind=kind)
        files = EvidenceFile.objects.filter(episode_id=episode.pk, kind=kind)
        # The newest that is kept; without one, the last that was, which says why it is gone.
        file = files.filter(removed_at=None).last() or files.last()
        if file is None:
            raise Http404("this episode has no such file")
        answer = serve(request, file)
        if answer.status_code in SHOWN:
            is_picture = kind in PICTURES
            action = AuditAction.SNAPSHOT_VIEWED if is_picture else AuditAction.EVIDENCE_VIEWED
            try:
                audit.record_view(action, request=request, subject=episode, details={"kind": kind})
            except BaseException:
                answer.close()
                raise
        return answer

    def bundle(self, request: HttpRequest, episode_id: UUID) -> HttpResponseBase:
        """All evidence of an episode as one zip; each taking is on record."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        episode = self.seen_episode(request, episode_id, kind="bundle")
        now = timezone.now()
        try:
            bundle = gather(episode, signed_in(request), now)
        except OSError as error:
            logger.error("no bundle of episode %s can be made: %s", episode.pk, error)
            return said(503, away_text())
        details = {"files": list(bundle.files), "notes": bundle.notes}
        audit.record(
            AuditAction.EVIDENCE_EXPORTED, request=request, subject=episode, details=details
        )
        return StreamingHttpResponse(
            stream(bundle),
            content_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{bundle.folder}.zip"',
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def seen_episode(self, request: HttpRequest, episode_id: UUID, *, kind: str) -> Episode:
        """The episode whose evidence is asked for.

        Raises:
            Http404: there is none for this officer. Where there is one after all, that they asked
                is on record; the answer is the same.
        """
        if self.has_view_permission(request):
            episode: Episode | None = self.get_queryset(request).filter(pk=episode_id).first()
            if episode is not None:
                return episode
        # Whoever makes kinds up must not fill the audit trail with them.
        asked = kind if kind in ASKED_FOR else "another"
        hidden = Episode.objects.select_related("camera").filter(pk=episode_id).first()
        if hidden is not None:
            audit.record_view(
                AuditAction.EVIDENCE_REFUSED,
                request=request,
                subject=hidden,
                details={"kind": asked},
            )
        raise Http404("this episode has no such file")
