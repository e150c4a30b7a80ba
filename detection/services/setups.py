"""How a camera is set up: the site's, its own and its zones' settings, and the hours."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string

from detection.domain.crime_classes import CrimeClasses
from detection.domain.episodes import EpisodePolicy
from detection.domain.geometry import PolygonError
from detection.domain.schedules import Profile, ScheduleError
from detection.domain.schedules import Schedule as DomainSchedule
from detection.domain.zones import Zone as DomainZone
from detection.domain.zones import ZoneKind
from detection.models import Camera, Site
from detection.rules.rule import Rule
from detection.rules.settings import (
    Layer,
    Options,
    Settings,
    faults_in,
    faults_in_zone,
    without_faults,
)
from detection.rules.setup import CameraSetup
from detection.services.troubles import end_trouble, name_trouble

logger = logging.getLogger(__name__)

# A trouble that nobody names for a day is taken for the one of a host that is gone.
NAME_AGAIN_SECONDS = 3600.0
# What the environment says of the rules: setting, section, option.
ENVIRONMENT_OPTIONS = (
    ("trespassing_dwell_seconds", "trespassing", "dwell_seconds"),
    ("loitering_dwell_seconds", "loitering", "dwell_seconds"),
)


@cache
def rule_types() -> list[type[Rule[Any]]]:
    """The rules in use, of the table in the settings."""
    return [import_string(path) for path in settings.DETECTION_RULES.values()]


def sections() -> Mapping[str, type[Options]]:
    """Which sections of settings there are, and what each may hold."""
    return {rule.NAME: rule.Options for rule in rule_types()}


def environment_layer() -> Layer:
    """What the environment sets of the rules; where it is silent, their own defaults hold."""
    environment, layer = settings.ENVIRONMENT, {}
    for name, section, option in ENVIRONMENT_OPTIONS:
        if name in environment.model_fields_set and section in sections():
            layer[section] = {option: getattr(environment, name)}
    return layer


def settings_of(*layers: Layer) -> Settings:
    """What these layers come to, above the thresholds of the environment."""
    environment = settings.ENVIRONMENT
    return Settings(
        layers,
        alert=environment.alert_threshold,
        crime=environment.crime_threshold,
        classes=CrimeClasses.of(environment.crime_classes),
    )


def site_setup() -> CameraSetup:
    """What holds where no camera is known: the environment's settings alone."""
    return CameraSetup(settings=settings_of(environment_layer()), time_zone=_time_zone())


def site_policy() -> EpisodePolicy:
    """When suspicion becomes an episode, by the environment; thresholds come with the setup."""
    environment = settings.ENVIRONMENT
    return EpisodePolicy(
        alert_threshold=environment.alert_threshold,
        crime_threshold=environment.crime_threshold,
        persistence_seconds=environment.persistence_seconds,
        confirm_seconds=environment.confirm_seconds,
        clear_seconds=environment.clear_seconds,
        blind_grace_seconds=environment.blind_grace_seconds,
    )


def load_setup(camera_id: int) -> CameraSetup:
    """The camera's setup; what in it is broken is left out and named."""
    return SetupReader(camera_id).load()


class SetupReader:
    """Reads a camera's setup again and again, and builds it anew only where a row changed.

    What is broken in it is left out, and named once: in the log, and under the site's troubles.
    """

    def __init__(self, camera_id: int) -> None:
        self._camera_id = camera_id
        self._rows: _Rows | None = None
        self._draft = SetupDraft(CameraSetup())
        self._named_at = 0.0

    def load(self) -> CameraSetup:
        """The newest setup: the same object for as long as nothing changes."""
        rows = _read(self._camera_id)
        if rows != self._rows:
            self._rows, self._draft = rows, _build(rows)
            for text in self._draft.faults:
                logger.error("camera %s: %s", self._camera_id, text)
            self._name()
        elif self._draft.faults and time.monotonic() - self._named_at > NAME_AGAIN_SECONDS:
            self._name()
        return self._draft.setup

    def _name(self) -> None:
        self._named_at = time.monotonic()
        for subject, faults in (
            ("setup of the site", self._draft.site_faults),
            (f"setup of camera {self._camera_id}", self._draft.camera_faults),
        ):
            if faults:
                name_trouble(subject=subject, text="; ".join(faults))
            else:
                end_trouble(subject=subject)


@dataclass(frozen=True, slots=True)
class SetupDraft:
    """What stored rows come to, and what in them is not used because it is broken."""

    setup: CameraSetup
    site_faults: tuple[str, ...] = ()
    camera_faults: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        return (*self.site_faults, *self.camera_faults)


def examine(camera_id: int) -> SetupDraft:
    """The camera's setup with what is broken in it, for showing."""
    return _build(_read(camera_id))


# --- rows -------------------------------------------------------------------------------------

