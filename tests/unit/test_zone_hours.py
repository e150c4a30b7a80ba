"""A zone with a schedule of its own goes by it, and everything else by the camera's."""

from datetime import UTC, datetime

from detection.domain.moments import Moment
from detection.domain.recordings import read, row_of, write
from detection.domain.schedules import Profile, Schedule
from detection.domain.zones import Zone, ZoneKind
from detection.rules.contradictions import contradictions
from detection.rules.settings import Settings
from detection.rules.setup import CameraSetup
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import Walk, moments, zone

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)  # a Sunday
NEVER_SHUT = Schedule.read("mon-sun 00:00-24:00 day")
SHUT_SUNDAYS = Schedule.read("mon-sat 00:00-24:00 day\nsun 00:00-24:00 closed")
BY_NIGHT = Settings(({"trespassing": {"armed_in": ["night", "closed"]}},))


def with_hours(name: str, schedule: Schedule | None) -> Zone:
    drawn = zone(ZoneKind.RESTRICTED, "d", "f", name=name)
    return Zone(drawn.name, drawn.kind, drawn.polygon, schedule=schedule)


def suspected_zones(setup: CameraSetup) -> set[str]:
    rule = Trespassing(setup.zones, setup.settings)
    (seen,) = moments(Walk("d"))
    moment = Moment(
        seen.at,
        seen.tracks,
        profile=setup.profile_at(seen.at),
        zone_profiles=setup.zone_profiles_at(seen.at),
    )
    return {suspicion.zone for suspicion in rule.observe(moment)}


def test_only_the_zone_that_is_closed_by_its_own_hours_is_armed() -> None:
    zones = (with_hours("yard", SHUT_SUNDAYS), with_hours("lawn", None))
    assert suspected_zones(CameraSetup(zones, BY_NIGHT, NEVER_SHUT)) == {"yard"}


def test_a_zone_that_is_open_by_its_own_hours_is_not_armed_while_the_camera_is() -> None:
    zones = (with_hours("yard", NEVER_SHUT), with_hours("lawn", None))
    assert suspected_zones(CameraSetup(zones, BY_NIGHT, SHUT_SUNDAYS)) == {"lawn"}


def test_what_a_person_armed_by_hand_goes_before_all_schedules() -> None:
    zones = (with_hours("yard", NEVER_SHUT), with_hours("lawn", None))
    armed = CameraSetup(zones, BY_NIGHT, NEVER_SHUT, profile=Profile.CLOSED)
    assert suspected_zones(armed) == {"yard", "lawn"}


def test_a_recording_keeps_the_hours_of_zones_and_which_zone_was_suspected() -> None:
    yard = with_hours("yard", SHUT_SUNDAYS)
    (seen,) = moments(Walk("d"))
    moment = Moment(seen.at, seen.tracks, zone_profiles={"yard": Profile.CLOSED})
    held = [("trespassing", found) for found in Trespassing([yard], BY_NIGHT).observe(moment)]
    (again,) = read(write([row_of(moment, held)])).moments
    assert again.moment.zone_profiles == {"yard": Profile.CLOSED}
    assert [suspicion.zone for _, suspicion in again.held] == ["yard"]


def test_a_zone_that_its_own_hours_never_arm_is_said_to_be_never_watched() -> None:
    setup = CameraSetup((with_hours("yard", NEVER_SHUT),), BY_NIGHT, SHUT_SUNDAYS)
    assert contradictions(setup, [Trespassing]) == [
        "Zone “yard” (restricted) is never watched: trespassing is armed by night and closed only, "
        "and the schedule has day only."
    ]
