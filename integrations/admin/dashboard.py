"""The figures of telling on the overview and in the sidebar."""

from collections.abc import Sequence

from django.db.models import Count, Q
from django.http import HttpRequest

from detection.admin.dashboard import Card, count_card, list_of
from detection.admin.presentation import Tone
from detection.models import seen_by
from integrations.models import Delivery, DeliveryStatus, Siren

WAITING = Q(status=DeliveryStatus.PENDING)
REFUSED = Q(status=DeliveryStatus.REFUSED)


def _figures(request: HttpRequest) -> dict[str, int]:
    """Both counts by the rows that are not finished well: few, however long the history is."""
    unfinished = seen_by(request.user, Delivery.objects.filter(WAITING | REFUSED))
    figures: dict[str, int] = unfinished.aggregate(
        waiting=Count("pk", filter=WAITING), refused=Count("pk", filter=REFUSED)
    )
    return figures


def cards(request: HttpRequest) -> Sequence[Card]:
    """What telling shows on the overview, as far as this user may see it."""
    shown: list[Card] = []
    if request.user.has_perm("integrations.view_delivery"):
        shown += _delivery_cards(request)
    if request.user.has_perm("integrations.view_siren"):
        shown.append(_siren_card(request))
    return shown


def _delivery_cards(request: HttpRequest) -> list[Card]:
    figures = _figures(request)
    return [
        count_card(
            "Deliveries waiting",
            figures["waiting"],
            Tone.WARNING,
            "tried until they arrive",
            "everything was told",
            list_of("integrations_delivery", "status__exact=pending"),
        ),
        count_card(
            "Deliveries refused",
            figures["refused"],
            Tone.BAD,
            "need somebody to look",
            "no back end refused one",
            list_of("integrations_delivery", "status__exact=refused"),
        ),
    ]


def _siren_card(request: HttpRequest) -> Card:
    sounding = seen_by(request.user, Siren.objects.filter(silent_at=None)).count()
    return count_card(
        "Sirens that may be sounding",
        sounding,
        Tone.BAD,
        "not confirmed silent",
        "all confirmed silent",
        list_of("integrations_siren", "siren=sounding"),
    )


def delivery_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How many deliveries wait or were refused, in red where one was refused."""
    figures = _figures(request)
    tone = Tone.BAD if figures["refused"] else Tone.WARNING
    return figures["waiting"] + figures["refused"], tone
