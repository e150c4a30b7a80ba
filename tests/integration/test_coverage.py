"""The books of watching: what a watcher writes, and what becomes of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django import Settings

from detection.domain.coverage import day_span
from detection.domain.view_health import HealthKind
from detection.models import Camera, Claim, Duty, HealthEvent, WatchedTime
from detection.services.claims import Lease
from detection.services.coverage import (
    Coverage,
    WatchLog,
    coverage_of,
    follow_duties,
    with_coverage_rows,
)
from detection.services.health import note_health
from detection.services.retention import TABLES, prune_tables

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 5, 2, tzinfo=BERLIN)
TICK = 2.0


def after(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


@pytest.fixture
def lease() -> Lease:
    camera = Camera.objects.create(registry="local", external_id=1, name="Yard")
    Claim.objects.create(camera=camera, token=1)
    return Lease(camera.pk, 1)


def watch(log: WatchLog, begin: float, end: float) -> None:
    """Renewals every two seconds."""
    at = begin
    while at <= end:
        log.watched(until=after(at))
        at += TICK


def covered(begin: float, end: float) -> Coverage:
    from_, to = after(begin), after(end)
    camera = with_coverage_rows(Camera.objects.all(), begin=from_, end=to).get()
    return coverage_of(camera, begin=from_, end=to, at=after(100_000))


def test_one_stretch_of_watching_is_one_row_that_grows(lease: Lease) -> None:
    follow_duties(at=after(0))
    watch(WatchLog(lease), 10, 60)
    assert WatchedTime.objects.count() == 1
    found = covered(0, 100)
    assert (found.wanted_seconds, found.watched_seconds) == (100, 50)
    assert found.percent == 50
    assert found.gaps == [(after(0), after(10)), (after(60), after(100))]


def test_a_watch_across_midnight_counts_in_each_day_for_its_part(lease: Lease) -> None:
    follow_duties(at=after(-3600))
    watch(WatchLog(lease), -60, 30)
    yesterday, today = day_span(after(-1).date(), BERLIN), day_span(MIDNIGHT.date(), BERLIN)
    assert yesterday[1] == today[0] == MIDNIGHT
    assert covered(-86_400, 0).watched_seconds == 60
    assert covered(0, 86_400).watched_seconds == 30
    assert covered(-86_400, 0).wanted_seconds == 3600


def test_a_moment_that_is_dated_a_little_earlier_adds_no_second_row(lease: Lease) -> None:
    log = WatchLog(lease)
    for seconds in (0.0, 2.0, 1.998, 4.0):
        log.watched(until=after(seconds))
    (row,) = WatchedTime.objects.all()
    assert row.ended_at - row.began_at == timedelta(seconds=4)


def test_what_seemed_watched_until_the_trouble_was_found_is_taken_back(lease: Lease) -> None:
    follow_duties(at=after(0))
    log = WatchLog(lease)
    watch(log, 0, 60)
    log.blind(since=after(55))
    log.blind(since=after(55))
    watch(log, 80, 100)
    assert covered(0, 100).watched_seconds == 55 + 20
    assert covered(0, 100).gaps == [(after(55), after(80))]


def test_a_trouble_older_than_the_stretch_leaves_nothing_of_it(lease: Lease) -> None:
    follow_duties(at=after(0))
    log = WatchLog(lease)
    watch(log, 50, 60)
    log.blind(since=after(20))
    assert covered(0, 100).watched_seconds == 0


def test_a_killed_worker_and_its_successor_never_count_a_second_twice(lease: Lease) -> None:
    follow_duties(at=after(0))
    killed = WatchLog(lease)
    watch(killed, 0, 40)
    Claim.objects.update(token=2)
    watch(WatchLog(Lease(lease.camera_id, 2)), 30, 60)  # clocks of two hosts may differ
    watch(killed, 42, 90)  # it was only frozen, and does not know
    assert covered(0, 100).watched_seconds == 60


@pytest.mark.parametrize("jump", [7200.0, -7200.0])
def test_a_clock_that_is_set_adds_no_time(lease: Lease, jump: float) -> None:
    follow_duties(at=after(-10_000))
    log = WatchLog(lease)
    watch(log, 0, 40)
    watch(log, 42 + jump, 60 + jump)
    assert covered(-10_000, 10_000).watched_seconds == 40 + 18


def test_only_the_time_in_which_the_camera_was_enabled_was_wanted(lease: Lease) -> None:
    follow_duties(at=after(0))
    Camera.objects.update(enabled=False)
    for seconds in (40, 50):
        follow_duties(at=after(seconds))
    Camera.objects.update(enabled=True)
    for seconds in (70, 80):
        follow_duties(at=after(seconds))
    watch(WatchLog(lease), 30, 60)
    found = covered(0, 100)
    assert (found.wanted_seconds, found.watched_seconds) == (70, 10)
    assert Duty.objects.count() == 2


def test_a_camera_that_nobody_wanted_has_no_percentage(lease: Lease) -> None:
    assert covered(0, 100).percent is None


def test_old_rows_are_forgotten_and_what_goes_on_is_kept(lease: Lease, settings: Settings) -> None:
    follow_duties(at=after(0))
    log = WatchLog(lease)
    watch(log, 0, 20)
    log.blind(since=None)
    watch(log, 100, 120)
    HealthEvent.objects.create(camera_id=lease.camera_id, kind="black", began_at=after(20))
    days = settings.ENVIRONMENT.history_keep_days
    prune_tables(TABLES, at=after(50) + timedelta(days=days))
    assert WatchedTime.objects.count() == Duty.objects.count() == HealthEvent.objects.count() == 1


def test_the_admin_shows_hours_percentages_and_gaps_in_the_sites_time(
    lease: Lease, admin_client: Client, settings: Settings, tmp_path: object
) -> None:
    from django.utils import timezone

    settings.STATIC_ROOT = tmp_path
    now = timezone.now()
    began = now - timedelta(hours=1)
    Duty.objects.create(camera_id=lease.camera_id, began_at=began)
    for from_, to in ((60, 15), (10, 0)):
        WatchedTime.objects.create(
            camera_id=lease.camera_id,
            began_at=now - timedelta(minutes=from_),
            ended_at=now - timedelta(minutes=to),
        )
    HealthEvent.objects.create(
        camera_id=lease.camera_id,
        kind="moved",
        began_at=now - timedelta(minutes=15),
        ended_at=now - timedelta(minutes=10),
    )
    listed = admin_client.get("/admin/detection/camera/").content.decode()
    assert ">91." in listed and "5 min 0 s not watched" in listed
    page = admin_client.get(f"/admin/detection/camera/{lease.camera_id}/change/").content.decode()
    gap = timezone.localtime(now - timedelta(minutes=15))
    assert f"{gap:%H:%M:%S}" in page and "(moved)" in page
    assert ">Moved</span>" in page


def test_a_trouble_that_is_noted_after_its_camera_was_disabled_ends_too(lease: Lease) -> None:
    follow_duties(at=after(0))
    Camera.objects.update(enabled=False)
    follow_duties(at=after(3))
    note_health(
        lease=lease, kind=HealthKind.LOST, began_at=after(2), detail="", at=after(3.5)
    )  # its watcher has not heard of it yet
    follow_duties(at=after(6))
    assert HealthEvent.objects.get().ended_at == after(6)
