"""How a value looks on a page: times in the reader's zone, ages, coloured labels, readable JSON."""

import json
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from crimeops.logging import redact
from detection.admin.telling import told

NOTHING = "–"


class Tone(StrEnum):
    """What a colour says; the style sheet has one class for each."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    ACTIVE = "active"
    NEUTRAL = "neutral"


def label(text: Any, tone: Tone, title: Any = "") -> SafeString:
    """A coloured word. The word says it all: colour alone would not reach everybody."""
    return format_html(
        '<span class="co-label co-{}" title="{}">{}</span>',
        tone.value,
        told(redact(str(title))),
        text,
    )


def moment(at: datetime | None) -> str:
    """Date and time to the second in the reader's zone."""
    if at is None:
        return NOTHING
    local = localtime(at)
    return format_html(
        '<time class="co-moment" datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        date_format(local, "l, j F Y, H:i:s T"),
        f"{local:%Y-%m-%d %H:%M:%S}",
    )


def elapsed(duration: timedelta) -> str:
    """The two largest units that matter: `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}


def ago(age: timedelta) -> str:
    """An age as people say it."""
    return _("%(age)s ago") % {"age": elapsed(age)}


def pretty_json(value: object) -> str:
    """Indented JSON in a scrolling block, without any secret this process knows."""
    if value is None:
        return NOTHING
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="co-json">{}</pre>', redact(text))


def plain(text: str) -> str:
    """Text of a worker, a camera or a back end, in the reader's language where it is known.

    Without any secret this process knows.
    """
    return told(redact(text)) or NOTHING


def page_of(app_and_model: str, key: object) -> str:
    """Address of the admin page of one row, such as `detection_episode` and its key."""
    return reverse(f"admin:{app_and_model}_change", args=(key,))


def link(app_and_model: str, key: object, text: str) -> SafeString:
    """A link to the admin page of one row."""
    return format_html('<a class="co-link" href="{}">{}</a>', page_of(app_and_model, key), text)
