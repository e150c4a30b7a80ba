"""In which language and time zone a user reads; kept per user, and for a session beside it."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.http import HttpRequest

from detection.models import AuditAction, UserPreferences
from detection.services import audit

_IN_SESSION = "reads_in"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a user has chosen; empty: the browser's."""

    language: str = ""
    time_zone: str = ""


def reading_of(request: HttpRequest) -> Reading:
    """The choice of the user who asks: the session knows it since the login."""
    if not request.user.is_authenticated:
        return Reading()
    return Reading(*(request.session.get(_IN_SESSION) or _stored(request.user)))


def remember(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Spare each later request of this session a query; called at the login."""
    request.session[_IN_SESSION] = _stored(user)


def choose(*, user: AbstractUser, reading: Reading, request: HttpRequest) -> bool:
    """Keep the choice; returns whether it is another than before."""
    if _stored(user) == (reading.language, reading.time_zone):
        return False
    with transaction.atomic():
        preferences, _ = UserPreferences.objects.update_or_create(
            user_id=user.pk,
            defaults={"language": reading.language, "time_zone": reading.time_zone},
        )
        details = {"language": reading.language, "time_zone": reading.time_zone}
        audit.record(AuditAction.CHANGED, request=request, subject=preferences, details=details)
    remember(request, user)
    return True


def zone_called(name: str) -> ZoneInfo | None:
    """The time zone of that name, as the IANA calls it; None for what is none."""
    try:
        return ZoneInfo(name) if name and len(name) <= 64 else None
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or a folder of zones
        return None


@cache
def zones_by_region() -> dict[str, list[str]]:
    """The names of places with a time zone, by continent or ocean."""
    regions: dict[str, list[str]] = {}
    for name in sorted(available_timezones()):
        region, slash, _ = name.partition("/")
        if slash and region not in {"Etc", "SystemV", "US", "posix", "right"}:
            regions.setdefault(region, []).append(name)
    return {"UTC": ["UTC"], **regions}


def _stored(user: AbstractBaseUser) -> tuple[str, str]:
    rows = UserPreferences.objects.filter(user_id=user.pk)
    return rows.values_list("language", "time_zone").first() or ("", "")
