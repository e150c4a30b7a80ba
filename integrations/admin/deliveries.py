"""The outbox: what was told, what still waits, what was refused, and sending it again."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import (
    Tone,
    label,
    link,
    moment,
    page_of,
    plain,
    pretty_json,
)
from detection.models import AuditAction
from integrations.models import Delivery, DeliveryStatus
from integrations.services import outbox

STATUS_TONES = {
    DeliveryStatus.PENDING: Tone.WARNING,
    DeliveryStatus.DELIVERED: Tone.GOOD,
    DeliveryStatus.REFUSED: Tone.BAD,
    DeliveryStatus.SUPERSEDED: Tone.NEUTRAL,
}
MAY_RESEND = "integrations.change_delivery"
NOT_RESENT = _("it was told, is on its way, or tells what is no longer so")


def status_label(delivery: Delivery) -> SafeString:
    status = DeliveryStatus(delivery.status)
    return label(str(status.label), STATUS_TONES[status], delivery.last_error)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    empty_title = _("Nothing has been told yet")
    empty_text = _(
        "A delivery is written with each step of an episode whose camera belongs to a back end. "
        "There is nothing to do here until then."
    )
    list_display = (
        "kind",
        "episode_link",
        "reporter",
        "status_now",
        "attempts",
        "error",
        "created",
        "delivered",
    )
    list_filter = ("status", "kind", "reporter", "created_at")
    search_fields = ("episode__camera__name", "last_error")
    actions = ("resend_chosen",)
    fieldsets = (
        (None, {"fields": ("episode_link", ("kind", "reporter"), ("status_now", "sequence"))}),
        (
            _("Course"),
            {"fields": (("attempts", "next_attempt"), ("created", "delivered"), "error")},
        ),
        (_("Content"), {"fields": ("payload_json", "answer_json")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = super().get_queryset(request).select_related("episode__camera")
        return without_credentials(rows, "episode__camera").defer("episode__confidence_timeline")

    @admin.display(description=_("episode"), ordering="episode__started_at")
    def episode_link(self, delivery: Delivery) -> str:
        episode = delivery.episode
        return link("detection_episode", episode.pk, str(episode))

    @admin.display(description=_("status"), ordering="status")
    def status_now(self, delivery: Delivery) -> SafeString:
        return status_label(delivery)

    @admin.display(description=_("last error"))
    def error(self, delivery: Delivery) -> str:
        text = plain(delivery.last_error)
        return format_html('<span class="co-remark" title="{}"><bdi>{}</bdi></span>', text, text)

    @admin.display(description=_("written"), ordering="created_at")
    def created(self, delivery: Delivery) -> str:
        return moment(delivery.created_at)

    @admin.display(description=_("delivered"), ordering="delivered_at")
    def delivered(self, delivery: Delivery) -> str:
        return moment(delivery.delivered_at)

    @admin.display(description=_("next attempt"))
    def next_attempt(self, delivery: Delivery) -> str:
        waits = delivery.status == DeliveryStatus.PENDING
        return moment(delivery.next_attempt_at if waits else None)

    @admin.display(description=_("payload"))
    def payload_json(self, delivery: Delivery) -> str:
        return pretty_json(delivery.payload)

    @admin.display(description=_("answer"))
    def answer_json(self, delivery: Delivery) -> str:
        return pretty_json(delivery.answer)

    # --- sending again --------------------------------------------------------------------------

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Sending again is the one change an operator makes to a delivery."""
        return bool(request.user.has_perm(MAY_RESEND))

    @admin.action(description=_("Resend"), permissions=["resend"])
    @transaction.atomic
    def resend_chosen(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        chosen = list(deliveries.order_by("camera", "sequence"))
        sent = sum(self._resend(request, delivery) for delivery in chosen)
        text = ngettext(
            "%(count)d delivery will be sent again.",
            "%(count)d deliveries will be sent again.",
            sent,
        )
        self.message_user(request, text % {"count": sent}, messages.SUCCESS)
        if sent < len(chosen):
            left_out = gettext("%(count)d left out: %(why)s.")
            told = {"count": len(chosen) - sent, "why": NOT_RESENT}
            self.message_user(request, left_out % told, messages.WARNING)

    def _resend(self, request: HttpRequest, delivery: Delivery) -> bool:
        resent = outbox.resend_delivery(delivery_id=delivery.pk)
        if resent:
            self.log_act(request, AuditAction.RESENT, delivery, "Resent.")
        return resent

    def get_urls(self) -> list[URLPattern]:
        resend = self.admin_site.admin_view(self.resend)
        return [
            path("<uuid:delivery_id>/resend/", resend, name="integrations_delivery_resend"),
            *super().get_urls(),
        ]

    def resend(self, request: HttpRequest, delivery_id: UUID) -> HttpResponse:
        """Send one again, and return to where the button was."""
        if not self.has_resend_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        delivery = self.get_queryset(request).filter(pk=delivery_id).first()
        if delivery is None:
            raise Http404("no such delivery")
        with transaction.atomic():
            resent = self._resend(request, delivery)
        if resent:
            text = gettext("%(delivery)s will be sent again.") % {"delivery": delivery}
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = gettext("%(delivery)s is not sent again: %(why)s.")
            told = {"delivery": delivery, "why": NOT_RESENT}
            self.message_user(request, text % told, messages.WARNING)
        if request.POST.get("back") == "episode":
            return HttpResponseRedirect(page_of("detection_episode", delivery.episode_id))
        return HttpResponseRedirect(page_of("integrations_delivery", delivery.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_resend"] = self.has_resend_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)
