"""The figures of the overview and of the sidebar: one query for each half of each question."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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

MOST_IN_A_BADGE = 999


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the overview and the page of what it counts; without one it is no link."""

    title: str
    figure: str
    tone: Tone
    remark: str
    url: str = ""


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
    others = ngettext("%(n)d camera armed by hand", "%(n)d cameras armed by hand", by_hand)
    why = f"{held.why}; {others % {'n': by_hand}}" if by_hand else held.why
    tone = Tone.NEUTRAL if held.profile else Tone.WARNING
    link = list_of("detection_camera")
    return Card(_("Armed as"), held.text, tone, why, link)


def _health_card(request: HttpRequest) -> Card:
    return count_card(
        _("Bad views"),
        seen_by(request.user, HealthEvent.objects.filter(ended_at=None)).count(),
        Tone.BAD,
        _("black, covered, frozen, moved or lost"),
        _("every camera sees"),
        list_of("detection_healthevent", "course=open"),
    )


def _trouble_card() -> Card:
    return count_card(
        _("Troubles of the site"),
        Trouble.objects.count(),
        Tone.BAD,
        _("a disk, a back end or a clock"),
        _("disks, back ends and clocks are well"),
        list_of("detection_trouble"),
    )


def trouble_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How much is wrong with the site itself."""
    return Trouble.objects.count(), Tone.BAD


def _episode_cards(request: HttpRequest) -> list[Card]:
    # One count for each: each is over an index, where one for all would read every episode.
    waiting = seen_by(request.user, Episode.objects.filter(verdict=Verdict.UNREVIEWED)).order_by()
    escalated = waiting.filter(escalated_at__isnull=False)
    return [
        count_card(
            _("Open episodes"),
            open_count(request),
            Tone.BAD,
            _("going on now"),
            _("all quiet"),
            list_of("detection_episode", "course=open"),
        ),
        count_card(
            _("Unreviewed episodes"),
            waiting.count(),
            Tone.ACTIVE,
            _("wait for a verdict"),
            _("every episode has a verdict"),
            list_of("detection_episode", "verdict__exact=unreviewed"),
        ),
        count_card(
            _("Escalated episodes"),
            escalated.count(),
            Tone.BAD,
            _("a superior is asked to decide"),
            _("none waits for a superior"),
            list_of("detection_episode", "escalated=on&verdict__exact=unreviewed"),
        ),
    ]


def _camera_cards(request: HttpRequest) -> list[Card]:
    now = timezone.now()
    figures = seen_by(request.user, Camera.objects.filter(removed_at=None)).aggregate(
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
            _("Cameras really watched"),
            _("%(running)d of %(wanted)d") % figures,
            Tone.GOOD if all_watched else Tone.WARNING,
            _("%(total)d in all") % figures if figures["total"] else _("none is set up yet"),
            list_of("detection_camera", "watch=running" if figures["running"] else ""),
        ),
        count_card(
            _("Cameras in error"),
            figures["error"],
            Tone.BAD,
            _("each with its reason"),
            _("none reports one"),
            list_of("detection_camera", "enabled__exact=1&state__exact=error"),
        ),
        count_card(
            _("Cameras that only seem watched"),
            figures["seems"],
            Tone.BAD,
            _("no live claim, no fresh frame, or a bad view"),
            _("claims, frames and views are good"),
            list_of("detection_camera", "watch=seems"),
        ),
        count_card(
            _("Cameras overloaded"),
            figures["overloaded"],
            Tone.WARNING,
            _("fewer frames analysed than wanted: add a gpu worker or raise FRAME_SKIP"),
            _("every wanted frame is analysed"),
            list_of("detection_camera", "watch=overloaded"),
        ),
        _arming_card(figures["by_hand"]),
    ]


def waiting_count(request: HttpRequest) -> int:
    """How many episodes wait for a verdict, counted to one more than a badge has room for."""
    waiting = seen_by(request.user, Episode.objects.filter(verdict=Verdict.UNREVIEWED))
    return waiting.order_by()[: MOST_IN_A_BADGE + 1].count()


def open_count(request: HttpRequest) -> int:
    """How many episodes go on; a camera has one at most."""
    return seen_by(request.user, Episode.objects.filter(status__in=OPEN_STATUSES)).count()


def short(count: int) -> str:
    """A count as a badge shows it."""
    return f"{MOST_IN_A_BADGE}+" if count > MOST_IN_A_BADGE else str(count)


def unreviewed_badge(request: HttpRequest) -> tuple[str, Tone]:
    """How many episodes wait for a verdict; empty where none does."""
    count = waiting_count(request)
    return short(count) if count else "", Tone.ACTIVE


def camera_badge(request: HttpRequest) -> tuple[int, Tone]:
    """How many cameras are in error or only seem watched."""
    troubled = seen_by(
        request.user, Camera.objects.filter(in_trouble(timezone.now()), removed_at=None)
    )
    return troubled.count(), Tone.BAD
