"""How one camera is watched: its zones, the settings in force and the schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from detection.domain.schedules import Profile, Schedule
from detection.domain.zones import Zone
from detection.rules.settings import Settings

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class CameraSetup:
    """What an operator has set up for a camera. `profile`, where set, goes before the schedule."""

    zones: tuple[Zone, ...] = ()
    settings: Settings = field(default_factory=Settings)
    schedule: Schedule | None = None
    profile: Profile | None = None
    time_zone: tzinfo = UTC_ZONE

    def profile_at(self, at: datetime) -> Profile | None:
        """The profile in force; None where neither a person nor a schedule says one."""
        if self.profile is not None:
            return self.profile
        return self.schedule.profile_at(at.astimezone(self.time_zone)) if self.schedule else None

    def zone_profiles_at(self, at: datetime) -> Mapping[str, Profile]:
        """The profiles of the zones with hours of their own; what a person set goes before them."""
        if self.profile is not None:
            return {}
        return {
            zone.name: zone.schedule.profile_at(at.astimezone(self.time_zone))
            for zone in self.zones
            if zone.schedule is not None
        }
