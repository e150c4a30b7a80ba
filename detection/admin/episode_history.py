"""Who did what with an episode: decisions, notes, sirens, reports sent again, and who looked.

The acts of all are for everybody who may see the episode; who looked at it, but for oneself, is for
those who may read the audit trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db.models import Model, Q
from django.utils.translation import gettext as _

from crimeops.logging import redact
from detection.admin.episode_additions import ADDITIONS
from detection.models import (
    AuditAction,
    AuditRecord,
    DismissReason,
    Episode,
    EvidenceKind,
    ReviewAct,
    ReviewStep,
)

MAY_SEE_VIEWS = "detection.view_auditrecord"
MOST_LINES = 200
VIEWS = (
    AuditAction.EPISODE_VIEWED,
    AuditAction.SNAPSHOT_VIEWED,
    AuditAction.EVIDENCE_VIEWED,
    AuditAction.EVIDENCE_EXPORTED,
    AuditAction.EVIDENCE_LINKED,
    AuditAction.EVIDENCE_REFUSED,
    AuditAction.LIVE_VIEWED,
)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One act: `key` names it for style sheets, `is_undone` says that it no longer counts."""

    key: str
    at: datetime
    who: str
    what: str
    detail: str = ""
    is_undone: bool = False


def history_of(episode: Episode, viewer: AbstractUser) -> list[HistoryLine]:
    """The newest first, `MOST_LINES` at most; two queries beside those of the additions."""
    steps = ReviewStep.objects.filter(episode=episode).order_by("-at", "-pk")[:MOST_LINES]
    lines = [_of_step(step) for step in steps]
    lines += [_of_record(record) for record in _records(episode, viewer)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST_LINES]


def _records(episode: Episode, viewer: AbstractUser) -> list[AuditRecord]:
    """What the audit trail says of the episode and its additions, but for what steps say."""
    subjects: list[Model] = [episode]
    for addition in ADDITIONS:
        subjects += addition.subjects(episode)
    about = Q()
    for label, keys in _by_label(subjects).items():
        about |= Q(object_type=label, object_id__in=keys)
    rows = AuditRecord.objects.filter(about).order_by("-at", "-pk")
    if not viewer.has_perm(MAY_SEE_VIEWS):
        rows = rows.exclude(~Q(username=viewer.get_username()), action__in=VIEWS)
    return [record for record in rows[:MOST_LINES] if "step" not in record.details]


def _by_label(subjects: Sequence[Model]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for subject in subjects:
        keys.setdefault(subject._meta.label_lower, []).append(str(subject.pk))
    return keys


def _of_step(step: ReviewStep) -> HistoryLine:
    what, undone = str(step.get_act_display()), step.undone_at is not None
    return HistoryLine(step.act, step.at, step.username, what, _detail_of(step), undone)


def _detail_of(step: ReviewStep) -> str:
    match step.act:
        case ReviewAct.NOTED:
            return str(step.after.get("note", ""))
        case ReviewAct.DISMISSED:
            reason = step.after.get("dismiss_reason")
            return str(DismissReason(reason).label) if reason in DismissReason.values else ""
        case ReviewAct.UNDONE:
            undid = step.after.get("undid")
            return str(ReviewAct(undid).label) if undid in ReviewAct.values else ""
    return ""


def _of_record(record: AuditRecord) -> HistoryLine:
    what = str(record.get_action_display())
    who = record.username or _("nobody")
    return HistoryLine(record.action, record.at, who, what, redact(_said(record)))


def _said(record: AuditRecord) -> str:
    """What the record says besides: the outcome of an act, the kind of a file, or what was sent."""
    details = record.details
    if (kind := details.get("kind")) in EvidenceKind.values:
        return str(EvidenceKind(kind).label)
    said = str(details.get("outcome") or details.get("said") or "")
    return said or ("" if record.object_type == Episode._meta.label_lower else record.label)
