"""What is said of one episode: in the list as in a word, on its page in full."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from detection.admin.confidence_chart import confidence_chart
from detection.admin.presentation import Tone, elapsed, label, link, moment, page_of, plain
from detection.models import (
    DismissReason,
    Episode,
    EpisodeEvent,
    EpisodeStatus,
    Verdict,
    seen_by,
)

STATUS_TONES = {
    EpisodeStatus.SUSPICIOUS: Tone.WARNING,
    EpisodeStatus.CONFIRMED: Tone.BAD,
    EpisodeStatus.CLEARED: Tone.NEUTRAL,
    EpisodeStatus.LOST: Tone.WARNING,
}
VERDICT_TONES = {
    Verdict.UNREVIEWED: Tone.ACTIVE,
    Verdict.CONFIRMED: Tone.BAD,
    Verdict.DISMISSED: Tone.NEUTRAL,
}


def page_context(episode: Episode, viewer: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """All that the page's template needs to know of the episode itself."""
    events = list(episode.events.all())
    return {
        "title": f"{kind_of(episode)} at {episode.camera.name}",
        "subtitle": "",
        "episode": episode,
        "facts": facts_of(episode),
        "chart": confidence_chart(episode, events),
        "event_rows": [_event_row(event) for event in events],
        "snapshot_url": snapshot_url(episode) if episode.snapshot else "",
        "dismiss_reasons": DismissReason.choices,
        "neighbours": _neighbours(episode, viewer),
    }


def _event_row(event: EpisodeEvent) -> tuple[str, str, str, float | None, str]:
    return (
        moment(event.at),
        event.get_kind_display(),
        event.get_crime_type_display(),
        event.confidence,
        plain(event.detail),
    )


def kind_of(episode: Episode) -> str:
    return episode.get_crime_type_display().capitalize()


def snapshot_url(episode: Episode) -> str:
    """The picture's address behind the admin's door; the storage is never served openly."""
    return reverse("admin:detection_episode_snapshot", args=(episode.pk,))


def status_label(episode: Episode) -> SafeString:
    status = EpisodeStatus(episode.status)
    return label(status.label, STATUS_TONES[status])


def verdict_label(episode: Episode) -> SafeString:
    verdict = Verdict(episode.verdict)
    return label(verdict.label, VERDICT_TONES[verdict], episode.get_dismiss_reason_display())


def duration_of(episode: Episode) -> str:
    if episode.ended_at is None:
        so_far = elapsed(timezone.now() - episode.started_at)
        return format_html('<span class="co-steady">{}, open</span>', so_far)
    lasted = elapsed(episode.ended_at - episode.started_at)
    return format_html('<span class="co-steady">{}</span>', lasted)


def facts_of(episode: Episode) -> list[tuple[str, str]]:
    """What the page says of the episode, in the order an officer asks."""
    confirmed = moment(episode.confirmed_at) if episode.confirmed_at else "not confirmed"
    return [
        ("Camera", link("detection_camera", episode.camera_id, episode.camera.name)),
        ("Status", status_label(episode)),
        ("Peak confidence", f"{episode.confidence:.0f} %"),
        ("Why", plain(episode.reason)),
        ("First suspicious frame", moment(episode.started_at)),
        ("Alert raised", moment(episode.alerted_at)),
        ("Crime confirmed", confirmed),
        ("Ended", moment(episode.ended_at) if episode.ended_at else "still open"),
        ("Duration", duration_of(episode)),
        ("Time zone", timezone.get_current_timezone_name()),
    ]


def _neighbours(
    episode: Episode, viewer: AbstractBaseUser | AnonymousUser
) -> list[tuple[str, str]]:
    """Links to the episodes before and after, and to the oldest that nobody has reviewed."""
    others = seen_by(viewer, Episode.objects.exclude(pk=episode.pk))
    same = Q(started_at=episode.started_at)
    older = others.filter(Q(started_at__lt=episode.started_at) | (same & Q(pk__lt=episode.pk)))
    newer = others.filter(Q(started_at__gt=episode.started_at) | (same & Q(pk__gt=episode.pk)))
    waiting = others.filter(verdict=Verdict.UNREVIEWED)
    found = (
        ("Previous", older.order_by("-started_at", "-pk")),
        ("Next", newer.order_by("started_at", "pk")),
        ("Next to review", waiting.order_by("started_at", "pk")),
    )
    keys = ((word, rows.values_list("pk", flat=True).first()) for word, rows in found)
    return [(word, page_of("detection_episode", key)) for word, key in keys if key]
