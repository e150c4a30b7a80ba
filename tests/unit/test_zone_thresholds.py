"""Thresholds of a zone judge what is said of it by name, and nothing else."""

from datetime import datetime, timedelta

from detection.domain.crimes import CrimeType
from detection.domain.episodes import CrimeConfirmed, EpisodeMachine, EpisodeOpened
from detection.domain.fusion import fuse
from detection.domain.suspicions import Suspicion
from detection.domain.thresholds import Thresholds
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule_set import RuleSet
from detection.rules.settings import Layer, Settings
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import START, Walk, moments, zone

TRESPASSING = CrimeType.TRESPASSING


def a_yard(name: str, first: str, last: str, **thresholds: float) -> Zone:
    layer: Layer | None = {"thresholds": {"trespassing": thresholds}} if thresholds else None
    return zone(ZoneKind.RESTRICTED, first, last, name=name, settings=layer)


def course(steps: str, *zones: Zone) -> list[str]:
    """What becomes of somebody who walks so, a step a second; a dwell is 4 s."""
    rules, machine = RuleSet([Trespassing]), EpisodeMachine()
    rules.follow(zones, Settings())
    told = []
    for moment in moments(Walk(steps)):
        for event in machine.observe(fuse(rules.observe(moment)), moment.at):
            second = (moment.at - START).total_seconds()
            if isinstance(event, EpisodeOpened):
                told.append(f"alert after {second:.0f} s")
            if isinstance(event, CrimeConfirmed):
                told.append(f"crime after {second:.0f} s")
    return told


def test_without_thresholds_of_its_own_a_zone_goes_by_the_camera() -> None:
    assert course("dddddddd", a_yard("yard", "d", "f")) == ["alert after 1 s", "crime after 6 s"]


def test_a_zone_may_ask_for_more_before_it_alerts_and_before_it_is_a_crime() -> None:
    yard = a_yard("yard", "d", "f", alert=80, crime=90)
    # 85 after 4 s, 90 after 6 s and sustained for 2 s.
    assert course("dddddddddd", yard) == ["alert after 5 s", "crime after 8 s"]


def test_a_level_that_the_zone_leaves_open_is_the_cameras() -> None:
    yard = a_yard("yard", "d", "f", alert=60)
    assert course("dddddddd", yard) == ["alert after 3 s", "crime after 6 s"]


def test_a_deaf_zone_does_not_silence_another_around_the_same_person() -> None:
    deaf, awake = a_yard("deaf", "d", "f", alert=99, crime=100), a_yard("awake", "d", "f")
    assert course("dddddddd", deaf) == []
    assert course("dddddddd", deaf, awake) == ["alert after 1 s", "crime after 6 s"]


def test_what_reaches_its_own_threshold_counts_before_what_is_surer_and_does_not() -> None:
    def seen(at: datetime) -> list[str]:
        surer = Suspicion(TRESPASSING, 90, (1,), "surer", "deaf", Thresholds(95, 99))
        other = Suspicion(TRESPASSING, 60, (2,), "counts", "awake")
        return [
            e.reason for e in machine.observe([surer, other], at) if isinstance(e, EpisodeOpened)
        ]

    machine = EpisodeMachine()
    assert seen(START) == []
    assert seen(START + timedelta(seconds=1)) == ["counts"]
