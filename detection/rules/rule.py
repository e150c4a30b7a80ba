"""What every behaviour rule is given and must answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Self, TypeVar

from pydantic import Field, PrivateAttr

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.settings import Options, Percent, Settings

# Confidence means the same in all rules and whatever the thresholds are: at 50 an officer should
# look, at 85 few would doubt.
POSSIBLE, SURE, SUREST = 50.0, 85.0, 95.0


class RuleOptions(Options):
    """What every rule lets an operator set, for a site, a camera or a zone."""

    OF_A_CAMERA: ClassVar[frozenset[str]] = frozenset({"least_confidence"})

    enabled: bool = Field(True, description="Whether the rule is used.")
    armed_in: tuple[Profile, ...] = Field(
        tuple(Profile), description="The profiles in which it is armed: day, night, closed."
    )
    least_height: float = Field(
        0.0, ge=0, le=1, description="People smaller than this share of the picture are ignored."
    )
    least_confidence: Percent = Field(0.0, description="Suspicions below this are dropped.")

    _zone: str = PrivateAttr("")  # whose options these are; empty: the camera's

    def of_zone(self, zone: Zone | None) -> Self:
        """These options as they hold in the zone, by its hours."""
        if zone is not None:
            self._zone = zone.name
        return self

    def is_armed_at(self, moment: Moment) -> bool:
        """Whether it is armed here at this moment."""
        return self.is_armed(moment.profile_in(self._zone))

    def is_armed(self, profile: Profile | None) -> bool:
        """Without a schedule there is no profile, and whatever is enabled is armed."""
        return self.enabled and (profile is None or profile in self.armed_in)


OptionsType = TypeVar("OptionsType", bound=RuleOptions)


class Rule(ABC, Generic[OptionsType]):
    """One instance watches one camera and keeps what it must remember of it.

    `NAME` is the section of its settings, `Options` what they may hold, `ZONE_KINDS` the zones that
    it looks at, `ZONE_CRIMES` what it suspects by the name of one. One that `HEEDS_EVERY_ZONE`
    looks everywhere, but by a zone's options within it. One that `NEEDS_PICTURES` cannot be played
    again from a recording: there, what it said then stands.
    """

    NAME: ClassVar[str]
    Options: ClassVar[type[RuleOptions]]
    ZONE_KINDS: ClassVar[tuple[ZoneKind, ...]] = ()
    ZONE_CRIMES: ClassVar[tuple[CrimeType, ...]] = ()
    HEEDS_EVERY_ZONE: ClassVar[bool] = False
    NEEDS_PICTURES: ClassVar[bool] = False

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        self._settings = settings
        self.options: OptionsType = self._options_of(None)
        self.zones = [(zone, self._options_of(zone)) for zone in zones]

    @classmethod
    def view_of(cls, zones: Sequence[Zone], settings: Settings) -> object:
        """What of a setup the rule goes by: where it is equal, the rule would judge the same."""
        heeded = [
            (zone.name, zone.kind, zone.outline, zone.settings.get(cls.NAME))
            for zone in zones
            if zone.kind in cls.ZONE_KINDS or cls.NAME in zone.settings
        ]
        return heeded, settings.of(cls.NAME, cls.Options), settings.classes

    def zones_of(self, *kinds: ZoneKind) -> list[tuple[Zone, OptionsType]]:
        """The zones of these kinds with the settings that hold in each."""
        return [(zone, options) for zone, options in self.zones if zone.kind in kinds]

    def _options_of(self, zone: Zone | None) -> OptionsType:
        return self._settings.of(self.NAME, self.Options, zone).of_zone(zone)  # type: ignore[return-value]  # the class says which

    @abstractmethod
    def observe(self, moment: Moment) -> list[Suspicion]:
        """Judge a moment; moments come in order of time."""


def large_enough(tracks: Sequence[Track], options: RuleOptions) -> list[Track]:
    """The people who are large enough to be judged."""
    return [t for t in tracks if t.is_person and t.box.height >= options.least_height]


def rising(seconds: float, full_seconds: float, floor: float, ceiling: float) -> float:
    """Confidence that climbs in a straight line from `floor` to `ceiling` in `full_seconds`."""
    share = min(1.0, max(0.0, seconds / full_seconds)) if full_seconds > 0 else 1.0
    return floor + (ceiling - floor) * share
