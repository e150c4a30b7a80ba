"""What the pages of detection show of telling: deliveries and siren of an episode."""

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from detection.admin.episode_additions import ADDITIONS
from detection.admin.presentation import (
    link,
    moment,
    page_of,
    plain,
    pretty_json,
)
from detection.models import Episode
from integrations.admin.deliveries import MAY_RESEND, status_label
from integrations.admin.sirens import siren_label
from integrations.models import Delivery, DeliveryStatus, Siren


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
        if siren := _siren_of(episode):
            lines.append(format_html("Siren {}", siren_label(siren, timezone.now())))
        return format_html_join("", '<div class="co-told">{}</div>', ((line,) for line in lines))

    def section(self, request: HttpRequest, episode: Episode) -> str:
        # In the order in which they are told; with their answers, which the list leaves out.
        deliveries = Delivery.objects.filter(episode=episode).order_by("reporter", "sequence")
        siren = _siren_of(episode)
        return render_to_string(
            "admin/integrations/episode_section.html",
            {
                "rows": [_row(delivery) for delivery in deliveries],
                "siren": _siren_line(siren) if siren else "",
                "may_resend": request.user.has_perm(MAY_RESEND),
            },
            request,
        )


def _count(sent: list[Delivery]) -> SafeString:
    """The worst status, and how many of the reports have arrived."""
    order = (DeliveryStatus.REFUSED, DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)
    worst = min(sent, key=lambda report: order.index(DeliveryStatus(report.status)))
    arrived = sum(report.status == DeliveryStatus.DELIVERED for report in sent)
    return format_html("{} {}/{}", status_label(worst), arrived, len(sent))


def _row(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery": delivery,
        "name": link("integrations_delivery", delivery.pk, delivery.get_kind_display()),
        "status": status_label(delivery),
        "error": plain(delivery.last_error),
        "answer": pretty_json(delivery.answer),
    }


def _siren_of(episode: Episode) -> Siren | None:
    """The camera's siren, where this is the episode it was last asked to sound for."""
    siren: Siren | None = getattr(episode.camera, "siren", None)
    return siren if siren and siren.episode_id == episode.pk else None


def _siren_line(siren: Siren) -> SafeString:
    asked = format_html("asked for {}", moment(siren.rung_at))
    error = format_html("; {}", plain(siren.last_error)) if siren.last_error else ""
    return format_html(
        '{} {}{} (<a class="co-link" href="{}">details</a>)',
        siren_label(siren, timezone.now()),
        asked,
        error,
        page_of("integrations_siren", siren.pk),
    )


ADDITIONS.append(Reports())
