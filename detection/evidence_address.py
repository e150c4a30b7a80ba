"""The one address that asks for no login: a file of evidence by a signed link."""

import logging
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crimeops.clients import client_address
from detection.models import AuditAction, AuditRecord, EvidenceKind, EvidenceLink
from detection.services import audit
from detection.services.evidence_links import Forged, find_link
from detection.serving import SHOWN, said, serve

logger = logging.getLogger(__name__)

# No token can be guessed; this keeps whoever tries from filling the audit trail.
FORGED_WINDOW = timedelta(minutes=10)
MOST_FORGED = 10


@require_safe
def evidence_by_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file, as long as its link is good; each stretch of looking is on record."""
    now = timezone.now()
    try:
        link = find_link(token, at=now)
    except Forged:
        return _refuse_forged(request, now)
    if link is None:
        return _not_there()
    answer = serve(request, link.file)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "private, no-store"  # a link that ended must show nothing
    if answer.status_code in SHOWN:
        try:
            _note_view(request, link, now)
        except BaseException:
            answer.close()
            raise
    return answer


def _note_view(request: HttpRequest, link: EvidenceLink, now: datetime) -> None:
    """By whom is not known: by whose link, and from where."""
    is_picture = link.file.kind in {EvidenceKind.SNAPSHOT, EvidenceKind.CLEAN_SNAPSHOT}
    details = {"kind": link.file.kind, "link": str(link.pk)}
    seen = AuditRecord.objects.filter(
        object_type="detection.episode",
        object_id=str(link.file.episode_id),
        address=client_address(request),
        details=details,
        at__gt=now - audit.ONE_VIEW,
    )
    if not seen.exists():
        audit.record(
            AuditAction.SNAPSHOT_VIEWED if is_picture else AuditAction.EVIDENCE_VIEWED,
            request=request,
            username=f"link:{link.made_by.get_username()}",
            subject=link.file.episode,
            details=details,
        )


def _refuse_forged(request: HttpRequest, now: datetime) -> HttpResponseBase:
    address = client_address(request)
    tried = AuditRecord.objects.filter(
        at__gt=now - FORGED_WINDOW,
        action=AuditAction.EVIDENCE_REFUSED,
        address=address,
        object_type="",
    )
    if tried.count() >= MOST_FORGED:
        answer = said(429, _("Too many links that are not good. Try again later."))
        answer.headers["Retry-After"] = str(round(FORGED_WINDOW.total_seconds()))
        return answer
    audit.record(
        AuditAction.EVIDENCE_REFUSED, request=request, username="link", details={"said": "forged"}
    )
    return _not_there()


def _not_there() -> HttpResponseBase:
    """The same for all: whoever asks learns nothing of what there was."""
    return said(404, _("This link is not good, or not any more. Ask whoever gave it to you."))


urlpatterns = [path("<str:token>", evidence_by_link, name="evidence_link")]
