"""The queue of episodes: what its page shows, and what it asks of the server while it is open."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.admin.dashboard import open_count, short, waiting_count
from detection.admin.queue_cards import EpisodeCard, card_of, with_pictures
from detection.admin.queue_filter import Order, QueueFilter
from detection.admin.queue_pages import QueuePages
from detection.models import DismissReason, Episode, Verdict

VIEWS: Final = ("cards", "table")
VIEW_KEY: Final = "queue_view"
# Steps are written a moment after they were decided: the last are told apart by their keys.
LATENESS: Final = timedelta(seconds=30)
KNOWN: Final = 30
SELECTS: Final = (
    "verdict",
    "course",
    "status",
    "crime_type",
    "camera",
    "station",
    "since",
    "until",
)
CHECKS: Final = ("escalated", "held")


def queue_context(request: HttpRequest, episodes: QuerySet[Episode]) -> dict[str, Any]:
    """What the page's template needs; `episodes` are those that this user may see."""
    now = timezone.now()
    asked = QueueFilter(request.GET.dict(), request.user)
    rows = asked.rows(episodes)
    pages = QueuePages(
        rows, with_pictures(episodes), _number(request.GET.get("p", "")), asked.is_search
    )
    query = asked_again(asked)
    cards = [card_of(episode, now, query) for episode in pages.episodes]
    waiting = waiting_count(request)
    return {
        "title": _("Episodes"),
        "asked": asked,
        "selects": [asked[name] for name in SELECTS],
        "checks": [asked[name] for name in CHECKS],
        "chips": _chips(asked),
        "complaints": asked.complaints(),
        "orders": _orders(asked),
        "tabs": _tabs(asked),
        "view": _view(request),
        "pages": pages,
        "links": _page_links(asked, pages),
        "cards": cards,
        "waiting": waiting,
        "waiting_short": short(waiting),
        "open": open_count(request),
        "is_empty": _why_empty(asked, cards, waiting, episodes),
        "nothing_waits": not waiting and not asked.asked,
        "dismiss_reasons": DismissReason.choices,
        "read_at": now.isoformat(),
        "known": _known(rows, now),
        "query": query,
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _view(request: HttpRequest) -> str:
    """Cards or table: as asked, and as asked the last time."""
    view = request.GET.get("view", "")
    if view in VIEWS and request.session.get(VIEW_KEY) != view:
        request.session[VIEW_KEY] = view
    return str(request.session.get(VIEW_KEY, VIEWS[0]))


def asked_again(asked: QueueFilter, **other: str) -> str:
    """The query of an address that asks the same, but for `other`; an empty value is left out."""
    said = {**asked.asked, "order": asked.value("order"), **other}
    return urlencode({name: value for name, value in said.items() if value})


def _tabs(asked: QueueFilter) -> list[tuple[str, str, bool]]:
    """The questions of each day, one touch away: words, address, whether it is asked now."""
    waiting = {"verdict": Verdict.UNREVIEWED.value}
    choices: tuple[tuple[str, dict[str, str]], ...] = (
        (_("All"), {}),
        (_("To review"), waiting),
        (_("Open now"), {"course": "open"}),
        (_("Escalated"), {"escalated": "1"}),
        (_("On hold"), {"held": "1"}),
    )
    return [(text, f"?{urlencode(query)}", asked.asked == query) for text, query in choices]


def _chips(asked: QueueFilter) -> list[tuple[str, str]]:
    """What is asked in words, each with the address that asks it no more."""
    chips = []
    for name in asked.asked:
        field, value = asked.fields[name], asked.value(name)
        if name == "q":
            value = f"“{value}”"
        words = dict(getattr(field, "choices", [])).get(str(value), value)
        text = str(field.label) if value is True else f"{field.label}: {words}"
        chips.append((text, f"?{asked_again(asked, **{name: ''})}"))
    return chips


def _orders(asked: QueueFilter) -> list[tuple[str, str, bool]]:
    return [
        (
            str(order.label),
            f"?{asked_again(asked, order=order.value)}",
            order.value == asked.chosen_order,
        )
        for order in Order
    ]


def _page_links(asked: QueueFilter, pages: QueuePages) -> dict[str, str]:
    places = {"first": 1, "previous": pages.number - 1, "next": pages.number + 1}
    return {
        name: f"?{asked_again(asked, p=str(number))}"
        for name, number in {**places, "last": pages.last}.items()
        if 1 <= number <= pages.last and number != pages.number
    }


def _why_empty(
    asked: QueueFilter, cards: list[EpisodeCard], waiting: int, episodes: QuerySet[Episode]
) -> str:
    """Which of the empty states, if any: `none`, `no_match` or `all_reviewed`."""
    if cards:
        return ""
    if not asked.asked:
        return "none"
    only_waiting = asked.asked == {"verdict": Verdict.UNREVIEWED.value}
    return "all_reviewed" if only_waiting and episodes.exists() else "no_match"


def _known(rows: QuerySet[Episode], now: datetime) -> str:
    late = rows.filter(decided_at__gt=now - LATENESS).order_by("-decided_at")
    return ",".join(key.hex for key in late.values_list("pk", flat=True)[:KNOWN])
