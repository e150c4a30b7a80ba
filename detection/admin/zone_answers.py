"""What the zone editor's preview answers, in words and in shares of the day."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crimeops.translations import words_of
from detection.admin.presentation import elapsed
from detection.models import Camera, Episode
from detection.services.zone_drafts import Drawing
from detection.services.zone_preview import HOURS, Found, as_rows, look_back

HOUR_MARKS = 6  # hours between the marks of the day's strip


def preview_answer(camera: Camera, drawing: Drawing) -> dict[str, Any]:
    """Who would have triggered. Raises DraftError."""
    found = look_back(camera, drawing, until=timezone.now())
    return {
        "zones": [_zone(draft.name, draft.enabled, found) for draft in drawing.zones if draft.name],
        "ways": found.ways,
        "marks": _marks(found),
        "notes": _notes(found),
        "covered_from": _share(found.covered_from, found) if found.covered_from else 0,
        "seconds": round(found.seconds, 2),
    }


def _zone(name: str, enabled: bool, found: Found) -> dict[str, Any]:
    crimes = dict(Episode._meta.get_field("crime_type").flatchoices)
    rows = [row for row in as_rows(found) if row["zone"] == name]
    return {
        "name": name,
        "count": _count(len(rows), sum(row["confirmed"] for row in rows), enabled),
        "left_out": _left_out(found.left_out.get(name, [])),
        "triggers": [
            {
                "share": _share(row["at"], found),
                "crime": row["confirmed"],
                "place": row["place"],
                "at": date_format(localtime(row["at"]), "D H:i:s"),
                "what": capfirst(str(crimes.get(row["crime_type"], row["crime_type"]))),
                "rules": _named(row["rules"]),
                "level": _("crime") if row["confirmed"] else _("alert"),
                "confidence": f"{row['confidence']} %",
                "lasted": elapsed(row["lasted"]),
            }
            for row in rows
        ],
    }


def _count(alerts: int, crimes: int, enabled: bool) -> str:
    if not enabled:
        return _("switched off")
    if not alerts:
        return _("would not have triggered")
    told = ngettext("%(count)d alert", "%(count)d alerts", alerts) % {"count": alerts}
    if not crimes:
        return told
    sure = ngettext("%(count)d of them a crime", "%(count)d of them crimes", crimes) % {
        "count": crimes
    }
    return _(", ").join((told, sure))


def _left_out(rules: list[str]) -> str:
    if not rules:
        return ""
    return _("Not tried here: %(rules)s. It needs pictures, or more than this zone.") % {
        "rules": _named(rules)
    }


def _named(rules: list[str]) -> str:
    return _(", ").join(_(words_of(rule)) for rule in rules)


def _notes(found: Found) -> list[str]:
    notes = []
    if not found.logged_seconds and not found.ways:
        notes.append(
            _(
                "Nothing is on record of who was here in the last 24 hours. What was seen in the "
                "last ten minutes may still be to come."
            )
        )
    else:
        logged = elapsed(timedelta(seconds=found.logged_seconds))
        notes.append(
            _("Tried on %(time)s with people or vehicles in the last 24 hours.") % {"time": logged}
        )
    if found.covered_from:
        since = date_format(localtime(found.covered_from), "D H:i")
        notes.append(
            _("The time to look ran out: only what came after %(time)s.") % {"time": since}
        )
    return notes


def _share(at: datetime, found: Found) -> float:
    """The place of a moment in the day, 0 to 1."""
    share = (at - found.since) / (found.until - found.since)
    return round(min(1.0, max(0.0, share)), 4)


def _marks(found: Found) -> list[dict[str, Any]]:
    """Full hours along the day."""
    first = localtime(found.since).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = (first + timedelta(hours=step) for step in range(HOURS))
    return [
        {"share": _share(at, found), "text": date_format(at, "H:i")}
        for at in hours
        if localtime(at).hour % HOUR_MARKS == 0
    ]
