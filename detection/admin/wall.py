"""The wall: a tile for each camera, renewed by one request for all.

A camera that only seems watched never looks well here: the colour of a tile is the judgement of
`watch_health`, and a picture says how old it is.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from detection.admin.camera_columns import with_live_columns
from detection.admin.episode_words import kind_of
from detection.admin.live_pictures import live
from detection.admin.presentation import Tone, ago, page_of, plain
from detection.admin.watch_health import WatchHealth, judge
from detection.models import Camera, Episode, EpisodeStatus, seen_by
from detection.ports import TransportError
from detection.services.arming import at_camera

# A picture comes every few seconds: one this old says that none comes any more.
OLD_PICTURE = timedelta(seconds=30)
NO_STATION = "none"
COLUMNS = range(1, 13)
_URGENCY = {Tone.BAD: 2, Tone.WARNING: 3, Tone.ACTIVE: 4, Tone.GOOD: 5, Tone.NEUTRAL: 6}


@dataclass(frozen=True, slots=True)
class Tile:
    """What is shown of one camera; all texts in the reader's language."""

    id: int
    name: str
    url: str
    still_url: str
    state: str
    tone: Tone
    remark: str
    still_at: float | None
    picture: str
    is_old: bool
    armed: str
    episode: str
    episode_url: str
    urgency: int


def wall_page(request: HttpRequest) -> HttpResponse:
    """All cameras of a station, or all that the user sees."""
    stations = _stations(request)
    station = _chosen(request, stations)
    shown = _states(request, station)
    context = {
        **admin.site.each_context(request),
        "title": gettext_lazy("Wall"),
        "stations": [(_key(number), _station_name(number)) for number in stations],
        "station": station,
        "columns": COLUMNS,
        "states_url": f"{reverse('admin:wall_states')}?station={station}",
        "is_fullwidth": True,
        **shown,
    }
    return render(request, "admin/detection/wall.html", context)


def wall_states(request: HttpRequest) -> JsonResponse:
    """The tiles again, as the page's script asks for them every few seconds."""
    return JsonResponse(_states(request, _chosen(request, _stations(request))))


def _states(request: HttpRequest, station: str) -> dict[str, Any]:
    now = timezone.now()
    cameras = list(_of_station(with_live_columns(_cameras(request)), station))
    stills, reached = _stills_at([camera.pk for camera in cameras])
    tiles = [_tile(camera, stills.get(camera.pk), now) for camera in cameras]
    tiles.sort(key=lambda tile: (tile.urgency, tile.name, tile.id))
    return {
        "tiles": [asdict(tile) for tile in tiles],
        "summary": _summary(tiles),
        "pictures": "" if reached else _("Redis is out of reach: no picture is renewed."),
        "at": f"{localtime(now):%H:%M:%S}",
    }


def _tile(camera: Camera, still_at: datetime | None, now: datetime) -> Tile:
    health = judge(camera, now)
    episode = _open_episode(camera)
    is_old = still_at is None or now - still_at > OLD_PICTURE
    return Tile(
        id=camera.pk,
        name=camera.name,
        url=page_of("detection_camera", camera.pk),
        still_url=reverse("admin:detection_camera_still", args=(camera.pk,)),
        state=health.word,
        tone=health.tone,
        remark=plain(health.remark) if health.remark else "",
        still_at=still_at.timestamp() if still_at else None,
        picture=_("picture of %(age)s") % {"age": ago(now - still_at)} if still_at else "",
        is_old=is_old,
        armed=at_camera(camera, now).text,
        episode=_told(episode) if episode else "",
        episode_url=page_of("detection_episode", episode.pk) if episode else "",
        urgency=_urgency(health, episode),
    )


def _open_episode(camera: Camera) -> Episode | None:
    episodes: Sequence[Episode] = getattr(camera, "open_episodes", ())
    return episodes[0] if episodes else None


def _told(episode: Episode) -> str:
    return f"{kind_of(episode)}: {episode.get_status_display()}"


def _urgency(health: WatchHealth, episode: Episode | None) -> int:
    """Crimes come first, then what may become one, then cameras in trouble."""
    if episode is not None:
        return 0 if episode.status == EpisodeStatus.CONFIRMED else 1
    return _URGENCY[health.tone]


def _summary(tiles: Sequence[Tile]) -> str:
    wanted = sum(tile.tone is not Tone.NEUTRAL for tile in tiles)
    opened = sum(bool(tile.episode) for tile in tiles)
    counts = _("%(watched)d of %(wanted)d cameras are watched") % {
        "watched": sum(tile.tone is Tone.GOOD for tile in tiles),
        "wanted": wanted,
    }
    if not opened:
        return counts
    text = ngettext("%(count)d open episode", "%(count)d open episodes", opened)
    return f"{counts} · {text % {'count': opened}}"


def _stills_at(camera_ids: Sequence[int]) -> tuple[dict[int, datetime], bool]:
    """When each picture was taken, and whether that could be asked."""
    try:
        return (live().pictures.stills_at(camera_ids) if camera_ids else {}), True
    except TransportError:
        return {}, False


# --- whose cameras --------------------------------------------------------------------------------


def _cameras(request: HttpRequest) -> QuerySet[Camera]:
    if not request.user.has_perm("detection.view_camera"):
        raise PermissionDenied
    return seen_by(request.user, Camera.objects.filter(removed_at=None))


def _stations(request: HttpRequest) -> list[int | None]:
    """Those that have cameras which the user sees; None stands for cameras of no station."""
    numbers = _cameras(request).order_by().values_list("station_id", flat=True).distinct()
    return sorted(numbers, key=lambda number: (number is None, number or 0))


def _key(number: int | None) -> str:
    return NO_STATION if number is None else str(number)


def _station_name(number: int | None) -> str:
    if number is None:
        return _("No station")
    return _("Station %(number)d") % {"number": number}


def _chosen(request: HttpRequest, stations: Sequence[int | None]) -> str:
    """The station of the address, where it is one of these; else nothing, and that is all."""
    asked = request.GET.get("station", "")
    return asked if asked in map(_key, stations) else ""


def _of_station(cameras: QuerySet[Camera], station: str) -> QuerySet[Camera]:
    if not station:
        return cameras
    return cameras.filter(station_id=None if station == NO_STATION else int(station))