_OWN = ("rule_settings", "profile", "schedule__name", "schedule__lines")
_ZONE = (
    *("name", "kind", "polygon", "rule_settings", "enabled"),
    *("schedule__name", "schedule__lines"),
)
# Without these, more is seen at most; any other kind that cannot be read may be a privacy mask.
_HARMLESS_KINDS = frozenset(set(ZoneKind) - {ZoneKind.PRIVACY})
NO_SITE: tuple[Any, ...] = ({}, "", None, None)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Site and camera as `_OWN`, zones as `_ZONE`: just what is stored."""

    site: tuple[Any, ...]
    camera: tuple[Any, ...]
    zones: tuple[tuple[Any, ...], ...]


def _read(camera_id: int) -> _Rows:
    """In two queries. Raises Camera.DoesNotExist."""
    zone_fields = (f"zones__{name}" for name in _ZONE)
    rows = list(
        Camera.objects.filter(pk=camera_id).order_by("zones__name").values_list(*_OWN, *zone_fields)
    )
    if not rows:
        raise Camera.DoesNotExist(f"no camera {camera_id}")
    site: tuple[Any, ...] | None = Site.objects.order_by("pk").values_list(*_OWN).first()
    zones = tuple(row[len(_OWN) :] for row in rows if row[len(_OWN)] is not None)
    return _Rows(site or NO_SITE, rows[0][: len(_OWN)], zones)


# --- what they come to ------------------------------------------------------------------------


def _build(rows: _Rows) -> SetupDraft:
    site = _Part(rows.site, "the site", settings_of(environment_layer()))
    camera = _Part(rows.camera, "the camera", site.settings)
    zones = tuple(_zones(rows.zones, camera))
    setup = CameraSetup(
        zones=zones,
        settings=camera.settings,
        schedule=camera.schedule if rows.camera[3] is not None else site.schedule,
        profile=camera.profile or site.profile,
        time_zone=_time_zone(),
    )
    return SetupDraft(setup, tuple(site.faults), tuple(camera.faults))


class _Part:
    """The site's or the camera's share of a setup."""

    def __init__(self, row: tuple[Any, ...], whose: str, below: Settings) -> None:
        layer, profile, self._schedule_name, self._lines = row
        self.faults: list[str] = []
        broken = list(faults_in(layer, sections(), below))
        self.faults += [f"settings of {whose}, not used: {fault}" for fault in broken]
        self.settings = below.above(without_faults(layer, broken))
        self.profile = self._read_profile(profile, whose)
        self.schedule = self._read_schedule()

    def _read_profile(self, profile: str, whose: str) -> Profile | None:
        if profile and profile not in set(Profile):
            self.faults.append(f"profile of {whose}, not used: there is no “{profile}”")
            return None
        return Profile(profile) if profile else None

    def _read_schedule(self) -> DomainSchedule | None:
        """A broken schedule counts as none: everything is armed."""
        try:
            return None if self._lines is None else DomainSchedule.read(self._lines)
        except ScheduleError as error:
            self.faults.append(
                f"schedule “{self._schedule_name}”, not used, everything is armed: {error}"
            )
            return None


def _zones(rows: tuple[tuple[Any, ...], ...], camera: _Part) -> Iterator[DomainZone]:
    """A zone with a broken shape is not watched; one with broken settings is, without these.

    What is, or may be, a privacy mask with a broken shape hides all: nobody may see what it hid.
    """
    for name, kind, corners, layer, enabled, schedule_name, lines in rows:
        if not enabled:
            continue
        broken = list(faults_in_zone(layer, sections(), camera.settings))
        camera.faults += [f"settings of zone “{name}”, not used: {fault}" for fault in broken]
        try:
            own, hours = (
                without_faults(layer, broken),
                _hours_of(name, schedule_name, lines, camera),
            )
            yield DomainZone.of(name, ZoneKind(kind), corners, own, hours)
        except (PolygonError, TypeError, ValueError) as error:
            if kind in _HARMLESS_KINDS:
                camera.faults.append(f"zone “{name}” is not watched: {error}")
                continue
            camera.faults.append(
                f"privacy mask “{name}” cannot be read, so the whole picture is hidden wherever "
                f"it is kept or shown; draw it again: {error}"
            )
            yield DomainZone.hiding_all(name)


def _hours_of(
    zone: str, schedule: str | None, lines: str | None, camera: _Part
) -> DomainSchedule | None:
    try:
        return None if lines is None else DomainSchedule.read(lines)
    except ScheduleError as error:
        camera.faults.append(
            f"schedule “{schedule}” of zone “{zone}”, not used, the camera's hours hold: {error}"
        )
        return None


def _time_zone() -> ZoneInfo:
    return ZoneInfo(settings.ENVIRONMENT.time_zone)
