"""What changed since a queue's page was read: how many are new, and the cards that it shows."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import ngettext

from detection.admin.dashboard import open_count, short, waiting_count
from detection.admin.queue_cards import card_of, with_pictures
from detection.admin.queue_filter import QueueFilter
from detection.admin.queue_page import KNOWN, LATENESS, asked_again
from detection.admin.queue_pages import PAGE_LENGTH, count_up_to
from detection.models import Episode

MOST_NEW = 99


def news_answer(
    request: HttpRequest, episodes: QuerySet[Episode], *, may_review: bool
) -> HttpResponse:
    """JSON, or 304 where nothing of it is other than what the page has had."""
    news = _news(request, episodes, may_review)
    body = json.dumps(news, ensure_ascii=False, sort_keys=True).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(body, content_type="application/json", headers={"ETag": tag})


def _news(request: HttpRequest, episodes: QuerySet[Episode], may_review: bool) -> dict[str, Any]:
    asked = QueueFilter(request.GET.dict(), request.user)
    new = _count_new(request, asked.rows(episodes))
    waiting = waiting_count(request)
    some = ngettext("%(n)s new episode", "%(n)s new episodes", new)
    text = f"{MOST_NEW}+" if new > MOST_NEW else str(new)
    return {
        "new": new,
        "said": some % {"n": text} if new else "",
        "waiting": short(waiting) if waiting else "",
        "open": open_count(request) or "",
        "cards": _cards(request, asked, episodes, may_review),
    }


def _count_new(request: HttpRequest, rows: QuerySet[Episode]) -> int:
    try:
        read_at = parse_datetime(request.GET.get("read_at", ""))
    except ValueError:
        read_at = None
    if read_at is None or timezone.is_naive(read_at):
        return 0
    known = list(_keys(request.GET.get("known", ""), KNOWN))
    late = rows.filter(decided_at__gt=read_at - LATENESS).exclude(pk__in=known)
    return count_up_to(late, MOST_NEW + 1)


def _cards(
    request: HttpRequest, asked: QueueFilter, episodes: QuerySet[Episode], may_review: bool
) -> dict[str, str]:
    keys = list(_keys(request.GET.get("shown", ""), PAGE_LENGTH))
    if not keys:
        return {}
    now, query = timezone.now(), asked_again(asked)
    name = "row" if request.GET.get("view") == "table" else "card"
    template = f"admin/detection/episode/queue/{name}.html"
    found = with_pictures(episodes).in_bulk(keys)

    def html(episode: Episode) -> str:
        context = {"card": card_of(episode, now, query), "may_review": may_review}
        return render_to_string(template, context)

    return {key.hex: html(episode) for key, episode in found.items()}


def _keys(text: str, most: int) -> Iterable[UUID]:
    for word in text.split(",")[:most]:
        try:
            yield UUID(word)
        except ValueError:
            continue
