"""After the database was away the watchers come first: their leases lapsed with it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from detection import tasks
from detection.models import Camera, Claim, Episode, Pulse
from detection.services import claims, pulse
from detection.services.claims import WatchCounters

pytestmark = pytest.mark.django_db


def beat_until_now(*, since_seconds: float, gap_seconds: float = 0.0) -> None:
    """The sweep ran each 5 s since then, but for a gap that ended 1 s ago."""
    now = timezone.now()
    ages = [age for age in range(int(since_seconds), 0, -5) if age > gap_seconds]
    for age in [*ages, 1]:
        pulse.beat(at=now - timedelta(seconds=age))


def test_a_cluster_that_runs_is_settled_after_a_while() -> None:
    assert not pulse.is_settled(at=timezone.now())
    beat_until_now(since_seconds=8)
    assert not pulse.is_settled(at=timezone.now())
    beat_until_now(since_seconds=60)
    assert pulse.is_settled(at=timezone.now())
    assert Pulse.objects.count() == 1


def test_a_gap_unsettles_it_for_a_while() -> None:
    beat_until_now(since_seconds=120, gap_seconds=60)
    assert not pulse.is_settled(at=timezone.now())
    later = timezone.now() + timedelta(seconds=4)
    pulse.beat(at=later)
    assert not pulse.is_settled(at=later)
    for seconds in (8, 12):
        pulse.beat(at=timezone.now() + timedelta(seconds=seconds))
    assert pulse.is_settled(at=timezone.now() + timedelta(seconds=12))


def test_before_the_first_sweep_after_an_outage_it_is_not_settled_either() -> None:
    beat_until_now(since_seconds=120)
    assert not pulse.is_settled(at=timezone.now() + timedelta(seconds=60))


@pytest.mark.parametrize(("gap", "closed"), [(60.0, False), (0.0, True)])
def test_an_episode_whose_lease_lapsed_in_an_outage_is_left_to_its_watcher(
    gap: float, closed: bool
) -> None:
    camera = Camera.objects.create(registry="local", name="Camera 1", external_id=1)
    long_ago = timezone.now() - timedelta(seconds=50)
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=1, at=long_ago
    )
    assert lease is not None
    Episode.objects.create(
        id=uuid4(),
        camera=camera,
        claim_token=lease.token,
        crime_type="trespassing",
        confidence=60,
        started_at=long_ago,
        alerted_at=long_ago,
        decided_at=long_ago,
    )
    beat_until_now(since_seconds=120, gap_seconds=gap)
    settled = pulse.is_settled(at=timezone.now())
    rung = claims.cameras_to_ring(at=timezone.now(), listed_within_seconds=60, lapsed_too=settled)
    assert [ring.camera_id for ring in rung] == ([camera.pk] if closed else [])
    tasks.close_orphaned_episodes()
    assert Episode.objects.get().is_open is not closed

    claims.renew_lease(
        lease=lease,
        at=timezone.now(),
        last_frame_at=None,
        counters=WatchCounters(),
        frames_per_second=0.0,
    )
    assert Claim.objects.live(timezone.now()).count() == 1, "nobody else took it"


def test_a_camera_that_was_given_back_is_rung_at_once_all_the_same() -> None:
    camera = Camera.objects.create(registry="local", name="Camera 1", external_id=1)
    new = claims.cameras_to_ring(at=timezone.now(), listed_within_seconds=60, lapsed_too=False)
    assert [ring.camera_id for ring in new] == [camera.pk]
