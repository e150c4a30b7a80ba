"""Which profile is in force, why, and the change of it by hand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Subquery
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from detection.domain.schedules import Profile, ScheduleError
from detection.domain.schedules import Schedule as Week
from detection.models import Camera, Schedule, Site


@dataclass(frozen=True, slots=True)
class InForce:
    """The profile and who says so; without a profile every rule is armed.

    Schedules are in the site's time zone, whoever looks.
    """

    profile: Profile | None
    why: str

    @property
    def text(self) -> str:
        return _(self.profile.value) if self.profile else _("all armed")


def the_site() -> Site:
    """The one row, or what it would be."""
    return Site.objects.select_related("schedule").first() or Site()


def with_site(cameras: QuerySet[Camera]) -> QuerySet[Camera]:
    """What `at_camera` reads, in the same query."""
    site = Site.objects.order_by("pk")
    return cameras.select_related("schedule").annotate(
        site_profile=Subquery(site.values("profile")[:1]),
        site_schedule=Subquery(site.values("schedule__name")[:1]),
        site_lines=Subquery(site.values("schedule__lines")[:1]),
    )


def at_camera(camera: Camera, at: datetime) -> InForce:
    """What holds at a camera that was read `with_site`."""
    site: Any = camera
    lines = site.site_lines
    schedule = None if lines is None else Schedule(name=site.site_schedule, lines=lines)
    return in_force(camera, Site(profile=site.site_profile or "", schedule=schedule), at)


def in_force(camera: Camera | None, site: Site, at: datetime) -> InForce:
    """What holds at a camera, or, without one, where cameras do not say otherwise."""
    if camera is not None and (profile := _profile(camera.profile)):
        return InForce(profile, _("by hand"))
    if profile := _profile(site.profile):
        return InForce(profile, _("by hand, at the site") if camera else _("by hand"))
    schedule = (camera.schedule if camera else None) or site.schedule
    if schedule is None:
        return InForce(None, _("no schedule: every rule is armed"))
    week = _week(schedule.lines)
    if week is None:
        broken = _("schedule “%(name)s” is broken: every rule is armed")
        return InForce(None, broken % {"name": schedule})
    return InForce(week.profile_at(localtime(at, get_default_timezone())), _by(schedule))


@transaction.atomic
def arm_cameras(*, camera_ids: Collection[int], profile: Profile | None) -> None:
    """Set the profile of cameras by hand; None gives them back to their schedule."""
    Camera.objects.filter(pk__in=camera_ids).update(profile=profile.value if profile else "")


@transaction.atomic
def arm_site(*, profile: Profile | None) -> Site:
    """The same for all cameras that are not armed by hand themselves."""
    site, _ = Site.objects.select_for_update().get_or_create(pk=1)
    site.profile = profile.value if profile else ""
    site.save(update_fields=["profile"])
    return site


def _by(schedule: Schedule) -> str:
    return _("by schedule “%(name)s”") % {"name": schedule}


@lru_cache(maxsize=256)
def _week(lines: str) -> Week | None:
    try:
        return Week.read(lines)
    except ScheduleError:
        return None


def week_of(schedule: Schedule) -> Week | None:
    """The hours of a schedule; None where it is broken."""
    return _week(schedule.lines)


def _profile(text: str) -> Profile | None:
    return Profile(text) if text in set(Profile) else None
