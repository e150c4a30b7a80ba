"""All that the page of one episode says: what stands still, and what is renewed while one looks."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.admin.base import signed_in
from detection.admin.episode_additions import ADDITIONS
from detection.admin.episode_course import Latency, latencies_of, stages_of
from detection.admin.episode_facts import facts_of, verdict_said
from detection.admin.episode_film import film_of
from detection.admin.episode_history import history_of
from detection.admin.episode_strings import keys, strings
from detection.admin.episode_timeline import course_in_words, course_of, levels_of
from detection.admin.episode_words import kind_of, status_label, verdict_label
from detection.admin.neighbours import neighbours_of, queue_of
from detection.admin.presentation import NOTHING, moment
from detection.admin.telling import told
from detection.models import DismissReason, Episode, EpisodeEvent, EvidenceFile
from detection.services.review_undoing import undoable_step
from detection.services.reviews import expectation_of

PARTS = (
    "head",
    "missing",
    "course",
    "bar",
    "facts",
    "stages",
    "sections",
    "history",
    "events",
)


def page_context(request: HttpRequest, episode: Episode, *, may_review: bool) -> dict[str, Any]:
    """What the page's template needs, its parts' included."""
    context = parts_context(request, episode, may_review=may_review)
    return context | {
        "title": f"{kind_of(episode)} · {episode.camera.name}",
        "subtitle": "",
        "strings": strings(),
        "parts": {name: _part(name, context, request) for name in PARTS},
        "keys": keys(),
        "neighbours": neighbours_of(request, episode),
        "queue": queue_of(request),
    }


def state_of(request: HttpRequest, episode: Episode, *, may_review: bool) -> dict[str, Any]:
    """The episode as it is now: `film` for the player, `parts` as HTML by name, the verdict."""
    context = parts_context(request, episode, may_review=may_review)
    return {
        "film": context["film"],
        "verdict": context["expected"],
        "said": context["verdict_said"],
        "parts": {name: _part(name, context, request) for name in PARTS},
    }


def parts_context(request: HttpRequest, episode: Episode, *, may_review: bool) -> dict[str, Any]:
    files = list(EvidenceFile.objects.filter(episode=episode).order_by("sequence"))
    film = film_of(episode, files)
    return {
        "episode": episode,
        "kind": kind_of(episode),
        "status": status_label(episode),
        "verdict": verdict_label(episode),
        "levels": levels_of(film["thresholds"]),
        "film": film,
        "facts": facts_of(episode),
        "stages": [_stage(latency) for latency in latencies_of(stages_of(episode))],
        "course": course_of(episode),
        "course_words": course_in_words(episode, film["thresholds"]),
        "event_rows": [_event_row(event) for event in episode.events.all()],
        "history": history_of(episode, signed_in(request)),
        "verdict_said": verdict_said(episode),
        "expected": expectation_of(episode),
        "undoable": undoable_step(episode, signed_in(request)) if may_review else None,
        "acts": [addition.acts(request, episode) for addition in ADDITIONS],
        "sections": [addition.section(request, episode) for addition in ADDITIONS],
        "dismiss_reasons": list(enumerate(DismissReason.choices, start=1)),
        "may_review": may_review,
    }


def _part(name: str, context: dict[str, Any], request: HttpRequest) -> str:
    return render_to_string(f"admin/detection/episode/{name}.html", context, request)


def _event_row(event: EpisodeEvent) -> dict[str, Any]:
    return {
        "at": moment(event.at),
        "kind": event.get_kind_display(),
        "crime": event.get_crime_type_display(),
        "confidence": event.confidence,
        "detail": told(event.detail),
    }


def _stage(latency: Latency) -> dict[str, Any]:
    """A step of the strip: how long it took, and since when that is counted."""
    if latency.at is None:
        return {"key": latency.key, "label": latency.label, "at": None, "took": NOTHING}
    at = f"{timezone.localtime(latency.at):%H:%M:%S.%f}"[:-3]
    title = _("at %(at)s") % {"at": at}
    if latency.milliseconds is None:
        by_camera = _("by the camera's clock")
        took = by_camera if latency.is_camera_clock else at
    else:
        took = f"+{_span(latency.milliseconds)}"
        title = _("%(took)s after %(since)s, at %(at)s") % {
            "took": _span(latency.milliseconds),
            "since": latency.since,
            "at": at,
        }
    return {
        "key": latency.key,
        "label": latency.label,
        "at": latency.at,
        "took": took,
        "title": title,
    }


def _span(milliseconds: float) -> str:
    """Whole milliseconds below a second, then tenths of a second."""
    if milliseconds < 999.5:
        return _("%(n)d ms") % {"n": round(milliseconds)}
    return _("%(n).1f s") % {"n": milliseconds / 1000}
