"""What the pages of detection show of telling: deliveries and siren of an episode."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detection.admin.episode_additions import ADDITIONS, Exported, Mark, Stage, ToldLine
from detection.models import Episode
from integrations.admin import episode_course
from integrations.admin.deliveries import status_label
from integrations.admin.episode_section import section_of, siren_of
from integrations.admin.siren_acts import siren_acts
from integrations.admin.siren_states import siren_label
from integrations.models import Delivery, DeliveryStatus, Sounding


@dataclass(frozen=True, slots=True)
class Told:
    """All that telling knows of one episode, in the order in which it happened."""

    deliveries: list[Delivery]
    soundings: list[Sounding]


class Reports:
    """Deliveries and siren: a line in the list, a section on the page."""

    def prepare(self, episodes: QuerySet[Episode]) -> QuerySet[Episode]:
        deliveries = Delivery.objects.order_by("sequence").defer("payload", "answer")
        return episodes.select_related("camera__siren").prefetch_related(
            Prefetch("deliveries", queryset=deliveries, to_attr="reports")
        )

    def summary(self, episode: Episode) -> str:
        reports: list[Delivery] = getattr(episode, "reports", [])
        sent = [report for report in reports if report.status != DeliveryStatus.SUPERSEDED]
        lines = [_count(sent)] if sent else []
        if siren := siren_of(episode):
            state = siren_label(siren, timezone.now())
            lines.append(format_html(_("Siren {state}"), state=state))
        return format_html_join("", '<div class="co-told">{}</div>', ((line,) for line in lines))

    def section(self, request: HttpRequest, episode: Episode) -> str:
        told = _told(episode)
        return section_of(request, episode, told.deliveries, told.soundings)

    def acts(self, request: HttpRequest, episode: Episode) -> str:
        return siren_acts(request, episode, siren_of(episode))

    def marks(self, episode: Episode) -> Sequence[Mark]:
        told = _told(episode)
        return episode_course.marks_of(told.soundings, told.deliveries)

    def stages(self, episode: Episode) -> Sequence[Stage]:
        told = _told(episode)
        return episode_course.stages_of(episode, told.soundings, told.deliveries)

    def subjects(self, episode: Episode) -> Sequence[Model]:
        return _told(episode).deliveries

    def exported(self, episode: Episode) -> Exported:
        deliveries = list(Delivery.objects.filter(episode=episode).order_by("sequence"))
        lines = [
            ToldLine(str(report), report.delivered_at, str(report.get_status_display()))
            for report in deliveries
            if report.status != DeliveryStatus.SUPERSEDED
        ]
        return Exported({"deliveries.json": [_exported(report) for report in deliveries]}, lines)


def _told(episode: Episode) -> Told:
    """Read once for a page; with payload and answer, which the list leaves out."""
    told: Told | None = getattr(episode, "told", None)
    if told is None:
        told = Told(
            list(Delivery.objects.filter(episode=episode).order_by("reporter", "sequence")),
            list(Sounding.objects.filter(episode_id=episode.pk)),
        )
        episode.told = told  # type: ignore[attr-defined] # as a prefetch would
    return told


def _count(sent: list[Delivery]) -> SafeString:
    """The worst status, and how many of the reports have arrived."""
    order = (DeliveryStatus.REFUSED, DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)
    worst = min(sent, key=lambda report: order.index(DeliveryStatus(report.status)))
    arrived = sum(report.status == DeliveryStatus.DELIVERED for report in sent)
    return format_html("{} {}/{}", status_label(worst), arrived, len(sent))


def _exported(delivery: Delivery) -> dict[str, object]:
    return {
        "id": str(delivery.pk),
        "to": delivery.reporter,
        "kind": delivery.kind,
        "status": delivery.status,
        "sequence": delivery.sequence,
        "attempts": delivery.attempts,
        "created_at": _utc(delivery.created_at),
        "delivered_at": _utc(delivery.delivered_at),
        "payload": delivery.payload,
        "answer": delivery.answer,
        "last_error": delivery.last_error,
    }


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


ADDITIONS.append(Reports())
