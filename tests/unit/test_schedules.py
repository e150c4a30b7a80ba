"""A week of profiles, as a person writes it, and the hour at which each begins to hold."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.schedules import Profile, Schedule, ScheduleError
from detection.models import Schedule as StoredSchedule
from detection.rules.setup import CameraSetup

WEEK = """
mon-fri 07:00-19:00 day
mon-fri 19:00-07:00 night
sat     07:00-24:00 closed
sun     00:00-24:00 closed
mon     00:00-07:00 closed
"""
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = 2  # of March 2026


def at(day: int, clock: str) -> datetime:
    """A local time of the week that begins on Monday, 2 March 2026; day 0 is that Monday."""
    return datetime.fromisoformat(f"2026-03-{MONDAY + day:02d}T{clock}")


@pytest.mark.parametrize(
    ("day", "clock", "profile"),
    [
        (0, "06:59:59", Profile.CLOSED),
        (0, "07:00", Profile.DAY),
        (0, "18:59:59", Profile.DAY),
        (0, "19:00", Profile.NIGHT),
        (1, "00:00", Profile.NIGHT),
        (1, "06:59", Profile.NIGHT),
        (1, "07:00", Profile.DAY),
        (4, "23:59", Profile.NIGHT),
        (5, "06:59", Profile.NIGHT),  # Friday's night ends on Saturday
        (5, "07:00", Profile.CLOSED),
        (6, "00:00", Profile.CLOSED),
        (6, "23:59", Profile.CLOSED),
    ],
)
def test_each_hour_of_the_week_has_the_profile_of_its_line(
    day: int, clock: str, profile: Profile
) -> None:
    assert Schedule.read(WEEK).profile_at(at(day, clock)) is profile


def test_sundays_night_ends_on_monday_morning() -> None:
    week = Schedule.read("mon-sun 08:00-22:00 day\nmon-sun 22:00-08:00 night")
    assert week.profile_at(at(6, "22:00")) is Profile.NIGHT
    assert week.profile_at(at(0, "00:00")) is Profile.NIGHT
    assert week.profile_at(at(0, "07:59")) is Profile.NIGHT
    assert week.profile_at(at(0, "08:00")) is Profile.DAY


def test_days_may_run_over_the_end_of_the_week() -> None:
    week = Schedule.read("sat-mon 00:00-24:00 closed\ntue-fri 00:00-24:00 day")
    found = [week.profile_at(at(day, "12:00")) for day in range(7)]
    assert found == ["closed", "day", "day", "day", "day", "closed", "closed"]


@pytest.mark.parametrize(
    "line",
    [
        "mon-sun 00:00-24:00 day",
        "Monday-Sunday 0:00-24:00 DAY",
        "mon,tue,wed,thur,fri,sat,sun 00:00-24:00 day # always",
        "mon-sun 12:00-00:00 day\r\nmon-sun 0:00-12:00 day\r\n",
    ],
)
def test_a_whole_week_can_be_written_in_many_ways(line: str) -> None:
    week = Schedule.read(line)
    assert all(week.profile_at(at(day, "13:30")) is Profile.DAY for day in range(7))


def test_the_schedule_that_the_admin_offers_is_whole() -> None:
    Schedule.read(StoredSchedule().lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the schedule has no lines"),
        ("# nothing\n\n", "the schedule has no lines"),
        ("mon-sun day", "line 1: write days, hours and profile"),
        ("mon - sun 00:00-24:00 day", "line 1: write days, hours and profile"),
        ("\nmon-sun 00:00-24:00 dusk", "line 2: no profile “dusk”; there are day, night, closed"),
        ("mon-son 00:00-24:00 day", "line 1: “mon-son” names no days"),
        ("mo-su 00:00-24:00 day", "line 1: “mo-su” names no days"),
        ("monkey 00:00-24:00 day", "line 1: “monkey” names no days"),
        ("mon-fri-sun 00:00-24:00 day", "line 1: “mon-fri-sun” names no days"),
        ("mon- 00:00-24:00 day", "line 1: “mon-” names no days"),
        ("mon,,tue 00:00-24:00 day", "line 1: “” names no days"),
        ("mon-sun 7-19 day", "line 1: “7” is no hour"),
        ("mon-sun 07:00 day", "line 1: write hours as 07:00-19:00"),
        ("mon-sun 07:00-25:00 day", "line 1: “25:00” is no hour"),
        ("mon-sun 07:60-19:00 day", "line 1: “07:60” is no hour"),
        ("mon-sun 07:00:30-19:00 day", "line 1: “07:00:30” is no hour"),
        ("mon-sun 07:00Z-19:00 day", "line 1: “07:00Z” is no hour"),
        ("mon-sun 07:00-19:00-20:00 day", "line 1: “19:00-20:00” is no hour"),
        ("mon-sun 07:00-07:00 day", "line 1: “07:00-07:00” is no time; a whole day is 00:00-24:00"),
        ("mon-sun 24:00-07:00 day", "line 1: “24:00-07:00” is no time"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, told: str) -> None:
    with pytest.raises(ScheduleError) as error:
        Schedule.read(text)
    assert str(error.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mon-sat 00:00-24:00 day", "a gap: nothing holds from sun 00:00 to sun 24:00"),
        ("tue-sun 00:00-24:00 day", "a gap: nothing holds from mon 00:00 to tue 00:00"),
        ("mon-sun 07:00-19:00 day", "a gap: nothing holds from mon 19:00 to tue 07:00"),
        (
            "mon-sun 00:00-12:00 day\nmon-sun 12:01-24:00 night",
            "a gap: nothing holds from mon 12:00 to mon 12:01",
        ),
        (
            "mon-fri 07:00-19:00 day\nmon-fri 19:00-07:00 night\nsat 07:00-24:00 closed\n"
            "sun 00:00-24:00 closed",
            "a gap: nothing holds from mon 00:00 to mon 07:00",
        ),
    ],
)
def test_a_gap_is_named_by_its_hours(text: str, told: str) -> None:
    with pytest.raises(ScheduleError, match=f"^{told}$"):
        Schedule.read(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mon-sun 00:00-24:00 day\nwed 10:00-11:00 night", "lines 1 and 2: wed 10:00"),
        ("wed 10:00-11:00 night\nmon-sun 00:00-24:00 day", "lines 1 and 2: wed 10:00"),
        ("mon,mon 00:00-24:00 day\ntue-sun 00:00-24:00 day", "line 1: mon 00:00"),
        ("mon-sun 00:00-24:00 day\nsun 23:00-01:00 night", "lines 1 and 2: mon 00:00"),
        (  # Friday's night lasts until Saturday 07:00
            "mon-fri 07:00-19:00 day\nmon-fri 19:00-07:00 night\nsat,sun 00:00-24:00 closed",
            "lines 2 and 3: sat 00:00",
        ),
    ],
)
def test_hours_given_twice_are_named_by_their_lines(text: str, told: str) -> None:
    with pytest.raises(ScheduleError, match=f"^{told} is given twice$"):
        Schedule.read(text)


@given(st.text(alphabet="monfri satu,-:0124579 \n#dayight", max_size=60))
def test_whatever_is_written_is_a_whole_week_or_an_error(text: str) -> None:
    try:
        week = Schedule.read(text)
    except ScheduleError:
        return
    for day in range(7):
        for hour in range(24):
            assert week.profile_at(at(day, f"{hour:02d}:00")) in Profile


# --- the wall clock of the site ------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "profile"),
    [
        ("2026-01-14T05:59", Profile.NIGHT),  # winter, a Wednesday: 06:59 in Berlin
        ("2026-01-14T06:00", Profile.DAY),
        ("2026-07-15T04:59", Profile.NIGHT),  # summer: 06:59
        ("2026-07-15T05:00", Profile.DAY),
        ("2026-01-14T23:30", Profile.NIGHT),  # Thursday already
    ],
)
def test_hours_are_those_of_the_sites_clock_in_summer_and_winter(
    moment: str, profile: Profile
) -> None:
    setup = CameraSetup(schedule=Schedule.read(WEEK), time_zone=BERLIN)
    assert setup.profile_at(utc(moment)) is profile


def test_the_hour_that_a_clock_shows_twice_has_one_profile_both_times() -> None:
    """On 25 October 2026 the hour from 02:00 to 03:00 comes twice in Berlin."""
    week = Schedule.read("mon-sun 02:00-03:00 closed\nmon-sun 03:00-02:00 night")
    setup = CameraSetup(schedule=week, time_zone=BERLIN)
    found = [
        setup.profile_at(utc(f"2026-10-2{day}:30")) for day in ("4T23", "5T00", "5T01", "5T02")
    ]
    assert found == ["night", "closed", "closed", "night"]


def test_the_hour_that_a_clock_leaves_out_is_left_out() -> None:
    """On 29 March 2026 the hour from 02:00 to 03:00 never comes in Berlin."""
    week = Schedule.read("mon-sun 02:00-03:00 closed\nmon-sun 03:00-02:00 night")
    setup = CameraSetup(schedule=week, time_zone=BERLIN)
    found = [setup.profile_at(utc(f"2026-03-29T0{hour}:30")) for hour in range(3)]
    assert found == ["night", "night", "night"]


def test_what_a_person_sets_goes_before_the_schedule() -> None:
    setup = CameraSetup(schedule=Schedule.read(WEEK), profile=Profile.CLOSED, time_zone=BERLIN)
    assert setup.profile_at(utc("2026-01-14T12:00")) is Profile.CLOSED


def test_without_a_schedule_there_is_no_profile() -> None:
    assert CameraSetup().profile_at(utc("2026-01-14T12:00")) is None
