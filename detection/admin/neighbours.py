"""The episodes before and after one, in the order and within the filter of the queue one left."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from detection.admin.presentation import page_of
from detection.admin.queue_filter import ORDERS, QueueFilter
from detection.models import Episode, Verdict, seen_by

FILTERS = "_changelist_filters"  # as Django's admin carries the list's query to a row's page


def neighbours_of(request: HttpRequest, episode: Episode) -> dict[str, str]:
    """Addresses of `previous`, `next` and the `next_to_review`, as far as there are such."""
    rows, order = _list_of(request)
    others = rows.exclude(pk=episode.pk)
    waiting = others.filter(verdict=Verdict.UNREVIEWED)
    found = {
        "previous": _beside(others, [_turned(name) for name in order], episode),
        "next": _beside(others, order, episode),
        "next_to_review": _beside(waiting, order, episode) or _first(waiting, order),
    }
    query = carried(request)
    return {
        word: f"{page_of('detection_episode', key)}{query}" for word, key in found.items() if key
    }


def carried(request: HttpRequest) -> str:
    """The list's query as an address of a row takes it on; empty where there is none."""
    filters = filters_of(request)
    return f"?{urlencode({FILTERS: filters})}" if filters else ""


def filters_of(request: HttpRequest) -> str:
    """The list's query: as it is carried along, or of the list that the officer just left."""
    if FILTERS in request.GET:
        return str(request.GET[FILTERS])
    came_from = urlsplit(request.headers.get("Referer", ""))
    return came_from.query if came_from.path == queue_address() else ""


def queue_of(request: HttpRequest) -> str:
    """The way back: the queue as the officer left it."""
    filters = filters_of(request)
    return f"{queue_address()}?{filters}" if filters else queue_address()


def queue_address() -> str:
    return reverse("admin:detection_episode_changelist")


def _list_of(request: HttpRequest) -> tuple[QuerySet[Episode], Sequence[str]]:
    """The rows of the list that the officer came from, and their order, which is total."""
    try:
        asked = QueueFilter(QueryDict(filters_of(request)), request.user)
    except DisallowedModelAdminLookup:  # an address that was made up opens its episode all the same
        asked = QueueFilter(QueryDict(), request.user)
    return asked.rows(seen_by(request.user, Episode.objects.all())), ORDERS[asked.chosen_order]


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _first(rows: QuerySet[Episode], order: Sequence[str]) -> Any:
    return rows.order_by(*order).values_list("pk", flat=True).first()


def _beside(rows: QuerySet[Episode], order: Sequence[str], episode: Episode) -> Any:
    """The key of the row that comes next in this order: found by its values, not by counting."""
    beyond, same = Q(), Q()
    for name in order:
        field = name.lstrip("-")
        value = _value(episode, field)
        further = "lt" if name.startswith("-") else "gt"
        beyond |= same & Q(**{f"{field}__{further}": value})
        same &= Q(**{field: value})
    return _first(rows.filter(beyond), order)


def _value(episode: Episode, path: str) -> Any:
    value: Any = episode
    for name in path.split("__"):
        value = getattr(value, name)
    return getattr(value, "pk", value)
