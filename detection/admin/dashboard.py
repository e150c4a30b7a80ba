"""The figures of the overview and of the sidebar: one query for each half of each question."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from detection.admin.camera_columns import in_trouble
from detection.admin.presentation import Tone
from detection.admin.watch_health import only_seem_watched, overloaded, really_watched
from detection.models import (
    OPEN_STATUSES,
    Camera,
    CameraState,
    Episode,
    HealthEvent,
    Trouble,
    Verdict,
    seen_by,
)
from detection.services.arming import in_force, the_site


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the overview and the list that it counts."""

    title: str
    figure: str
    tone: Tone
    remark: str
    url: str


def list_of(app_and_model: str, query: str = "") -> str:
    """Address of a filtered list."""
    return f"{reverse(f'admin:{app_and_model}_changelist')}{'?' if query else ''}{query}"


def count_card(title: str, count: int, tone: Tone, some: str, none: str, link: str) -> Card:
    """A figure that is good at nothing: `some` is said of it otherwise, in `tone`."""
    return Card(title, str(count), tone if count else Tone.GOOD, some if count else none, link)


def cards(request: HttpRequest) -> Sequence[Card]:
    """What seeing shows on the overview, as far as this user may see it."""
    shown: list[Card] = []
    if request.user.has_perm("detection.view_episode"):
        shown += _episode_cards(request)
    if request.user.has_perm("detection.view_camera"):
        shown += _camera_cards(request)
    if request.user.has_perm("detection.view_healthevent"):
        shown.append(_health_card(request))
    if request.user.has_perm("detection.view_trouble"):
        shown.append(_trouble_card())
    return shown


def _arming_card(by_hand: int) -> Card:
    """What holds for cameras that do not say otherwise, and how many do."""
    held = in_force(None, the_site(), timezone.now())
    others = f"; {by_hand} camera{'s' * (by_hand != 1)} armed by hand" if by_hand else ""
    tone = Tone.NEUTRAL if held.profile else Tone.WARNING
    link = list_of("detection_camera")
    return Card("Armed as", held.text, tone, f"{held.why}{others}", link)


def _health_card(request: HttpRequest) -> Card:
    return count_card(
        "Bad views",
        seen_by(request.user, HealthEvent.objects.filter(ended_at=None)).count(),
        Tone.BAD,
        "black, covered, frozen, moved or lost",
        "every camera sees",
        list_of("detection_healthevent", "course=open"),
    )


def _trouble_card() -> Card:
    return count_card(
        "Troubles of the site",
        Trouble.objects.count(),
        Tone.BAD,
        "a disk, a back end or a clock",
        "disks, back ends and clocks are well",
        list_of("detection_trouble"),
    )


def trouble_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How much is wrong with the site itself."""
    return Trouble.objects.count(), Tone.BAD


def _episode_cards(request: HttpRequest) -> list[Card]:
    figures = seen_by(request.user, Episode.objects.all()).aggregate(
        open=Count("pk", filter=Q(status__in=OPEN_STATUSES)),
        unreviewed=Count("pk", filter=Q(verdict=Verdict.UNREVIEWED)),
    )
    return [
        count_card(
            "Open episodes",
            figures["open"],
            Tone.BAD,
            "going on now",
            "all quiet",
            list_of("detection_episode", "course=open"),
        ),
        count_card(
            "Unreviewed episodes",
            figures["unreviewed"],
            Tone.ACTIVE,
            "wait for a verdict",
            "every episode has a verdict",
            list_of("detection_episode", "verdict__exact=unreviewed"),
        ),
    ]


def _camera_cards(request: HttpRequest) -> list[Card]:
    now = timezone.now()
    figures = seen_by(request.user, Camera.objects.all()).aggregate(
        total=Count("pk"),
        wanted=Count("pk", filter=Q(enabled=True)),
        running=Count("pk", filter=really_watched(now)),
        error=Count("pk", filter=Q(enabled=True, state=CameraState.ERROR)),
        seems=Count("pk", filter=only_seem_watched(now)),
        overloaded=Count("pk", filter=overloaded(now)),
        by_hand=Count("pk", filter=~Q(profile="")),
    )
    all_watched = figures["running"] == figures["wanted"]
    return [
        Card(
            "Cameras really watched",
            f"{figures['running']} of {figures['wanted']}",
            Tone.GOOD if all_watched else Tone.WARNING,
            f"{figures['total']} in all" if figures["total"] else "none is set up yet",
            list_of("detection_camera", "watch=running" if figures["running"] else ""),
        ),
        count_card(
            "Cameras in error",
            figures["error"],
            Tone.BAD,
            "each with its reason",
            "none reports one",
            list_of("detection_camera", "enabled__exact=1&state__exact=error"),
        ),
        count_card(
            "Cameras that only seem watched",
            figures["seems"],
            Tone.BAD,
            "no live claim, no fresh frame, or a bad view",
            "claims, frames and views are good",
            list_of("detection_camera", "watch=seems"),
        ),
        count_card(
            "Cameras overloaded",
            figures["overloaded"],
            Tone.WARNING,
            "fewer frames analysed than wanted: add a gpu worker or raise FRAME_SKIP",
            "every wanted frame is analysed",
            list_of("detection_camera", "watch=overloaded"),
        ),
        _arming_card(figures["by_hand"]),
    ]


def unreviewed_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How many episodes wait for a verdict."""
    waiting = seen_by(request.user, Episode.objects.filter(verdict=Verdict.UNREVIEWED))
    return waiting.count(), Tone.ACTIVE


def camera_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How many cameras are in error or only seem watched."""
    troubled = seen_by(request.user, Camera.objects.filter(in_trouble(timezone.now())))
    return troubled.count(), Tone.BAD
