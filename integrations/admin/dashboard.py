"""The figures of telling on the overview and in the sidebar."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.admin.dashboard import Card, count_card, list_of
from detection.admin.presentation import Tone, elapsed
from detection.models import seen_by
from integrations.admin.siren_latency import siren_latency_card
from integrations.models import Delivery, DeliveryStatus, Siren

WAITING = Q(status=DeliveryStatus.PENDING)
NORMAL_AGE, LONG_AGE = timedelta(seconds=30), timedelta(minutes=10)
REFUSED = Q(status=DeliveryStatus.REFUSED)


def _figures(request: HttpRequest) -> dict[str, Any]:
    """Both counts by the rows that are not finished well: few, however long the history is."""
    unfinished = seen_by(request.user, Delivery.objects.filter(WAITING | REFUSED))
    figures: dict[str, Any] = unfinished.aggregate(
        waiting=Count("pk", filter=WAITING),
        refused=Count("pk", filter=REFUSED),
        oldest=Min("created_at", filter=WAITING),
    )
    return figures


def cards(request: HttpRequest) -> Sequence[Card]:
    """What telling shows on the overview, as far as this user may see it."""
    shown: list[Card] = []
    if request.user.has_perm("integrations.view_delivery"):
        shown += _delivery_cards(request)
    if request.user.has_perm("integrations.view_siren"):
        shown.append(_siren_card(request))
        shown.append(siren_latency_card(request))
    return shown


def _delivery_cards(request: HttpRequest) -> list[Card]:
    figures = _figures(request)
    age = timezone.now() - figures["oldest"] if figures["oldest"] else timedelta()
    return [
        count_card(
            _("Deliveries waiting"),
            figures["waiting"],
            _backlog_tone(age),
            _("tried until they arrive; the oldest waits for %(age)s") % {"age": elapsed(age)},
            _("everything was told"),
            list_of("integrations_delivery", "status__exact=pending"),
        ),
        count_card(
            _("Deliveries refused"),
            figures["refused"],
            Tone.BAD,
            _("need somebody to look"),
            _("no back end refused one"),
            list_of("integrations_delivery", "status__exact=refused"),
        ),
    ]


def _backlog_tone(age: timedelta) -> Tone:
    """A report takes a moment; minutes are a back end that is slow, and more one that is away."""
    if age < NORMAL_AGE:
        return Tone.ACTIVE
    return Tone.WARNING if age < LONG_AGE else Tone.BAD


def _siren_card(request: HttpRequest) -> Card:
    sounding = seen_by(request.user, Siren.objects.filter(silent_at=None)).count()
    return count_card(
        _("Sirens that may be sounding"),
        sounding,
        Tone.BAD,
        _("not confirmed silent"),
        _("all confirmed silent"),
        list_of("integrations_siren", "siren=sounding"),
    )


def delivery_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How many deliveries wait or were refused, in red where one was refused."""
    figures = _figures(request)
    tone = Tone.BAD if figures["refused"] else Tone.WARNING
    return figures["waiting"] + figures["refused"], tone
