"""The report of a bundle: one page that explains itself, on the screen and on one sheet of A4."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from crimeops.logging import redact
from detection.admin.episode_additions import ToldLine
from detection.admin.episode_course import latencies_of, marks_of, stages_of
from detection.admin.episode_words import kind_of
from detection.admin.presentation import elapsed
from detection.admin.telling import told
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Episode, EvidenceFile, EvidenceKind, Verdict

# More would not fit on one sheet; the files beside the report hold everything.
MOST_MARKS, MOST_LINES, MOST_NOTE = 9, 6, 420
MOST_PICTURE_BYTES = 3_000_000
SHOWN = ((EvidenceKind.SNAPSHOT, "image/jpeg"), (EvidenceKind.CLEAN_SNAPSHOT, "image/jpeg"))

Files = Mapping[str, tuple[EvidenceFile, str]]  # by name in the bundle, with what became of it


def report_html(
    episode: Episode,
    viewer: AbstractUser,
    *,
    at: datetime,
    files: Files,
    notes: Sequence[str],
    told: Sequence[ToldLine],
) -> str:
    """A page without a single address: pictures stand in it, and nothing is fetched."""
    marks = marks_of(episode)
    said: dict[str, Any] = {
        "language": translation.get_language() or "en",
        "is_rtl": translation.get_language_bidi(),
        "title": f"{kind_of(episode)} · {episode.camera.name}",
        "episode": episode,
        "zone": str(get_default_timezone()),
        "facts": _facts(episode),
        "pictures": _pictures(files),
        "chart": _chart(episode),
        "marks": [(mark.label, *_both(mark.at)) for mark in marks[:MOST_MARKS]],
        "more_marks": max(0, len(marks) - MOST_MARKS),
        "stages": [
            (latency.label, f"{latency.milliseconds:.0f} ms")
            for latency in latencies_of(stages_of(episode))
            if latency.milliseconds is not None
        ],
        "told": [(line.what, *_both(line.at), line.state) for line in told[:MOST_LINES]],
        "more_told": max(0, len(told) - MOST_LINES),
        "review": _review(episode),
        "note": _shortened(redact(episode.note)),
        "files": [
            (name, file.size, file.sha256, state, not file.sha256 or state == _("as it was kept"))
            for name, (file, state) in files.items()
        ],
        "notes": notes,
        "exported_by": viewer.get_username(),
        "exported_at": _both(at),
    }
    return render_to_string("detection/report.html", said)


def _facts(episode: Episode) -> list[tuple[str, str, str]]:
    """What, how sure, when: each with the time at the site and in UTC where it is one."""
    camera, lasted = episode.camera, ""
    if episode.ended_at is not None:
        lasted = elapsed(episode.ended_at - episode.started_at)
    where = (
        camera.name
        if camera.station_id is None
        else _("%(camera)s, station %(station)s")
        % {
            "camera": camera.name,
            "station": camera.station_id,
        }
    )
    return [
        (_("Where"), where, ""),
        (_("What"), kind_of(episode), ""),
        (_("How sure"), f"{episode.confidence:.0f} %", ""),
        (_("Why"), told(redact(episode.reason)), ""),
        (_("First suspicious frame"), *_both(episode.started_at)),
        (_("Alert raised"), *_both(episode.alerted_at)),
        (_("Crime confirmed"), *_both(episode.confirmed_at)),
        (_("Ended"), *(_both(episode.ended_at) if lasted else (_("still open"), ""))),
        (_("Duration"), lasted or "–", ""),
    ]


def _review(episode: Episode) -> list[tuple[str, str, str]]:
    verdict = str(episode.get_verdict_display())
    if episode.verdict == Verdict.UNREVIEWED:
        lines = [(_("Verdict"), verdict, "")]
    else:
        reason = episode.get_dismiss_reason_display() if episode.dismiss_reason else ""
        by = str(episode.reviewed_by or _("a former user"))
        words = _(", ").join(filter(None, (verdict, reason, by)))
        lines = [(_("Verdict"), words, _joined(episode.reviewed_at))]
    for word, since, who in (
        (_("Escalated"), episode.escalated_at, episode.escalated_by),
        (_("On hold"), episode.held_at, episode.held_by),
    ):
        if since is not None:
            lines.append((word, str(who or ""), _joined(since)))
    return lines


def _pictures(files: Files) -> list[tuple[str, str]]:
    """The newest picture of each kind, as data in the page."""
    found = []
    for kind, content_type in SHOWN:
        file = next((file for file, _state in files.values() if file.kind == kind), None)
        if file is None or file.size > MOST_PICTURE_BYTES:
            continue
        try:
            content = DjangoEvidenceStore().read(file.name)
        except OSError:
            continue  # what became of the file is said in its line
        data = base64.b64encode(content).decode()
        found.append((str(file.get_kind_display()), f"data:{content_type};base64,{data}"))
    return found


def _chart(episode: Episode) -> dict[str, Any] | None:
    """The course of the confidence, 600 by 100, and the moments under it."""
    samples = [(float(second), float(value)) for second, value in episode.confidence_timeline]
    if len(samples) < 2:
        return None
    lasted = max(samples[-1][0] - samples[0][0], 0.001)
    points = " ".join(
        f"{600 * (second - samples[0][0]) / lasted:.1f},{100 - min(value, 100):.1f}"
        for second, value in samples
    )
    ends = episode.started_at + timedelta(seconds=samples[-1][0])
    return {"points": points, "begins": _both(episode.started_at)[0], "ends": _both(ends)[0]}


def _both(at: datetime | None) -> tuple[str, str]:
    """At the site and, where that is another time, in UTC."""
    if at is None:
        return "–", ""
    local = localtime(at, get_default_timezone())
    in_utc = f"{at.astimezone(UTC):%H:%M:%S} UTC" if local.utcoffset() else ""
    return f"{local:%Y-%m-%d %H:%M:%S}", in_utc


def _joined(at: datetime | None) -> str:
    return " · ".join(filter(None, _both(at)))


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_NOTE else f"{text[:MOST_NOTE]}… (metadata.json)"
